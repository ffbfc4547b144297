//! A directory of which much is read.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::files::{facts, open_regular};

/// A directory. Names in it may be paths below it.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Opens a directory.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        facts(path).map(|_| Self(path.to_owned()))
    }

    /// Reads the beginning of a file into `buffer`, at one go: the whole of a smaller file. Returns how much there was.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_start(&self, name: &str, buffer: &mut [u8]) -> io::Result<usize> {
        open_regular(&self.0.join(name))?.read(buffer)
    }

    /// Returns the length of a regular file, and when it was last written.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` when it is no regular file.
    pub fn length_and_time(&self, name: &str) -> io::Result<(u64, SystemTime)> {
        let facts = facts(&self.0.join(name))?;
        let time = facts.modified.filter(|_| facts.is_regular);
        time.map(|time| (facts.length, time)).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

/// A directory that is listed again and again. Not kept open: it could not be removed then.
#[derive(Debug)]
pub struct Listing(PathBuf);

impl Listing {
    /// Opens a directory.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        facts(path).map(|_| Self(path.to_owned()))
    }

    /// Says whether this is still what is found under a path.
    pub fn is_at(&self, path: &Path) -> bool {
        self.0 == path
    }

    /// Returns the names of what is in it now.
    ///
    /// # Errors
    /// What the system says.
    pub fn names(&mut self) -> io::Result<Vec<OsString>> {
        std::fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name())).collect()
    }
}

/// Hands the name of each entry of a directory to `take`; what is not Unicode is passed over.
///
/// # Errors
/// What the system says.
pub fn each_name(path: &Path, mut take: impl FnMut(&str)) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        if let Some(name) = entry?.file_name().to_str() {
            take(name);
        }
    }
    Ok(())
}
