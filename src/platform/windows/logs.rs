//! What log files need beyond reading and appending: holes in their middle, and locks on ranges of a file.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::ptr;

use windows_sys::Wdk::Storage::FileSystem::{FileFsSizeInformation, NtQueryVolumeInformationFile};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_IO_PENDING, ERROR_LOCK_VIOLATION, ERROR_MORE_DATA, ERROR_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OPEN_REPARSE_POINT, LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::{DeviceIoControl, IO_STATUS_BLOCK, OVERLAPPED};
use windows_sys::Win32::System::Ioctl::{
    FILE_ALLOCATED_RANGE_BUFFER, FILE_ZERO_DATA_INFORMATION, FSCTL_QUERY_ALLOCATED_RANGES, FSCTL_SET_SPARSE,
    FSCTL_SET_ZERO_DATA,
};

use super::job_object::check;
use super::not_yet;

/// NTFS takes space back in pieces of this size; the edges of a range that are none become zeros that it keeps.
const PIECE: u64 = 64 << 10;

/// Reads at an offset.
///
/// # Errors
/// What the system says.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buffer, offset)
}

/// FILE_FS_SIZE_INFORMATION of the kernel's.
#[repr(C)]
#[derive(Default)]
struct VolumeSize {
    units: [i64; 2],
    sectors_per_unit: u32,
    bytes_per_sector: u32,
}

/// Returns the unit in which the file system takes space back from this file.
///
/// # Errors
/// What the system says.
pub fn block_size(file: &File) -> io::Result<u64> {
    let (mut size, mut status) = (VolumeSize::default(), IO_STATUS_BLOCK::default());
    // SAFETY: a handle that is open, and two places that live, one of them as large as is told.
    let answer = unsafe {
        NtQueryVolumeInformationFile(
            file.as_raw_handle(),
            &raw mut status,
            (&raw mut size).cast(),
            size_of::<VolumeSize>() as u32,
            FileFsSizeInformation,
        )
    };
    if answer < 0 {
        return Err(io::Error::other(format!("the system answers {answer:#x}")));
    }
    Ok((u64::from(size.sectors_per_unit) * u64::from(size.bytes_per_sector)).max(PIECE))
}

/// Asks the file system for something; returns how many bytes it answered.
fn control<I, O>(file: &File, code: u32, input: &I, output: &mut [O]) -> io::Result<usize> {
    let mut length = 0;
    // SAFETY: a handle that is open; both places live, and their sizes are told.
    let answer = check(unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            code,
            ptr::from_ref(input).cast(),
            size_of::<I>() as u32,
            output.as_mut_ptr().cast(),
            size_of_val(output) as u32,
            &raw mut length,
            ptr::null_mut(),
        )
    });
    match answer {
        // There is more than fits, and what fits is there.
        Err(error) if error.raw_os_error() == Some(ERROR_MORE_DATA as i32) => Ok(length as usize),
        Err(error) => match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED) => Err(io::ErrorKind::Unsupported.into()),
            _ => Err(error),
        },
        Ok(()) => Ok(length as usize),
    }
}

/// Finds the first hole that ends after `from`: a range without data that data follows. What was written last may not have
/// its space yet, so the end of a file is no hole here. `None` when there is none, or when the file system does not tell.
///
/// # Errors
/// What the system says.
pub fn next_hole(file: &File, from: u64) -> io::Result<Option<Range<u64>>> {
    let length = file.metadata()?.len();
    let hole = before_data(from, length, |start| {
        let wanted = FILE_ALLOCATED_RANGE_BUFFER { FileOffset: offset_of(start), Length: offset_of(length - start) };
        let mut found = [FILE_ALLOCATED_RANGE_BUFFER::default(); 1];
        let told = control(file, FSCTL_QUERY_ALLOCATED_RANGES, &wanted, &mut found)?;
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let data = number(found[0].FileOffset);
        Ok((told == size_of_val(&found)).then(|| data..data + number(found[0].Length)))
    });
    match hole {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        other => other,
    }
}

/// Finds the first range from an offset on that is not data, when `next` says where there is some.
fn before_data(
    from: u64,
    length: u64,
    mut next: impl FnMut(u64) -> io::Result<Option<Range<u64>>>,
) -> io::Result<Option<Range<u64>>> {
    let mut start = from;
    // Ranges that touch each other are passed over, so many at most.
    for _ in 0..1024 {
        if start >= length {
            break;
        }
        match next(start)? {
            Some(data) if data.start > start => return Ok((data.start < length).then_some(start..data.start)),
            Some(data) if data.end > start => start = data.end,
            Some(_) | None => break,
        }
    }
    Ok(None)
}

