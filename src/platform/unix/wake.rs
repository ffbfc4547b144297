//! One place to sleep: signals, children and threads all wake it, through one pipe.
//!
//! A wake-up is only a hint to look again, so a full pipe may drop one: whoever reads the pipe looks everywhere.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout};

use super::connection::{Connection, SUPERVISOR_END};
use super::{blocking, signals};
use crate::domain::signal::Signal;
use crate::platform::Wake;

const LOOK: u8 = 0;
/// Above every signal's number.
const WRITTEN: u8 = 255;

/// Where the signal handler writes; -1 before a queue exists.
static HANDLER_PIPE: AtomicI32 = AtomicI32::new(-1);

/// Receives wake-ups. At most one exists in a process that handles signals.
#[derive(Debug)]
pub struct WakeQueue {
    reader: OwnedFd,
    waker: Waker,
}

/// Wakes a [`WakeQueue`] from another thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// Makes the queue return [`Wake::Look`].
    pub fn wake(&self) {
        // A full pipe means that it will wake anyhow.
        let _ = nix::unistd::write(&*self.0, &[LOOK]);
    }
}

/// Makes a pipe that nobody ever waits at: what finds it full or empty goes on.
#[cfg(not(target_vendor = "apple"))]
pub(super) fn patient_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?)
}

/// The same, in more steps, where there is no pipe2(2).
#[cfg(target_vendor = "apple")]
pub(super) fn patient_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    use nix::fcntl::{FcntlArg, fcntl};
    let (reader, writer) = io::pipe()?;
    let ends = (OwnedFd::from(reader), OwnedFd::from(writer));
    for end in [&ends.0, &ends.1] {
        fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    }
    Ok(ends)
}

impl WakeQueue {
    /// Creates a queue and directs these signals to it. Those that this process inherited as ignored stay ignored
    /// when `keep_ignored` is set, as `nohup` expects.
    ///
    /// # Errors
    /// When the pipe or a handler cannot be made.
    pub fn new(watched: &[Signal], keep_ignored: bool) -> io::Result<Self> {
        let (reader, writer) = patient_pipe()?;
        let (reader, writer) = (away_from_stdio(reader)?, away_from_stdio(writer)?);
        HANDLER_PIPE.store(writer.as_raw_fd(), Ordering::SeqCst);
        install_number(nix::libc::SIGCHLD)?;
        let queue = Self { reader, waker: Waker(Arc::new(writer)) };
        queue.watch(watched, keep_ignored)?;
        Ok(queue)
    }

