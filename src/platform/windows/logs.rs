//! What log files need beyond reading and appending. Nothing can be started here yet, so nothing is trimmed.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::windows::fs::FileExt;

use super::not_yet;

/// Reads at an offset.
///
/// # Errors
/// What the system says.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buffer, offset)
}

/// Returns the unit in which space is given to files.
///
/// # Errors
/// Never.
pub fn block_size(_file: &File) -> io::Result<u64> {
    Ok(4096)
}

/// Holes are not looked for here.
///
/// # Errors
/// Never.
pub fn next_hole(_file: &File, _from: u64) -> io::Result<Option<Range<u64>>> {
    Ok(None)
}

/// There is no way to do this here.
///
/// # Errors
/// Always.
pub fn punch_hole(_file: &File, _range: &Range<u64>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// There is no way to do this here.
///
/// # Errors
/// Always.
pub fn open_for_punching(_path: &std::path::Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// There are no such locks here.
///
/// # Errors
/// Always.
pub fn lock_range(_file: &File, _start: u64, _end: Option<u64>) -> io::Result<()> {
    not_yet()
}

/// There are no such locks here.
///
/// # Errors
/// Always.
pub fn unlock_range(_file: &File, _start: u64, _end: u64) -> io::Result<()> {
    not_yet()
}

/// There are no such locks here.
///
/// # Errors
/// Always.
pub fn first_locked(_file: &File, _range: Range<u64>) -> io::Result<Option<u64>> {
    not_yet()
}

/// Rings at writes.
#[derive(Debug)]
pub struct WriteBell;

impl WriteBell {
    /// There is no such thing here.
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

/// There is no such thing here.
///
/// # Errors
/// Never.
pub fn hand_on(_file: &File, _at: u64, _most: usize, _to_stderr: bool) -> io::Result<Option<usize>> {
    Ok(None)
}
