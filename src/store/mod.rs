#![doc = include_str!("../../docs/protocol.md")]

mod atomic;
mod claim;
mod create;
mod delete;
mod ended;
mod error;
mod events;
mod evidence;
mod format;
mod health;
mod inbox;
mod layout;
mod lock;
mod log;
mod names;
mod nested;
mod public;
mod queue;
mod shown;
mod snapshot;
mod spare;
mod terminal;
mod waiting;
mod watch;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use atomic::Flush;
pub use claim::{Claim, Reserved};
pub use create::{NewJob, StagedJob};
pub use ended::Overview;
pub use error::StoreError;
pub use events::{EventLog, EventReader};
pub use inbox::{Delivered, Inbox, deliver, deliver_bare_kill, withdraw};
pub use layout::{JobPaths, Layout, STATE_FORMAT};
pub use log::{Backwards, Log};
pub use names::NameLock;
pub use nested::{NestedJob, nested_supervisors};
pub use public::PublicForms;
pub use queue::QueueView;
pub use shown::{LogStream, Shown, shown_up_to};
pub use snapshot::{Cookies, Surroundings, in_portions};
pub use spare::Former;
pub use terminal::SizeWatch;
pub use watch::Watch;

use crate::domain::job_id::JobId;
use crate::platform::{self, Wake, WakeQueue};
use error::Context;

/// An open state directory.
#[derive(Clone, Debug)]
pub struct Store {
    layout: Layout,
}

impl Store {
    /// Opens a state directory for reading. That it does not exist (yet) is fine: it then has no jobs.
    ///
    /// # Errors
    /// `NotADirectory`, or what the system says.
    pub fn open_for_reading(root: &Path) -> Result<Self, StoreError> {
        let layout = Layout::new(absolute(root)?);
        match std::fs::metadata(layout.root()) {
            Ok(metadata) if !metadata.is_dir() => Err(StoreError::NotADirectory { path: layout.root().to_owned() }),
            Ok(_) => Ok(Self { layout }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { layout }),
            Err(error) => Err(error).context("open the state directory", layout.root()),
        }
    }

    /// Opens a state directory for writing, creating it and what is missing in it.
    ///
    /// # Errors
    /// `NotADirectory`, `NotOurs`, `WritableByOthers`, `NewerFormat`, or what the system says.
    pub fn open_for_writing(root: &Path) -> Result<Self, StoreError> {
        let store = Self::open_for_reading(root)?;
        if !store.check_root()? {
            make_directories(store.layout.root())?;
            store.check_root()?;
        }
        store.check_format()?;
        for directory in store.layout.directories() {
            store.check_directory(&directory)?;
        }
        Ok(store)
    }

    /// A state directory that whoever started this process has opened for writing a moment ago.
    pub fn opened(root: PathBuf) -> Self {
        Self { layout: Layout::new(root) }
    }

