//! Keeping the logs of an attempt below their limit, without a hand on what is written.
//!
//! A log that has outgrown its limit gets a hole in its middle. While nothing is written a bell beside the logs is armed
//! and this process sleeps; the bell rings once, and from then on the logs are looked at, the sooner the less room is
//! left, until they have stopped growing. So a writer at full speed costs some looks a second, and silence costs none.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::driver::Driver;
use crate::domain::event::Happening;
use crate::domain::log_limit::{self, LogLimit};
use crate::platform::{self, Wake, WriteBell};
use crate::store::{Flush, JobPaths, LogStream, shown_up_to};

/// The logs of one attempt that have a limit.
#[derive(Debug)]
pub(super) struct Trimmer {
    logs: Vec<LimitedLog>,
    attempt: u32,
    shown: PathBuf,
    bell: Option<WriteBell>,
    /// When to look; `None` while the bell is armed.
    next: Option<Duration>,
    pause: Duration,
    /// Whether it was told that something went wrong.
    told: bool,
}

#[derive(Debug)]
struct LimitedLog {
    stream: LogStream,
    file: File,
    limit: LogLimit,
    hole_end: u64,
    length: u64,
}

/// What one look came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Look {
    /// Nothing has changed since the last one.
    Quiet,
    /// The log has grown, or a part of it was dropped.
    Changed,
}

impl Trimmer {
    /// Watches over the logs of an attempt, before anything is written to them.
    pub(super) fn new(paths: &JobPaths, attempt: u32, merged: bool, max: u64) -> io::Result<Self> {
        let open = |stream, path: PathBuf| -> io::Result<LimitedLog> {
            let file = platform::open_for_punching(&path)?;
            let limit = LogLimit::new(max, platform::block_size(&file)?);
            Ok(LimitedLog { stream, file, limit, hole_end: limit.first(), length: 0 })
        };
        let mut logs = vec![open(LogStream::Stdout, paths.stdout(attempt))?];
        if !merged {
            logs.push(open(LogStream::Stderr, paths.stderr(attempt))?);
        }
        let bell = WriteBell::new(&paths.attempt(attempt)).ok();
        let bell = bell.filter(|bell| bell.arm().is_ok());
        let next = if bell.is_some() { None } else { Some(Duration::ZERO) };
        Ok(Self { logs, attempt, shown: paths.shown(), bell, next, pause: Duration::ZERO, told: false })
    }

    /// Says how long the loop may sleep.
    fn sleep_limit(&self, now: Duration) -> Option<Duration> {
        self.next.map(|next| next.saturating_sub(now))
    }

    /// Looks if it is time to, or if the bell has rung.
    fn look_if_due(&mut self, now: Duration, rung: bool) -> io::Result<()> {
        if rung || self.next.is_some_and(|next| next <= now) { self.look(now, rung) } else { Ok(()) }
    }

    fn look(&mut self, now: Duration, rung: bool) -> io::Result<()> {
        let changed = self.look_at_logs()? == Look::Changed || rung;
        let waits_for_client = self.logs.iter().any(|log| log.limit.room(log.length, log.hole_end) == 0);
        if changed {
            let room = self.logs.iter().map(|log| log.limit.room(log.length, log.hole_end)).min().unwrap_or(u64::MAX);
            self.pause = log_limit::pause(room);
        } else {
            // Of what a client shows no bell tells, nor of writes where there is none.
            self.pause = (self.pause * 2).min(log_limit::IDLE);
            let armed = !waits_for_client && self.bell.as_ref().is_some_and(|bell| bell.arm().is_ok());
            // What was written before the bell was armed rang nothing.
            if armed && self.look_at_logs()? == Look::Quiet {
                self.next = None;
                return Ok(());
            }
        }
        self.next = Some(now + self.pause);
        Ok(())
    }

    fn look_at_logs(&mut self) -> io::Result<Look> {
        let mut look = Look::Quiet;
        for log in &mut self.logs {
            if log.look(&self.shown, self.attempt)? == Look::Changed {
                look = Look::Changed;
            }
        }
        Ok(look)
    }
}

