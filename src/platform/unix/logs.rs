//! What log files need beyond reading and appending: holes in their middle, and locks on ranges of a file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// Reads at an offset, without moving any position.
///
/// # Errors
/// What the system says.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Returns the unit in which the file system gives space to this file.
///
/// # Errors
/// What the system says.
pub fn block_size(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.blksize().max(512))
}

/// Finds the first hole that ends after `from`: a range without data. `None` when there is none before the end of the
/// file, or when the file system does not tell.
///
/// # Errors
/// What the system says.
#[cfg(target_os = "linux")]
pub fn next_hole(file: &File, from: u64) -> io::Result<Option<Range<u64>>> {
    use nix::errno::Errno;
    use nix::unistd::{Whence, lseek64};
    let length = file.metadata()?.len();
    // Every descriptor of ours is read by offset, so that its position may be moved.
    let start = match lseek64(file, offset_of(from), Whence::SeekHole) {
        Ok(start) => start as u64,
        // Behind the end; or a file system without the concept.
        Err(Errno::ENXIO | Errno::EINVAL | Errno::EOPNOTSUPP) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if start >= length {
        return Ok(None);
    }
    match lseek64(file, offset_of(start), Whence::SeekData) {
        Ok(end) => Ok(Some(start..end as u64)),
        Err(Errno::ENXIO) => Ok(Some(start..length)),
        Err(error) => Err(error.into()),
    }
}

/// Holes are not looked for here.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn next_hole(_file: &File, _from: u64) -> io::Result<Option<Range<u64>>> {
    Ok(None)
}

/// Gives the space of a range back: it reads as zeros from now on, and every offset stays what it was. Who writes to the
/// file notices nothing.
///
/// # Errors
/// `Unsupported` where the system or the file system cannot do it, else what the system says.
#[cfg(target_os = "linux")]
pub fn punch_hole(file: &File, range: &Range<u64>) -> io::Result<()> {
    use nix::errno::Errno;
    use nix::fcntl::{FallocateFlags, fallocate};
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    loop {
        match fallocate(file, flags, offset_of(range.start), offset_of(range.end - range.start)) {
            Ok(()) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => return Err(io::ErrorKind::Unsupported.into()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// There is no way to do this here.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn punch_hole(_file: &File, _range: &Range<u64>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Opens a log for punching holes. Never creates it, refuses links, waits for nobody.
///
/// # Errors
/// What the system says.
pub fn open_for_punching(path: &std::path::Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Shared locks of this process on ranges of a file, see `F_SETLK` in fcntl(2). The kernel takes them back when the process
/// dies, and also when it closes *any* descriptor of the file.
#[derive(Debug)]
pub struct RangeLocks(File);

impl RangeLocks {
    /// Takes a lock from an offset to the end of all offsets.
    ///
    /// # Errors
    /// What the system says, for instance where there are no such locks.
    pub fn from(file: File, start: u64) -> io::Result<Self> {
        fcntl(&file, FcntlArg::F_SETLK(&range_lock(libc::F_RDLCK as libc::c_short, start, None)))?;
        Ok(Self(file))
    }

    /// Gives back what is locked of a range.
    ///
    /// # Errors
    /// What the system says; then more is locked than need be.
    pub fn give_back(&mut self, range: Range<u64>) -> io::Result<()> {
        if !range.is_empty() {
            let lock = range_lock(libc::F_UNLCK as libc::c_short, range.start, Some(range.end));
            fcntl(&self.0, FcntlArg::F_SETLK(&lock))?;
        }
        Ok(())
    }
}

/// Finds where the locks of other processes on a range begin, if there are any.
///
/// # Errors
/// What the system says.
pub fn first_locked(file: &File, range: Range<u64>) -> io::Result<Option<u64>> {
    // The kernel names one lock, not the first; each turn ends at a lower one.
    const TURNS: u32 = 10_000;
    let mut first = None;
    let mut end = range.end;
    for _ in 0..TURNS {
        if end <= range.start {
            break;
        }
        let mut lock = range_lock(libc::F_WRLCK as libc::c_short, range.start, Some(end));
        fcntl(file, FcntlArg::F_GETLK(&mut lock))?;
        if lock.l_type == libc::F_UNLCK as libc::c_short {
            break;
        }
        end = u64::try_from(lock.l_start).unwrap_or(0).max(range.start);
        first = Some(end);
    }
    Ok(first)
}

fn range_lock(kind: libc::c_short, start: u64, end: Option<u64>) -> libc::flock {
    // SAFETY: plain data, for which zeros are valid.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind;
    lock.l_whence = libc::SEEK_SET as _;
    lock.l_start = offset_of(start);
    // A length of 0 reaches to the end of all offsets.
    lock.l_len = end.map_or(0, |end| offset_of(end - start));
    lock
}

fn offset_of(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// Hands bytes of a file from an offset on to our stdout or stderr, without taking them into our memory, if that is a pipe. Waits
/// while the pipe is full. Returns how many, none at the end; `None` where that cannot be done, and nothing was. The file must not
/// change where it is read. See splice(2).
///
/// # Errors
/// `BrokenPipe` when nobody reads any more.
#[cfg(target_os = "linux")]
pub fn hand_on(file: &File, at: u64, most: usize, to_stderr: bool) -> io::Result<Option<usize>> {
    use std::os::fd::AsFd;
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let stream = if to_stderr { stderr.as_fd() } else { stdout.as_fd() };
    let mut offset = at as nix::libc::off64_t;
    loop {
        match nix::fcntl::splice(file, Some(&mut offset), stream, None, most, nix::fcntl::SpliceFFlags::empty()) {
            Ok(n) => return Ok(Some(n)),
            Err(nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::EPIPE) => return Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => return Ok(None),
        }
    }
}

/// There is no such thing here.
///
/// # Errors
/// Never.
#[cfg(not(target_os = "linux"))]
pub fn hand_on(_file: &File, _at: u64, _most: usize, _to_stderr: bool) -> io::Result<Option<usize>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_hole_is_made_found_and_skipped() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        std::fs::write(&path, vec![b'x'; 1 << 20]).expect("writes");
        let file = open_for_punching(&path).expect("opens");
        let reader = File::open(&path).expect("opens");
        assert_eq!(next_hole(&reader, 0).expect("looks"), None);
        punch_hole(&file, &(65536..524_288)).expect("punches");
        for from in [0, 65535, 65536] {
            assert_eq!(next_hole(&reader, from).expect("looks"), Some(65536..524_288), "{from}");
        }
        assert_eq!(next_hole(&reader, 100_000).expect("looks"), Some(100_000..524_288));
        assert_eq!(next_hole(&reader, 524_288).expect("looks"), None);
        assert_eq!(next_hole(&reader, 2 << 20).expect("looks"), None);
        assert_eq!(reader.metadata().expect("looks").len(), 1 << 20);
    }

    #[test]
    fn nobody_else_holds_a_lock_on_a_new_file() {
        let file = tempfile::tempfile().expect("a file");
        let mut locks = RangeLocks::from(file.try_clone().expect("copies"), 10).expect("locks");
        // Our own locks are not those of others.
        assert_eq!(first_locked(&file, 0..100).expect("asks"), None);
        locks.give_back(10..20).expect("unlocks");
        locks.give_back(20..20).expect("nothing to do");
    }
}
