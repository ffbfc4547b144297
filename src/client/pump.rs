//! Copying what a job prints from its log files to our own stdout and stderr, as it grows.
//!
//! Each stream has a thread of its own once there is something to copy: a reader that is slow or stopped blocks that
//! thread and nothing else, so signals are still handled and the other stream still flows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::platform::{self, Waker};

const CHUNK: usize = 256 << 10;

/// Where a stream goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sink {
    /// Our stdout.
    Stdout,
    /// Our stderr.
    Stderr,
}

/// Copies the output of one attempt.
#[derive(Debug)]
pub struct Pump {
    streams: Vec<Stream>,
    waker: Waker,
}

#[derive(Debug)]
struct Stream {
    path: PathBuf,
    sink: Sink,
    from: u64,
    shared: Arc<Shared>,
    running: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the calls to look again.
    looks: u64,
    /// Whether nothing more will be written.
    finish: bool,
    done: bool,
    failure: Option<io::Error>,
}

impl Shared {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state);
        self.changed.notify_all();
        result
    }
}

impl Pump {
    /// Prepares to copy; nothing is read before the first [`Pump::look`].
    pub fn new(waker: Waker) -> Self {
        Self { streams: Vec::new(), waker }
    }

    /// Adds a stream, beginning at this offset.
    pub fn add(&mut self, path: &Path, sink: Sink, from: u64) {
        let shared = Arc::new(Shared::default());
        self.streams.push(Stream { path: path.to_owned(), sink, from, shared, running: false });
    }

    /// Looks again at every stream.
    pub fn look(&mut self) {
        for stream in &mut self.streams {
            if stream.running {
                stream.shared.with(|state| state.looks += 1);
            } else if platform::facts(&stream.path).is_ok_and(|facts| facts.length > stream.from) {
                stream.running = true;
                let (path, sink, from) = (stream.path.clone(), stream.sink, stream.from);
                let (shared, waker) = (stream.shared.clone(), self.waker.clone());
                std::thread::spawn(move || {
                    let failure = copy(&path, sink, from, &shared).err();
                    shared.with(|state| {
                        state.done = true;
                        state.failure = failure;
                    });
                    waker.wake();
                });
            }
        }
    }

    /// Says that nothing more will be written: what is there is copied, and that is it.
    pub fn finish(&mut self) {
        self.look();
        for stream in &self.streams {
            stream.shared.with(|state| state.finish = true);
        }
    }

    /// Says whether everything has been copied, after [`Pump::finish`].
    pub fn is_done(&self) -> bool {
        self.streams.iter().all(|stream| !stream.running || stream.shared.with(|state| state.done))
    }

    /// Says whether a failure to write is still to be taken.
    pub fn has_failed(&self) -> bool {
        self.streams.iter().any(|stream| stream.shared.with(|state| state.failure.is_some()))
    }

    /// Takes the first failure to write, if there was one.
    pub fn take_failure(&mut self) -> Option<(Sink, io::Error)> {
        self.streams.iter().find_map(|stream| {
            let failure = stream.shared.with(|state| state.failure.take())?;
            Some((stream.sink, failure))
        })
    }
}

fn copy(path: &Path, sink: Sink, from: u64, shared: &Shared) -> io::Result<()> {
    let mut file: File = platform::open_regular(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut buffer = vec![0u8; CHUNK];
    loop {
        let (looks, finish) = shared.with(|state| (state.looks, state.finish));
        let n = match file.read(&mut buffer) {
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if n > 0 {
            platform::write_all(sink == Sink::Stderr, &buffer[..n])?;
        } else if finish {
            return Ok(());
        } else {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            while state.looks == looks && !state.finish {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}
