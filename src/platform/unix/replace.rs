//! Replacing files: changing names, and taking a file for another use that nobody reads any more.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc;

use super::files::user_id;

/// Moves something to its place in one step, replacing a file.
///
/// # Errors
/// What the system says.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Moves a file to a place where nothing is.
///
/// # Errors
/// What the system says, `AlreadyExists` when something is there.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    system::rename(from, to, system::NOREPLACE)
}

/// Exchanges what two names stand for, in one step.
///
/// # Errors
/// What the system says, `NotFound` when one of them stands for nothing.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    system::rename(one, other, system::EXCHANGE)
}

/// Opens a private regular file for writing that has no other name and that nobody else has open, with what is in it.
///
/// Whether somebody has it open only the kernel knows, and it tells by a lease, see fcntl(2): a write lease is refused as long as
/// there is another open file description of the file, for reading or for writing, in this process or in any other. What
/// surprises: whoever opens the file meanwhile waits, or is refused with `WouldBlock` if he does not want to wait, until the lease
/// is given back; so that happens at once. And the holder is sent a signal, by default one that ends him; so it is one that
/// everybody ignores who does not ask for it. Who has looked the name up and has not opened the file yet, all of it inside open(2),
/// is seen by nobody.
///
/// # Errors
/// What the system says, also where it knows no leases; `InvalidInput` when it is no such file, `WouldBlock` when somebody has it
/// open. An empty file may be open: there is nothing in it to be read.
pub fn open_unused(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    let is_private = metadata.uid() == user_id() && metadata.mode() & 0o7777 == 0o600;
    if !(metadata.is_file() && metadata.nlink() == 1 && is_private) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a private file of one name"));
    }
    if metadata.len() > 0 {
        system::while_unused(&file, || Ok(()))?;
    }
    Ok(file)
}

/// Lets the system begin to write a file to the disk, and does not wait for it. Where that cannot be asked for, it does so when it
/// likes.
pub fn begin_flush(file: &File) {
    system::begin_flush(file);
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use nix::libc;

    pub(super) const NOREPLACE: libc::c_uint = libc::RENAME_NOREPLACE;
    pub(super) const EXCHANGE: libc::c_uint = libc::RENAME_EXCHANGE;

    /// See renameat2(2).
    pub(super) fn rename(from: &Path, to: &Path, flags: libc::c_uint) -> io::Result<()> {
        let path = |path: &Path| std::ffi::CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from);
        let (from, to) = (path(from)?, path(to)?);
        let here = libc::AT_FDCWD;
        // SAFETY: two strings that end with a zero byte and live through the call.
        done(unsafe { libc::syscall(libc::SYS_renameat2, here, from.as_ptr(), here, to.as_ptr(), flags) })
    }

    /// Does something while nobody else can have a file open.
    pub(super) fn while_unused<T>(file: &File, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // From <fcntl.h>; the libc crate has it for few systems.
        const F_SETSIG: libc::c_int = 10;
        // SAFETY: fcntl with integer arguments on a descriptor that is open.
        let control = |what, value: libc::c_int| done(unsafe { libc::fcntl(file.as_raw_fd(), what, value) }.into());
        control(F_SETSIG, libc::SIGURG)?;
        control(libc::F_SETLEASE, libc::F_WRLCK)?;
        let result = act();
        control(libc::F_SETLEASE, libc::F_UNLCK)?;
        result
    }

    pub(super) fn begin_flush(file: &File) {
        // SAFETY: numbers, and a descriptor that is open.
        unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
    }

    fn done(result: libc::c_long) -> io::Result<()> {
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// There are no such things here.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub(super) const NOREPLACE: u32 = 1;
    pub(super) const EXCHANGE: u32 = 2;

    pub(super) fn rename(_from: &Path, _to: &Path, _flags: u32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn while_unused<T>(_file: &File, _act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn begin_flush(_file: &File) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_file_that_nobody_has_open_is_used_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let (file, link, other) = (path("file"), path("link"), path("other"));
        fs::write(&file, "content").expect("writes");
        assert_eq!(open_unused(&file).expect_err("others may read it").kind(), io::ErrorKind::InvalidInput);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("changes");
        let kinds = [OpenOptions::new().read(true).clone(), OpenOptions::new().append(true).clone()];
        for options in kinds {
            let held = options.open(&file).expect("opens");
            assert_eq!(open_unused(&file).expect_err("is open").kind(), io::ErrorKind::WouldBlock);
            drop(held);
        }
        fs::hard_link(&file, &other).expect("links");
        assert_eq!(open_unused(&file).expect_err("has two names").kind(), io::ErrorKind::InvalidInput);
        fs::remove_file(&other).expect("removes");
        std::os::unix::fs::symlink(&file, &link).expect("links");
        assert!(open_unused(&link).is_err() && open_unused(dir.path()).is_err());
        assert_eq!(fs::read(&file).expect("reads"), b"content");
        let unused = open_unused(&file).expect("nobody has it open");
        // The lease is given back.
        assert_eq!(fs::read(&file).expect("reads"), b"content");
        // What is empty may be open.
        unused.set_len(0).expect("empties");
        assert!(open_unused(&file).is_ok());
    }

    #[test]
    fn who_opens_what_is_being_looked_at_ends_nobody() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        let file = File::create(&path).expect("creates");
        let open = || OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path);
        let meanwhile = system::while_unused(&file, || Ok(open())).expect("nobody has it open");
        assert_eq!(meanwhile.expect_err("is refused").kind(), io::ErrorKind::WouldBlock);
        assert!(open().is_ok());
    }

    #[test]
    fn two_names_are_exchanged_if_there_are_two() {
        let dir = tempfile::tempdir().expect("a directory");
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        fs::write(&one, "1").expect("writes");
        assert_eq!(exchange(&one, &other).expect_err("one name").kind(), io::ErrorKind::NotFound);
        fs::write(&other, "2").expect("writes");
        exchange(&one, &other).expect("exchanges");
        assert_eq!((fs::read(&one).expect("reads"), fs::read(&other).expect("reads")), (b"2".into(), b"1".into()));
    }
}
