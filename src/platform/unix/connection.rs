//! The one connection between a client and the supervisor that it starts.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The descriptor at which a supervisor finds its connection.
pub(super) const SUPERVISOR_END: i32 = 3;

/// A stream of lines between a client and a supervisor.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Sends one line. The peer may be gone, which is an error for the caller to judge.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&mut self, line: &str) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.stream.write_all(&bytes)
    }

    /// Receives one line, waiting at most `timeout` between two pieces of it; `None` at the end of the stream.
    ///
    /// # Errors
    /// `TimedOut` or `WouldBlock` when nothing came in time, else what the system says.
    pub fn receive(&mut self, timeout: Option<Duration>) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            self.stream.set_read_timeout(timeout.map(|t| t.max(Duration::from_millis(1))))?;
            let mut piece = [0u8; 4096];
            match self.stream.read(&mut piece) {
                Ok(0) => return Ok(None),
                Ok(n) => self.buffer.extend_from_slice(&piece[..n]),
                // The peer was killed with unread data: the same as an end.
                Err(e) if e.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Says whether a whole line has been received already.
    pub fn has_line(&self) -> bool {
        self.buffer.contains(&b'\n')
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Makes the two ends: ours, and the descriptor for the supervisor.
///
/// # Errors
/// What the system says.
pub fn connection_pair() -> io::Result<(Connection, OwnedFd)> {
    let (ours, theirs) = UnixStream::pair()?;
    let ours = UnixStream::from(super::wake::away_from_stdio(OwnedFd::from(ours))?);
    let theirs = super::wake::away_from_stdio(OwnedFd::from(theirs))?;
    Ok((Connection { stream: ours, buffer: Vec::new() }, theirs))
}

/// Takes over the supervisor's end in the process that [`super::spawn_supervisor`] made.
///
/// # Errors
/// When descriptor 3 is not a socket: the process was not started as a supervisor.
pub fn connection_of_supervisor() -> io::Result<Connection> {
    // SAFETY: fcntl only asks whether the descriptor exists.
    if unsafe { nix::libc::fcntl(SUPERVISOR_END, nix::libc::F_SETFD, nix::libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::other("descriptor 3 is not open"));
    }
    // SAFETY: in a supervisor this descriptor was made for us by the client, and nothing else has taken it.
    let stream = unsafe { UnixStream::from_raw_fd(SUPERVISOR_END) };
    stream.local_addr()?;
    Ok(Connection { stream, buffer: Vec::new() })
}
