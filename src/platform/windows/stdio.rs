//! What stdin, stdout and stderr are connected to.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};
use std::sync::{Mutex, PoisonError};

use windows_sys::Win32::Foundation::CompareObjectHandles;
use windows_sys::Win32::System::Console::{
    CONSOLE_MODE, ENABLE_VIRTUAL_TERMINAL_PROCESSING, GetConsoleMode, SetConsoleMode,
};

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

/// What the console was given at stdout and stderr that may be the beginning of a character; `None` before the first of it.
static BEGUN: [Mutex<Option<Vec<u8>>>; 2] = [const { Mutex::new(None) }; 2];

/// Writes everything to stdout or stderr, unbuffered.
///
/// # Errors
/// What the system says; `BrokenPipe` when the reader is gone.
pub(in crate::platform) fn write_stream(to_stderr: bool, bytes: &[u8]) -> io::Result<()> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let stream = if to_stderr { stderr.as_handle() } else { stdout.as_handle() };
    let Some(mode) = console_mode(stream) else { return write_text(to_stderr, bytes) };
    let mut begun = BEGUN[usize::from(to_stderr)].lock().unwrap_or_else(PoisonError::into_inner);
    if begun.is_none() {
        // Colours are shown, as by every other terminal, where it can. SAFETY: a handle that is open, and a number.
        unsafe { SetConsoleMode(stream.as_raw_handle(), mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) };
    }
    let mut all = begun.take().unwrap_or_default();
    all.extend_from_slice(bytes);
    *begun = Some(split_begun(&mut all));
    if str::from_utf8(&all).is_ok() {
        return write_text(to_stderr, &all);
    }
    for line in all.split_inclusive(|byte| *byte == b'\n') {
        if str::from_utf8(line).is_ok() {
            write_text(to_stderr, line)?;
        } else {
            // The console takes it for text in its own code page, which is what the job has meant.
            File::from(stream.try_clone_to_owned()?).write_all(line)?;
        }
    }
    Ok(())
}

/// Takes away the beginning of a character at the end of a text.
fn split_begun(text: &mut Vec<u8>) -> Vec<u8> {
    match str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => text.split_off(error.valid_up_to()),
        Ok(_) | Err(_) => Vec::new(),
    }
}

fn write_text(to_stderr: bool, bytes: &[u8]) -> io::Result<()> {
    if to_stderr {
        io::stderr().write_all(bytes)
    } else {
        let mut stdout = io::stdout();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    }
}

/// Returns how a console behaves, if it is one.
fn console_mode(stream: BorrowedHandle<'_>) -> Option<CONSOLE_MODE> {
    let mut mode = 0;
    // SAFETY: the handle is open, and the place lives.
    (unsafe { GetConsoleMode(stream.as_raw_handle(), &raw mut mode) } != 0).then_some(mode)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_character_waits_for_the_rest_of_it() {
        for (text, kept) in [("aé", 0), ("a", 0), ("", 0)] {
            let mut bytes = text.as_bytes().to_vec();
            assert_eq!(split_begun(&mut bytes).len(), kept, "{text}");
        }
        let mut begun = "a漢".as_bytes()[..3].to_vec();
        assert_eq!(split_begun(&mut begun), "漢".as_bytes()[..2]);
        assert_eq!(begun, b"a");
        // What will never be a character is not waited for.
        let mut other = vec![b'a', 0xff, 0xe6];
        assert_eq!(split_begun(&mut other), b"");
    }
}
