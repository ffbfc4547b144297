//! How far the clients that stay with a job have shown its output, told by locks on ranges of an empty file.
//!
//! A client holds a shared lock on everything that it has not shown. The kernel takes the lock back however the client
//! dies, so what is locked is never out of date; and who trims asks the kernel where the first lock begins. Each attempt
//! has a range of [`ATTEMPT`] offsets, half of it for stdout and half for stderr; the lock reaches to the end of all
//! offsets, so that attempts which a client has not come to are whole for it.

use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::error::{Context, StoreError};
use super::layout::JobPaths;
use crate::platform::{self, RangeLocks};

/// The offsets of one stream of one attempt.
const STREAM: u64 = 1 << 44;
/// The offsets of one attempt.
const ATTEMPT: u64 = 2 * STREAM;
/// Attempts from this one on share their offsets: then what is kept is too much, never too little.
const LAST_ATTEMPT: u32 = (1 << 17) - 1;

/// One of the two streams of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogStream {
    /// Its stdout.
    Stdout,
    /// Its stderr.
    Stderr,
}

/// What one client has shown of a job. Dropping it says that nothing is waited for any more.
#[derive(Debug)]
pub struct Shown(Mutex<Place>);

#[derive(Debug)]
struct Place {
    locks: RangeLocks,
    attempt: u32,
    /// How far its stdout and stderr have been shown.
    shown: [u64; 2],
}

fn base(attempt: u32) -> u64 {
    u64::from(attempt.min(LAST_ATTEMPT)) * ATTEMPT
}

fn place(attempt: u32, stream: LogStream, offset: u64) -> u64 {
    let offset = offset.min(STREAM - 1);
    match stream {
        LogStream::Stdout => base(attempt) + offset,
        LogStream::Stderr => base(attempt) + STREAM + offset,
    }
}

impl Shown {
    /// Says that nothing of this attempt and of later ones has been shown yet. A process may do so once for a job: the
    /// kernel forgets all its locks on a file when it closes any descriptor of it.
    ///
    /// # Errors
    /// What the system says, for instance where there are no such locks.
    pub fn nothing_of(paths: &JobPaths, attempt: u32) -> Result<Self, StoreError> {
        let path = paths.shown();
        let file = platform::open_lock_file(&path, true).context("open", &path)?;
        let locks = RangeLocks::from(file, base(attempt)).context("lock", &path)?;
        platform::crash_point("shown.locked");
        Ok(Self(Mutex::new(Place { locks, attempt, shown: [0, 0] })))
    }

    /// Says that a stream of an attempt has been shown up to an offset.
    pub fn advance(&self, attempt: u32, stream: LogStream, to: u64) {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at.attempt != attempt {
            // All of the former attempt is through.
            let former = base(at.attempt)..base(attempt);
            at.locks.give_back(former).ok();
            (at.attempt, at.shown) = (attempt, [0, 0]);
        }
        let known = at.shown[usize::from(stream == LogStream::Stderr)];
        // What cannot be unlocked stays locked: then less is trimmed.
        at.locks.give_back(place(attempt, stream, known)..place(attempt, stream, to)).ok();
        at.shown[usize::from(stream == LogStream::Stderr)] = to.max(known);
    }
}

/// Finds how far a stream has been shown by every client that stays with the job; `end` when nobody does, or all have come
/// so far.
///
/// # Errors
/// When locks cannot be asked for; nothing may be trimmed then.
pub fn shown_up_to(shown: &Path, attempt: u32, stream: LogStream, end: u64) -> io::Result<u64> {
    let file = match platform::open_lock_file(shown, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(end),
        Err(error) => return Err(error),
    };
    let start = place(attempt, stream, 0);
    let first = platform::first_locked(&file, start..place(attempt, stream, end))?;
    Ok(first.map_or(end, |first| first - start))
}
