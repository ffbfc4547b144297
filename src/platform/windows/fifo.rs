//! The input of a job, as other processes find it. There are no FIFOs in directories here, so the file `stdin` tells the
//! name of a pipe, which exists while somebody serves it: for `--stdin fifo` the supervisor (see `relay`), for what is typed
//! the client. Both let in the user alone, from this computer.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_PIPE_CLOSING_STATE, FILE_PIPE_LOCAL_INFORMATION, FilePipeLocalInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::{ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAGS_AND_ATTRIBUTES, PIPE_ACCESS_OUTBOUND, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, WaitNamedPipeW,
};

use super::command_line::wide;
use super::files::{self, create_private, open_regular};
use super::job_object::check;
use super::not_yet;
use super::relay;
use super::security::of_ours;

/// What every name begins with; 32 hexadecimal digits follow.
const PREFIX: &str = r"\\.\pipe\jobdir-";
/// What is appended to the name for what is typed, since nobody else can write there.
const TYPED: &str = "-typed";
/// So much is kept of what nobody has read yet, as in a FIFO.
pub(super) const BUFFER: u32 = 64 << 10;
/// So long is a place waited for, when as many as there may be send already.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// Gives a job's input a name.
///
/// # Errors
/// What the system says.
pub fn make_fifo(path: &Path) -> io::Result<()> {
    let name = crate::platform::random_hex::<16>()?;
    create_private(path)?.write_all(format!("{PREFIX}{name}\n").as_bytes())
}

/// Reads the name of a job's input. What does not look like one of ours is never opened: it could be anything, and anywhere.
fn address(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open_regular(path)?.take(256).read_to_string(&mut text)?;
    let name = text.strip_prefix(PREFIX).map(str::trim_end);
    match name {
        Some(name) if name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(format!("{PREFIX}{name}"))
        }
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "its file 'stdin' does not name a pipe of jobdir")),
    }
}

/// Opens the reading end of a job's input, and serves those who send to it as long as this process lives. The input ends when the
/// last of them has gone.
///
/// # Errors
/// What the system says.
pub fn open_fifo_reader(path: &Path) -> io::Result<File> {
    relay::serve(&address(path)?)
}

/// Opens the writing end of a job's input; later writes wait until there is room.
///
/// # Errors
/// `NotConnected` when nobody reads it, else what the system says.
pub fn open_fifo_writer(path: &Path) -> io::Result<File> {
    let address = address(path)?;
    let begun = Instant::now();
    loop {
        // Whoever serves it may learn who we are, and no more.
        match OpenOptions::new().write(true).security_qos_flags(SECURITY_IDENTIFICATION).open(&address) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(nobody_reads(&address)),
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY_LIMIT => {
                let name = wide(address.as_ref())?;
                // SAFETY: the name ends with a NUL. What it says is found out by trying again.
                unsafe { WaitNamedPipeW(name.as_ptr(), 1000) };
            }
            Err(error) if is_busy(&error) => {
                return Err(io::Error::other("too many send to it at the same time; try again when some have ended"));
            }
            other => return other,
        }
    }
}

fn is_busy(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_PIPE_BUSY.cast_signed())
}

fn nobody_reads(address: &str) -> io::Error {
    let Ok(typed) = wide(format!("{address}{TYPED}").as_ref()) else { return io::ErrorKind::NotConnected.into() };
    // SAFETY: the name ends with a NUL.
    let answer = check(unsafe { WaitNamedPipeW(typed.as_ptr(), 1) });
    match answer {
        Err(error) if error.kind() == io::ErrorKind::NotFound => io::ErrorKind::NotConnected.into(),
        Ok(()) | Err(_) => io::Error::other(
            "what is typed where it was started goes there; to send to a job, start it with 'jobdir run --stdin fifo'",
        ),
    }
}

/// Ends sending: returns once all of it was taken for the job.
///
/// # Errors
/// When it was not: the job has closed its input.
pub fn close_fifo_writer(fifo: File) -> io::Result<()> {
    // For a pipe this waits until the other end has read everything.
    fifo.sync_all()
}

/// Only what has a terminal is typed to in this way.
///
/// # Errors
/// Always.
pub fn open_fifo_patient(_path: &Path) -> io::Result<File> {
    not_yet()
}

/// Opens the input of a job into which somebody types; an empty one when nobody does any more.
///
/// # Errors
/// What the system says.
pub fn open_typed_reader(path: &Path) -> io::Result<File> {
    let typed = format!("{}{TYPED}", address(path)?);
    let opened = OpenOptions::new().read(true).security_qos_flags(SECURITY_IDENTIFICATION).open(typed);
    opened.or_else(|_| files::open_null())
}

/// The end of a job's input into which is typed, made before the job has its own.
#[derive(Debug)]
pub struct TypedEnd(File);

impl TypedEnd {
    /// Makes it.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        let typed = format!("{}{TYPED}", address(path)?);
        pipe(&typed, PIPE_ACCESS_OUTBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE, 1).map(|pipe| Self(pipe.into()))
    }

    /// Waits until the job has its end, however long it waits for its start; what is written then reaches it.
    ///
    /// # Errors
    /// What the system says.
    pub fn into_writer(self, _job_waits: bool) -> io::Result<File> {
        // SAFETY: a handle that is open, and for which nothing else is under way.
        match check(unsafe { ConnectNamedPipe(self.0.as_raw_handle(), ptr::null_mut()) }) {
            Err(error) if error.raw_os_error() != Some(ERROR_PIPE_CONNECTED.cast_signed()) => Err(error),
            Ok(()) | Err(_) => Ok(self.0),
        }
    }
}

