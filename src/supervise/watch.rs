//! Being told when something is moved into the inbox. An event is only a hint to look again.
//!
//! A job begins with a doorbell, a watch by signal: it is there at once and needs neither a thread nor an instance of
//! anything. One that goes on for a moment gets `notify`'s watch instead. Where that has no instance left (Linux allows
//! 128 for each user by default) the doorbell stays, and where there is neither the loop looks every [`BLIND_POLL`].
//! Even a healthy watch is backed by a slow look, for what no watch tells: a process that has left the session, or what
//! another host has moved in. While nothing happens these looks become rarer, so that an idle supervisor sleeps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::platform::{self, Waker};
use crate::store;

/// How soon to look in spite of a watch that works: after something has happened, and at last while nothing does.
const SLOW_POLL: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// How often to look without one.
const BLIND_POLL: Duration = Duration::from_millis(250);

/// A watch, whichever kind works here.
#[derive(Debug)]
pub(super) struct InboxWatch {
    directory: PathBuf,
    waker: Waker,
    kind: Kind,
    is_settled: bool,
    slow_poll: Duration,
}

#[derive(Debug)]
enum Kind {
    Notify { _watch: store::Watch },
    Doorbell { _directory: platform::WatchedDirectory },
    Blind,
}

impl InboxWatch {
    /// Watches a directory. Never fails: at worst the watch is blind.
    pub(super) fn new(directory: &Path, waker: Waker) -> Self {
        let kind = platform::watch_by_signal(directory)
            .map_or(Kind::Blind, |directory| Kind::Doorbell { _directory: directory });
        let is_blind = matches!(kind, Kind::Blind);
        let mut watch =
            Self { directory: directory.to_owned(), waker, kind, is_settled: false, slow_poll: SLOW_POLL.0 };
        if is_blind {
            watch.settle();
        }
        watch
    }

    /// Says whether the watch is the one that stays.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Changes to `notify`'s watch, if there is one to be had; the old one lasts until the new one stands. What comes
    /// between the two is found by the look that must follow.
    pub(super) fn settle(&mut self) {
        self.is_settled = true;
        if let Some(watch) = store::Watch::of(&self.directory, self.waker.clone()) {
            self.kind = Kind::Notify { _watch: watch };
        }
    }

    /// Gives its descriptors back: nothing is listened to any more.
    pub(super) fn close(&mut self) {
        self.kind = Kind::Blind;
    }

    /// Returns how long the loop may sleep without looking.
    pub(super) fn poll(&self) -> Duration {
        match self.kind {
            Kind::Notify { .. } | Kind::Doorbell { .. } => self.slow_poll,
            Kind::Blind => BLIND_POLL,
        }
    }

    /// Takes note of a sleep of at most `timeout`.
    pub(super) fn slept(&mut self, timeout: Duration, was_woken: bool) {
        self.slow_poll = next_slow_poll(self.slow_poll, timeout, was_woken);
        if self.slow_poll > SLOW_POLL.0 && platform::network_file_system(&self.directory).is_some() {
            self.slow_poll = SLOW_POLL.0;
        }
    }

    /// Names it, for the events.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Notify { .. } => "notify",
            Kind::Doorbell { .. } => "doorbell",
            Kind::Blind => "poll",
        }
    }
}

/// After a sleep that nothing has ended sooner the next may be longer.
fn next_slow_poll(slow_poll: Duration, timeout: Duration, was_woken: bool) -> Duration {
    match was_woken {
        true => SLOW_POLL.0,
        false if timeout >= slow_poll => (slow_poll * 2).min(SLOW_POLL.1),
        false => slow_poll,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_looks_become_rarer_while_nothing_happens() {
        let seconds = Duration::from_secs;
        let mut poll = SLOW_POLL.0;
        let polls: Vec<u64> = (0..6)
            .map(|_| {
                poll = next_slow_poll(poll, poll, false);
                poll.as_secs()
            })
            .collect();
        assert_eq!(polls, [10, 20, 40, 60, 60, 60]);
        assert_eq!(next_slow_poll(seconds(40), seconds(1), false), seconds(40), "a deadline has ended that sleep");
        assert_eq!(next_slow_poll(seconds(60), seconds(60), true), seconds(5));
    }
}
