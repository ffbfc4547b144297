//! The client that stays with its job: shows what it prints, passes signals on as requests, and sees its end.
//!
//! It is only a spectator with a telephone. Killing it loses nothing: the job goes on, supervised.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher};

use super::pump::{Pump, Sink};
use crate::domain::job_id::JobId;
use crate::domain::request::{Kill, Request, Verb};
use crate::domain::signal::Signal;
use crate::domain::state::Reason;
use crate::platform::{self, Connection, Wake, WakeQueue};
use crate::store::{Store, StoreError, deliver};

/// How long to look quickly before opening a watch: short jobs are over by then, and closing a watch takes its time.
const EAGER: Duration = Duration::from_millis(8);
/// How often to look while being eager.
const EAGER_POLL: Duration = Duration::from_millis(1);
/// How often to look when there is no watch.
const BLIND_POLL: Duration = Duration::from_millis(50);
/// How often to look in spite of a watch.
const SLOW_POLL: Duration = Duration::from_secs(1);

/// A client that stays.
#[derive(Debug)]
pub struct Foreground<'a> {
    /// Where the job is.
    pub store: &'a Store,
    /// The job.
    pub id: JobId,
    /// The attempt that is shown.
    pub attempt: u32,
    /// Whether stderr goes to the file of stdout.
    pub merged: bool,
    /// Where signals arrive.
    pub queue: &'a WakeQueue,
    /// The line to the supervisor.
    pub connection: Connection,
}

/// How staying ended.
#[derive(Debug)]
pub enum ForegroundEnd {
    /// The supervisor is gone, and everything that was printed has been shown. The record tells the rest.
    RunEnded,
    /// We leave, the job goes on.
    Left(Leave),
}

/// Why we leave before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// The third signal.
    ThirdSignal,
    /// Nobody reads our stdout; the job has been asked to stop.
    ReaderGone,
}

impl Foreground<'_> {
    /// Stays until the run has ended or we leave. `on_stop` is called when a signal made us ask for the end, with that
    /// signal and how many there have been; `on_write_error` once when our stdout or stderr does not take what the job
    /// prints for another reason than a closed pipe.
    ///
    /// # Errors
    /// When a request cannot be delivered or waiting fails.
    pub fn stay(
        mut self,
        mut on_stop: impl FnMut(Signal, u32),
        mut on_write_error: impl FnMut(Sink, &io::Error),
    ) -> Result<ForegroundEnd, StoreError> {
        let paths = self.store.layout().job(self.id);
        let mut pump = Pump::new(self.queue.waker());
        pump.add(&paths.stdout(self.attempt), Sink::Stdout, 0);
        if !self.merged {
            pump.add(&paths.stderr(self.attempt), Sink::Stderr, 0);
        }
        let began = Instant::now();
        let mut watch = None;
        let mut signals = 0;
        let mut over = false;
        loop {
            if over {
                pump.finish();
                if pump.is_done() && !matches!(pump_failure(&mut pump, &mut on_write_error), Some(Leave::ReaderGone)) {
                    return Ok(ForegroundEnd::RunEnded);
                }
            } else {
                pump.look();
            }
            if pump_failure(&mut pump, &mut on_write_error) == Some(Leave::ReaderGone) {
                self.ask(Kill { front: Some(Signal::PIPE), ..Kill::default() })?;
                return Ok(ForegroundEnd::Left(Leave::ReaderGone));
            }
            if watch.is_none() && !over && began.elapsed() > EAGER {
                watch = Some(self.watch(paths.attempt(self.attempt)));
                // What was printed before the watch existed rang no bell.
                pump.look();
            }
            let timeout = match &watch {
                _ if over => SLOW_POLL,
                None => EAGER_POLL,
                Some(None) => BLIND_POLL,
                Some(Some(_)) => SLOW_POLL,
            };
            let connection = (!over).then_some(&self.connection);
            let (wakes, news) = self.queue.wait(Some(timeout), connection).map_err(|source| StoreError::Io {
                action: "follow",
                path: paths.dir().to_owned(),
                source,
            })?;
            if news {
                over = self.is_over();
            }
            for wake in wakes {
                let Wake::Signal(signal) = wake else { continue };
                signals += 1;
                if signals > 2 {
                    return Ok(ForegroundEnd::Left(Leave::ThirdSignal));
                }
                if !over {
                    on_stop(signal, signals);
                    let first = signals == 1;
                    self.ask(Kill { front: first.then_some(signal), now: !first, ..Kill::default() })?;
                }
            }
        }
    }

    /// Reads the news. The closing of the connection is the end, however it came about.
    fn is_over(&mut self) -> bool {
        loop {
            match self.connection.receive(Some(Duration::from_millis(1))) {
                Ok(Some(line)) if line.contains("ended") => return true,
                Ok(Some(_)) if self.connection.has_line() => {}
                Ok(Some(_)) => return false,
                Ok(None) => return true,
                Err(error) => return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
            }
        }
    }

    fn ask(&self, kill: Kill) -> Result<(), StoreError> {
        let kill = Kill { reason: Some(Reason::ClientSignal), ..kill };
        match deliver(self.store, self.id, &Request::new(self.attempt, Verb::Kill(kill))) {
            Ok(_) | Err(StoreError::NoSuchJob) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn watch(&self, directory: PathBuf) -> Option<notify::RecommendedWatcher> {
        let waker = self.queue.waker();
        let mut watcher = notify::recommended_watcher(move |_| waker.wake()).ok()?;
        watcher.watch(&directory, RecursiveMode::NonRecursive).ok()?;
        Some(watcher)
    }
}

fn pump_failure(pump: &mut Pump, on_write_error: &mut impl FnMut(Sink, &io::Error)) -> Option<Leave> {
    let (sink, error) = pump.take_failure()?;
    if error.kind() == io::ErrorKind::BrokenPipe && sink == Sink::Stdout {
        return Some(Leave::ReaderGone);
    }
    on_write_error(sink, &error);
    None
}

/// Copies what is typed at the terminal into the job's input, in a thread of its own, until the end of either.
pub fn copy_typed(fifo: std::fs::File) {
    std::thread::spawn(move || {
        use std::io::Write;
        let mut fifo = fifo;
        let mut buffer = [0u8; 4096];
        loop {
            match platform::read_typed(&mut buffer) {
                Ok(0) => return,
                Ok(n) if fifo.write_all(&buffer[..n]).is_ok() => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return,
            }
        }
    });
}