    /// Returns the paths.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Says whether the root exists, and refuses one that is not safe to write.
    fn check_root(&self) -> Result<bool, StoreError> {
        // The root itself may be reached through a link of the user's; what it leads to must be ours.
        let root = match std::fs::canonicalize(self.layout.root()) {
            Ok(root) => root,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).context("open the state directory", self.layout.root()),
        };
        let facts = platform::facts_with_access(&root).context("look at", &root)?;
        let path = self.layout.root().to_owned();
        if !facts.is_directory {
            return Err(StoreError::NotADirectory { path });
        }
        if facts.owner != platform::user_id() {
            return Err(StoreError::NotOurs { path, owner: platform::user_name(facts.owner) });
        }
        if facts.others_may_write {
            let remedy = platform::to_make_private(&path);
            return Err(StoreError::WritableByOthers { path, remedy });
        }
        Ok(true)
    }

    /// Makes a directory of ours that is missing, and refuses anything else in its place: through a link we would write
    /// and remove outside.
    fn check_directory(&self, path: &Path) -> Result<(), StoreError> {
        match platform::facts(path) {
            Ok(facts) if facts.is_directory => Ok(()),
            Ok(_) => Err(StoreError::Damaged { path: path.to_owned(), why: "it is not a directory".into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                ignore_existing(platform::make_private_directory(path)).context("create", path)
            }
            Err(error) => Err(error).context("look at", path),
        }
    }

    /// Says whether the format is one that may be written.
    fn read_format(&self) -> Result<(), StoreError> {
        let path = self.layout.format();
        let content = format::read_bounded(&path, 4096)?;
        let text = String::from_utf8_lossy(&content);
        match text.trim().strip_prefix("jobdir-state ").and_then(|n| n.parse::<u64>().ok()) {
            Some(found) if found > STATE_FORMAT => Err(StoreError::NewerFormat { path, found }),
            Some(_) => Ok(()),
            None => Err(StoreError::Damaged { path, why: "it does not say 'jobdir-state 1'".into() }),
        }
    }

    fn check_format(&self) -> Result<(), StoreError> {
        match self.read_format() {
            // New, or its creator died: make what is missing, the format last, so that it stands for all of it.
            Err(error) if error.is_not_found() => {
                for directory in self.layout.directories() {
                    self.check_directory(&directory)?;
                }
                platform::crash_point("open.directories");
                let staged = self.layout.staged(&format!("format-{}", random()?));
                // Flushed: an empty one, after a power loss, would lock everybody out.
                atomic::create(&staged, format!("jobdir-state {STATE_FORMAT}\n").as_bytes(), Flush::Yes)?;
                platform::crash_point("open.staged");
                atomic::rename(&staged, &self.layout.format())?;
                platform::crash_point("open.done");
                Ok(())
            }
            other => other,
        }
    }

    /// Returns the ids of all jobs, in ascending order. Entries that are no ids are passed over.
    ///
    /// # Errors
    /// What the system says of the directory of jobs; that it does not exist is an empty list.
    pub fn job_ids(&self) -> Result<Vec<JobId>, StoreError> {
        let mut ids = Vec::new();
        self.each_job(|id| ids.push(id))?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// Hands the id of each job to `take`, in no order.
    fn each_job(&self, mut take: impl FnMut(JobId)) -> Result<(), StoreError> {
        let path = self.layout.jobs();
        match platform::each_name(&path, |name| name.parse().into_iter().for_each(&mut take)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).context("list", &path),
            _ => Ok(()),
        }
    }

    /// Says whether an id was given out once: what has it no more is gone.
    pub fn was_given_out(&self, id: JobId) -> bool {
        platform::facts(&self.layout.ids()).is_ok_and(|facts| id.number() <= facts.length)
    }

    /// Says whether a supervisor holds the claim of a job.
    ///
    /// # Errors
    /// When locks cannot be tested here.
    pub fn is_claimed(&self, id: JobId) -> Result<bool, StoreError> {
        lock::is_held(&self.layout.claim(id))
    }

    /// Waits until nobody holds the claim of a job, however long that takes. Meant for a thread of its own.
    ///
    /// # Errors
    /// When locks cannot be waited for here.
    pub fn wait_until_unclaimed(&self, id: JobId) -> Result<(), StoreError> {
        lock::wait_until_free(&self.layout.claim(id))
    }

    /// Waits until nobody holds the claim of a job, a signal wakes the queue, or the time is over (`None`: never). Returns the
    /// wake-ups, and whether the claim was free at some moment; `None` where only a thread of its own can wait for it.
    ///
    /// # Errors
    /// When locks cannot be waited for here.
    pub fn wait_until_unclaimed_or_woken(
        &self,
        id: JobId,
        queue: &WakeQueue,
        timeout: Option<Duration>,
    ) -> Result<Option<(Vec<Wake>, bool)>, StoreError> {
        lock::wait_until_free_or_woken(&self.layout.claim(id), queue, timeout)
    }
}

/// An unguessable part of a temporary name.
fn random() -> Result<String, StoreError> {
    platform::random_hex::<8>().context("get randomness for", Path::new("a temporary name"))
}

/// Returns some number below a limit, 0 when there is none.
fn random_below(limit: usize) -> usize {
    let random = platform::random_hex::<4>().ok().and_then(|hex| u32::from_str_radix(&hex, 16).ok());
    (random.unwrap_or_default() as usize).checked_rem(limit).unwrap_or_default()
}

fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).context("resolve", path)
}

fn ignore_existing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Makes a directory and the missing ones above it, all private.
fn make_directories(path: &Path) -> Result<(), StoreError> {
    match platform::make_private_directory(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                make_directories(parent)?;
            }
            ignore_existing(platform::make_private_directory(path)).context("create", path)
        }
        other => ignore_existing(other).context("create", path),
    }
}
