//! The modes of our own terminal, while a job has the keys: changed for that, and put back however this process ends.
//!
//! What cannot be caught (SIGKILL) leaves them as they are; shells put them right when they come back.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use nix::libc;

use super::signals;
use crate::domain::signal::Signal;

/// The terminal whose modes are meant: stdin.
const TERMINAL: i32 = 0;

/// Whether the modes are changed. Whoever takes it puts them back: a signal handler, or everybody else under `GATE`.
static CHANGED: AtomicBool = AtomicBool::new(false);
/// The modes to go back to; never freed, because a signal handler may read them at any moment.
static BEFORE: AtomicPtr<libc::termios> = AtomicPtr::new(std::ptr::null_mut());
/// Whether the modes may be changed at present.
static GATE: Mutex<bool> = Mutex::new(false);
static HANDLERS: Once = Once::new();

/// Lets every key through to the job, until this is dropped.
#[derive(Debug)]
pub struct RawTerminal {
    _private: (),
}

impl RawTerminal {
    /// Changes the modes of the terminal at stdin, as soon as this process is in the foreground.
    pub fn new() -> Self {
        HANDLERS.call_once(restore_at_every_end);
        *GATE.lock().unwrap_or_else(PoisonError::into_inner) = true;
        Self::renew();
        Self { _private: () }
    }

    /// Changes the modes again, when somebody has put them back while this process was suspended.
    pub fn renew() {
        let gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
        if *gate && is_in_foreground() {
            change();
        }
    }

    /// Says whether the terminal passes everything through, line ends included.
    pub fn is_active() -> bool {
        CHANGED.load(Ordering::SeqCst)
    }
}

impl Default for RawTerminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let mut gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
        *gate = false;
        restore();
    }
}

fn change() {
    // SAFETY: the kernel fills in the zeroed modes, which are plain data, and reads the changed ones.
    unsafe {
        let mut modes: libc::termios = std::mem::zeroed();
        if libc::tcgetattr(TERMINAL, &raw mut modes) != 0 {
            return;
        }
        let mut raw = modes;
        libc::cfmakeraw(&raw mut raw);
        if raw.c_lflag == modes.c_lflag && raw.c_iflag == modes.c_iflag && raw.c_oflag == modes.c_oflag {
            return;
        }
        // Before the modes are changed: a signal in between must find what to go back to.
        BEFORE.store(Box::into_raw(Box::new(modes)), Ordering::SeqCst);
        CHANGED.store(true, Ordering::SeqCst);
        libc::tcsetattr(TERMINAL, libc::TCSANOW, &raw const raw);
    }
}

/// Puts the modes back. Only system calls: signal handlers call it.
fn restore() {
    if !CHANGED.swap(false, Ordering::SeqCst) {
        return;
    }
    // In the background the terminal is somebody else's, who has put it right; and touching it would stop us.
    if is_in_foreground() {
        // SAFETY: the modes were stored before the flag was set, and are never freed.
        unsafe {
            libc::tcsetattr(TERMINAL, libc::TCSANOW, BEFORE.load(Ordering::SeqCst));
        }
    }
}

/// Says whether the terminal at stdin is ours at present. One that is not our controlling terminal has no foreground.
pub fn is_in_foreground() -> bool {
    is_foreground_of(TERMINAL)
}

/// Says so of the terminal at this descriptor.
pub(super) fn is_foreground_of(terminal: i32) -> bool {
    // SAFETY: both calls take and return numbers.
    let foreground = unsafe { libc::tcgetpgrp(terminal) };
    // SAFETY: as above.
    foreground < 0 || foreground == unsafe { libc::getpgrp() }
}

/// Stops this process until somebody continues it, with the terminal as it was.
///
/// # Errors
/// What the system says.
pub fn suspend() -> io::Result<()> {
    {
        let _gate = GATE.lock().unwrap_or_else(PoisonError::into_inner);
        restore();
    }
    let number = signals::signal_number(Signal::TSTP).unwrap_or(libc::SIGTSTP);
    // SAFETY: plain data, fully initialised; the default action runs no code of ours.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut ours: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(number, &raw const default, &raw mut ours) != 0 {
            return Err(io::Error::last_os_error());
        }
        // Not for the whole group: whoever stopped us has told the others. A group that nobody could continue stays.
        libc::raise(number);
        libc::sigaction(number, &raw const ours, std::ptr::null_mut());
    }
    RawTerminal::renew();
    Ok(())
}

/// A panic, and every signal that ends a process and is not awaited as a wake-up.
fn restore_at_every_end() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        report(panic);
    }));
    let deadly = [
        libc::SIGQUIT,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGABRT,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGSEGV,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
        libc::SIGVTALRM,
        libc::SIGPROF,
        libc::SIGXCPU,
        libc::SIGSYS,
    ];
    for number in deadly {
        // SAFETY: the actions are plain data, fully set; the handler does only what signal-safety(7) allows.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            libc::sigaction(number, std::ptr::null(), &raw mut before);
            if before.sa_sigaction == libc::SIG_IGN {
                continue;
            }
            let mut action: libc::sigaction = std::mem::zeroed();
            let handler: extern "C" fn(i32) = on_deadly_signal;
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_RESETHAND | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(number, &raw const action, std::ptr::null_mut());
        }
    }
}

extern "C" fn on_deadly_signal(number: i32) {
    restore();
    // SAFETY: raise(3) is async-signal-safe. The default action is in force again, and ends us when we return.
    unsafe {
        libc::raise(number);
    }
}
