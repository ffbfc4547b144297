//! The process table, and single processes by pid and creation time.

use std::collections::HashMap;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
use windows_sys::Win32::Foundation::{FILETIME, HANDLE, STATUS_INFO_LENGTH_MISMATCH};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SUSPEND_RESUME, PROCESS_SYNCHRONIZE,
    PROCESS_TERMINATE, TerminateProcess,
};

use super::children::{self, KILLED};
use super::job_object::check;
use super::marks;
use crate::domain::identity::{Place, ProcessIdentity};
use crate::domain::os_text::OsText;
use crate::domain::signal::Signal;
use crate::domain::tree::{ProcessInfo, ProcessTable};

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtSuspendProcess(process: HANDLE) -> i32;
    fn NtResumeProcess(process: HANDLE) -> i32;
}

/// The kernel's own process: it starts with the system and never ends.
const SYSTEM_PID: u32 = 4;
/// No table is read that is larger.
const LARGEST_TABLE: usize = 64 << 20;
const SYSTEM_TIME_OF_DAY: i32 = 3;
const SYSTEM_PROCESSES: i32 = 5;

/// The beginning of a row of the table, see SYSTEM_PROCESS_INFORMATION in winternl.h, which hides the times.
#[repr(C)]
#[derive(Clone, Copy)]
struct Row {
    next: u32,
    threads: u32,
    sizes: [u64; 3],
    created: u64,
    times: [u64; 2],
    name: [usize; 2],
    priority: i32,
    pid: usize,
    parent: usize,
}

/// A process that is opened, which pins its number.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) identity: ProcessIdentity,
    pub(super) process: OwnedHandle,
}

impl Opened {
    /// Opens a process so that it can be suspended or killed; `None` when that is not possible.
    pub(super) fn new(pid: u32) -> Option<Self> {
        Self::for_signals(pid).ok()
    }

    /// The same, with what the system says.
    pub(super) fn for_signals(pid: u32) -> io::Result<Self> {
        let access =
            PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SUSPEND_RESUME | PROCESS_SYNCHRONIZE | PROCESS_TERMINATE;
        // SAFETY: integers only; a handle that is not null is ours.
        let process = unsafe {
            let raw = OpenProcess(access, 0, pid);
            if raw.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(raw)
        };
        Ok(Self { identity: ProcessIdentity { pid, start_time: created(&process)? }, process })
    }

    pub(super) fn suspend(&self) -> io::Result<()> {
        // SAFETY: a handle that is open.
        status(unsafe { NtSuspendProcess(self.process.as_raw_handle()) })
    }

    pub(super) fn resume(&self) -> io::Result<()> {
        // SAFETY: a handle that is open.
        status(unsafe { NtResumeProcess(self.process.as_raw_handle()) })
    }

    pub(super) fn kill(&self) -> io::Result<()> {
        // SAFETY: a handle that is open.
        check(unsafe { TerminateProcess(self.process.as_raw_handle(), KILLED) })
    }
}

fn status(answer: i32) -> io::Result<()> {
    if answer < 0 { Err(io::Error::other(format!("the system answers {answer:#x}"))) } else { Ok(()) }
}

