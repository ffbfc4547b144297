//! A terminal that is looked at: what a program has drawn on it, cell by cell.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};

use super::env::{Client, Invocation, TestEnv, jobdir};
use super::eventually_within;

/// A terminal and what is on its screen.
pub(crate) struct Screen {
    master: File,
    slave: OwnedFd,
    parser: Arc<Mutex<vt100::Parser>>,
    closed: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

fn size(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a size")
}

impl Screen {
    /// Opens one.
    pub(crate) fn new(rows: u16, columns: u16) -> Self {
        let window = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let both = openpty(Some(&window), None).expect("a terminal");
        for fd in [&both.master, &both.slave] {
            // Else everything that is started here would keep it from being hung up.
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("closes it");
        }
        let master = File::from(both.master);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(columns), 0)));
        let closed = Arc::new(AtomicBool::new(false));
        let (mut drawn, cells, over) = (master.try_clone().expect("can be copied"), parser.clone(), closed.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0u8; 4096];
            while !over.load(Ordering::SeqCst) {
                let mut fds = [PollFd::new(drawn.as_fd(), PollFlags::POLLIN)];
                if poll(&mut fds, 20u16).is_ok_and(|ready| ready == 0) {
                    continue;
                }
                let Ok(length @ 1..) = drawn.read(&mut buffer) else { return };
                cells.lock().unwrap_or_else(PoisonError::into_inner).process(&buffer[..length]);
            }
        });
        Self { master, slave: both.slave, parser, closed, reader }
    }

    /// Returns the end for programs.
    pub(crate) fn end(&self) -> OwnedFd {
        self.slave.as_fd().try_clone_to_owned().expect("can be copied")
    }

    /// Prepares jobdir as that which this terminal controls.
    pub(crate) fn prepare(&self, env: &TestEnv, words: &[&str]) -> Invocation {
        let jobdir = jobdir().to_string_lossy().into_owned();
        let words: Vec<&str> = ["-c", jobdir.as_str()].into_iter().chain(words.iter().copied()).collect();
        env.program("setsid", &words).env("TERM", "xterm-256color")
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn spawn(&self, invocation: Invocation) -> Client {
        invocation.spawn_with(Some(self.end()), self.end(), Some(self.end()))
    }

    /// Starts jobdir here.
    #[track_caller]
    pub(crate) fn jobdir(&self, env: &TestEnv, words: &[&str]) -> Client {
        self.spawn(self.prepare(env, words))
    }

    /// Presses keys.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        (&self.master).write_all(keys.as_bytes()).expect("somebody has the other end");
    }

    /// Looks at the screen.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.parser.lock().unwrap_or_else(PoisonError::into_inner).screen())
    }

    /// Returns what is on it, in lines.
    pub(crate) fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Waits until that holds of what is on it, and returns it.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let found = eventually_within(super::patience(), || Some(self.text()).filter(|text| holds(text)));
        found.unwrap_or_else(|| panic!("in vain: {what}; there is:\n{}", self.text()))
    }

    /// Waits until this is on it.
    #[track_caller]
    pub(crate) fn expect(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Returns its modes.
    pub(crate) fn modes(&self) -> Termios {
        tcgetattr(&self.slave).expect("it has modes")
    }

    /// Gives it another size.
    #[track_caller]
    pub(crate) fn resize(&self, env: &TestEnv, rows: u16, columns: u16) {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner).set_size(size(rows), size(columns));
        let (rows, columns) = (rows.to_string(), columns.to_string());
        let (_unused, stdout) = std::io::pipe().expect("a pipe");
        let stty = env.program("stty", &["rows", &rows, "columns", &columns]);
        stty.spawn_with(Some(self.end()), stdout.into(), None).wait().assert_code(0);
    }

    /// Closes the window.
    pub(crate) fn hang_up(self) {
        self.closed.store(true, Ordering::SeqCst);
        self.reader.join().expect("reads to the end");
    }
}
