//! Terminals of jobs: not yet, so `--pty` is refused. Our own terminal is never changed.

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;
use std::time::Duration;

use windows_sys::Win32::System::Console::{CONSOLE_SCREEN_BUFFER_INFO, GetConsoleScreenBufferInfo};

use super::not_yet;
use crate::domain::terminal::TerminalSize;

/// Not yet.
pub fn has_terminals() -> bool {
    false
}

/// A terminal for a job: there is none here.
#[derive(Debug)]
pub struct Terminal(File);

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
    /// The job has printed something.
    pub output: bool,
    /// Something was typed.
    pub input: bool,
    /// The terminal takes what is typed.
    pub room: bool,
}

impl Terminal {
    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn open(_size: &TerminalSize) -> io::Result<Self> {
        not_yet()
    }

    /// Returns the end for the job.
    pub fn job_end(&self) -> &File {
        &self.0
    }

    /// Not yet.
    pub fn ring(&self) {}

    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn wait(&self, _interest: &TerminalInterest<'_>, _timeout: Option<Duration>) -> io::Result<TerminalNews> {
        not_yet()
    }

    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn read(&self, _buffer: &mut [u8]) -> io::Result<usize> {
        not_yet()
    }

    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn write(&self, _bytes: &[u8]) -> io::Result<usize> {
        not_yet()
    }

    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn resize(&self, _size: &TerminalSize) -> io::Result<()> {
        not_yet()
    }
}

/// Lets every key through to the job: there is nobody to let it through to.
#[derive(Debug, Default)]
pub struct RawTerminal {
    _private: (),
}

impl RawTerminal {
    /// Changes nothing.
    pub fn new() -> Self {
        Self { _private: () }
    }

    /// Changes nothing.
    pub fn renew() {}

    /// Never.
    pub fn is_active() -> bool {
        false
    }
}

/// There is no job control here, so nothing is in the background.
pub fn is_in_foreground() -> bool {
    true
}

/// There is no such thing here.
///
/// # Errors
/// Always.
pub fn suspend() -> io::Result<()> {
    not_yet()
}

/// Jobs have no terminals here.
pub fn is_at_terminal() -> bool {
    false
}

/// What there is to do about what is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TypingNews {
    /// There is something at stdin, perhaps its end.
    pub typed: bool,
    /// The FIFO takes something.
    pub room: bool,
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn wait_for_typing(_typed: bool, _fifo: Option<&File>, _timeout: Option<Duration>) -> io::Result<TypingNews> {
    not_yet()
}

/// Returns how large the console at stdout or stderr is, if one of them tells.
pub fn terminal_size() -> Option<TerminalSize> {
    [io::stdout().as_raw_handle(), io::stderr().as_raw_handle()].into_iter().find_map(|stream| {
        let mut info = CONSOLE_SCREEN_BUFFER_INFO::default();
        // SAFETY: the system fills in plain data, or says that this is no console.
        let told = unsafe { GetConsoleScreenBufferInfo(stream, &raw mut info) } != 0;
        let window = info.srWindow;
        let length = |from: i16, to: i16| u16::try_from(i32::from(to) - i32::from(from) + 1).ok();
        let (rows, columns) = (length(window.Top, window.Bottom)?, length(window.Left, window.Right)?);
        told.then(|| TerminalSize::new(rows, columns))
    })
}
