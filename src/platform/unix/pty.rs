//! The pseudo-terminal of a job: its supervisor holds one end, the job has the other one for its own.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};

use super::wake::{away_from_stdio, patient_pipe};
use crate::domain::terminal::TerminalSize;

/// A terminal for a job.
#[derive(Debug)]
pub struct Terminal {
    master: OwnedFd,
    /// Held open, so that the terminal is not hung up while the job happens to have closed its own.
    slave: File,
    bell: (OwnedFd, OwnedFd),
}

/// What is to be waited for at a [`Terminal`].
#[derive(Debug)]
pub struct TerminalInterest<'a> {
    /// What the job prints.
    pub output: bool,
    /// What is typed, from here.
    pub input: Option<&'a File>,
    /// Room for what is typed.
    pub room: bool,
}

/// What there is at a [`Terminal`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TerminalNews {
    /// The job has printed something, or its terminal is hung up.
    pub output: bool,
    /// Something was typed.
    pub input: bool,
    /// The terminal takes what is typed.
    pub room: bool,
}

/// Says whether this system has terminals for jobs.
pub fn has_terminals() -> bool {
    true
}

impl Terminal {
    /// Makes one, with the modes that a new terminal has.
    ///
    /// # Errors
    /// What the system says, for one when it has no terminals left.
    pub fn open(size: &TerminalSize) -> io::Result<Self> {
        let both = openpty(Some(&winsize(size.rows, size.columns)), None)?;
        let (master, slave) = (away_from_stdio(both.master)?, away_from_stdio(both.slave)?);
        for fd in [&master, &slave] {
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK))?;
        erase_whole_characters(&slave);
        let (reader, writer) = patient_pipe()?;
        Ok(Self { master, slave: slave.into(), bell: (away_from_stdio(reader)?, away_from_stdio(writer)?) })
    }

    /// Returns the end for the job.
    pub fn job_end(&self) -> &File {
        &self.slave
    }

    /// Ends a [`Terminal::wait`].
    pub fn ring(&self) {
        // A full pipe means that it will end anyhow.
        let _ = nix::unistd::write(&self.bell.1, &[0]);
    }

    /// Waits until there is something of interest, somebody has rung, or the time is over.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&self, interest: &TerminalInterest<'_>, timeout: Option<Duration>) -> io::Result<TerminalNews> {
        let mut fds = vec![PollFd::new(self.bell.0.as_fd(), PollFlags::POLLIN)];
        let mut asked = PollFlags::empty();
        asked.set(PollFlags::POLLIN, interest.output);
        asked.set(PollFlags::POLLOUT, interest.room);
        // A terminal that is hung up says so even if nothing is asked of it.
        let at = |fds: &mut Vec<_>, fd| {
            fds.push(fd);
            fds.len() - 1
        };
        let master = (!asked.is_empty()).then(|| at(&mut fds, PollFd::new(self.master.as_fd(), asked)));
        let input = interest.input.map(|file| at(&mut fds, PollFd::new(file.as_fd(), PollFlags::POLLIN)));
        let millis = timeout.map(|t| t.as_millis().min(i32::MAX as u128) as i32);
        let timeout = millis.map_or(PollTimeout::NONE, |m| PollTimeout::try_from(m).unwrap_or(PollTimeout::MAX));
        match poll(&mut fds, timeout) {
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => return Ok(TerminalNews::default()),
            Err(error) => return Err(error.into()),
        }
        let told = |at: Option<usize>| at.and_then(|at| fds[at].revents()).unwrap_or(PollFlags::empty());
        let (of_master, of_input) = (told(master), told(input));
        let mut buffer = [0u8; 64];
        while let Ok(1..) = nix::unistd::read(&self.bell.0, &mut buffer) {}
        Ok(TerminalNews {
            output: interest.output
                && of_master.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR),
            input: of_input.contains(PollFlags::POLLIN),
            room: of_master.contains(PollFlags::POLLOUT),
        })
    }

    /// Takes what the job has printed. Nothing at all means that the terminal is hung up, and nothing will follow.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing at the moment, else what the system says.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match nix::unistd::read(&self.master, buffer) {
            Err(nix::errno::Errno::EIO) => Ok(0),
            other => Ok(other?),
        }
    }

    /// Types. Returns how much of it was taken.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing at the moment, else what the system says.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(nix::unistd::write(&self.master, bytes)?)
    }

    /// Changes the size, and lets the kernel tell the job. When it is this already, the job is told all the same, so that
    /// it draws its screen anew for whoever has just come to look.
    ///
    /// # Errors
    /// What the system says.
    pub fn resize(&self, size: &TerminalSize) -> io::Result<()> {
        let wanted = winsize(size.rows, size.columns);
        // SAFETY: the kernel fills in a window size, which is plain data.
        let mut present: Winsize = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCGWINSZ, &raw mut present) };
        if (present.ws_row, present.ws_col) == (wanted.ws_row, wanted.ws_col) {
            self.set(&winsize(size.rows, size.columns.saturating_sub(1).max(1)))?;
        }
        self.set(&wanted)
    }

    fn set(&self, size: &Winsize) -> io::Result<()> {
        // SAFETY: the kernel reads the size, which lives.
        match unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, std::ptr::from_ref(size)) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn winsize(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Every terminal emulator speaks UTF-8; a new terminal of the kernel's does not know it.
fn erase_whole_characters(slave: &OwnedFd) {
    #[cfg(target_os = "linux")]
    use nix::sys::termios::{InputFlags, SetArg, tcgetattr, tcsetattr};
    #[cfg(target_os = "linux")]
    if let Ok(mut modes) = tcgetattr(slave) {
        modes.input_flags.insert(InputFlags::IUTF8);
        // Without it a backspace takes only the last byte of a character away.
        tcsetattr(slave, SetArg::TCSANOW, &modes).ok();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = slave;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_copies_both_ways_and_is_hung_up_by_nobody_but_us() {
        let terminal = Terminal::open(&TerminalSize::new(30, 100)).expect("a terminal");
        let everything = TerminalInterest { output: true, input: None, room: false };
        assert_eq!(terminal.wait(&everything, Some(Duration::ZERO)).expect("waits"), TerminalNews::default());
        terminal.job_end().write_all(b"printed\n").expect("prints");
        assert!(terminal.wait(&everything, Some(Duration::from_secs(20))).expect("waits").output);
        let mut buffer = [0u8; 64];
        let length = terminal.read(&mut buffer).expect("reads");
        assert_eq!(&buffer[..length], b"printed\r\n");
        assert_eq!(terminal.read(&mut buffer).map_err(|error| error.kind()), Err(io::ErrorKind::WouldBlock));
        terminal.ring();
        assert_eq!(terminal.wait(&everything, None).expect("waits"), TerminalNews::default());
        terminal.write(b"typed\n").expect("types");
        let length = nix::unistd::read(terminal.job_end(), &mut buffer).expect("reads");
        assert_eq!(&buffer[..length], b"typed\n");
    }
}