/// Says whether nobody has the other end of a pipe any more.
pub(super) fn is_abandoned(pipe: BorrowedHandle<'_>) -> bool {
    let (mut told, mut status) = (FILE_PIPE_LOCAL_INFORMATION::default(), IO_STATUS_BLOCK::default());
    let size = size_of::<FILE_PIPE_LOCAL_INFORMATION>() as u32;
    let (handle, place) = (pipe.as_raw_handle(), (&raw mut told).cast());
    // SAFETY: the handle is open, and both places live through the call, which does not wait for the other end.
    let answer = unsafe { NtQueryInformationFile(handle, &raw mut status, place, size, FilePipeLocalInformation) };
    answer >= 0 && told.NamedPipeState == FILE_PIPE_CLOSING_STATE
}

/// Makes a pipe under this name, or a further instance of it, for the user alone and from this computer.
pub(super) fn pipe(name: &str, mode: FILE_FLAGS_AND_ATTRIBUTES, most: u32) -> io::Result<OwnedHandle> {
    let name = wide(name.as_ref())?;
    let attributes = of_ours()?;
    // SAFETY: the name ends with a NUL, and the attributes live through the call; a handle that is valid is ours.
    unsafe {
        let kind = PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS;
        let raw = CreateNamedPipeW(name.as_ptr(), mode, kind, most, BUFFER, BUFFER, 0, &raw const attributes);
        if raw == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedHandle::from_raw_handle(raw))
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Security::{
        ACCESS_ALLOWED_ACE, ACL, DACL_SECURITY_INFORMATION, GetAce, GetKernelObjectSecurity, GetSecurityDescriptorDacl,
        IsWellKnownSid, WinAnonymousSid, WinAuthenticatedUserSid, WinBuiltinUsersSid, WinNetworkSid, WinWorldSid,
    };

    use super::*;

    fn named() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("stdin");
        make_fifo(&path).expect("gets a name");
        (dir, path)
    }

    #[test]
    fn what_others_send_is_read_and_ends_with_the_last_of_them() {
        let (_dir, path) = named();
        assert_eq!(open_fifo_writer(&path).expect_err("nobody reads").kind(), io::ErrorKind::NotConnected);
        let mut reader = open_fifo_reader(&path).expect("is served");
        let (mut one, mut other) = (open_fifo_writer(&path).expect("opens"), open_fifo_writer(&path).expect("opens"));
        one.write_all(b"one").expect("is taken");
        close_fifo_writer(one).expect("was taken");
        other.write_all(b" other").expect("is taken");
        // No waiting: whoever has connected counts, and what he has left is read, before the input ends.
        drop(other);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("ends");
        assert_eq!(text, "one other");
        let late =
            open_fifo_writer(&path).and_then(|mut late| late.write_all(b"late").and_then(|()| close_fifo_writer(late)));
        assert!(late.is_err(), "the input has ended");
    }

    #[test]
    fn the_pipe_is_for_nobody_else() {
        let name = format!("{PREFIX}{}", crate::platform::random_hex::<16>().expect("random"));
        let pipe = pipe(&name, PIPE_ACCESS_OUTBOUND, 1).expect("is made");
        let (mut memory, mut needed) = (vec![0usize; 512], 0);
        let (mut is_there, mut is_default, mut list) = (0, 0, ptr::null_mut::<ACL>());
        // SAFETY: the descriptor is written into memory of the size that is told, and the list and its entries lie in it.
        unsafe {
            let descriptor = memory.as_mut_ptr().cast();
            let size = size_of_val(memory.as_slice()) as u32;
            let raw = pipe.as_raw_handle();
            check(GetKernelObjectSecurity(raw, DACL_SECURITY_INFORMATION, descriptor, size, &raw mut needed))
                .expect("tells");
            check(GetSecurityDescriptorDacl(descriptor, &raw mut is_there, &raw mut list, &raw mut is_default))
                .expect("has a list");
            assert!(is_there != 0 && !list.is_null(), "everybody may");
            for index in 0..u32::from((*list).AceCount) {
                let mut entry = ptr::null_mut();
                check(GetAce(list, index, &raw mut entry)).expect("an entry");
                let sid = ptr::addr_of_mut!((*entry.cast::<ACCESS_ALLOWED_ACE>()).SidStart).cast();
                for group in [WinWorldSid, WinAnonymousSid, WinAuthenticatedUserSid, WinBuiltinUsersSid, WinNetworkSid]
                {
                    assert_eq!(IsWellKnownSid(sid, group), 0, "for more than us: {group}");
                }
            }
        }
    }

    #[test]
    fn what_is_typed_ends_with_whoever_types() {
        let (_dir, path) = named();
        let end = TypedEnd::open(&path).expect("opens");
        let mut reader = open_typed_reader(&path).expect("opens");
        let mut writer = end.into_writer(false).expect("has a reader");
        writer.write_all(b"typed").expect("is taken");
        assert_ne!(open_fifo_writer(&path).expect_err("it is not for others").kind(), io::ErrorKind::NotConnected);
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("ends");
        assert_eq!(text, "typed");
        assert_eq!(open_typed_reader(&path).expect("is empty").read(&mut [0]).expect("reads"), 0);
    }
}
