//! Job objects: what holds the processes of one attempt together. Whatever a member starts is a member, whoever its
//! parent is; only a process that asks to break away leaves, which is how the supervisors of nested jobs get out.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, ERROR_MORE_DATA, INVALID_HANDLE_VALUE, SetLastError};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::IO::{CreateIoCompletionPort, GetQueuedCompletionStatus};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_BREAKAWAY_OK, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT, JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JOBOBJECTINFOCLASS, JobObjectAssociateCompletionPortInformation, JobObjectBasicAccountingInformation,
    JobObjectBasicProcessIdList, JobObjectExtendedLimitInformation, OpenJobObjectW, QueryInformationJobObject,
    SetInformationJobObject, TerminateJobObject,
};
use windows_sys::Win32::System::SystemServices::{JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO, JOB_OBJECT_QUERY};
use windows_sys::Win32::System::Threading::INFINITE;

use super::limits::Limits;
use super::security::{is_ours, of_ours};
use super::wake;
use crate::domain::record::Usage;
use crate::platform::Wake;

/// No list of processes is read beyond this many.
const MOST_PROCESSES: usize = 1 << 16;

/// Turns the answer of a function that says 0 on failure into a result.
pub(super) fn check(answer: i32) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// So many job objects of one job have a name at a time: those of its attempt and of its steps.
const NAMED: u32 = 8;

fn name_of(cookie: &str, nth: u32) -> Option<Vec<u16>> {
    let is_plain = !cookie.is_empty() && cookie.len() <= 128 && cookie.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| format!("Local\\jobdir-job-{cookie}-{nth}\0").encode_utf16().collect())
}

/// Returns the processes of a job, known by its cookie, that the kernel counts in its job objects. They have names only as
/// long as the job has a supervisor.
pub fn contained(cookie: &str) -> Vec<u32> {
    let names = (0..NAMED).filter_map(|nth| name_of(cookie, nth));
    names.filter_map(|name| JobObject::find(&name)).flat_map(|job| job.pids()).collect()
}

/// One job object. When its last handle is closed, which the kernel does for a supervisor that dies, its processes are
/// killed, unless [`JobObject::let_go`] was called before.
#[derive(Debug)]
pub(super) struct JobObject {
    handle: OwnedHandle,
    limits: Limits,
}

impl JobObject {
    /// Makes one with nothing in it, which [`contained`] finds by the cookie of its job.
    pub(super) fn new(cookie: Option<&str>, limits: Limits) -> io::Result<Self> {
        let access = of_ours().ok();
        let name_it = |cookie| {
            let access = access.as_ref()?;
            (0..NAMED).find_map(|nth| Self::create(&name_of(cookie, nth)?, ptr::from_ref(access)).ok())
        };
        // Without a name it holds its processes together all the same.
        let mut job = cookie.and_then(name_it).map_or_else(|| Self::create(&[], ptr::null()), Ok)?;
        job.limits = limits;
        job.limit(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK)?;
        Ok(job)
    }

    fn create(name: &[u16], access: *const SECURITY_ATTRIBUTES) -> io::Result<Self> {
        let name = if name.is_empty() { ptr::null() } else { name.as_ptr() };
        // SAFETY: the name ends with a NUL, or is none; a handle that is not null is ours.
        unsafe {
            SetLastError(0);
            let raw = CreateJobObjectW(access, name);
            let error = io::Error::last_os_error();
            if raw.is_null() {
                return Err(error);
            }
            let job = Self { handle: OwnedHandle::from_raw_handle(raw), limits: Limits::default() };
            // One that is there already holds others.
            if error.raw_os_error() == Some(ERROR_ALREADY_EXISTS as i32) { Err(error) } else { Ok(job) }
        }
    }

    /// Opens one to look into it; `None` when there is none, or it is not ours.
    fn find(name: &[u16]) -> Option<Self> {
        // SAFETY: the name ends with a NUL; a handle that is not null is ours.
        let job = unsafe {
            let raw = OpenJobObjectW(JOB_OBJECT_QUERY | READ_CONTROL, 0, name.as_ptr());
            (!raw.is_null()).then(|| OwnedHandle::from_raw_handle(raw))?
        };
        is_ours(job.as_handle()).then_some(Self { handle: job, limits: Limits::default() })
    }

    fn limit(&self, flags: u32) -> io::Result<()> {
        self.set(JobObjectExtendedLimitInformation, &self.limits.with(flags))
    }

    fn set<T>(&self, class: JOBOBJECTINFOCLASS, value: &T) -> io::Result<()> {
        // SAFETY: the value lives through the call, and its size is told.
        check(unsafe {
            SetInformationJobObject(
                self.handle.as_raw_handle(),
                class,
                ptr::from_ref(value).cast(),
                size_of::<T>() as u32,
            )
        })
    }

