//! What stdin, stdout and stderr are connected to.

use std::io::IsTerminal;

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
pub fn write_all(to_stderr: bool, mut bytes: &[u8]) -> std::io::Result<()> {
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

/// Reads what is typed at the terminal at stdin, unbuffered; while this process is in the background it waits instead,
/// since a terminal stops whoever reads from there, and a job shall not suffer for it. Meant for a thread of its own.
///
/// # Errors
/// What the system says.
pub fn read_typed(buffer: &mut [u8]) -> std::io::Result<usize> {
    // A terminal that is not our controlling one has no foreground, and stops nobody who reads.
    let in_foreground =
        || nix::unistd::tcgetpgrp(std::io::stdin()).map_or(true, |group| group == nix::unistd::getpgrp());
    while !in_foreground() {
        // Nothing tells a process that it was brought to the foreground.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    Ok(nix::unistd::read(std::io::stdin(), buffer)?)
}

/// Returns how many columns and rows the terminal at stdout has, if it tells.
pub fn terminal_size() -> Option<(usize, usize)> {
    // SAFETY: the kernel fills in the zeroed window size, which is plain data.
    unsafe {
        let mut size: nix::libc::winsize = std::mem::zeroed();
        let told = nix::libc::ioctl(1, nix::libc::TIOCGWINSZ, &raw mut size) == 0 && size.ws_col > 0;
        told.then_some((usize::from(size.ws_col), usize::from(size.ws_row)))
    }
}

/// Stops this process as ^Z does, until somebody continues it. Where nobody could (in a process group without a shell) the
/// kernel does not do it.
pub fn suspend_self() {
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGTSTP).ok();
}