impl LimitedLog {
    fn look(&mut self, shown: &std::path::Path, attempt: u32) -> io::Result<Look> {
        let length = platform::file_facts(&self.file)?.length;
        let grown = length != std::mem::replace(&mut self.length, length);
        // Who has shown what is asked only when something is to be dropped.
        let Some(end) = self.limit.cut(length, self.hole_end, u64::MAX) else {
            return Ok(if grown { Look::Changed } else { Look::Quiet });
        };
        let shown = shown_up_to(shown, attempt, self.stream, end)?;
        let Some(end) = self.limit.cut(length, self.hole_end, shown) else {
            return Ok(if grown { Look::Changed } else { Look::Quiet });
        };
        platform::punch_hole(&self.file, &(self.hole_end..end))?;
        platform::crash_point("trim.punched");
        self.hole_end = end;
        Ok(Look::Changed)
    }
}

impl Driver {
    /// Sleeps until something happens that everybody must look at, or the time is over; trims logs meanwhile, which is
    /// nobody else's business.
    pub(super) fn sleep_and_trim(&mut self, timeout: Duration) -> Vec<Wake> {
        let until = self.now() + timeout;
        loop {
            let now = self.now();
            let left = until.saturating_sub(now);
            let trim = self.trimmer.as_ref().and_then(|trimmer| trimmer.sleep_limit(now));
            let Ok((wakes, _)) = self.queue.wait(Some(trim.map_or(left, |trim| trim.min(left))), None) else {
                return Vec::new();
            };
            let rung = wakes.contains(&Wake::Written);
            self.trim(rung);
            let was_woken = wakes.iter().any(|wake| *wake != Wake::Written);
            if was_woken || self.now() >= until {
                self.watch.slept(timeout, was_woken);
                return wakes;
            }
        }
    }

    fn trim(&mut self, rung: bool) {
        let now = self.now();
        if let Some(Err(error)) = self.trimmer.as_mut().map(|trimmer| trimmer.look_if_due(now, rung)) {
            self.trimming_failed(&error);
        }
    }

    /// What may pass, such as a full disk, is tried again; what cannot work here is given up.
    fn trimming_failed(&mut self, error: &io::Error) {
        if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) {
            return self.give_up_trimming(error);
        }
        let now = self.now();
        let Some(trimmer) = &mut self.trimmer else { return };
        trimmer.next = Some(now + log_limit::IDLE);
        if !std::mem::replace(&mut trimmer.told, true) {
            let message = format!("the logs cannot be kept below --log-max now, and it is tried again: {error}");
            self.journal.tell(&self.claim, Happening::Note { message });
        }
    }

    /// Trims for the last time: nothing is written any more.
    pub(super) fn end_trimming(&mut self) {
        let now = self.now();
        if let Some(Err(error)) = self.trimmer.as_mut().map(|trimmer| trimmer.look(now, true)) {
            self.trimming_failed(&error);
        }
        self.trimmed = self.trimmer.take();
    }

    /// Begins to watch over the logs of the present attempt, if they have a limit.
    pub(super) fn begin_trimming(&mut self, merged: bool, max: Option<u64>) {
        (self.trimmer, self.trimmed) = (None, None);
        let number = self.journal.record().attempt().number;
        self.journal.attempt().log_limit =
            max.map(|max_bytes| crate::domain::record::LogLimit { max_bytes, kept: true });
        let Some(max) = max else { return };
        match Trimmer::new(self.claim.paths(), number, merged, max) {
            Ok(trimmer) => {
                self.trimmer = Some(trimmer);
                platform::crash_point("trim.armed");
            }
            Err(error) => self.give_up_trimming(&error),
        }
    }

    /// The job goes on; that its logs grow without a limit is told, and recorded.
    fn give_up_trimming(&mut self, error: &io::Error) {
        self.trimmer = None;
        let why = match error.kind() {
            io::ErrorKind::Unsupported => "nothing can be dropped from the middle of a file here".to_owned(),
            _ => error.to_string(),
        };
        let message = format!("the logs are not kept below --log-max any more: {why}");
        self.journal.tell(&self.claim, Happening::Note { message });
        if let Some(limit) = &mut self.journal.attempt().log_limit {
            limit.kept = false;
        }
        self.journal.save(&self.claim, Flush::No).ok();
    }
}
