//! What stdin, stdout and stderr are connected to.

use std::io::{self, IsTerminal, Read, Write};
use std::os::windows::io::{AsHandle, AsRawHandle};

use windows_sys::Win32::Foundation::CompareObjectHandles;

/// What descriptor 0 is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StdinKind {
    /// A console.
    Terminal,
    /// A pipe or a file.
    Other,
    /// Not open at all.
    Closed,
}

/// Looks at stdin.
pub fn stdin_kind() -> StdinKind {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        StdinKind::Terminal
    } else if stdin.as_handle().try_clone_to_owned().is_ok() {
        StdinKind::Other
    } else {
        StdinKind::Closed
    }
}

/// Says whether stdout and stderr go to the same place: the console, or the same object of the system.
pub fn same_destination() -> bool {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    if stdout.is_terminal() && stderr.is_terminal() {
        return true;
    }
    // SAFETY: it compares two handles, whatever they are.
    unsafe { CompareObjectHandles(stdout.as_raw_handle(), stderr.as_raw_handle()) != 0 }
}

/// Writes everything to stdout or stderr, unbuffered.
///
/// # Errors
/// What the system says; `BrokenPipe` when the reader is gone.
pub(in crate::platform) fn write_stream(to_stderr: bool, bytes: &[u8]) -> io::Result<()> {
    if to_stderr {
        io::stderr().write_all(bytes)
    } else {
        let mut stdout = io::stdout();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    }
}

/// Says whether stderr is the console.
pub(in crate::platform) fn may_write_status() -> bool {
    io::IsTerminal::is_terminal(&io::stderr())
}

/// Reads what is typed at the terminal at stdin; there is no job control here, so nothing is in the background.
///
/// # Errors
/// What the system says.
pub fn read_typed(buffer: &mut [u8]) -> io::Result<usize> {
    io::stdin().read(buffer)
}

/// There is no such thing here.
pub fn suspend_self() {}
