//! What stdin, stdout and stderr are connected to.

use std::io::IsTerminal;

use nix::poll::{PollFd, PollFlags, PollTimeout};

use crate::domain::terminal::TerminalSize;

/// What descriptor 0 is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StdinKind {
    /// A terminal.
    Terminal,
    /// A pipe, file, device or socket.
    Other,
    /// Not open at all.
    Closed,
}

/// Looks at stdin.
pub fn stdin_kind() -> StdinKind {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        StdinKind::Terminal
    } else if nix::sys::stat::fstat(&stdin).is_ok() {
        StdinKind::Other
    } else {
        StdinKind::Closed
    }
}

/// Says whether stdout and stderr go to the same place.
pub fn same_destination() -> bool {
    match (nix::sys::stat::fstat(std::io::stdout()), nix::sys::stat::fstat(std::io::stderr())) {
        (Ok(out), Ok(err)) => (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino),
        _ => false,
    }
}

/// Writes everything to stdout or stderr, unbuffered.
///
/// # Errors
/// What the system says; `BrokenPipe` when the reader is gone.
pub(in crate::platform) fn write_stream(to_stderr: bool, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let written = if to_stderr {
            nix::unistd::write(std::io::stderr(), bytes)
        } else {
            nix::unistd::write(std::io::stdout(), bytes)
        };
        match written {
            Ok(n) => bytes = &bytes[n..],
            Err(nix::errno::Errno::EINTR) => {}
            // Somebody made it non-blocking; wait until it takes more.
            Err(nix::errno::Errno::EAGAIN) => wait_writable(to_stderr)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_writable(to_stderr: bool) -> std::io::Result<()> {
    use std::os::fd::AsFd;
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let fd = if to_stderr { err.as_fd() } else { out.as_fd() };
    let mut fds = [nix::poll::PollFd::new(fd, nix::poll::PollFlags::POLLOUT)];
    match nix::poll::poll(&mut fds, nix::poll::PollTimeout::NONE) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Says whether stderr is a terminal with us in its foreground.
pub(in crate::platform) fn may_write_status() -> bool {
    std::io::stderr().is_terminal() && super::modes::is_foreground_of(2)
}

/// Says whether stdin, stdout and stderr are the terminal.
pub fn is_at_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// What there is to do about what is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TypingNews {
    /// There is something at stdin, perhaps its end.
    pub typed: bool,
    /// The FIFO takes something.
    pub room: bool,
}

/// Waits until something was typed, when that is of interest, the FIFO takes something, or the time is over. While this
/// process is in the background what is typed is not meant for it, and reading would stop it; so it does not look then.
///
/// # Errors
/// What the system says.
pub fn wait_for_typing(
    typed: bool,
    fifo: Option<&std::fs::File>,
    timeout: Option<std::time::Duration>,
) -> std::io::Result<TypingNews> {
    use std::os::fd::AsFd;
    /// Nothing tells a process that it was brought to the foreground.
    const BACKGROUND_POLL: std::time::Duration = std::time::Duration::from_millis(200);
    let is_ours = super::modes::is_in_foreground();
    let timeout = if is_ours { timeout } else { Some(timeout.unwrap_or(BACKGROUND_POLL).min(BACKGROUND_POLL)) };
    let stdin = std::io::stdin();
    let mut fds = Vec::new();
    if typed && is_ours {
        fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
    }
    if let Some(fifo) = fifo {
        fds.push(PollFd::new(fifo.as_fd(), PollFlags::POLLOUT));
    }
    let millis = timeout.map(|t| t.as_nanos().div_ceil(1_000_000).min(i32::MAX as u128) as i32);
    let timeout = millis.map_or(PollTimeout::NONE, |m| PollTimeout::try_from(m).unwrap_or(PollTimeout::MAX));
    match nix::poll::poll(&mut fds, timeout) {
        Ok(_) => {}
        Err(nix::errno::Errno::EINTR) => return Ok(TypingNews::default()),
        Err(error) => return Err(error.into()),
    }
    let told = |fd: Option<&PollFd<'_>>| fd.and_then(PollFd::any).unwrap_or(false);
    Ok(TypingNews {
        // It may have been put into the background meanwhile.
        typed: typed && is_ours && told(fds.first()) && super::modes::is_in_foreground(),
        room: fifo.is_some() && told(fds.last()),
    })
}

/// Reads what is typed at stdin, unbuffered. Meant for a thread of its own.
///
/// # Errors
/// What the system says.
pub fn read_typed(buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        if wait_for_typing(true, None, None)?.typed {
            return Ok(nix::unistd::read(std::io::stdin(), buffer)?);
        }
    }
}

/// Returns the size of the terminal at stdout, stdin or stderr, if one of them tells.
pub fn terminal_size() -> Option<TerminalSize> {
    [1, 0, 2].into_iter().find_map(|fd| {
        // SAFETY: the kernel fills in the zeroed window size, which is plain data.
        unsafe {
            let mut size: nix::libc::winsize = std::mem::zeroed();
            let told = nix::libc::ioctl(fd, nix::libc::TIOCGWINSZ, &raw mut size) == 0;
            (told && size.ws_col > 0 && size.ws_row > 0).then(|| TerminalSize::new(size.ws_row, size.ws_col))
        }
    })
}

/// Stops this process as ^Z does, until somebody continues it. Where nobody could (in a process group without a shell) the
/// kernel does not do it.
pub fn suspend_self() {
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP).ok();
}
