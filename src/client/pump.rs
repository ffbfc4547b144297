//! Copying what a job prints from its log files to our own stdout and stderr, as it grows.
//!
//! Each stream has a thread of its own once there is something to copy: a reader that is slow or stopped blocks that
//! thread and nothing else, so signals are still handled and the other stream still flows.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::reading::{Reading, Wanted};
use super::screen::Screen;
use crate::platform::{self, RawTerminal, Waker};
use crate::store::{JobPaths, Log, LogStream, Shown};

/// Where a stream goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sink {
    /// Our stdout.
    Stdout,
    /// Our stderr.
    Stderr,
}

/// A job of which the logs have a size limit, as a client sees it that stays with the job.
#[derive(Clone, Debug)]
pub struct Limited {
    /// The limit.
    pub bytes: u64,
    /// Keeps what we have not shown from being dropped; `None` where there are no such locks.
    pub shown: Option<Arc<Shown>>,
}

impl Limited {
    /// Begins to show an attempt; to be made before anything of it can execute.
    pub fn new(paths: &JobPaths, attempt: u32, bytes: u64) -> Self {
        Self { bytes, shown: Shown::nothing_of(paths, attempt).ok().map(Arc::new) }
    }
}

/// What is copied.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The log.
    pub(super) path: PathBuf,
    /// Where it goes.
    pub(super) sink: Sink,
    /// What of it.
    pub(super) wanted: Wanted,
    /// The size limit that the log has.
    pub(super) limit: Option<u64>,
    /// Whom to tell what has been shown.
    pub(super) shown: Option<(Arc<Shown>, u32)>,
    /// What the job switches on at our terminal, if it believes that it is its own.
    pub(super) screen: Option<Arc<Mutex<Screen>>>,
}

/// Copies the output of one attempt.
#[derive(Debug)]
pub(super) struct Pump {
    streams: Vec<Stream>,
    waker: Waker,
}

#[derive(Debug)]
struct Stream {
    source: Source,
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
    /// Bytes that were passed over because they had been dropped.
    skipped: u64,
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
    pub(super) fn new(waker: Waker) -> Self {
        Self { streams: Vec::new(), waker }
    }

    /// Adds a stream.
    pub(super) fn add(&mut self, source: Source) {
        self.streams.push(Stream { source, shared: Arc::new(Shared::default()), running: false });
    }

    /// Looks again at every stream.
    pub(super) fn look(&mut self) {
        for stream in &mut self.streams {
            if stream.running {
                stream.shared.with(|state| state.looks += 1);
            } else if platform::facts(&stream.source.path).is_ok_and(|facts| facts.length > stream.source.wanted.from) {
                stream.running = true;
                let (source, shared, waker) = (stream.source.clone(), stream.shared.clone(), self.waker.clone());
                std::thread::spawn(move || {
                    let failure = copy(&source, &shared, &waker).err();
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
    pub(super) fn finish(&mut self) {
        self.look();
        for stream in &self.streams {
            stream.shared.with(|state| state.finish = true);
        }
    }

    /// Says whether everything has been copied, after [`Pump::finish`].
    pub(super) fn is_done(&self) -> bool {
        self.streams.iter().all(|stream| !stream.running || stream.shared.with(|state| state.done))
    }

    /// Says whether a failure to write is still to be taken.
    pub(super) fn has_failed(&self) -> bool {
        self.streams.iter().any(|stream| stream.shared.with(|state| state.failure.is_some()))
    }

    /// Takes the first failure to write, if there was one.
    pub(super) fn take_failure(&mut self) -> Option<(Sink, io::Error)> {
        self.streams.iter().find_map(|stream| {
            let failure = stream.shared.with(|state| state.failure.take())?;
            Some((stream.source.sink, failure))
        })
    }

    /// Takes how many bytes of a stream were passed over because they had been dropped.
    pub(super) fn take_skipped(&mut self) -> Option<(Sink, u64)> {
        self.streams.iter().find_map(|stream| {
            let skipped = stream.shared.with(|state| std::mem::take(&mut state.skipped));
            (skipped > 0).then_some((stream.source.sink, skipped))
        })
    }
}

fn copy(source: &Source, shared: &Shared, waker: &Waker) -> io::Result<()> {
    let mut reading = Reading::new(Log::open(&source.path, source.limit)?, &source.wanted)?;
    let to_stderr = source.sink == Sink::Stderr;
    let stream = if to_stderr { LogStream::Stderr } else { LogStream::Stdout };
    // What a terminal is told is looked at on its way.
    let mut hands_on = source.screen.is_none();
    loop {
        let (looks, finish) = shared.with(|state| (state.looks, state.finish));
        while hands_on {
            match reading.hand_on(to_stderr)? {
                Some(0) => break,
                Some(_) => {}
                None => hands_on = false,
            }
        }
        let is_more = reading.next()?;
        let skipped: u64 = reading.take_gaps().iter().map(|gap| gap.end - gap.start).sum();
        if skipped > 0 {
            shared.with(|state| state.skipped += skipped);
            waker.wake();
        }
        if is_more {
            match &source.screen {
                // Finally steps do not print through the terminal of the job, nor does anybody end lines for them.
                Some(_) if to_stderr && RawTerminal::is_active() => {
                    platform::write_all(true, &with_carriage_returns(reading.shown()))?;
                }
                screen => {
                    if let (Some(screen), false) = (screen, to_stderr) {
                        screen.lock().unwrap_or_else(PoisonError::into_inner).follow(reading.shown());
                    }
                    platform::write_all(to_stderr, reading.shown())?;
                }
            }
            if let Some((shown, attempt)) = &source.shown {
                shown.advance(*attempt, stream, reading.at());
            }
        } else if finish {
            return platform::write_all(to_stderr, reading.finish());
        } else {
            let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            while state.looks == looks && !state.finish {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

fn with_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) })
        .copied()
        .collect()
}
