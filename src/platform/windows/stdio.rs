//! What stdin, stdout and stderr are connected to.

use std::io::{self, IsTerminal, Read, Write};
use std::os::windows::io::AsHandle;

/// What descriptor 0 is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StdinKind {
    /// A terminal.
    Terminal,
    /// Anything else.
    Other,
    /// Not open at all, or a console: what is typed there cannot be passed on yet.
    Closed,
}

/// Looks at stdin. A console counts as closed, as long as there is nothing like a FIFO to pass on what is typed.
pub fn stdin_kind() -> StdinKind {
    let stdin = io::stdin();
    if stdin.is_terminal() || stdin.as_handle().try_clone_to_owned().is_err() {
        StdinKind::Closed
    } else {
        StdinKind::Other
    }
}

/// Not told here.
pub fn same_destination() -> bool {
    false
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
