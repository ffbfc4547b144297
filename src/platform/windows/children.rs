//! The children of this process, each with the job object that holds its tree. A child's handle is kept until it is
//! reaped, so its pid belongs to nobody else as long.

use std::collections::HashSet;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{STATUS_CONTROL_C_EXIT, WAIT_OBJECT_0};
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent};
use windows_sys::Win32::System::Threading::{GetExitCodeProcess, INFINITE, TerminateProcess, WaitForSingleObject};

use super::job_object::{JobObject, check};
use super::process::{self, Opened};
use super::wake;
use crate::domain::identity::ProcessIdentity;
use crate::domain::outcome::ExitStatus;
use crate::domain::record::Usage;
use crate::domain::signal::Signal;
use crate::platform::{Children, Delivery, Wake};

/// What a process that we kill exits with: what a shell on Unix says of one that died of KILL.
pub(super) const KILLED: u32 = 137;

/// One child.
#[derive(Debug)]
pub(super) struct Child {
    identity: ProcessIdentity,
    process: OwnedHandle,
    /// `None` when it could not be contained: then it is the only process that we know of.
    job: Option<JobObject>,
    was_killed: bool,
    /// What the last CTRL_BREAK stood for.
    last_signal: Option<Signal>,
    /// Whom we have suspended: nobody else's suspension is ended by us.
    suspended: HashSet<ProcessIdentity>,
    reaped: bool,
}

/// Children, and what those used that are forgotten already.
#[derive(Debug)]
struct Family {
    children: Vec<Child>,
    past: Usage,
}

static FAMILY: Mutex<Family> =
    Mutex::new(Family { children: Vec::new(), past: Usage { user_ms: 0, system_ms: 0, max_rss_bytes: 0 } });

fn family() -> MutexGuard<'static, Family> {
    FAMILY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(one: Usage, other: Usage) -> Usage {
    Usage {
        user_ms: one.user_ms + other.user_ms,
        system_ms: one.system_ms + other.system_ms,
        max_rss_bytes: one.max_rss_bytes.max(other.max_rss_bytes),
    }
}

impl Child {
    fn status(&self) -> io::Result<Option<ExitStatus>> {
        if !has_ended(&self.process) {
            return Ok(None);
        }
        let mut code = 0;
        // SAFETY: a handle that is open, and a place that lives.
        check(unsafe { GetExitCodeProcess(self.process.as_raw_handle(), &raw mut code) })?;
        Ok(Some(match code {
            KILLED if self.was_killed => ExitStatus::Signaled(Signal::KILL),
            code if code == STATUS_CONTROL_C_EXIT as u32 => {
                ExitStatus::Signaled(self.last_signal.unwrap_or(Signal::INT))
            }
            code => ExitStatus::Exited(code.cast_signed()),
        }))
    }

    /// Returns the pids of those that live of its tree.
    fn living(&self) -> Vec<u32> {
        match &self.job {
            Some(job) => job.pids(),
            None if has_ended(&self.process) => Vec::new(),
            None => vec![self.identity.pid],
        }
    }

    fn is_empty(&self) -> bool {
        self.job.as_ref().map_or_else(|| has_ended(&self.process), JobObject::is_empty)
    }

    fn kill(&mut self) -> io::Result<()> {
        self.was_killed |= !has_ended(&self.process);
        match &self.job {
            Some(job) => job.terminate(KILLED),
            // SAFETY: a handle that is open.
            None => check(unsafe { TerminateProcess(self.process.as_raw_handle(), KILLED) }),
        }
    }

    fn suspend(&mut self, opened: &Opened) -> io::Result<()> {
        if self.suspended.insert(opened.identity) {
            opened.suspend().inspect_err(|_| {
                self.suspended.remove(&opened.identity);
            })?;
        }
        Ok(())
    }

    fn resume(&mut self, opened: &Opened) -> io::Result<()> {
        if self.suspended.remove(&opened.identity) { opened.resume() } else { Ok(()) }
    }