/// Returns when a process was created, in units of 100 ns.
pub(super) fn created(process: &OwnedHandle) -> io::Result<u64> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: a handle that is open, and four places that live.
    check(unsafe { GetProcessTimes(process.as_raw_handle(), created, ended, kernel, user) })?;
    Ok(u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

/// Returns a table of the system's as words, so that it is aligned.
fn query(class: i32, first_size: usize) -> Option<Vec<u64>> {
    let mut words = vec![0u64; first_size.div_ceil(8)];
    loop {
        let mut needed = 0;
        // SAFETY: the kernel writes at most as much as it is told there is.
        let answer = unsafe {
            NtQuerySystemInformation(
                class,
                words.as_mut_ptr().cast(),
                size_of_val(words.as_slice()) as u32,
                &raw mut needed,
            )
        };
        let size = size_of_val(words.as_slice());
        match answer {
            STATUS_INFO_LENGTH_MISMATCH if size < LARGEST_TABLE => {
                // There may be more processes the next time.
                words = vec![0; (needed as usize).max(size).div_ceil(8) * 2];
            }
            answer => return (answer >= 0).then_some(words),
        }
    }
}

fn rows() -> Vec<Row> {
    let Some(words) = query(SYSTEM_PROCESSES, 256 << 10) else { return Vec::new() };
    let size = size_of_val(words.as_slice());
    let mut rows = Vec::new();
    let mut at = 0usize;
    while at + size_of::<Row>() <= size {
        // SAFETY: the row lies within the buffer, and any bytes are one.
        let row: Row = unsafe { ptr::read_unaligned(words.as_ptr().byte_add(at).cast()) };
        rows.push(row);
        if row.next == 0 {
            break;
        }
        at += row.next as usize;
    }
    rows
}

/// Takes one look at every process. What lives in one of our job objects is a descendant of ours, as below a subreaper,
/// and of the group and session of its leader. Of what has left them only the supervisors of nested jobs are, as long as
/// whoever started them lives. Everybody else is in a session of their own, as supervisors are.
pub fn process_table() -> ProcessTable {
    let rows = rows();
    let own = std::process::id();
    let created: HashMap<usize, u64> = rows.iter().map(|row| (row.pid, row.created)).collect();
    let (trees, suspended) = children::trees();
    let leaders: HashMap<u32, u32> =
        trees.iter().flat_map(|(leader, pids)| pids.iter().map(move |pid| (*pid, *leader))).collect();
    let describe = |row: &Row| {
        let pid = u32::try_from(row.pid).ok().filter(|pid| *pid != 0)?;
        let identity = ProcessIdentity { pid, start_time: row.created };
        // The parent's number may belong to somebody else by now.
        let is_real = created.get(&row.parent).is_some_and(|parent| *parent <= row.created);
        let parent = if is_real { u32::try_from(row.parent).unwrap_or(0) } else { 0 };
        let leader = leaders.get(&pid).copied();
        let parent = match leader {
            Some(_) if leaders.contains_key(&parent) => parent,
            Some(_) => own,
            None if parent == own || leaders.contains_key(&parent) && !marks::is_marked(pid) => 0,
            None => parent,
        };
        let state = if suspended.contains(&identity) { 'T' } else { 'S' };
        let (group, session) = (leader.unwrap_or(0), leader.unwrap_or(pid));
        Some(ProcessInfo { identity, parent, group, session, state })
    };
    ProcessTable::new(rows.iter().filter_map(describe).collect())
}

/// Returns a table that has our descendants.
pub fn descendants() -> ProcessTable {
    process_table()
}

/// Looks one process up; `None` when there is none of this number.
pub fn process_info(pid: u32) -> Option<ProcessInfo> {
    process_table().rows().iter().find(|row| row.pid() == pid).cloned()
}

/// Returns the identity of this process.
///
/// # Errors
/// What the system says.
pub fn own_identity() -> io::Result<ProcessIdentity> {
    let pid = std::process::id();
    Ok(Opened::for_signals(pid)?.identity)
}

/// Returns where pids mean something now. A boot is known by when the kernel's own process was created: a time that is
/// written down once, unlike the one that is counted back from now.
pub fn place() -> Place {
    let system = rows().into_iter().find(|row| row.pid == SYSTEM_PID as usize && row.created != 0);
    let boot = system.map(|row| row.created).or_else(|| query(SYSTEM_TIME_OF_DAY, 48)?.first().copied());
    Place {
        boot_id: boot.map_or_else(String::new, |boot| boot.to_string()),
        host: sysinfo::System::host_name().unwrap_or_default(),
        pid_namespace: String::new(),
    }
}

/// Says whether this system has subreapers.
pub fn has_subreaper() -> bool {
    false
}

/// Names are fixed here.
pub fn name_process(_name: &str, _words: &[OsText]) {}

/// There are no subreapers here: job objects hold what they do not.
pub fn become_subreaper() -> bool {
    false
}

/// Not told here: the environment of another process is its own memory.
pub fn environment_value(_pid: u32, _name: &str) -> Option<String> {
    None
}

/// Nothing is gained where it was not measured.
pub fn release_code() {}

/// Not told here.
pub fn out_of_memory_kills() -> Option<u64> {
    None
}

/// Returns the number that Windows programs know for a signal.
pub fn signal_number(signal: Signal) -> Option<i32> {
    Some(match signal {
        Signal::HUP => 1,
        Signal::INT => 2,
        Signal::QUIT => 3,
        Signal::KILL => 9,
        Signal::TERM => 15,
        _ => return None,
    })
}

/// Returns the signal with this number.
pub fn signal_by_number(number: i32) -> Option<Signal> {
    Signal::all().find(|signal| signal_number(*signal) == Some(number))
}

/// Says whether a signal can be sent here, or done to a job in another way.
pub fn can_signal(signal: Signal) -> bool {
    matches!(signal, Signal::KILL | Signal::STOP | Signal::CONT) || stop_signal(signal).is_ok()
}

/// Returns what is sent for a signal in truth, where that is something else.
pub fn sent_as(signal: Signal) -> Option<&'static str> {
    stop_signal(signal).ok().map(|()| "CTRL_BREAK")
}

/// What to use in place of a signal that cannot be sent here.
pub const SIGNALS_HERE: &str = "INT, TERM, HUP or QUIT, each of which is CTRL_BREAK here, or KILL, STOP or CONT";

/// Refuses what cannot be said by CTRL_BREAK.
pub(super) fn stop_signal(signal: Signal) -> io::Result<()> {
    if matches!(signal, Signal::HUP | Signal::INT | Signal::QUIT | Signal::TERM) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::Unsupported, format!("Windows has no {signal}")))
}

/// Signals are not inherited here.
pub fn inherited_ignored(_signal: Signal) -> bool {
    false
}

/// There are no such signals here.
pub fn ignore_write_signals() {}
