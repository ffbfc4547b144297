//! Sleeping in a call of the system that blocks and cannot be told to stop, such as flock(2).
//!
//! A signal ends such a call, but one that comes just before it does not. So a signal that comes meanwhile, and the time's
//! end, both ring an alarm that goes on ringing until the call has come back: no race is left, and nothing is polled before.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::libc::{self, itimerval, suseconds_t, time_t, timeval};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::wake::WakeQueue;
use crate::platform::Wake;

/// How often the alarm rings once it does.
const AGAIN: Duration = Duration::from_millis(5);
/// What is longer is for ever.
const LONGEST: Duration = Duration::from_secs(100_000_000);

/// What the kernel says of a signal that somebody sent: `SI_USER` of <signal.h>, which the libc crate has for Linux alone.
#[cfg(target_os = "linux")]
const SENT: i32 = libc::SI_USER;
#[cfg(not(target_os = "linux"))]
const SENT: i32 = 0x10001;

/// Whether this process is in such a call, or about to be.
static SLEEPS: AtomicBool = AtomicBool::new(false);

impl WakeQueue {
    /// Sleeps, see [`WakeQueue::wait_in`].
    ///
    /// # Errors
    /// What the call says; `Unsupported` when the alarm is not ours to ring.
    pub(in crate::platform) fn sleep_in(
        &self,
        timeout: Option<Duration>,
        call: impl Fn() -> io::Result<()>,
    ) -> io::Result<(Vec<Wake>, bool)> {
        static IS_OURS: OnceLock<bool> = OnceLock::new();
        if !IS_OURS.get_or_init(take_alarm) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        SLEEPS.store(true, Ordering::SeqCst);
        // From here on a signal rings; what came before is in the pipe.
        let wakes = self.take();
        if !wakes.is_empty() {
            SLEEPS.store(false, Ordering::SeqCst);
            // The last of them may have come after that.
            ring_after(Duration::ZERO, Duration::ZERO);
            return Ok((wakes, false));
        }
        let timeout = timeout.filter(|timeout| *timeout < LONGEST);
        if let Some(timeout) = timeout {
            ring_after(timeout.max(Duration::from_micros(1)), AGAIN);
        }
        let result = call();
        SLEEPS.store(false, Ordering::SeqCst);
        let wakes = self.take();
        if timeout.is_some() || !wakes.is_empty() {
            ring_after(Duration::ZERO, Duration::ZERO);
        }
        match result {
            Ok(()) => Ok((wakes, true)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok((wakes, false)),
            Err(error) => Err(error),
        }
    }
}

/// Gets this process out of a call that it may be about to begin. To be called by the handler of signals.
pub(super) fn disturb() {
    if SLEEPS.load(Ordering::SeqCst) {
        ring_after(AGAIN, AGAIN);
    }
}

/// Directs the alarm to us, unless whoever started us has set it, to end us, or wants it ignored.
fn take_alarm() -> bool {
    let never = timeval { tv_sec: 0, tv_usec: 0 };
    let mut set = itimerval { it_value: never, it_interval: never };
    // SAFETY: there is room for the answer.
    let is_known = unsafe { libc::getitimer(libc::ITIMER_REAL, &raw mut set) } == 0;
    if !is_known || set.it_value.tv_sec != 0 || set.it_value.tv_usec != 0 {
        return false;
    }
    let ours = SigAction::new(SigHandler::SigAction(on_alarm), SaFlags::SA_SIGINFO, SigSet::empty());
    // SAFETY: the handler does only what signal-safety(7) allows.
    let before = unsafe { sigaction(Signal::SIGALRM, &ours) };
    match before {
        Ok(before) if matches!(before.handler(), SigHandler::SigDfl) => {
            // Whoever started us may have blocked it.
            SigSet::from(Signal::SIGALRM).thread_unblock().is_ok()
        }
        Ok(before) => {
            // SAFETY: as it was.
            unsafe { sigaction(Signal::SIGALRM, &before) }.ok();
            false
        }
        Err(_) => false,
    }
}

/// Our own alarm has done what it is for by coming. One that somebody sends ends us, as it does everybody.
extern "C" fn on_alarm(number: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes what is known of the signal; both calls may be made here, and the second takes effect when we return.
    unsafe {
        if (*info).si_code == SENT {
            libc::signal(number, libc::SIG_DFL);
            libc::raise(number);
        }
    }
}

/// Sets the alarm: when it rings first, and how often then; zero is never. The system call is all that it does, so a handler
/// of signals may call it.
fn ring_after(first: Duration, then: Duration) {
    let of = |duration: Duration| timeval {
        tv_sec: duration.as_secs() as time_t,
        tv_usec: duration.subsec_micros() as suseconds_t,
    };
    let times = itimerval { it_value: of(first), it_interval: of(then) };
    // SAFETY: the times are plain data that live; there is nowhere to write the old ones to.
    unsafe {
        libc::setitimer(libc::ITIMER_REAL, &raw const times, std::ptr::null_mut());
    }
}
