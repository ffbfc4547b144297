//! An own look at processes, not by jobdir's code: those whose pids are known.

#![expect(unsafe_code, reason = "processes are looked at through the system's own functions")]

use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::process::ExitStatus;

use windows_sys::Win32::Foundation::{FILETIME, WAIT_TIMEOUT};
use windows_sys::Win32::Storage::FileSystem::GetCompressedFileSizeW;
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
    TerminateProcess, WaitForSingleObject,
};

/// Opens a process that lives.
fn open(pid: u32, access: u32) -> Option<OwnedHandle> {
    let access = access | PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE;
    // SAFETY: a handle that is not null is ours.
    let process = unsafe {
        let raw = OpenProcess(access, 0, pid);
        (!raw.is_null()).then(|| OwnedHandle::from_raw_handle(raw))?
    };
    // One that has ended is there as long as somebody has it open.
    // SAFETY: the handle is open; nothing is waited for.
    let lives = unsafe { WaitForSingleObject(process.as_raw_handle(), 0) } == WAIT_TIMEOUT;
    lives.then_some(process)
}

/// Returns when a process that lives was created, in units of 100 ns.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let process = open(pid, 0)?;
    let mut times = [FILETIME::default(); 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: the handle is open, and the four places live through the call.
    let told = unsafe { GetProcessTimes(process.as_raw_handle(), created, exited, kernel, user) };
    let [created, ..] = times;
    (told != 0).then(|| u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

/// Says whether a process lives.
pub(crate) fn is_alive(pid: u32) -> bool {
    open(pid, 0).is_some()
}

/// Says whether this very process lives.
pub(crate) fn is_same_alive(pid: u32, start: u64) -> bool {
    start_time(pid) == Some(start)
}

/// Returns the processes that know this text. Nobody tells that here.
pub(crate) fn mentioning(_text: &str) -> Vec<(u32, u64)> {
    Vec::new()
}

/// Kills a process.
#[track_caller]
pub(crate) fn kill(pid: u32) {
    let process = open(pid, PROCESS_TERMINATE).unwrap_or_else(|| panic!("process {pid} is not there"));
    // SAFETY: the handle is open.
    assert_ne!(unsafe { TerminateProcess(process.as_raw_handle(), 9) }, 0, "cannot kill {pid}");
}

/// Kills a process that may be gone.
pub(crate) fn kill_if_there(pid: u32) {
    if let Some(process) = open(pid, PROCESS_TERMINATE) {
        // SAFETY: the handle is open.
        unsafe { TerminateProcess(process.as_raw_handle(), 9) };
    }
}

/// Returns the space that a file takes on the disk.
pub(crate) fn space_of(path: &Path) -> u64 {
    let path: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    let mut high = 0;
    // SAFETY: the path ends with a NUL, and the place lives.
    let low = unsafe { GetCompressedFileSizeW(path.as_ptr(), &raw mut high) };
    u64::from(high) << 32 | u64::from(low)
}

/// Returns the number of the signal that a process died of: there are none.
pub(crate) fn signal_of(_status: ExitStatus) -> Option<i32> {
    None
}
