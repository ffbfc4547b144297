//! The files that supervisors say they have open, since nobody else tells it here. Each says so in a small piece of memory
//! with a name of its own, which goes with the process however it ends.

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, GetLastError, INVALID_HANDLE_VALUE, SetLastError};
use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, OpenFileMappingW,
    PAGE_READWRITE, UnmapViewOfFile,
};

use super::command_line::wide;
use super::security::{is_ours, of_ours};

/// Room for the longest path there can be, and a NUL.
const UNITS: usize = 32 << 10;
const BYTES: usize = UNITS * size_of::<u16>();

/// Says to [`open_files`] that this process has a file open, until it is dropped.
#[derive(Debug)]
pub struct OpenMark {
    _memory: Option<OwnedHandle>,
}

/// The memory, as this process sees it.
struct View(MEMORY_MAPPED_VIEW_ADDRESS);

impl View {
    fn new(memory: &OwnedHandle, access: u32) -> Option<Self> {
        // SAFETY: a handle that is open; nothing of ours lies where it is put.
        let view = unsafe { MapViewOfFile(memory.as_raw_handle(), access, 0, 0, BYTES) };
        (!view.Value.is_null()).then_some(Self(view))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: it was mapped once.
        unsafe { UnmapViewOfFile(self.0) };
    }
}

fn name_of(pid: u32) -> Vec<u16> {
    format!("Local\\jobdir-claim-{pid}\0").encode_utf16().collect()
}

/// Says that this process has a file open. One is said at a time: of a process that holds several the first.
pub fn mark_open(path: &Path) -> OpenMark {
    OpenMark { _memory: mark(path) }
}

fn mark(path: &Path) -> Option<OwnedHandle> {
    // It is read in another directory.
    let units = wide(std::path::absolute(path).ok()?.as_os_str()).ok().filter(|units| units.len() <= UNITS)?;
    let access = of_ours().ok()?;
    // SAFETY: the name ends with a NUL; a handle that is not null is ours.
    let memory = unsafe {
        SetLastError(0);
        let name = name_of(std::process::id());
        let raw =
            CreateFileMappingW(INVALID_HANDLE_VALUE, &raw const access, PAGE_READWRITE, 0, BYTES as u32, name.as_ptr());
        let is_new = GetLastError() != ERROR_ALREADY_EXISTS;
        (!raw.is_null()).then(|| OwnedHandle::from_raw_handle(raw)).filter(|_| is_new)?
    };
    let view = View::new(&memory, FILE_MAP_WRITE)?;
    // The first unit is written last: until then there is nothing to read.
    let (first, rest) = units.split_first()?;
    let place = view.0.Value.cast::<u16>();
    // SAFETY: there is room for so many units, which were all zero.
    unsafe {
        ptr::copy_nonoverlapping(rest.as_ptr(), place.add(1), rest.len());
        std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
        ptr::write_volatile(place, *first);
    }
    Some(memory)
}

/// Returns the files that a process says it has open: the claim of a supervisor.
pub fn open_files(pid: u32) -> Vec<PathBuf> {
    marked(pid).into_iter().collect()
}

fn marked(pid: u32) -> Option<PathBuf> {
    // SAFETY: the name ends with a NUL; a handle that is not null is ours.
    let memory = unsafe {
        let raw = OpenFileMappingW(FILE_MAP_READ | READ_CONTROL, 0, name_of(pid).as_ptr());
        (!raw.is_null()).then(|| OwnedHandle::from_raw_handle(raw))?
    };
    if !is_ours(memory.as_handle()) {
        return None;
    }
    let view = View::new(&memory, FILE_MAP_READ)?;
    let place = view.0.Value.cast::<u16>();
    // SAFETY: so many units are there; another process may write them, so each is read once.
    let units: Vec<u16> =
        (0..UNITS).map(|at| unsafe { ptr::read_volatile(place.add(at)) }).take_while(|unit| *unit != 0).collect();
    (!units.is_empty()).then(|| OsString::from_wide(&units).into())
}

/// Says whether a process says that it has a file open.
pub(super) fn is_marked(pid: u32) -> bool {
    marked(pid).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard_until_it_is_taken_back() {
        let own = std::process::id();
        assert!(open_files(own).is_empty());
        let path = Path::new(r"C:\ü 漢字\locks\7");
        let mark = mark_open(path);
        assert_eq!(open_files(own), [path.to_owned()]);
        let other = mark_open(Path::new(r"C:\other"));
        assert_eq!(open_files(own), [path.to_owned()], "the first one counts");
        drop(other);
        assert_eq!(open_files(own), [path.to_owned()]);
        drop(mark);
        assert!(open_files(own).is_empty());
        assert!(open_files(u32::MAX).is_empty());
    }
}
