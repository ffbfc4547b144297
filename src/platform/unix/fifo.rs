//! The input of a job, as other processes find it: a FIFO.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc;

/// Creates a FIFO for its owner alone.
///
/// # Errors
/// What the system says.
pub fn make_fifo(path: &Path) -> io::Result<()> {
    Ok(nix::unistd::mkfifo(path, nix::sys::stat::Mode::from_bits_truncate(0o600))?)
}

/// Opens the reading end of a FIFO without waiting for a writer; later reads do wait.
///
/// # Errors
/// What the system says.
pub fn open_fifo_reader(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_RDONLY))?;
    Ok(file)
}

/// Opens the writing end of a FIFO without waiting for a reader; later writes do wait.
///
/// # Errors
/// `NotConnected` when nobody reads it, else what the system says.
pub fn open_fifo_writer(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .map_err(|e| if e.raw_os_error() == Some(libc::ENXIO) { io::ErrorKind::NotConnected.into() } else { e })?;
    nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_WRONLY))?;
    Ok(file)
}

/// Opens a FIFO so that neither opening nor writing waits for anybody: what is written before somebody reads it is kept.
///
/// # Errors
/// What the system says. Later writes fail with `WouldBlock` when it is full.
pub fn open_fifo_patient(path: &Path) -> io::Result<File> {
    // Being a reader, too, keeps it open; Linux and macOS allow that, see fifo(7).
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

/// Ends sending: what was written is in the FIFO.
///
/// # Errors
/// Never.
pub fn close_fifo_writer(fifo: File) -> io::Result<()> {
    drop(fifo);
    Ok(())
}

/// Opens the input of a job into which somebody types.
///
/// # Errors
/// What the system says.
pub fn open_typed_reader(path: &Path) -> io::Result<File> {
    open_fifo_reader(path)
}

/// The end of a job's input into which is typed, made before the job has its own.
#[derive(Debug)]
pub struct TypedEnd {
    /// Only there so that the writer can be opened.
    reader: File,
    writer: File,
}

impl TypedEnd {
    /// Opens it.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { reader: open_fifo_reader(path)?, writer: open_fifo_writer(path)? })
    }

    /// Returns it for writing, once the job has its end; or before, while it waits for its start.
    ///
    /// # Errors
    /// Never.
    pub fn into_writer(self, job_waits: bool) -> io::Result<File> {
        if job_waits {
            // As long as we live: what is written while nobody has it open to read would be refused.
            std::mem::forget(self.reader);
        }
        Ok(self.writer)
    }
}
