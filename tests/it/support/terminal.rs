//! A terminal with somebody at it: types keys, reads what appears, changes the size, hangs up.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};

use super::env::{Client, TestEnv, jobdir};
use super::eventually_within;

/// A terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    master: File,
    slave: Option<OwnedFd>,
    seen: Arc<Mutex<Vec<u8>>>,
    /// How much of it has been looked for already.
    mark: usize,
    closed: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Opens one.
    pub(crate) fn new(rows: u16, columns: u16) -> Self {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let both = openpty(Some(&size), None).expect("a terminal");
        for fd in [&both.master, &both.slave] {
            // Else everything that is started here would keep it from being hung up.
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("closes it");
        }
        let master = File::from(both.master);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(AtomicBool::new(false));
        let (mut screen, all, over) = (master.try_clone().expect("can be copied"), seen.clone(), closed.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0u8; 4096];
            while !over.load(Ordering::SeqCst) {
                let mut fds = [PollFd::new(screen.as_fd(), PollFlags::POLLIN)];
                if poll(&mut fds, 20u16).is_ok_and(|ready| ready == 0) {
                    continue;
                }
                let Ok(length @ 1..) = screen.read(&mut buffer) else { return };
                all.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..length]);
            }
        });
        Self { master, slave: Some(both.slave), seen, mark: 0, closed, reader }
    }

    /// Closes the window.
    pub(crate) fn hang_up(self) {
        self.closed.store(true, Ordering::SeqCst);
        self.reader.join().expect("reads to the end");
    }

    /// Returns the end for programs.
    pub(crate) fn end(&self) -> OwnedFd {
        self.slave.as_ref().expect("it is not hung up").as_fd().try_clone_to_owned().expect("can be copied")
    }

    /// Starts jobdir here, as the only thing that this terminal controls.
    #[track_caller]
    pub(crate) fn jobdir(&self, env: &TestEnv, words: &[&str]) -> Client {
        self.jobdir_with(env, words, &[])
    }

    /// Starts jobdir here with more variables.
    #[track_caller]
    pub(crate) fn jobdir_with(&self, env: &TestEnv, words: &[&str], variables: &[(&str, &OsStr)]) -> Client {
        let jobdir = jobdir().to_string_lossy().into_owned();
        let words: Vec<&str> = ["-c", jobdir.as_str()].into_iter().chain(words.iter().copied()).collect();
        let invocation = variables
            .iter()
            .fold(env.program("setsid", &words), |invocation, (name, value)| invocation.env(name, value));
        invocation.spawn_with(Some(self.end()), self.end(), Some(self.end()))
    }

    /// Presses keys.
    #[track_caller]
    pub(crate) fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("somebody has the other end");
    }

    /// Returns everything that has appeared since the last text that was waited for.
    pub(crate) fn screen(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&seen[self.mark..]).into_owned()
    }

    /// Waits until this appears, after what was waited for before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let found = eventually_within(super::patience(), || {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen[self.mark..].windows(text.len()).position(|window| window == text.as_bytes())
        });
        match found {
            Some(at) => self.mark += at + text.len(),
            None => panic!("'{}' does not appear; there is: {:?}", text.escape_debug(), self.screen()),
        }
    }

    /// Returns its modes.
    pub(crate) fn modes(&self) -> Termios {
        tcgetattr(self.slave.as_ref().expect("it is not hung up")).expect("it has modes")
    }

    /// Waits until it lets every key through.
    #[track_caller]
    pub(crate) fn expect_raw(&self) {
        use nix::sys::termios::LocalFlags;
        let raw = || !self.modes().local_flags.intersects(LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::ECHO);
        assert!(eventually_within(super::patience(), || raw().then_some(())).is_some(), "it is not raw");
    }

    /// Gives it another size.
    #[track_caller]
    pub(crate) fn resize(&self, env: &TestEnv, rows: u16, columns: u16) {
        let (rows, columns) = (rows.to_string(), columns.to_string());
        let (_unused, stdout) = std::io::pipe().expect("a pipe");
        let stty = env.program("stty", &["rows", &rows, "columns", &columns]);
        stty.spawn_with(Some(self.end()), stdout.into(), None).wait().assert_code(0);
    }

    /// Returns what it is called, as whoever has it open sees it.
    pub(crate) fn name(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        let fd = self.slave.as_ref().expect("it is not hung up").as_raw_fd();
        std::fs::read_link(format!("/proc/self/fd/{fd}")).expect("a name")
    }
}
