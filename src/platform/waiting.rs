//! What is done now and then while a thread waits, and the line on a terminal that tells of the waiting.
//!
//! Nothing of this costs a system call before it is due: the sleep that a [`WakeQueue`] does anyhow is cut short then.

use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Connection, Wake, WakeQueue, os};

thread_local! {
    static MEANWHILE: RefCell<Option<Errand>> = const { RefCell::new(None) };
}

/// What is done while this thread waits.
struct Errand {
    due: Instant,
    every: Duration,
    run: Box<dyn FnMut() -> bool>,
}

/// Has something done now and then while this thread waits, until this is dropped.
#[derive(Debug)]
pub struct Meanwhile {
    _private: (),
}

impl Meanwhile {
    /// From now on `run` is called whenever this thread has waited for so long at a [`WakeQueue`], or says that it might,
    /// until it says that there is nothing more to do. One such errand at a time: it replaces another.
    pub fn new(every: Duration, run: impl FnMut() -> bool + 'static) -> Self {
        let errand = Errand { due: Instant::now() + every, every, run: Box::new(run) };
        MEANWHILE.set(Some(errand));
        Self { _private: () }
    }
}

impl Drop for Meanwhile {
    fn drop(&mut self) {
        MEANWHILE.set(None);
        clear_status();
    }
}

/// Does what is due, for whoever waits elsewhere than at a queue.
pub fn meanwhile() {
    if left().is_some_and(|left| left.is_zero()) {
        // Taken out while it runs, so that it may wait, too.
        let Some(mut errand) = MEANWHILE.take() else { return };
        let began = Instant::now();
        if (errand.run)() {
            // However long that takes, most of the time is for waiting.
            errand.due = Instant::now() + errand.every.max(began.elapsed() * 10);
            MEANWHILE.set(Some(errand));
        }
    }
}

/// Returns how long it is until something is due.
fn left() -> Option<Duration> {
    MEANWHILE.with_borrow(|errand| errand.as_ref().map(|e| e.due.saturating_duration_since(Instant::now())))
}

impl WakeQueue {
    /// Sleeps until something wakes it, the time is over (`None`: never), or `connection` has something to read. Returns the
    /// wake-ups, possibly none, and whether the connection is readable. What is to be done [`Meanwhile`] is done.
    ///
    /// # Errors
    /// When the system cannot wait, for other reasons than an interruption.
    pub fn wait(&self, timeout: Option<Duration>, connection: Option<&Connection>) -> io::Result<(Vec<Wake>, bool)> {
        in_turns(timeout, |timeout| self.sleep(timeout, connection))
    }

    /// Sleeps in a call of the system that blocks, such as that for a lock, until the call comes back, a signal of this queue
    /// comes, or the time is over. Returns the wake-ups, possibly none, and whether the call has come back by itself. What is
    /// to be done [`Meanwhile`] is done; other threads do not wake it.
    ///
    /// # Errors
    /// What the call says; `Unsupported` where nothing gets a thread out of such a call.
    pub fn wait_in(
        &self,
        timeout: Option<Duration>,
        call: impl Fn() -> io::Result<()>,
    ) -> io::Result<(Vec<Wake>, bool)> {
        in_turns(timeout, |timeout| self.sleep_in(timeout, &call))
    }
}

/// Sleeps for as long as it takes, with a break whenever something is due meanwhile.
fn in_turns(
    timeout: Option<Duration>,
    sleep: impl Fn(Option<Duration>) -> io::Result<(Vec<Wake>, bool)>,
) -> io::Result<(Vec<Wake>, bool)> {
    let Some(mut due) = left() else { return sleep(timeout) };
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        if due.is_zero() {
            meanwhile();
            due = left().unwrap_or(Duration::MAX);
        }
        let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let woken = sleep(Some(rest.map_or(due, |rest| rest.min(due))))?;
        due = left().unwrap_or(Duration::MAX);
        // Something woke it, or nothing did and the caller's time is over.
        if !due.is_zero() || !woken.0.is_empty() || woken.1 {
            return Ok(woken);
        }
    }
}

/// Whether a status line is on the terminal at stderr.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Shows one line on the terminal at stderr, over the one that is there; not while the shell or a job has the terminal. It
/// goes before anything else is written. The text must fit into the width of the terminal.
pub fn show_status(text: &str) {
    clear_status();
    if os::may_write_status() && !os::RawTerminal::is_active() {
        SHOWN.store(true, Ordering::SeqCst);
        os::write_stream(true, format!("\r{text}").as_bytes()).ok();
    }
}

/// Removes the line.
pub fn clear_status() {
    // In the background there is the line of the shell by now.
    if SHOWN.swap(false, Ordering::SeqCst) && os::may_write_status() {
        // Blanks are understood by every terminal. The last column stays free: behind it some begin a new line.
        let columns = os::terminal_size().map_or(80, |size| usize::from(size.columns)).saturating_sub(1);
        os::write_stream(true, format!("\r{}\r", " ".repeat(columns)).as_bytes()).ok();
    }
}

/// Writes everything to stdout or stderr, unbuffered.
///
/// # Errors
/// What the system says; `BrokenPipe` when the reader is gone.
pub fn write_all(to_stderr: bool, bytes: &[u8]) -> io::Result<()> {
    clear_status();
    os::write_stream(to_stderr, bytes)
}
