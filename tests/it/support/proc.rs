//! An own look at processes, not by jobdir's code.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// What the kernel says of a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
    /// In clock ticks since boot.
    pub(crate) start_time: u64,
}

/// Reads `/proc/PID/stat`.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may contain anything.
    let rest: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| rest.get(index)?.parse().ok();
    // When only its first thread has ended, a process looks like a zombie, but lives.
    let state = rest.first()?.chars().next()?;
    let state = if state == 'Z' && number(17)? > 1 { 'S' } else { state };
    Some(Stat {
        pid,
        state,
        parent: u32::try_from(number(1)?).ok()?,
        group: u32::try_from(number(2)?).unwrap_or(0),
        session: u32::try_from(number(3)?).unwrap_or(0),
        start_time: number(19)?,
    })
}

/// Returns when a process was started, in clock ticks since boot.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    Some(stat(pid)?.start_time)
}

/// Says whether a process lives; zombies are dead.
pub(crate) fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'))
}

/// Says whether this very process lives.
pub(crate) fn is_same_alive(pid: u32, start_time: u64) -> bool {
    is_alive(pid) && stat(pid).is_some_and(|stat| stat.start_time == start_time)
}

/// Returns all processes.
pub(crate) fn all() -> Vec<Stat> {
    pids().filter_map(stat).collect()
}

/// Returns the numbers of all processes, zombies too.
pub(crate) fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Returns the other processes that know this text, each with its start time.
pub(crate) fn mentioning(text: &str) -> Vec<(u32, u64)> {
    let others = all().into_iter().filter(|stat| stat.pid != std::process::id() && mentions(stat.pid, text));
    others.map(|stat| (stat.pid, stat.start_time)).collect()
}

/// Says whether the environment or the command line of a process contains this text.
pub(crate) fn mentions(pid: u32, text: &str) -> bool {
    ["environ", "cmdline"].iter().any(|file| {
        let content = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        content.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// Returns what the descriptors of a process lead to.
pub(crate) fn open_files(pid: u32) -> Vec<(u32, String)> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let fd = entry.file_name().to_str()?.parse().ok()?;
            Some((fd, std::fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned()))
        })
        .collect()
}

/// Sends a signal.
#[track_caller]
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("pids are small"));
    assert!(pid.as_raw() > 1, "a test must signal processes of its own only");
    nix::sys::signal::kill(pid, signal).unwrap_or_else(|error| panic!("cannot signal {pid}: {error}"));
}

/// Sends a signal to a process that may be gone.
pub(crate) fn signal_if_there(pid: u32, signal: Signal) {
    if let Ok(pid @ 2..) = i32::try_from(pid) {
        nix::sys::signal::kill(Pid::from_raw(pid), signal).ok();
    }
}

/// Returns how often the threads of a process have gone to sleep so far.
pub(crate) fn sleeps(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it lives");
    let count = |task: std::io::Result<std::fs::DirEntry>| {
        let status = std::fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse::<u64>().ok()
    };
    tasks.filter_map(count).sum()
}

/// Kills a process.
#[track_caller]
pub(crate) fn kill(pid: u32) {
    signal(pid, Signal::SIGKILL);
}

/// Kills a process that may be gone.
pub(crate) fn kill_if_there(pid: u32) {
    signal_if_there(pid, Signal::SIGKILL);
}

/// Returns the space that a file takes on the disk.
pub(crate) fn space_of(path: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(0, |metadata| metadata.blocks() * 512)
}

/// Returns the number of the signal that a process died of.
pub(crate) fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}