    /// Directs further signals to the queue.
    ///
    /// # Errors
    /// When a handler cannot be made.
    pub fn watch(&self, watched: &[Signal], keep_ignored: bool) -> io::Result<()> {
        for signal in watched {
            if !(keep_ignored && signals::inherited_ignored(*signal)) {
                install(*signal)?;
            }
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
    /// When poll(2) fails for other reasons than an interruption.
    pub(in crate::platform) fn sleep(
        &self,
        timeout: Option<Duration>,
        connection: Option<&Connection>,
    ) -> io::Result<(Vec<Wake>, bool)> {
        let mut fds = vec![PollFd::new(self.reader.as_fd(), PollFlags::POLLIN)];
        let stdout = io::stdout();
        if let Some(connection) = connection {
            fds.push(PollFd::new(connection.as_fd(), PollFlags::POLLIN));
            // Nothing is asked of it; that its reader has gone is told all the same, and wakes us. What is broken for
            // good would wake us for ever.
            if stdout_events().is_empty() {
                fds.push(PollFd::new(stdout.as_fd(), PollFlags::empty()));
            }
        }
        // Round up: waking a little late is harmless, waking early would spin.
        let millis = timeout.map(|t| t.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32);
        let timeout = millis.map_or(PollTimeout::NONE, |m| PollTimeout::try_from(m).unwrap_or(PollTimeout::MAX));
        match nix::poll::poll(&mut fds, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let readable = fds.get(1).and_then(|fd| fd.any()).unwrap_or(false);
        Ok((self.take(), readable))
    }

    /// Says whether nobody reads our stdout any more, as far as the system tells: of pipes and sockets it does.
    pub fn is_stdout_abandoned() -> bool {
        // A terminal that has gone says HUP as well: that is for the signal of this name to tell.
        stdout_events() == PollFlags::POLLERR
    }

    /// Says whether stdout is a terminal that nobody sits at any more. Whoever ignores the signal for that has to ask.
    pub fn has_terminal_gone() -> bool {
        stdout_events().contains(PollFlags::POLLHUP)
    }

    /// Takes what is there without sleeping.
    pub fn take(&self) -> Vec<Wake> {
        let mut wakes = Vec::new();
        let mut buffer = [0u8; 256];
        while let Ok(n @ 1..) = nix::unistd::read(&self.reader, &mut buffer) {
            for byte in &buffer[..n] {
                let wake = match *byte {
                    LOOK => Some(Wake::Look),
                    WRITTEN => Some(Wake::Written),
                    number if i32::from(number) == nix::libc::SIGCHLD => Some(Wake::Child),
                    number => signals::signal_by_number(i32::from(number)).map(Wake::Signal),
                };
                wakes.extend(wake.filter(|w| matches!(w, Wake::Signal(_)) || !wakes.contains(w)));
            }
        }
        wakes
    }
}

/// What is wrong with stdout, without asking it for anything.
fn stdout_events() -> PollFlags {
    let stdout = io::stdout();
    let mut fds = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
    match nix::poll::poll(&mut fds, PollTimeout::ZERO) {
        Ok(_) => fds[0].revents().unwrap_or(PollFlags::empty()),
        Err(_) => PollFlags::empty(),
    }
}

/// Moves a descriptor above the numbers of stdin, stdout and stderr, which a careless caller may have closed, and of
/// the supervisor's connection.
pub(super) fn away_from_stdio(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() > SUPERVISOR_END {
        return Ok(fd);
    }
    let raw: RawFd = nix::fcntl::fcntl(&fd, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(SUPERVISOR_END + 1))?;
    // SAFETY: fcntl has just made this descriptor, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

#[cfg(target_os = "linux")]
fn is_doorbell(number: i32) -> bool {
    number == nix::libc::SIGIO || number == nix::libc::SIGRTMIN() + DOORBELL_OFFSET
}

#[cfg(not(target_os = "linux"))]
fn is_doorbell(_number: i32) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn is_write_bell(number: i32) -> bool {
    number == nix::libc::SIGRTMIN() + WRITE_BELL_OFFSET
}

#[cfg(not(target_os = "linux"))]
fn is_write_bell(_number: i32) -> bool {
    false
}

fn install(signal: Signal) -> io::Result<()> {
    install_number(signals::signal_number(signal).ok_or_else(|| signals::unsupported(signal))?)
}

fn install_number(number: i32) -> io::Result<()> {
    // SAFETY: the action is plain data, fully set; the handler does only what signal-safety(7) allows.
    unsafe {
        let mut action: nix::libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(i32) = on_signal;
        action.sa_sigaction = handler as usize;
        // No SA_RESTART: a blocking read or write of the main thread shall return and let us look.
        // A child that is merely stopped or continued is no news.
        action.sa_flags = nix::libc::SA_NOCLDSTOP;
        nix::libc::sigemptyset(&raw mut action.sa_mask);
        if nix::libc::sigaction(number, &raw const action, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        // Whoever started us may have blocked it.
        let mut set: nix::libc::sigset_t = std::mem::zeroed();
        nix::libc::sigemptyset(&raw mut set);
        nix::libc::sigaddset(&raw mut set, number);
        nix::libc::sigprocmask(nix::libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
    Ok(())
}

/// A directory that is watched as long as this exists.
#[derive(Debug)]
pub struct WatchedDirectory {
    _directory: std::fs::File,
}

/// Lets the queue return [`Wake::Look`] when something is moved into or created in a directory, without an inotify
/// instance and without a thread: by dnotify, see `F_NOTIFY` in fcntl(2). A signal may stand for several changes.
///
/// # Errors
/// Where the system or the file system has no such thing.
#[cfg(target_os = "linux")]
pub fn watch_by_signal(path: &std::path::Path) -> io::Result<WatchedDirectory> {
    use nix::libc;
    let directory = std::fs::File::open(path)?;
    let doorbell = libc::SIGRTMIN() + DOORBELL_OFFSET;
    install_number(doorbell)?;
    // When too many signals are queued the kernel sends this one instead, see F_SETSIG.
    install_number(libc::SIGIO)?;
    // From <linux/fcntl.h> and <fcntl.h>; the libc crate has only F_NOTIFY.
    const F_SETSIG: i32 = 10;
    const DN_CREATE: libc::c_long = 0x4;
    const DN_RENAME: libc::c_long = 0x10;
    const DN_MULTISHOT: libc::c_long = 0x8000_0000;
    // SAFETY: fcntl with integer arguments on a descriptor that is open.
    let result = unsafe {
        libc::fcntl(directory.as_raw_fd(), F_SETSIG, doorbell)
            | libc::fcntl(directory.as_raw_fd(), libc::F_NOTIFY, DN_CREATE | DN_RENAME | DN_MULTISHOT)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(WatchedDirectory { _directory: directory }) }
}

/// There is no such thing here.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn watch_by_signal(_path: &std::path::Path) -> io::Result<WatchedDirectory> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Rings once at the next write to a file in a directory, and then not before it is armed again: a writer at full speed
/// costs one wake-up, an idle one none. By dnotify, as [`watch_by_signal`].
#[derive(Debug)]
pub struct WriteBell {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has such a bell"))]
    directory: std::fs::File,
}

impl WriteBell {
    /// Makes a bell that is not armed.
    ///
    /// # Errors
    /// Where the system has no such thing.
    #[cfg(target_os = "linux")]
    pub fn new(path: &std::path::Path) -> io::Result<Self> {
        let directory = std::fs::File::open(path)?;
        install_number(nix::libc::SIGRTMIN() + WRITE_BELL_OFFSET)?;
        install_number(nix::libc::SIGIO)?;
        Ok(Self { directory })
    }

    /// There is no such thing here.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn new(_path: &std::path::Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Lets the queue return [`Wake::Written`] at the next write, once.
    ///
    /// # Errors
    /// Where the file system has no such thing.
    #[cfg(target_os = "linux")]
    pub fn arm(&self) -> io::Result<()> {
        use nix::libc;
        const F_SETSIG: i32 = 10;
        const DN_MODIFY: libc::c_long = 0x2;
        let bell = libc::SIGRTMIN() + WRITE_BELL_OFFSET;
        // SAFETY: fcntl with integer arguments on a descriptor that is open.
        let result = unsafe {
            libc::fcntl(self.directory.as_raw_fd(), F_SETSIG, bell)
                | libc::fcntl(self.directory.as_raw_fd(), libc::F_NOTIFY, DN_MODIFY)
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// There is no such thing here.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn arm(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// The real-time signal by which directories are watched, counted from SIGRTMIN.
#[cfg(target_os = "linux")]
const DOORBELL_OFFSET: i32 = 5;
/// The one by which writes are told.
#[cfg(target_os = "linux")]
const WRITE_BELL_OFFSET: i32 = 6;

extern "C" fn on_signal(number: i32) {
    let fd = HANDLER_PIPE.load(Ordering::SeqCst);
    // A doorbell is a hint to look; everything else keeps its number.
    let byte = [match number {
        number if is_doorbell(number) => LOOK,
        number if is_write_bell(number) => WRITTEN,
        number => number as u8,
    }];
    // SAFETY: write(2) is async-signal-safe, the buffer lives; errno is put back for the interrupted code.
    unsafe {
        let errno = errno_location();
        let saved = *errno;
        nix::libc::write(fd, byte.as_ptr().cast(), 1);
        blocking::disturb();
        *errno = saved;
    }
}

#[cfg(target_os = "linux")]
unsafe fn errno_location() -> *mut i32 {
    // SAFETY: always valid for the calling thread.
    unsafe { nix::libc::__errno_location() }
}

#[cfg(not(target_os = "linux"))]
unsafe fn errno_location() -> *mut i32 {
    // SAFETY: always valid for the calling thread.
    unsafe { nix::libc::__error() }
}
