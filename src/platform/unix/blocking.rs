//! Sleeping in a call of the system that blocks and cannot be told to stop, such as flock(2).
//!
//! A signal ends such a call, but one that comes just before it does not. So a signal that comes meanwhile, and the time's
//! end, both ring an alarm that goes on ringing until the call has come back: no race is left, and nothing is polled before.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::libc::{self, itimerval, suseconds_t, time_t, timeval};

use super::wake::{WakeQueue, install_number};
use crate::platform::Wake;

/// How often the alarm rings once it does.
const AGAIN: Duration = Duration::from_millis(5);
/// What is longer is for ever.
const LONGEST: Duration = Duration::from_secs(100_000_000);

/// Whether this process is in such a call, or about to be.
static SLEEPS: AtomicBool = AtomicBool::new(false);

impl WakeQueue {
    /// Sleeps, see [`WakeQueue::wait_in`].
    ///
    /// # Errors
    /// What the call says.
    pub(in crate::platform) fn sleep_in(
        &self,
        timeout: Option<Duration>,
        call: impl Fn() -> io::Result<()>,
    ) -> io::Result<(Vec<Wake>, bool)> {
        install_number(libc::SIGALRM)?;
        SLEEPS.store(true, Ordering::SeqCst);
        // From here on a signal rings; what came before is in the pipe.
        let wakes = self.take();
        if !wakes.is_empty() {
            SLEEPS.store(false, Ordering::SeqCst);
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