    fn signal_tree(&mut self, signal: Signal) -> io::Result<Delivery> {
        if self.is_empty() {
            return Ok(Delivery::Gone);
        }
        match signal {
            Signal::KILL => self.kill()?,
            Signal::STOP | Signal::CONT => {
                for opened in self.living().into_iter().filter_map(Opened::new) {
                    // One that cannot be suspended does not keep the others from it.
                    if signal == Signal::STOP {
                        self.suspend(&opened).ok()
                    } else {
                        self.resume(&opened).ok()
                    };
                }
            }
            _ => return self.ask_to_stop(signal),
        }
        Ok(Delivery::Sent)
    }

    /// Sends what a program can hear: CTRL_BREAK, to the whole group that the leader began.
    fn ask_to_stop(&mut self, signal: Signal) -> io::Result<Delivery> {
        process::stop_signal(signal)?;
        if has_ended(&self.process) {
            // Its number still is its own, but nobody answers for the group on the console.
            return Ok(Delivery::Gone);
        }
        self.last_signal = Some(signal);
        // SAFETY: two integers; the group's number is pinned by our handle of its leader.
        match check(unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, self.identity.pid) }) {
            Ok(()) => Ok(Delivery::Sent),
            Err(_) => Ok(Delivery::Refused),
        }
    }
}

/// Says whether a process has ended.
pub(super) fn has_ended(process: &OwnedHandle) -> bool {
    // SAFETY: a handle that is open; it does not wait.
    unsafe { WaitForSingleObject(process.as_raw_handle(), 0) == WAIT_OBJECT_0 }
}

/// Takes a child in: from here on its end wakes the queue.
pub(super) fn adopt(identity: ProcessIdentity, process: OwnedHandle, job: Option<JobObject>) -> io::Result<()> {
    let ending = process.as_handle().try_clone_to_owned()?;
    if let Some(job) = &job {
        job.watch()?;
    }
    let wait = move || {
        // SAFETY: a handle that this thread owns.
        unsafe { WaitForSingleObject(ending.as_raw_handle(), INFINITE) };
        wake::ring(Wake::Child);
    };
    std::thread::Builder::new().name("leader".into()).spawn(wait)?;
    let mut family = family();
    let Family { children, past } = &mut *family;
    children.retain(|child| {
        let is_over = child.reaped && child.is_empty();
        if is_over {
            *past = add(*past, child.job.as_ref().map(JobObject::usage).unwrap_or_default());
        }
        !is_over
    });
    children.push(Child {
        identity,
        process,
        job,
        was_killed: false,
        last_signal: None,
        suspended: HashSet::new(),
        reaped: false,
    });
    Ok(())
}

/// Returns the pids of every tree below us, by the leader of each, and those among them that are suspended.
pub(super) fn trees() -> (Vec<(u32, Vec<u32>)>, HashSet<ProcessIdentity>) {
    let family = family();
    let trees = family.children.iter().map(|child| (child.identity.pid, child.living())).collect();
    (trees, family.children.iter().flat_map(|child| child.suspended.iter().copied()).collect())
}

/// Returns what holds the processes of a job together: of the one that runs, else of one that could.
pub fn containment() -> Vec<&'static str> {
    match family().children.last() {
        Some(Child { job: None, .. }) => vec!["process"],
        Some(_) | None => vec!["job_object"],
    }
}

/// Lets the processes of every tree live on after this process.
pub fn leave_processes() {
    for child in &family().children {
        if let Some(job) = &child.job {
            // They die with us then, which the next look at the job finds out.
            job.let_go().ok();
        }
    }
}

/// Not told here but by [`child_pids`].
pub fn is_only_child(_pid: u32) -> bool {
    false
}

/// Returns the pids of what lives below us, and of what has ended and was not reaped.
pub fn child_pids() -> Vec<u32> {
    let family = family();
    let mut pids: Vec<u32> = family.children.iter().flat_map(Child::living).collect();
    for child in family.children.iter().filter(|child| !child.reaped) {
        if !pids.contains(&child.identity.pid) {
            pids.push(child.identity.pid);
        }
    }
    pids
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such child")
}

