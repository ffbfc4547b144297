//! Being told when something is moved into the inbox. An event is only a hint to look again.
//!
//! A job begins with a doorbell, a watch by signal: it is there at once and needs neither a thread nor an instance of
//! anything. One that goes on for a moment gets `notify`'s watch instead. Where that has no instance left (Linux allows
//! 128 for each user by default) the doorbell stays, and where there is neither the loop looks every [`BLIND_POLL`].
//! Even a healthy watch is backed by a slow look: queues overflow.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::platform::{self, Waker};
use crate::store;

/// How often to look in spite of a watch that works.
const SLOW_POLL: Duration = Duration::from_secs(5);
/// How often to look without one.
const BLIND_POLL: Duration = Duration::from_millis(250);

/// A watch, whichever kind works here.
#[derive(Debug)]
pub(super) struct InboxWatch {
    directory: PathBuf,
    waker: Waker,
    kind: Kind,
    is_settled: bool,
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
        let mut watch = Self { directory: directory.to_owned(), waker, kind, is_settled: false };
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
            Kind::Notify { .. } | Kind::Doorbell { .. } => SLOW_POLL,
            Kind::Blind => BLIND_POLL,
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
