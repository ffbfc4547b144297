//! Waiting for children. The leader is peeked at first and reaped late: while it is an unreaped zombie the number of
//! its group cannot be used again, so the group can still be signalled.

use std::io;

use nix::libc;

use crate::domain::outcome::ExitStatus;
use crate::domain::record::Usage;
use crate::domain::signal::Signal;
use crate::platform::Children;

fn waitid(kind: libc::idtype_t, id: u32, flags: i32) -> io::Result<Option<libc::siginfo_t>> {
    loop {
        // SAFETY: the kernel fills in the zeroed siginfo, which is plain data.
        let (result, info) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            (libc::waitid(kind, id, &raw mut info, libc::WEXITED | libc::WNOHANG | flags), info)
        };
        if result == 0 {
            // SAFETY: waitid has filled in the SIGCHLD part, or left it zero.
            return Ok((unsafe { info.si_pid() } != 0).then_some(info));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn status(info: &libc::siginfo_t) -> ExitStatus {
    // SAFETY: only called on what waitid has filled in.
    let value = unsafe { info.si_status() };
    if info.si_code == libc::CLD_EXITED {
        ExitStatus::Exited(value)
    } else {
        // A real-time signal beyond the named ones is still a death by signal.
        ExitStatus::Signaled(super::signal_by_number(value).unwrap_or(Signal::KILL))
    }
}

/// Returns how a child ended without reaping it, or `None` while it has not.
///
/// # Errors
/// When it is no child of ours, or was reaped already.
pub fn peek(pid: u32) -> io::Result<Option<ExitStatus>> {
    Ok(waitid(libc::P_PID, pid, libc::WNOWAIT)?.as_ref().map(status))
}

/// Reaps a child that has ended; `None` when it has not.
///
/// # Errors
/// When it is no child of ours, or was reaped already.
pub fn reap(pid: u32) -> io::Result<Option<ExitStatus>> {
    Ok(waitid(libc::P_PID, pid, 0)?.as_ref().map(status))
}

/// Asks the kernel for our children. `Children::None` is a proof that no process below us is left.
pub fn look_at_children() -> Children {
    match waitid(libc::P_ALL, 0, libc::WNOWAIT) {
        // SAFETY: waitid has filled it in.
        Ok(Some(info)) => u32::try_from(unsafe { info.si_pid() }).map_or(Children::Living, Children::Ended),
        Ok(None) => Children::Living,
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Children::None,
        Err(_) => Children::Living,
    }
}

/// Returns what the children that we have reaped, and theirs, used since this process started.
pub fn children_usage() -> Usage {
    let Ok(usage) = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN) else {
        return Usage::default();
    };
    let ms = |t: nix::sys::time::TimeVal| {
        u64::try_from(t.tv_sec()).unwrap_or(0) * 1000 + u64::try_from(t.tv_usec()).unwrap_or(0) / 1000
    };
    // Linux counts kilobytes, macOS bytes.
    let unit = if cfg!(target_os = "linux") { 1024 } else { 1 };
    Usage {
        user_ms: ms(usage.user_time()),
        system_ms: ms(usage.system_time()),
        max_rss_bytes: u64::try_from(usage.max_rss()).unwrap_or(0) * unit,
    }
}

/// Waits for a child that is about to exit, and reaps it.
pub fn reap_blocking(pid: u32) {
    let pid = i32::try_from(pid).map(nix::unistd::Pid::from_raw);
    while let Ok(Err(nix::errno::Errno::EINTR)) = pid.map(|pid| nix::sys::wait::waitpid(pid, None)) {}
}

/// Returns what holds the processes of a job together.
pub fn containment() -> Vec<&'static str> {
    let subreaper = super::has_subreaper().then_some("subreaper");
    subreaper.into_iter().chain(["session", "group", "cookie"]).collect()
}

/// Returns the processes that the kernel holds together under the cookie of a job: it does so for no job here.
pub fn contained(_cookie: &str) -> Vec<u32> {
    Vec::new()
}

/// Lets what is left of a job live on after this process: it does so by itself here.
pub fn leave_processes() {}
