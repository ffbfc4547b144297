//! What can go wrong with a state directory, as data: exit codes and hints are chosen by matching on it.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused something.
    #[error("cannot {action} '{}': {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state directory is something else.
    #[error("the state directory '{}' is not a directory", path.display())]
    NotADirectory {
        /// Which.
        path: PathBuf,
    },
    /// The state directory belongs to somebody else.
    #[error("the state directory '{}' belongs to {owner}, not to you: it can be read but not written", path.display())]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// The owner's name.
        owner: String,
    },
    /// Others could plant files in the state directory.
    #[error("the state directory '{}' can be written by other users, who could tamper with your jobs", path.display())]
    WritableByOthers {
        /// Which.
        path: PathBuf,
        /// The command by which it becomes the user's alone.
        remedy: String,
    },
    /// A later version of jobdir wrote it.
    #[error("'{}' has format {found}, which a later version of jobdir wrote; this one reads it but does not write it", path.display())]
    NewerFormat {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// A file cannot be understood.
    #[error("'{}' is damaged: {why}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// In what way.
        why: String,
    },
    /// Somebody else holds the claim of the job.
    #[error("another process acts on this job at the moment")]
    Busy,
    /// The job does not exist (any more).
    #[error("there is no such job")]
    NoSuchJob,
}

impl StoreError {
    /// Says whether a file or directory was simply not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Names the action and the path of an I/O error.
pub(super) trait Context<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { action, path: path.to_owned(), source })
    }
}