    fn query<T: Default>(&self, class: JOBOBJECTINFOCLASS) -> io::Result<T> {
        let mut value = T::default();
        // SAFETY: the kernel fills in plain data of the size that is told.
        check(unsafe {
            QueryInformationJobObject(
                self.handle.as_raw_handle(),
                class,
                ptr::from_mut(&mut value).cast(),
                size_of::<T>() as u32,
                ptr::null_mut(),
            )
        })?;
        Ok(value)
    }

    /// Puts a process into it, for good.
    pub(super) fn assign(&self, process: BorrowedHandle<'_>) -> io::Result<()> {
        // SAFETY: two handles that are open.
        check(unsafe { AssignProcessToJobObject(self.handle.as_raw_handle(), process.as_raw_handle()) })
    }

    /// Lets a thread wake the queue whenever one of its processes ends, until none is left.
    pub(super) fn watch(&self) -> io::Result<()> {
        // SAFETY: makes a port with no file; a handle that is not null is ours.
        let port = unsafe {
            let raw = CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, 1);
            if raw.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(raw)
        };
        let association = JOBOBJECT_ASSOCIATE_COMPLETION_PORT {
            CompletionKey: ptr::null_mut(),
            CompletionPort: port.as_raw_handle(),
        };
        self.set(JobObjectAssociateCompletionPortInformation, &association)?;
        let listen = move || {
            loop {
                let (mut message, mut key, mut overlapped) = (0, 0, ptr::null_mut());
                // SAFETY: the port is open, and the three places live through the call.
                let got = unsafe {
                    GetQueuedCompletionStatus(
                        port.as_raw_handle(),
                        &raw mut message,
                        &raw mut key,
                        &raw mut overlapped,
                        INFINITE,
                    )
                };
                wake::ring(Wake::Child);
                if got == 0 || message == JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("job-object".into()).spawn(listen).map(drop)
    }

    /// Kills everything in it, at once.
    pub(super) fn terminate(&self, code: u32) -> io::Result<()> {
        // SAFETY: a handle that is open.
        check(unsafe { TerminateJobObject(self.handle.as_raw_handle(), code) })
    }

    /// Lets its processes live on when the last handle is closed.
    pub(super) fn let_go(&self) -> io::Result<()> {
        self.limit(JOB_OBJECT_LIMIT_BREAKAWAY_OK)
    }

    /// Says whether nothing lives in it: a proof.
    pub(super) fn is_empty(&self) -> bool {
        self.query::<JOBOBJECT_BASIC_ACCOUNTING_INFORMATION>(JobObjectBasicAccountingInformation)
            .is_ok_and(|accounting| accounting.ActiveProcesses == 0)
    }

    /// Returns who is in it.
    pub(super) fn pids(&self) -> Vec<u32> {
        // Two numbers of 32 bits, then the pids, each in a word.
        let mut words = vec![0usize; 64];
        loop {
            // SAFETY: the kernel writes at most as much as it is told there is.
            let answer = check(unsafe {
                QueryInformationJobObject(
                    self.handle.as_raw_handle(),
                    JobObjectBasicProcessIdList,
                    words.as_mut_ptr().cast(),
                    size_of_val(words.as_slice()) as u32,
                    ptr::null_mut(),
                )
            });
            match answer {
                Err(error) if error.raw_os_error() == Some(ERROR_MORE_DATA as i32) && words.len() < MOST_PROCESSES => {
                    words = vec![0; words.len() * 4];
                }
                Err(_) => return Vec::new(),
                Ok(()) => break,
            }
        }
        // SAFETY: the beginning of the buffer is these two numbers, which have any value.
        let [_assigned, listed]: [u32; 2] = unsafe { ptr::read_unaligned(words.as_ptr().cast()) };
        let first = size_of::<[u32; 2]>().div_ceil(size_of::<usize>());
        words[first..].iter().take(listed as usize).filter_map(|pid| u32::try_from(*pid).ok()).collect()
    }

    /// Returns what its processes have used, those that have ended included.
    pub(super) fn usage(&self) -> Usage {
        let times: JOBOBJECT_BASIC_ACCOUNTING_INFORMATION =
            self.query(JobObjectBasicAccountingInformation).unwrap_or_default();
        let limits: JOBOBJECT_EXTENDED_LIMIT_INFORMATION =
            self.query(JobObjectExtendedLimitInformation).unwrap_or_default();
        // In units of 100 ns.
        let ms = |time: i64| u64::try_from(time).unwrap_or(0) / 10_000;
        Usage {
            user_ms: ms(times.TotalUserTime),
            system_ms: ms(times.TotalKernelTime),
            max_rss_bytes: limits.PeakProcessMemoryUsed as u64,
        }
    }
}
