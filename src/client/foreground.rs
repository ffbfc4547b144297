//! The client that stays with its job: shows what it prints, passes signals on as requests, and sees its end.
//!
//! It is only a spectator with a telephone. Killing it loses nothing: the job goes on, supervised.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::keys::Pressed;
use super::pump::{Limited, Pump, Sink, Source};
use super::reading::Wanted;
use super::screen::Screen;
use super::typing::{TERMINAL_SIGNALS, Typed, Typing};
use crate::domain::job_id::JobId;
use crate::domain::notice::Notice;
use crate::domain::request::{Kill, Request, Verb};
use crate::domain::signal::Signal;
use crate::domain::state::Reason;
use crate::platform::{self, Connection, StdinKind, TypedEnd, Wake, WakeQueue};
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
    /// Whether the job has a terminal at which we type.
    pub types: bool,
}

/// What is told while staying.
#[derive(Debug)]
pub enum Told<'a> {
    /// We have asked for the end: because of this signal, or of keys that were pressed again and again; for which time.
    Stop(Option<Signal>, u32),
    /// Once: our stdout or stderr does not take what the job prints, for another reason than a closed pipe.
    NotTaken(Sink, &'a io::Error),
    /// Now and then: the job still waits for its start.
    Queued,
    /// It has ended, and its outcome cannot be recorded yet, for this reason.
    Unrecorded(&'a str),
    /// We are about to be suspended, and the job goes on.
    Suspended,
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
    /// The keys for leaving were pressed.
    Detached,
}

impl Foreground<'_> {
    /// Stays until the run has ended or we leave. `tell` is called with what may be worth a line.
    ///
    /// # Errors
    /// When a request cannot be delivered or waiting fails.
    pub fn stay(mut self, mut tell: impl FnMut(&Told<'_>)) -> Result<ForegroundEnd, StoreError> {
        let paths = self.store.layout().job(self.id);
        let screen = Arc::new(Mutex::new(Screen::default()));
        let mut pump = self.pump(&screen);
        let began = Instant::now();
        let mut remind_after = REMINDERS.0;
        let mut watch = None;
        let mut asked = 0;
        let mut over = false;
        let mut typing: Option<Typing<'_>> = None;
        if platform::stdin_kind() == StdinKind::Terminal {
            // Without them our terminal behaves as it does for every program.
            self.queue.watch(&TERMINAL_SIGNALS, true).ok();
        }
        // The attempts that began after the one that is shown: each is shown when the one before is through.
        let mut next: VecDeque<u32> = VecDeque::new();
        loop {
            // As long as the job waits for its start, ^C is for us.
            if self.types && typing.is_none() && !self.is_queued && !over {
                match Typing::start(self.store, self.id, self.queue, screen.clone()) {
                    Ok(started) => typing = Some(started),
                    // Somebody has deleted the job; what is told of its end says so.
                    Err(error) if error.is_not_found() => self.types = false,
                    Err(error) => return Err(error),
                }
            }
            if typing.is_some() {
                platform::panic_point("foreground");
            }
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
                pump = self.pump(&screen);
                watch = None;
                continue;
            }
            if pump_failure(&mut pump, &mut tell) == Some(Leave::ReaderGone) {
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
                tell(&Told::Queued);
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
                over = self.is_over(&mut next, &mut tell);
                if let (Some(attempt), 1..) = (next.back(), asked) {
                    // What we asked for was meant for the run, not only for the attempt that has ended meanwhile.
                    self.ask(*attempt, Kill::default())?;
                }
            }
            let current = next.back().copied().unwrap_or(self.attempt);
            for typed in typing.iter().flat_map(Typing::take) {
                match typed {
                    Typed::Pressed(Pressed::Detach) => return Ok(ForegroundEnd::Left(Leave::Detached)),
                    Typed::Pressed(Pressed::Insist) if !over => {
                        asked += 1;
                        tell(&Told::Stop(None, asked));
                        self.ask(current, Kill { now: asked > 1, ..Kill::default() })?;
                    }
                    Typed::End if !over => self.deliver(current, Verb::CloseInput)?,
                    Typed::Pressed(Pressed::Insist) | Typed::End => {}
                }
            }
            for signal in wakes.iter().filter_map(Wake::signal) {
                if TERMINAL_SIGNALS.contains(&signal) {
                    if signal == Signal::TSTP {
                        tell(&Told::Suspended);
                        platform::suspend().ok();
                    }
                    typing.iter().for_each(Typing::come_back);
                    continue;
                }
                asked += 1;
                if asked > 2 {
                    return Ok(ForegroundEnd::Left(Leave::ThirdSignal));
                }
                if !over {
                    tell(&Told::Stop(Some(signal), asked));
                    let first = asked == 1;
                    self.ask(current, Kill { front: first.then_some(signal), now: !first, ..Kill::default() })?;
                }
            }
        }
    }

    fn pump(&self, screen: &Arc<Mutex<Screen>>) -> Pump {
        let paths = self.store.layout().job(self.id);
        let mut pump = Pump::new(self.queue.waker());
        if !self.shows {
            return pump;
        }
        let limited = self.limited.as_ref();
        let mut add = |path, sink, limited: Option<&Limited>| {
            let shown = limited.and_then(|limited| Some((limited.shown.clone()?, self.attempt)));
            let limit = limited.map(|limited| limited.bytes);
            let screen = self.types.then(|| screen.clone());
            pump.add(Source { path, sink, wanted: Wanted::default(), limit, shown, screen });
        };
        add(paths.stdout(self.attempt), Sink::Stdout, limited);
        if !self.merged {
            add(paths.stderr(self.attempt), Sink::Stderr, limited);
        }
        add(paths.finally_log(self.attempt), Sink::Stderr, None);
        pump
    }

    /// Reads the news: further attempts, and the end. The closing of the connection is the end, however it came about.
    fn is_over(&mut self, next: &mut VecDeque<u32>, tell: &mut impl FnMut(&Told<'_>)) -> bool {
        loop {
            match self.connection.receive(Some(Duration::from_millis(1))) {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(Notice::Ended) => return true,
                    Ok(Notice::Unrecorded { message }) => tell(&Told::Unrecorded(&message)),
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
        self.deliver(attempt, Verb::Kill(Kill { reason: Some(Reason::ClientSignal), ..kill }))
    }

    fn deliver(&self, attempt: u32, verb: Verb) -> Result<(), StoreError> {
        match deliver(self.store, self.id, &Request::new(attempt, verb)) {
            Ok(_) | Err(StoreError::NoSuchJob) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn pump_failure(pump: &mut Pump, tell: &mut impl FnMut(&Told<'_>)) -> Option<Leave> {
    let (sink, error) = pump.take_failure()?;
    if error.kind() == io::ErrorKind::BrokenPipe && sink == Sink::Stdout {
        return Some(Leave::ReaderGone);
    }
    tell(&Told::NotTaken(sink, &error));
    None
}

/// Copies what is typed at the terminal into the job's input, in a thread of its own, until the end of either.
pub fn copy_typed(end: TypedEnd, job_waits: bool) {
    std::thread::spawn(move || {
        use std::io::Write;
        let Ok(mut fifo) = end.into_writer(job_waits) else { return };
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
