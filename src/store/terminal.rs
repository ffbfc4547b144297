//! The size of a job's terminal: a small file that whoever looks at the job replaces, and its supervisor reads.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::StoreError;
use super::{Flush, StagedJob, Store, atomic, format, random};
use crate::domain::job_id::JobId;
use crate::domain::terminal::TerminalSize;
use crate::platform;

/// The largest file that is read.
const MAX_SIZE: u64 = 4096;

impl Store {
    /// Says how large the terminal is at which somebody looks at a job; the last one who says it counts.
    ///
    /// # Errors
    /// `NoSuchJob` when the job is gone, or what the system says.
    pub fn set_terminal_size(&self, id: JobId, size: &TerminalSize) -> Result<(), StoreError> {
        let staged = self.layout.staged(&format!("terminal-{}", random()?));
        atomic::create(&staged, &format::render(size), Flush::No)?;
        platform::crash_point("terminal.staged");
        if let Err(error) = atomic::rename(&staged, &self.layout.job(id).terminal()) {
            atomic::remove_any(&staged)?;
            return Err(if error.is_not_found() { StoreError::NoSuchJob } else { error });
        }
        platform::crash_point("terminal.said");
        self.ring(id);
        Ok(())
    }
}

impl StagedJob {
    /// Says how large the terminal is from the beginning.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_terminal_size(&self, size: &TerminalSize) -> Result<(), StoreError> {
        atomic::create(&self.paths().terminal(), &format::render(size), Flush::No)
    }
}

/// Sees when somebody says another size.
#[derive(Debug)]
pub struct SizeWatch {
    path: PathBuf,
    seen: Option<((u64, u64), Option<SystemTime>)>,
}

impl SizeWatch {
    /// Begins with what is in this file now.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: None }
    }

    /// Returns the size if it was said since the last look. What is no size is passed over.
    pub fn look(&mut self) -> Option<TerminalSize> {
        let facts = platform::facts(&self.path).ok()?;
        let present = Some((facts.identity, facts.modified));
        if std::mem::replace(&mut self.seen, present) == present {
            return None;
        }
        let size: TerminalSize = format::parse(&format::read_bounded(&self.path, MAX_SIZE).ok()?)?;
        (size.rows > 0 && size.columns > 0).then_some(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_seen_once_and_garbage_is_passed_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("terminal");
        let mut watch = SizeWatch::new(&path);
        assert_eq!(watch.look(), None);
        let say = |bytes: &[u8]| {
            std::fs::write(dir.path().join("new"), bytes).expect("writes");
            std::fs::rename(dir.path().join("new"), &path).expect("moves");
        };
        say(&format::render(&TerminalSize::new(30, 100)));
        assert_eq!(watch.look(), Some(TerminalSize::new(30, 100)));
        assert_eq!(watch.look(), None);
        for garbage in [&b"{"[..], b"", &format::render(&TerminalSize::new(0, 100))] {
            say(garbage);
            assert_eq!(watch.look(), None);
        }
    }
}
