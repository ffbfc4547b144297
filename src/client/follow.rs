//! Showing what a job has printed and prints, without being its client: signals end the following, never the job.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::end::EndWatch;
use super::keys::Pressed;
use super::pump::{Limited, Pump, Sink, Source};
use super::reading::Wanted;
use super::screen::Screen;
use super::typing::{TERMINAL_SIGNALS, Typed, Typing};
use crate::domain::job_id::JobId;
use crate::domain::request::{Kill, Request, Verb};
use crate::domain::signal::Signal;
use crate::domain::state::Reason;
use crate::platform::{self, Wake, WakeQueue};
use crate::store::{Store, StoreError, Surroundings, Watch, deliver};

const SLOW_POLL: Duration = Duration::from_secs(1);
const BLIND_POLL: Duration = Duration::from_millis(100);

/// What is shown.
#[derive(Debug)]
pub struct Following<'a> {
    /// Where the job is.
    pub store: &'a Store,
    /// Where signals arrive.
    pub queue: &'a WakeQueue,
    /// The job.
    pub id: JobId,
    /// The first attempt, and the last. Without a last one, all that there are and those that begin meanwhile.
    pub attempts: (u32, Option<u32>),
    /// Which streams.
    pub streams: Vec<Sink>,
    /// Whether to go on until the end: else what is there is all.
    pub on: bool,
    /// The size limit of the logs, and our part in keeping it, for whoever takes the place of the job's client.
    pub limited: Option<Limited>,
    /// Whether we type at the terminal of the job.
    pub types: bool,
    /// When to stop following, at the latest.
    pub until: Option<Instant>,
}

/// How following ended.
#[derive(Debug)]
pub enum FollowEnd {
    /// Everything has been shown.
    Ended,
    /// The job was deleted meanwhile; what was there has been shown.
    Deleted,
    /// The time is over.
    TimeUp,
    /// We got this signal.
    Signal(Signal),
    /// The keys for leaving were pressed.
    Detached,
    /// Our stdout or stderr does not take it; `BrokenPipe` when nobody reads it any more.
    NotTaken(Sink, io::Error),
}

impl Following<'_> {
    /// Shows everything. `wanted` says what of a stream of an attempt, and which size limit it has; `on_gap` is called
    /// when bytes were dropped that would have been shown.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn show(
        self,
        wanted: impl Fn(u32, Sink) -> (Wanted, Option<u64>),
        mut on_gap: impl FnMut(Sink, u64),
    ) -> Result<FollowEnd, StoreError> {
        let screen = Arc::new(Mutex::new(Screen::default()));
        let typing =
            if self.types { Some(Typing::start(self.store, self.id, self.queue, screen.clone())?) } else { None };
        if self.types {
            self.queue.watch(&TERMINAL_SIGNALS, true).ok();
        }
        let paths = self.store.layout().job(self.id);
        let (mut attempt, last) = self.attempts;
        let mut pump = self.pump(attempt, &wanted, &screen);
        let end = self.on.then(|| EndWatch::beside(self.store, self.id, self.queue.waker()));
        let mut watch = if self.on { Watch::of(&paths.attempt(attempt), self.queue.waker()) } else { None };
        // Where the next attempt appears.
        watch = watch.and_then(|mut watch| watch.add(&paths.attempts()).then_some(watch));
        let (mut over, mut deleted) = (!self.on, false);
        loop {
            // The logs of the next attempt are made when all of this one is over.
            let next = attempt + 1;
            let is_through = match last {
                Some(last) if !self.on => attempt < last,
                _ => platform::facts(&paths.stdout(next)).is_ok(),
            };
            if over || is_through {
                pump.finish();
            } else {
                pump.look();
            }
            while let Some((sink, bytes)) = pump.take_skipped() {
                on_gap(sink, bytes);
            }
            if let Some((sink, error)) = pump.take_failure() {
                return Ok(FollowEnd::NotTaken(sink, error));
            }
            if (over || is_through) && pump.is_done() {
                if pump.has_failed() {
                    continue;
                }
                if is_through && last.is_none_or(|last| attempt < last) {
                    attempt = next;
                    pump = self.pump(attempt, &wanted, &screen);
                    watch = watch.and_then(|mut watch| watch.add(&paths.attempt(attempt)).then_some(watch));
                    continue;
                }
                return Ok(if deleted { FollowEnd::Deleted } else { FollowEnd::Ended });
            }
            let left = self.until.map_or(SLOW_POLL, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(FollowEnd::TimeUp);
            }
            let timeout = left.min(if watch.is_some() || over { SLOW_POLL } else { BLIND_POLL });
            let (wakes, _) = self.queue.wait(Some(timeout), None).map_err(|source| StoreError::Io {
                action: "follow",
                path: paths.dir().to_owned(),
                source,
            })?;
            for typed in typing.iter().flat_map(Typing::take) {
                let verb = match typed {
                    Typed::Pressed(Pressed::Detach) => return Ok(FollowEnd::Detached),
                    Typed::Pressed(Pressed::Insist) => {
                        Verb::Kill(Kill { reason: Some(Reason::ClientSignal), ..Kill::default() })
                    }
                    // Somebody else may go on typing.
                    Typed::End => continue,
                };
                match deliver(self.store, self.id, &Request::new(attempt, verb)) {
                    Ok(_) | Err(StoreError::NoSuchJob) => {}
                    Err(error) => return Err(error),
                }
            }
            for signal in wakes.iter().filter_map(Wake::signal) {
                match (&typing, signal) {
                    (Some(typing), signal) if TERMINAL_SIGNALS.contains(&signal) => {
                        if signal == Signal::TSTP {
                            platform::suspend().ok();
                        }
                        typing.come_back();
                    }
                    (_, signal) => return Ok(FollowEnd::Signal(signal)),
                }
            }
            if !over && end.as_ref().is_some_and(EndWatch::is_free) {
                match self.store.load(self.id, &Surroundings::new()) {
                    Ok(job) => over = job.state().is_terminal(),
                    Err(_) => (over, deleted) = (true, true),
                }
            }
        }
    }

    fn pump(
        &self,
        attempt: u32,
        wanted: &impl Fn(u32, Sink) -> (Wanted, Option<u64>),
        screen: &Arc<Mutex<Screen>>,
    ) -> Pump {
        let paths = self.store.layout().job(self.id);
        let mut pump = Pump::new(self.queue.waker());
        for sink in &self.streams {
            let path = match sink {
                Sink::Stdout => paths.stdout(attempt),
                Sink::Stderr => paths.stderr(attempt),
            };
            let (wanted, limit) = wanted(attempt, *sink);
            let shown = self.limited.as_ref().and_then(|limited| Some((limited.shown.clone()?, attempt)));
            let screen = self.types.then(|| screen.clone());
            pump.add(Source { path, sink: *sink, wanted, limit, shown, screen });
        }
        pump
    }
}
