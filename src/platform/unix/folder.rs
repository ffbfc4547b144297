//! A directory of which much is read: opened once, so that the way to it is not looked up for each file in it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, SFlag, fstat, fstatat, lstat};

/// An open directory. Names in it may be paths below it.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens a directory.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(open(path, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?))
    }

    /// Reads the beginning of a file into `buffer`, at one go: the whole of a smaller file. Returns how much there was.
    ///
    /// # Errors
    /// What the system says.
    pub fn read_start(&self, name: &str, buffer: &mut [u8]) -> io::Result<usize> {
        // Not opened as std does: musl would then ask the kernel a second time for what O_CLOEXEC says.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty())?;
        Ok(nix::unistd::read(&file, buffer)?)
    }

    /// Returns the length of a regular file, and when it was last written.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` when it is no regular file.
    pub fn length_and_time(&self, name: &str) -> io::Result<(u64, SystemTime)> {
        let stat = fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        let is_regular = stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits();
        let time = Option::zip(stat.st_mtime.try_into().ok(), stat.st_mtime_nsec.try_into().ok())
            .map(|(seconds, nanoseconds)| SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds));
        let length = stat.st_size.try_into().ok().filter(|_| is_regular);
        length.zip(time).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }
}

/// A directory that is listed again and again. It is opened once: opening is an event to whoever watches it, listing is none.
#[derive(Debug)]
pub struct Listing(OwnedFd);

impl Listing {
    /// Opens a directory.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        Folder::open(path).map(|Folder(directory)| Self(directory))
    }

    /// Says whether this is still what is found under a path.
    pub fn is_at(&self, path: &Path) -> bool {
        let here = fstat(&self.0).map(|stat| (stat.st_dev, stat.st_ino));
        let there = lstat(path).map(|stat| (stat.st_dev, stat.st_ino));
        here.is_ok() && here == there
    }

    /// Returns the names of what is in it now.
    ///
    /// # Errors
    /// What the system says.
    pub fn names(&mut self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        nix::unistd::lseek(&self.0, 0, nix::unistd::Whence::SeekSet)?;
        system::each_entry(&self.0, |name| names.push(OsStr::from_bytes(name.to_bytes()).to_owned()))?;
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }
}

/// Hands the name of each entry of a directory to `take`; what is not UTF-8 is passed over.
///
/// # Errors
/// What the system says.
pub fn each_name(path: &Path, mut take: impl FnMut(&str)) -> io::Result<()> {
    system::each_entry(&Folder::open(path)?.0, |name| name.to_str().into_iter().for_each(&mut take))
}

#[cfg(target_os = "linux")]
mod system {
    use std::ffi::CStr;
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::fs::RawDir;

    /// Hands the name of each entry to `take`, from where the last one has stopped. Unlike std, this allocates nothing for an
    /// entry: there may be a hundred thousand.
    pub(super) fn each_entry(directory: &OwnedFd, mut take: impl FnMut(&CStr)) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(32 << 10);
        let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            take(entry?.file_name());
        }
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::ffi::CStr;
    use std::io;
    use std::os::fd::OwnedFd;

    /// Hands the name of each entry to `take`, from where the last one has stopped.
    pub(super) fn each_entry(directory: &OwnedFd, mut take: impl FnMut(&CStr)) -> io::Result<()> {
        for entry in nix::dir::Dir::from_fd(directory.try_clone()?)?.iter() {
            take(entry?.file_name());
        }
        Ok(())
    }
}