/// Gives the space of a range back: it reads as zeros from now on, and every offset stays what it was. Who writes to the
/// file notices nothing.
///
/// # Errors
/// `Unsupported` where the file system cannot do it, else what the system says.
pub fn punch_hole(file: &File, range: &Range<u64>) -> io::Result<()> {
    let zero = FILE_ZERO_DATA_INFORMATION { FileOffset: offset_of(range.start), BeyondFinalZero: offset_of(range.end) };
    control::<_, u8>(file, FSCTL_SET_ZERO_DATA, &zero, &mut []).map(drop)
}

/// Opens a log for punching holes. Never creates it, refuses links.
///
/// # Errors
/// `Unsupported` where the file system makes no holes, else what the system says.
pub fn open_for_punching(path: &std::path::Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    control::<_, u8>(&file, FSCTL_SET_SPARSE, &(), &mut [])?;
    // To be told now rather than when the log is full.
    match punch_hole(&file, &(0..0)) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    }
}

/// Shared locks of this process on ranges of a file. The kernel takes them back when it dies, and whoever tries the range for
/// a moment is waited for.
#[derive(Debug)]
pub struct RangeLocks {
    file: File,
    /// A lock is given back as it was taken, so each is remembered.
    held: Vec<Range<u64>>,
}

impl RangeLocks {
    /// Takes a lock from an offset to the end of all offsets.
    ///
    /// # Errors
    /// What the system says, for instance where there are no such locks.
    pub fn from(file: File, start: u64) -> io::Result<Self> {
        let all = start..u64::MAX;
        lock(&file, &all, 0)?;
        Ok(Self { file, held: vec![all] })
    }

    /// Gives back what is locked of a range.
    ///
    /// # Errors
    /// What the system says; then more is locked than need be.
    pub fn give_back(&mut self, range: Range<u64>) -> io::Result<()> {
        let touched = |held: &&Range<u64>| held.start < range.end && range.start < held.end;
        for whole in self.held.iter().filter(touched).cloned().collect::<Vec<_>>() {
            // What stays locked of it is locked anew first: at no moment it is free.
            for rest in [whole.start..range.start.max(whole.start), range.end.min(whole.end)..whole.end] {
                if !rest.is_empty() {
                    lock(&self.file, &rest, 0)?;
                    self.held.push(rest);
                }
            }
            unlock(&self.file, &whole)?;
            self.held.retain(|held| *held != whole);
        }
        Ok(())
    }
}

fn place(range: &Range<u64>) -> (OVERLAPPED, [u32; 2]) {
    let halves = |number: u64| [number as u32, (number >> 32) as u32];
    let mut place = OVERLAPPED::default();
    [place.Anonymous.Anonymous.Offset, place.Anonymous.Anonymous.OffsetHigh] = halves(range.start);
    (place, halves(range.end - range.start))
}

fn lock(file: &File, range: &Range<u64>, flags: u32) -> io::Result<()> {
    let (mut place, [low, high]) = place(range);
    // SAFETY: a handle that is open and waits for what it does, and a place that lives.
    check(unsafe { LockFileEx(file.as_raw_handle(), flags, 0, low, high, &raw mut place) })
}

fn unlock(file: &File, range: &Range<u64>) -> io::Result<()> {
    let (mut place, [low, high]) = place(range);
    // SAFETY: as above.
    check(unsafe { UnlockFileEx(file.as_raw_handle(), 0, low, high, &raw mut place) })
}

/// Says whether somebody has a lock within a range, by taking it for a moment.
fn is_locked(file: &File, range: &Range<u64>) -> io::Result<bool> {
    match lock(file, range, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY) {
        Ok(()) => unlock(file, range).map(|()| false),
        Err(error) => match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_LOCK_VIOLATION | ERROR_IO_PENDING) => Ok(true),
            _ => Err(error),
        },
    }
}

/// Finds where the locks that others have within a range begin, if there are any.
///
/// # Errors
/// What the system says.
pub fn first_locked(file: &File, range: Range<u64>) -> io::Result<Option<u64>> {
    if range.is_empty() || !is_locked(file, &range)? {
        return Ok(None);
    }
    // All before `free` is free, and there is a lock before `locked`. Should it go meanwhile, the answer is too high by
    // what has become free.
    let (mut free, mut locked) = (range.start, range.end);
    while locked - free > 1 {
        let middle = free + (locked - free) / 2;
        if is_locked(file, &(free..middle))? { locked = middle } else { free = middle }
    }
    Ok(Some(free))
}

