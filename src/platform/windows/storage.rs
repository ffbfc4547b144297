//! What is told of the file system that a directory is on.

use std::path::Path;
use std::ptr;

use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;

use super::command_line::wide;
use crate::platform::Space;

/// Returns how much room there is, if that is told.
pub fn free_space(path: &Path) -> Option<Space> {
    let path = wide(path.as_os_str()).ok()?;
    let mut free_bytes = 0;
    // SAFETY: the path ends with a NUL, and the one place that is given lives.
    let told = unsafe { GetDiskFreeSpaceExW(path.as_ptr(), &raw mut free_bytes, ptr::null_mut(), ptr::null_mut()) };
    (told != 0).then_some(Space { free_bytes, free_inodes: None, total_inodes: 0 })
}

/// Not told here.
pub fn network_file_system(_path: &Path) -> Option<&'static str> {
    None
}

/// There are no such limits here.
pub fn watch_limits() -> Option<(u64, u64)> {
    None
}
