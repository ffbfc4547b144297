//! Unix without `/proc` and subreaper (macOS, the BSDs): best effort, through `sysinfo`.
//!
//! Groups and sessions are asked for one by one. On macOS a start time comes from `proc_pidinfo`, in microseconds; elsewhere
//! `sysinfo` tells it, in whole seconds. Type-checked, and not yet run on such a system.

use std::io;
use std::path::PathBuf;

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::signals;
use crate::domain::identity::{Place, ProcessIdentity};
use crate::domain::os_text::OsText;
use crate::domain::signal::Signal;
use crate::domain::tree::{ProcessInfo, ProcessTable};
use crate::platform::Delivery;

/// Says whether this system has subreapers.
pub fn has_subreaper() -> bool {
    false
}

/// Shows these words as the arguments of this process; its name is fixed here.
pub fn name_process(_name: &str, words: &[OsText]) {
    super::title::show(words, &crate::platform::crash::switches());
}

/// There are no subreapers here.
pub fn become_subreaper() -> bool {
    false
}

/// Returns where pids mean something now; the boot time stands in for a boot id.
pub fn place() -> Place {
    let host = nix::unistd::gethostname().map(|h| h.to_string_lossy().into_owned()).unwrap_or_default();
    Place {
        boot_id: System::boot_time().map_or_else(|_| String::new(), |t| t.to_string()),
        host,
        pid_namespace: String::new(),
    }
}

fn look(which: ProcessesToUpdate<'_>) -> Vec<ProcessInfo> {
    let Ok(mut system) = System::new() else { return Vec::new() };
    system.refresh_processes_specifics(which, true, ProcessRefreshKind::nothing());
    system.processes().values().filter_map(describe).collect()
}

/// Says who a process is by what the kernel tells of it at one moment, zombies included.
#[cfg(target_os = "macos")]
fn describe(process: &sysinfo::Process) -> Option<ProcessInfo> {
    use nix::libc;
    const SIZE: i32 = size_of::<libc::proc_bsdinfo>() as i32;
    /// With this argument zombies are told of, too.
    const ZOMBIES_TOO: u64 = 1;
    let pid = i32::try_from(process.pid().as_u32()).ok()?;
    // SAFETY: plain data, for which zeros will do; the kernel writes at most as much as it is told there is.
    let (length, info) = unsafe {
        let mut info: libc::proc_bsdinfo = std::mem::zeroed();
        (libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, ZOMBIES_TOO, (&raw mut info).cast(), SIZE), info)
    };
    let start_time = info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec;
    (length == SIZE).then(|| ProcessInfo {
        identity: ProcessIdentity { pid: info.pbi_pid, start_time },
        parent: info.pbi_ppid,
        group: info.pbi_pgid,
        session: session_of(pid),
        state: match info.pbi_status {
            libc::SZOMB => 'Z',
            libc::SSTOP => 'T',
            _ => 'S',
        },
    })
}

/// Says who a process is, from several looks.
#[cfg(not(target_os = "macos"))]
fn describe(process: &sysinfo::Process) -> Option<ProcessInfo> {
    let pid = process.pid().as_u32();
    let raw = i32::try_from(pid).ok()?;
    Some(ProcessInfo {
        identity: ProcessIdentity { pid, start_time: process.start_time() },
        parent: process.parent().map_or(0, sysinfo::Pid::as_u32),
        group: nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(raw))).map_or(0, |group| group.as_raw() as u32),
        session: session_of(raw),
        state: match process.status() {
            sysinfo::ProcessStatus::Zombie | sysinfo::ProcessStatus::Dead => 'Z',
            sysinfo::ProcessStatus::Stop => 'T',
            _ => 'S',
        },
    })
}

fn session_of(pid: i32) -> u32 {
    nix::unistd::getsid(Some(nix::unistd::Pid::from_raw(pid))).map_or(0, |session| session.as_raw() as u32)
}

/// Looks one process up.
pub fn process_info(pid: u32) -> Option<ProcessInfo> {
    look(ProcessesToUpdate::Some(&[sysinfo::Pid::from_u32(pid)])).into_iter().find(|info| info.pid() == pid)
}

/// Takes one look at every process.
pub fn process_table() -> ProcessTable {
    ProcessTable::new(look(ProcessesToUpdate::All))
}

/// Returns a table that has our descendants.
pub fn descendants() -> ProcessTable {
    process_table()
}

/// Not told here but by [`child_pids`].
pub fn is_only_child(_pid: u32) -> bool {
    false
}

/// Returns the pids of our direct children, zombies included.
pub fn child_pids() -> Vec<u32> {
    let own = std::process::id();
    process_table().rows().iter().filter(|row| row.parent == own).map(ProcessInfo::pid).collect()
}

/// The environment of others cannot be read here.
pub fn environment_value(_pid: u32, _name: &str) -> Option<String> {
    None
}

/// The open files of others cannot be read here.
pub fn open_files(_pid: u32) -> Vec<PathBuf> {
    Vec::new()
}

/// Signals this process; the check of its start time and the signal are two steps here.
///
/// # Errors
/// Only for a signal this system lacks.
pub fn signal_identity(identity: ProcessIdentity, signal: Signal) -> io::Result<Delivery> {
    let number = signals::signal_number(signal).ok_or_else(|| signals::unsupported(signal))?;
    let pid = i32::try_from(identity.pid).ok().filter(|pid| *pid > 1).ok_or(io::ErrorKind::InvalidInput)?;
    if !process_info(identity.pid).is_some_and(|info| info.identity == identity && info.is_live()) {
        return Ok(Delivery::Gone);
    }
    // SAFETY: kill(2) takes two integers.
    signals::delivery(unsafe { nix::libc::kill(pid, number) })
}

/// Not told here.
pub fn out_of_memory_kills() -> Option<u64> {
    None
}
