//! The client that stays with its job: shows what it prints, passes signals on as requests, and sees its end.
//!
//! It is only a spectator with a telephone. Killing it loses nothing: the job goes on, supervised.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::pump::{Limited, Pump, Sink, Source};
use super::reading::Wanted;
use crate::domain::job_id::JobId;
use crate::domain::notice::Notice;
use crate::domain::request::{Kill, Request, Verb};
use crate::domain::signal::Signal;
use crate::domain::state::Reason;
use crate::platform::{self, Connection, Wake, WakeQueue};
use crate::store::{Store, StoreError, Watch, deliver};

/// How long to look quickly before opening a watch: short jobs are over by then, and closing a watch takes its time.
const EAGER: Duration = Duration::from_millis(8);
/// How often to look while being eager.
const EAGER_POLL: Duration = Duration::from_millis(1);
/// How often to look when there is no watch.
const BLIND_POLL: Duration = Duration::from_millis(50);
/// How often to look in spite of a watch.
const SLOW_POLL: Duration = Duration::from_secs(1);

/// When to remind of a job that is still queued: first, and how often later on.
const REMINDERS: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(600));

/// A client that stays.
#[derive(Debug)]
pub struct Foreground<'a> {
    /// Where the job is.
    pub store: &'a Store,
    /// The job.
    pub id: JobId,
    /// The attempt that is shown.
    pub attempt: u32,
    /// Whether what it prints is shown.
    pub shows: bool,
    /// Whether stderr goes to the file of stdout.
    pub merged: bool,
    /// The size limit of its logs, if there is one.
    pub limited: Option<Limited>,
    /// Where signals arrive.
    pub queue: &'a WakeQueue,
    /// The line to the supervisor.
    pub connection: Connection,
    /// When to leave, however far the job is.
    pub until: Option<Instant>,
    /// Whether the job has to wait before it starts.
    pub is_queued: bool,
}

/// How staying ended.
#[derive(Debug)]
pub enum ForegroundEnd {
    /// The run is over, and everything that was printed has been shown. The record tells the rest; a job that is to be
    /// deleted stays as long as the connection does.
    RunEnded(Connection),
    /// We leave, the job goes on.
    Left(Leave),
}

/// Why we leave before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leave {
    /// The third signal.
    ThirdSignal,
    /// We were to look on only so long.
    Observed,
    /// Nobody reads our stdout; the job has been asked to stop.
    ReaderGone,
}

/// Something to tell while staying.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// The job still waits for its start; told rarely.
    StillQueued,
    /// It has ended, and its outcome cannot be recorded yet, for this reason.
    Unrecorded(&'a str),
}

