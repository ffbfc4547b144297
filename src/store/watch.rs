//! Being told of changes in the state directory: the only user of `notify`. An event is only a hint to look again.

use std::path::Path;
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher as _};

use crate::platform::{self, Waker};

/// So long nothing is told after something was.
const BREATH: Duration = Duration::from_millis(1);

/// A watch that wakes a queue, as long as it exists.
#[derive(Debug)]
pub struct Watch {
    watcher: notify::RecommendedWatcher,
}

impl Watch {
    /// Starts without watching anything; `None` when the system has no instance left, or no such thing.
    pub fn new(waker: Waker) -> Option<Self> {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Looking is an event, too; whoever looks because of it would look for ever.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_)) && !event.need_rescan()) {
                waker.wake();
                // Meanwhile what else changes is one event more, however much it is: a job that prints at full speed would have
                // every single write of its looked at.
                platform::pause(BREATH);
            }
        });
        watcher
            .inspect_err(|error| {
                log::info!("changes are looked for now and then, since nobody can tell of them: {error}");
            })
            .ok()
            .map(|watcher| Self { watcher })
    }

    /// Watches what is directly in a directory. Says whether that works here.
    pub fn add(&mut self, directory: &Path) -> bool {
        let watched = self.watcher.watch(directory, RecursiveMode::NonRecursive);
        watched.inspect_err(|error| log::info!("'{}' is not watched: {error}", directory.display())).is_ok()
    }

    /// Stops watching a directory; that it is gone is fine.
    pub fn remove(&mut self, directory: &Path) {
        self.watcher.unwatch(directory).ok();
    }

    /// Watches everything below a directory. Says whether that works here.
    pub fn add_all_below(&mut self, directory: &Path) -> bool {
        self.watcher.watch(directory, RecursiveMode::Recursive).is_ok()
    }

    /// Watches one directory; `None` when that does not work here.
    pub fn of(directory: &Path, waker: Waker) -> Option<Self> {
        let mut watch = Self::new(waker)?;
        watch.add(directory).then_some(watch)
    }
}
