//! One place to sleep: the console, children and threads all wake it, through one channel.
//!
//! A wake-up is only a hint to look again, so a full channel may drop one: whoever empties it looks everywhere.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT, SetConsoleCtrlHandler,
};

use super::connection::Connection;
use super::fifo::is_abandoned;
use super::job_object::check;
use super::not_yet;
use crate::domain::signal::Signal;
use crate::platform::Wake;

/// So many wake-ups may wait.
const MOST_WAKES: usize = 256;
/// The system ends a process five seconds after its console was closed, and at once when the handler returns.
const CLOSING: Duration = Duration::from_millis(4500);
/// So often whoever shows a job looks whether anybody still reads what it shows.
const ABANDONED_POLL: Duration = Duration::from_millis(500);

/// Where the handler of the console and the watching threads ring; none before a queue exists.
static BELL: Mutex<Option<Bell>> = Mutex::new(None);

#[derive(Debug)]
struct Bell {
    sender: SyncSender<Wake>,
    watched: Vec<Signal>,
}

fn bell() -> MutexGuard<'static, Option<Bell>> {
    BELL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the queue of this process, if it has one.
pub(super) fn ring(wake: Wake) {
    if let Some(bell) = &*bell() {
        // A full channel means that it will wake anyhow.
        bell.sender.try_send(wake).ok();
    }
}

/// Receives wake-ups. At most one exists in a process that handles signals.
#[derive(Debug)]
pub struct WakeQueue {
    receiver: Receiver<Wake>,
    waker: Waker,
}

/// Wakes a [`WakeQueue`] from another thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Waker(SyncSender<Wake>);

impl Waker {
    /// Makes the queue return [`Wake::Look`].
    pub fn wake(&self) {
        self.0.try_send(Wake::Look).ok();
    }
}

impl WakeQueue {
    /// Creates a queue and directs to it what the console says in place of these signals: Ctrl-C is INT, Ctrl-Break
    /// QUIT, closing the console HUP, the end of the session TERM. Nothing is inherited as ignored here.
    ///
    /// # Errors
    /// When the handler cannot be set.
    pub fn new(watched: &[Signal], _keep_ignored: bool) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(MOST_WAKES);
        let is_first = bell().replace(Bell { sender: sender.clone(), watched: watched.to_vec() }).is_none();
        if is_first {
            // SAFETY: the handler is a function of ours that lives for ever.
            check(unsafe { SetConsoleCtrlHandler(Some(on_console), 1) })?;
        }
        Ok(Self { receiver, waker: Waker(sender) })
    }

    /// Directs to it what the console says in place of these signals, too.
    ///
    /// # Errors
    /// Never.
    pub fn watch(&self, watched: &[Signal], _keep_ignored: bool) -> io::Result<()> {
        if let Some(bell) = &mut *bell() {
            bell.watched.extend_from_slice(watched);
        }
        Ok(())
    }

    /// Returns a handle for other threads.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Sleeps, see [`WakeQueue::wait`].
    ///
    /// # Errors
    /// Never.
    pub(in crate::platform) fn sleep(
        &self,
        timeout: Option<Duration>,
        connection: Option<&Connection>,
    ) -> io::Result<(Vec<Wake>, bool)> {
        // Whoever reads the connection rings after it has put something there, so nothing is missed in between.
        let is_readable = || connection.is_some_and(Connection::is_readable);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        // Nothing rings when the reader of our stdout has gone. What is abandoned for good would end every sleep at once.
        let poll = connection.filter(|_| is_pipe_that_is_read(io::stdout().as_handle())).map(|_| ABANDONED_POLL);
        let first = loop {
            if is_readable() || poll.is_some() && Self::is_stdout_abandoned() {
                break None;
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let woken = match left.into_iter().chain(poll).min() {
                Some(piece) => self.receiver.recv_timeout(piece).ok(),
                None => self.receiver.recv().ok(),
            };
            if woken.is_some() || poll.is_none_or(|poll| left.is_some_and(|left| left <= poll)) {
                break woken;
            }
        };
        Ok((distinct(first.into_iter().chain(self.receiver.try_iter())), is_readable()))
    }

    /// Nothing gets a thread out of such a call here.
    ///
    /// # Errors
    /// Always.
    pub(in crate::platform) fn sleep_in(
        &self,
        _timeout: Option<Duration>,
        _call: impl Fn() -> io::Result<()>,
    ) -> io::Result<(Vec<Wake>, bool)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Says whether nobody reads our stdout any more, if it is a pipe.
    pub fn is_stdout_abandoned() -> bool {
        is_abandoned(io::stdout().as_handle())
    }

    /// Not told here.
    pub fn has_terminal_gone() -> bool {
        false
    }

    /// Takes what is there without sleeping.
    pub fn take(&self) -> Vec<Wake> {
        distinct(self.receiver.try_iter())
    }
}

fn is_pipe_that_is_read(stream: BorrowedHandle<'_>) -> bool {
    // SAFETY: it asks what the handle is, if it is one.
    let kind = unsafe { GetFileType(stream.as_raw_handle()) };
    kind == FILE_TYPE_PIPE && !is_abandoned(stream)
}

fn distinct(all: impl Iterator<Item = Wake>) -> Vec<Wake> {
    let mut wakes = Vec::new();
    for wake in all.take(MOST_WAKES) {
        if matches!(wake, Wake::Signal(_)) || !wakes.contains(&wake) {
            wakes.push(wake);
        }
    }
    wakes
}

/// Called in a thread of its own.
unsafe extern "system" fn on_console(event: u32) -> i32 {
    let signal = match event {
        CTRL_C_EVENT => Signal::INT,
        CTRL_BREAK_EVENT => Signal::QUIT,
        CTRL_CLOSE_EVENT => Signal::HUP,
        CTRL_LOGOFF_EVENT | CTRL_SHUTDOWN_EVENT => Signal::TERM,
        _ => return 0,
    };
    if !bell().as_ref().is_some_and(|bell| bell.watched.contains(&signal)) {
        return 0;
    }
    ring(Wake::Signal(signal));
    if matches!(signal, Signal::HUP | Signal::TERM) {
        // Returning would end this process before it has asked for anything.
        std::thread::sleep(CLOSING);
    }
    1
}

/// A directory that is watched.
#[derive(Debug)]
pub struct WatchedDirectory;

/// There is no such thing here; `notify` watches.
///
/// # Errors
/// Always.
pub fn watch_by_signal(_path: &Path) -> io::Result<WatchedDirectory> {
    not_yet()
}
