//! The one connection between a client and the supervisor that it starts: two pipes, each read by a thread, so that
//! waiting for a line and waiting for everything else can be one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType};

use super::files;
use super::job_object::check;
use super::wake;
use crate::domain::os_text::OsText;
use crate::platform::Wake;

/// How a supervisor learns which handles are its connection.
const VARIABLE: &str = "JOBDIR_CONNECTION";
/// So much is read ahead.
const READ_AHEAD: usize = 1 << 20;

/// The far end of a connection.
#[derive(Debug)]
pub struct FarEnd {
    pub(super) reader: OwnedHandle,
    pub(super) writer: OwnedHandle,
}

/// What has come, and was not taken yet.
#[derive(Debug, Default)]
struct Incoming {
    bytes: Vec<u8>,
    has_ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    incoming: Mutex<Incoming>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Incoming> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads until the peer is gone. How it went makes no difference.
    fn fill(&self, mut pipe: File) {
        let mut piece = [0u8; 4096];
        loop {
            let n = pipe.read(&mut piece).unwrap_or(0);
            let mut incoming = self.lock();
            while incoming.bytes.len() > READ_AHEAD {
                incoming = self.changed.wait(incoming).unwrap_or_else(PoisonError::into_inner);
            }
            incoming.bytes.extend_from_slice(&piece[..n]);
            incoming.has_ended = n == 0;
            drop(incoming);
            self.changed.notify_all();
            wake::ring(Wake::Look);
            if n == 0 {
                return;
            }
        }
    }
}

/// A stream of lines between a client and a supervisor.
#[derive(Debug)]
pub struct Connection {
    writer: File,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
}

impl Connection {
    fn new(reader: OwnedHandle, writer: OwnedHandle) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("connection".into()).spawn(move || theirs.fill(reader.into()))?;
        Ok(Self { writer: writer.into(), shared, buffer: Vec::new() })
    }

    /// Sends one line. The peer may be gone, which is an error for the caller to judge.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(format!("{line}\n").as_bytes())
    }

    /// Receives one line, waiting at most `timeout` between two pieces of it; `None` at the end of the stream.
    ///
    /// # Errors
    /// `TimedOut` when nothing came in time.
    pub fn receive(&mut self, timeout: Option<Duration>) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            let deadline = timeout.map(|timeout| Instant::now() + timeout);
            let mut incoming = self.shared.lock();
            while incoming.bytes.is_empty() && !incoming.has_ended {
                let changed = &self.shared.changed;
                incoming = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                    Some(Duration::ZERO) => return Err(io::ErrorKind::TimedOut.into()),
                    Some(left) => changed.wait_timeout(incoming, left).unwrap_or_else(PoisonError::into_inner).0,
                    None => changed.wait(incoming).unwrap_or_else(PoisonError::into_inner),
                };
            }
            if incoming.bytes.is_empty() {
                return Ok(None);
            }
            self.buffer.append(&mut incoming.bytes);
            self.shared.changed.notify_all();
        }
    }

    /// Says whether a whole line has been received already.
    pub fn has_line(&self) -> bool {
        self.buffer.contains(&b'\n')
    }

    /// Says whether `receive` has something to look at that it has not seen, the end included.
    pub(super) fn is_readable(&self) -> bool {
        let incoming = self.shared.lock();
        incoming.has_ended || !incoming.bytes.is_empty()
    }
}

/// Makes the two ends: ours, and the handles for the supervisor.
///
/// # Errors
/// What the system says.
pub fn connection_pair() -> io::Result<(Connection, FarEnd)> {
    let (our_reader, their_writer) = io::pipe()?;
    let (their_reader, our_writer) = io::pipe()?;
    let theirs = FarEnd { reader: their_reader.into(), writer: their_writer.into() };
    Ok((Connection::new(our_reader.into(), our_writer.into())?, theirs))
}

/// Returns what tells a supervisor which of the handles that it inherits are its connection.
pub(super) fn variable(reader: &OwnedHandle, writer: &OwnedHandle) -> (OsText, OsText) {
    let value = format!("{},{}", reader.as_raw_handle() as usize, writer.as_raw_handle() as usize);
    (VARIABLE.into(), files::os_text(value.as_ref()))
}

/// Takes over the supervisor's end in the process that [`super::spawn_supervisor`] made.
///
/// # Errors
/// When there are no such pipes: the process was not started as a supervisor.
pub fn connection_of_supervisor() -> io::Result<Connection> {
    let none = || io::Error::other("no connection was inherited");
    let value = std::env::var(VARIABLE).map_err(|_| none())?;
    let (reader, writer) = value.split_once(',').ok_or_else(none)?;
    let take = |text: &str| {
        let raw = text.parse::<usize>().map_err(|_| none())? as *mut std::ffi::c_void;
        // SAFETY: asks what the handle is, if it is one; a pipe under this number was made for us by the client, and
        // nothing else has taken it.
        unsafe {
            if GetFileType(raw) != FILE_TYPE_PIPE {
                return Err(none());
            }
            check(SetHandleInformation(raw, HANDLE_FLAG_INHERIT, 0))?;
            Ok(OwnedHandle::from_raw_handle(raw))
        }
    };
    Connection::new(take(reader)?, take(writer)?)
}
