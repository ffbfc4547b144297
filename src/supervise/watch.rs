//! Being told when something is moved into the inbox. An event is only a hint to look again.
//!
//! `notify` is the first choice. Where it has no instance left (Linux allows 128 for each user by default) or cannot
//! watch, the directory is watched by a signal, which needs no instance; where that does not work either, the loop
//! looks every [`BLIND_POLL`]. Even a healthy watch is backed by a slow look: queues overflow.

use std::path::Path;
use std::time::Duration;

use crate::platform::{self, Waker};
use crate::store;

/// How often to look in spite of a watch that works.
const SLOW_POLL: Duration = Duration::from_secs(5);
/// How often to look without one.
const BLIND_POLL: Duration = Duration::from_millis(250);

/// A watch, whichever kind works here.
#[derive(Debug)]
pub(super) enum InboxWatch {
    /// `notify`'s.
    Notify { _watch: store::Watch },
    /// By signal.
    Doorbell { _directory: platform::WatchedDirectory },
    /// None.
    Blind,
}

impl InboxWatch {
    /// Watches a directory. Never fails: at worst the watch is blind.
    pub(super) fn new(directory: &Path, waker: Waker) -> Self {
        match store::Watch::of(directory, waker) {
            Some(watch) => Self::Notify { _watch: watch },
            None => platform::watch_by_signal(directory)
                .map_or(Self::Blind, |directory| Self::Doorbell { _directory: directory }),
        }
    }

    /// Returns how long the loop may sleep without looking.
    pub(super) fn poll(&self) -> Duration {
        match self {
            Self::Notify { .. } | Self::Doorbell { .. } => SLOW_POLL,
            Self::Blind => BLIND_POLL,
        }
    }

    /// Names it, for the events.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Notify { .. } => "notify",
            Self::Doorbell { .. } => "doorbell",
            Self::Blind => "poll",
        }
    }
}
