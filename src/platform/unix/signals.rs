//! Signal names and numbers, and sending to groups.

use std::io;

use crate::domain::signal::Signal;
use crate::platform::Delivery;

/// Returns the number of a signal on this system, or `None` when it has no such signal.
pub fn signal_number(signal: Signal) -> Option<i32> {
    let name = signal.name();
    if let Some(offset) = name.strip_prefix("SIGRTMIN") {
        return realtime(offset.strip_prefix('+').map_or(Some(0), |n| n.parse().ok())?);
    }
    name.parse::<nix::sys::signal::Signal>().ok().map(|s| s as i32)
}

#[cfg(target_os = "linux")]
fn realtime(offset: i32) -> Option<i32> {
    let number = nix::libc::SIGRTMIN() + offset;
    (number <= nix::libc::SIGRTMAX()).then_some(number)
}

#[cfg(not(target_os = "linux"))]
fn realtime(_offset: i32) -> Option<i32> {
    None
}

/// Says whether a signal can be sent here.
pub fn can_signal(signal: Signal) -> bool {
    signal_number(signal).is_some()
}

/// Returns what is sent for a signal in truth, where that is something else.
pub fn sent_as(_signal: Signal) -> Option<&'static str> {
    None
}

/// What to use in place of a signal that cannot be sent here.
pub const SIGNALS_HERE: &str = "a name that 'kill -l' lists";

/// Returns the signal with this number on this system.
pub fn signal_by_number(number: i32) -> Option<Signal> {
    Signal::all().find(|signal| signal_number(*signal) == Some(number))
}

/// Signals a whole process group at once. The caller must know that the group is still the one it means: its leader
/// lives, or is a zombie that we have not reaped.
///
/// # Errors
/// Never for a group that is gone or forbidden (see [`Delivery`]); only for a signal this system lacks.
pub fn signal_group(group: u32, signal: Signal) -> io::Result<Delivery> {
    let number = signal_number(signal).ok_or_else(|| unsupported(signal))?;
    let group = i32::try_from(group).ok().filter(|g| *g > 1).ok_or(io::ErrorKind::InvalidInput)?;
    // SAFETY: kill(2) takes two integers and touches no memory of ours.
    let result = unsafe { nix::libc::kill(-group, number) };
    delivery(result)
}

/// Says whether anybody is in a process group, zombies included. Nobody slips through this by forking and exiting.
pub fn group_exists(group: u32) -> bool {
    // SAFETY: kill(2) takes two integers; signal 0 is none.
    i32::try_from(group).is_ok_and(|group| group > 1 && unsafe { nix::libc::kill(-group, 0) } == 0)
}

pub(super) fn unsupported(signal: Signal) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("this system has no {signal}"))
}

pub(super) fn delivery(result: i32) -> io::Result<Delivery> {
    if result == 0 {
        return Ok(Delivery::Sent);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(nix::libc::ESRCH) => Ok(Delivery::Gone),
        Some(nix::libc::EPERM) => Ok(Delivery::Refused),
        _ => Err(error),
    }
}

/// Says whether this process was started with the signal ignored, as `nohup` and `cmd &` of scripts do.
pub fn inherited_ignored(signal: Signal) -> bool {
    let Some(number) = signal_number(signal) else { return false };
    // SAFETY: a null new action makes sigaction(2) only fill in the zeroed old one, which is plain data.
    unsafe {
        let mut old: nix::libc::sigaction = std::mem::zeroed();
        nix::libc::sigaction(number, std::ptr::null(), &raw mut old) == 0 && old.sa_sigaction == nix::libc::SIG_IGN
    }
}

/// Turns the signals for a closed pipe and a file size limit into errors of the write itself.
pub fn ignore_write_signals() {
    for number in [nix::libc::SIGPIPE, nix::libc::SIGXFSZ] {
        // SAFETY: ignoring a signal runs no code of ours.
        unsafe {
            nix::libc::signal(number, nix::libc::SIG_IGN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!(signal_number(Signal::TERM), Some(15));
        assert_eq!(signal_by_number(9), Some(Signal::KILL));
        for signal in Signal::all() {
            if let Some(number) = signal_number(signal) {
                assert_eq!(signal_by_number(number), Some(signal));
            }
        }
        assert_eq!(signal_by_number(0), None);
    }
}
