//! One call of CreateProcessW, with exactly these handles and nothing else of ours.

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE};
use windows_sys::Win32::System::Threading::{
    CREATE_UNICODE_ENVIRONMENT, CreateProcessW, DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT,
    GetCurrentProcess, InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW,
    UpdateProcThreadAttribute,
};

use super::job_object::check;

/// What is to be created; every text ends with a NUL.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) program: &'a [u16],
    pub(super) command_line: Vec<u16>,
    pub(super) environment: &'a [u16],
    pub(super) cwd: Option<&'a [u16]>,
    /// Made by [`inheritable`].
    pub(super) stdio: [&'a OwnedHandle; 3],
    /// What else it is to inherit, made by [`inheritable`].
    pub(super) others: &'a [&'a OwnedHandle],
    pub(super) flags: u32,
}

/// A process and its first thread.
#[derive(Debug)]
pub(super) struct Created {
    pub(super) pid: u32,
    pub(super) process: OwnedHandle,
    pub(super) thread: OwnedHandle,
}

/// Returns another handle of the same, which a child can inherit.
pub(super) fn inheritable(handle: BorrowedHandle<'_>) -> io::Result<OwnedHandle> {
    let mut copy: HANDLE = ptr::null_mut();
    // SAFETY: a handle that is open, of this process; the new one is ours.
    unsafe {
        let own = GetCurrentProcess();
        check(DuplicateHandle(own, handle.as_raw_handle(), own, &raw mut copy, 0, 1, DUPLICATE_SAME_ACCESS))?;
        Ok(OwnedHandle::from_raw_handle(copy))
    }
}

/// The list of handles that a child inherits, whatever else is inheritable.
struct HandleList {
    memory: Vec<usize>,
    _handles: Box<[HANDLE]>,
}

impl HandleList {
    fn new(handles: Vec<HANDLE>) -> io::Result<Self> {
        let handles = handles.into_boxed_slice();
        let mut size = 0;
        // SAFETY: without a list it only says how much room one attribute needs.
        unsafe { InitializeProcThreadAttributeList(ptr::null_mut(), 1, 0, &raw mut size) };
        let mut memory = vec![0usize; size.div_ceil(size_of::<usize>())];
        // SAFETY: the memory is as large as was asked for.
        check(unsafe { InitializeProcThreadAttributeList(memory.as_mut_ptr().cast(), 1, 0, &raw mut size) })?;
        let mut list = Self { memory, _handles: handles };
        // SAFETY: the list is initialised; the handles are on the heap, and live as long as it does.
        check(unsafe {
            UpdateProcThreadAttribute(
                list.as_ptr(),
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                list._handles.as_ptr().cast(),
                size_of_val(&*list._handles),
                ptr::null_mut(),
                ptr::null(),
            )
        })?;
        Ok(list)
    }

    fn as_ptr(&mut self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.memory.as_mut_ptr().cast()
    }
}

impl Drop for HandleList {
    fn drop(&mut self) {
        // SAFETY: it is initialised.
        unsafe { DeleteProcThreadAttributeList(self.as_ptr()) };
    }
}

/// Creates the process.
///
/// # Errors
/// What the system says.
pub(super) fn create(mut request: Request<'_>) -> io::Result<Created> {
    let handles = request.stdio.iter().chain(request.others).map(|handle| handle.as_raw_handle()).collect();
    let mut list = HandleList::new(handles)?;
    let mut startup = STARTUPINFOEXW::default();
    startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    let [stdin, stdout, stderr] = request.stdio.map(AsRawHandle::as_raw_handle);
    (startup.StartupInfo.hStdInput, startup.StartupInfo.hStdOutput) = (stdin, stdout);
    startup.StartupInfo.hStdError = stderr;
    startup.lpAttributeList = list.as_ptr();
    let mut information = PROCESS_INFORMATION::default();
    // SAFETY: every text ends with a NUL and lives through the call, as do the handles and their list; the two handles
    // that come back are ours.
    unsafe {
        check(CreateProcessW(
            request.program.as_ptr(),
            request.command_line.as_mut_ptr(),
            ptr::null(),
            ptr::null(),
            1,
            request.flags | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
            request.environment.as_ptr().cast(),
            request.cwd.map_or(ptr::null(), <[u16]>::as_ptr),
            (&raw const startup).cast(),
            &raw mut information,
        ))?;
        Ok(Created {
            pid: information.dwProcessId,
            process: OwnedHandle::from_raw_handle(information.hProcess),
            thread: OwnedHandle::from_raw_handle(information.hThread),
        })
    }
}