impl Foreground<'_> {
    /// Stays until the run has ended or we leave. `on_stop` is called when a signal made us ask for the end, with that
    /// signal and how many there have been; `on_write_error` once when our stdout or stderr does not take what the job
    /// prints for another reason than a closed pipe; `on_news` when there is something to tell besides.
    ///
    /// # Errors
    /// When a request cannot be delivered or waiting fails.
    pub fn stay(
        mut self,
        mut on_stop: impl FnMut(Signal, u32),
        mut on_write_error: impl FnMut(Sink, &io::Error),
        mut on_news: impl FnMut(News<'_>),
    ) -> Result<ForegroundEnd, StoreError> {
        let paths = self.store.layout().job(self.id);
        let mut pump = self.pump();
        let began = Instant::now();
        let mut remind_after = REMINDERS.0;
        let mut watch = None;
        let mut signals = 0;
        let mut over = false;
        // The attempts that began after the one that is shown: each is shown when the one before is through.
        let mut next: VecDeque<u32> = VecDeque::new();
        loop {
            if over || !next.is_empty() {
                pump.finish();
            } else {
                pump.look();
            }
            if (over || !next.is_empty()) && pump.is_done() && !pump.has_failed() {
                let Some(attempt) = next.pop_front() else {
                    return Ok(ForegroundEnd::RunEnded(self.connection));
                };
                self.attempt = attempt;
                pump = self.pump();
                watch = None;
                continue;
            }
            if pump_failure(&mut pump, &mut on_write_error) == Some(Leave::ReaderGone) {
                let current = next.back().copied().unwrap_or(self.attempt);
                self.ask(current, Kill { front: Some(Signal::PIPE), ..Kill::default() })?;
                return Ok(ForegroundEnd::Left(Leave::ReaderGone));
            }
            if watch.is_none() && !over && began.elapsed() > EAGER {
                watch = Some(Watch::of(&paths.attempt(self.attempt), self.queue.waker()));
                // What was printed before the watch existed rang no bell.
                pump.look();
            }
            if self.is_queued && began.elapsed() > remind_after {
                on_news(News::StillQueued);
                remind_after = (remind_after * 2).min(began.elapsed() + REMINDERS.1);
            }
            let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) && !over {
                // What is there is shown before we go.
                pump.finish();
                if pump.is_done() {
                    return Ok(ForegroundEnd::Left(Leave::Observed));
                }
            }
            let timeout = match &watch {
                _ if over => SLOW_POLL,
                None => EAGER_POLL,
                Some(None) => BLIND_POLL,
                Some(Some(_)) => SLOW_POLL,
            };
            // At the limit the pump wakes us when it is through.
            let timeout = left.filter(|left| !left.is_zero()).map_or(timeout, |left| left.min(timeout));
            // News that came together with what the launch has read rings no bell any more.
            let read_already = !over && self.connection.has_line();
            let timeout = if read_already { Duration::ZERO } else { timeout };
            let connection = (!over).then_some(&self.connection);
            let (wakes, news) = self.queue.wait(Some(timeout), connection).map_err(|source| StoreError::Io {
                action: "follow",
                path: paths.dir().to_owned(),
                source,
            })?;
            if !over && WakeQueue::is_stdout_abandoned() {
                let current = next.back().copied().unwrap_or(self.attempt);
                self.ask(current, Kill { front: Some(Signal::PIPE), ..Kill::default() })?;
                return Ok(ForegroundEnd::Left(Leave::ReaderGone));
            }
            if news || read_already {
                over = self.is_over(&mut next, &mut on_news);
                if let (Some(attempt), 1..) = (next.back(), signals) {
                    // What we asked for was meant for the run, not only for the attempt that has ended meanwhile.
                    self.ask(*attempt, Kill::default())?;
                }
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
                    let current = next.back().copied().unwrap_or(self.attempt);
                    self.ask(current, Kill { front: first.then_some(signal), now: !first, ..Kill::default() })?;
                }
            }
        }
    }

    fn pump(&self) -> Pump {
        let paths = self.store.layout().job(self.id);
        let mut pump = Pump::new(self.queue.waker());
        if !self.shows {
            return pump;
        }
        let limited = self.limited.as_ref();
        let mut add = |path, sink, limited: Option<&Limited>| {
            let shown = limited.and_then(|limited| Some((limited.shown.clone()?, self.attempt)));
            let limit = limited.map(|limited| limited.bytes);
            pump.add(Source { path, sink, wanted: Wanted::default(), limit, shown });
        };
        add(paths.stdout(self.attempt), Sink::Stdout, limited);
        if !self.merged {
            add(paths.stderr(self.attempt), Sink::Stderr, limited);
        }
        add(paths.finally_log(self.attempt), Sink::Stderr, None);
        pump
    }

    /// Reads the news: further attempts, and the end. The closing of the connection is the end, however it came about.
    fn is_over(&mut self, next: &mut VecDeque<u32>, on_news: &mut impl FnMut(News<'_>)) -> bool {
        loop {
            match self.connection.receive(Some(Duration::from_millis(1))) {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(Notice::Ended) => return true,
                    Ok(Notice::Unrecorded { message }) => on_news(News::Unrecorded(&message)),
                    Ok(Notice::Running { attempt }) => {
                        self.is_queued = false;
                        if attempt != self.attempt {
                            next.push_back(attempt);
                        }
                    }
                    Ok(_) | Err(_) => {}
                },
                Ok(None) => return true,
                Err(error) => return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
            }
            if !self.connection.has_line() {
                return false;
            }
        }
    }

    fn ask(&self, attempt: u32, kill: Kill) -> Result<(), StoreError> {
        let kill = Kill { reason: Some(Reason::ClientSignal), ..kill };
        match deliver(self.store, self.id, &Request::new(attempt, Verb::Kill(kill))) {
            Ok(_) | Err(StoreError::NoSuchJob) => Ok(()),
            Err(error) => Err(error),
        }
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