fn offset_of(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// There is no such thing here.
///
/// # Errors
/// Never.
pub fn hand_on(_file: &File, _at: u64, _most: usize, _to_stderr: bool) -> io::Result<Option<usize>> {
    Ok(None)
}

/// Rings at writes.
#[derive(Debug)]
pub struct WriteBell;

impl WriteBell {
    /// There is no such thing here: what a directory tells of the size of a file that is open lags behind.
    ///
    /// # Errors
    /// Always.
    pub fn new(_path: &std::path::Path) -> io::Result<Self> {
        not_yet()
    }

    /// There is no such thing here.
    ///
    /// # Errors
    /// Always.
    pub fn arm(&self) -> io::Result<()> {
        not_yet()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_made_found_and_skipped() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        std::fs::write(&path, vec![b'x'; 1 << 20]).expect("writes");
        let file = open_for_punching(&path).expect("opens");
        let reader = File::open(&path).expect("opens");
        assert_eq!(next_hole(&reader, 0).expect("looks"), None);
        punch_hole(&file, &(65536..524_288)).expect("punches");
        for from in [0, 65535, 65536] {
            assert_eq!(next_hole(&reader, from).expect("looks"), Some(65536.max(from)..524_288), "{from}");
        }
        assert_eq!(next_hole(&reader, 100_000).expect("looks"), Some(100_000..524_288));
        assert_eq!(next_hole(&reader, 524_288).expect("looks"), None);
        assert_eq!(next_hole(&reader, 2 << 20).expect("looks"), None);
        assert_eq!(reader.metadata().expect("looks").len(), 1 << 20);
    }

    #[test]
    fn space_comes_back_in_whole_pieces() {
        let block = block_size(&tempfile::tempfile().expect("a file")).expect("looks");
        assert!(block >= PIECE && block.is_power_of_two(), "{block}");
    }

    #[test]
    fn a_hole_is_what_is_no_data_and_has_some_behind_it() {
        let data = [0..10, 10..20, 50..60, 80..90];
        let hole = |from, length| {
            let next = |start| Ok(data.iter().find(|data| data.end > start).cloned());
            before_data(from, length, next).expect("told")
        };
        for from in [0, 5, 10, 19, 20] {
            assert_eq!(hole(from, 100), Some(20..50), "{from}");
        }
        assert_eq!(hole(30, 100), Some(30..50));
        assert_eq!(hole(50, 100), Some(60..80));
        assert_eq!(hole(85, 100), None, "what was written last may have no space yet");
        assert_eq!(hole(20, 40), None);
        assert_eq!(hole(100, 100), None);
        // Whoever does not get on is not asked for ever.
        assert_eq!(before_data(5, 10, |_| Ok(Some(0..5))).expect("told"), None);
    }

    #[test]
    fn what_others_have_locked_is_found() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = || super::super::files::open_lock_file(&dir.path().join("shown"), true).expect("opens");
        let looker = open();
        let first = |range| first_locked(&looker, range).expect("asks");
        assert_eq!(first(0..u64::MAX), None);
        let mut locks = RangeLocks::from(open(), 1 << 45).expect("locks");
        assert_eq!(first(0..1 << 45), None);
        assert_eq!(first(0..1 << 46), Some(1 << 45));
        let base = 1u64 << 45;
        locks.give_back(base..base + 100).expect("gives back");
        locks.give_back(base + (1 << 44)..base + (1 << 44) + 7).expect("gives back");
        assert_eq!(first(base..base + 100), None);
        assert_eq!(first(base..base + 1000), Some(base + 100));
        assert_eq!(first(base + (1 << 44)..base + (1 << 44) + 50), Some(base + (1 << 44) + 7));
        assert_eq!(first(base + (1 << 44)..base + (1 << 44) + 7), None);
        // Another client that has come further changes nothing.
        let mut other = RangeLocks::from(open(), base).expect("locks");
        other.give_back(base..base + 500).expect("gives back");
        assert_eq!(first(base..base + 1000), Some(base + 100));
        drop(locks);
        assert_eq!(first(base..base + 1000), Some(base + 500));
        drop(other);
        assert_eq!(first(0..u64::MAX), None);
    }
}