/// Returns how a child ended without reaping it, or `None` while it has not.
///
/// # Errors
/// When it is no child of ours, or was reaped already.
pub fn peek(pid: u32) -> io::Result<Option<ExitStatus>> {
    family().children.iter().find(|child| child.identity.pid == pid && !child.reaped).ok_or_else(gone)?.status()
}

/// Reaps a child that has ended; `None` when it has not, or is a process below one that lives.
///
/// # Errors
/// When it is nobody below us, or was reaped already.
pub fn reap(pid: u32) -> io::Result<Option<ExitStatus>> {
    let mut family = family();
    if let Some(child) = family.children.iter_mut().find(|child| child.identity.pid == pid && !child.reaped) {
        let status = child.status()?;
        child.reaped = status.is_some();
        return Ok(status);
    }
    family.children.iter().any(|child| child.living().contains(&pid)).then_some(None).ok_or_else(gone)
}

/// Says what is known of the processes below us. `Children::None` is a proof that none is left.
pub fn look_at_children() -> Children {
    let family = family();
    if family.children.iter().all(|child| child.reaped && child.is_empty()) {
        return Children::None;
    }
    let ended = family.children.iter().find(|child| !child.reaped && has_ended(&child.process));
    ended.map_or(Children::Living, |child| Children::Ended(child.identity.pid))
}

/// Returns what the trees below us have used since this process started.
pub fn children_usage() -> Usage {
    let family = family();
    family.children.iter().filter_map(|child| child.job.as_ref()).map(JobObject::usage).fold(family.past, add)
}

/// Waits for a child that is about to exit, and reaps it.
pub fn reap_blocking(pid: u32) {
    let mut family = family();
    if let Some(child) = family.children.iter_mut().find(|child| child.identity.pid == pid && !child.reaped) {
        // SAFETY: a handle that is open.
        unsafe { WaitForSingleObject(child.process.as_raw_handle(), INFINITE) };
        child.reaped = true;
    }
}

/// Signals a whole tree at once, named by its leader.
///
/// # Errors
/// For a signal that this system has no equivalent of, or what the system says.
pub fn signal_group(group: u32, signal: Signal) -> io::Result<Delivery> {
    match family().children.iter_mut().find(|child| child.identity.pid == group && !child.reaped) {
        Some(child) => child.signal_tree(signal),
        None => Ok(Delivery::Gone),
    }
}

/// Says whether anybody is in the tree of this leader, which counts until it is reaped.
pub fn group_exists(group: u32) -> bool {
    family().children.iter().any(|child| child.identity.pid == group && !(child.reaped && child.is_empty()))
}

/// Signals exactly this process: while it is opened its number belongs to nobody else.
///
/// # Errors
/// For a signal that this system has no equivalent of, or what the system says.
pub fn signal_identity(identity: ProcessIdentity, signal: Signal) -> io::Result<Delivery> {
    let opened = match Opened::for_signals(identity.pid) {
        Ok(opened) if opened.identity == identity && !has_ended(&opened.process) => opened,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Delivery::Refused),
        Ok(_) | Err(_) => return Ok(Delivery::Gone),
    };
    let mut family = family();
    let child = family.children.iter_mut().find(|child| child.living().contains(&identity.pid));
    match (signal, child) {
        (Signal::KILL, child) => {
            if let Some(child) = child.filter(|child| child.identity == identity) {
                child.was_killed = true;
            }
            opened.kill()?;
        }
        (Signal::STOP, Some(child)) => child.suspend(&opened)?,
        (Signal::CONT, Some(child)) => child.resume(&opened)?,
        // CTRL_BREAK reaches groups, and only on our own console.
        (_, Some(child)) if child.identity == identity => return child.ask_to_stop(signal),
        _ => {
            process::stop_signal(signal)?;
            return Ok(Delivery::Refused);
        }
    }
    Ok(Delivery::Sent)
}
