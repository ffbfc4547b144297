//! A terminal with somebody at it: types keys, reads what appears and what is on the screen, changes the size, hangs up.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};

use super::env::{Client, Invocation, TestEnv, jobdir};
use super::eventually_within;

/// A terminal.
pub(crate) struct Terminal {
    master: File,
    slave: OwnedFd,
    seen: Arc<Mutex<Seen>>,
    closed: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

/// What has appeared.
struct Seen {
    bytes: Vec<u8>,
    /// How much of it has been looked for already.
    mark: usize,
    /// What all of it has drawn, cell by cell.
    cells: vt100::Parser,
}

fn size(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a size")
}

impl Terminal {
    /// Opens one.
    pub(crate) fn new(rows: u16, columns: u16) -> Self {
        let window = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let both = openpty(Some(&window), None).expect("a terminal");
        for fd in [&both.master, &both.slave] {
            // Else everything that is started here would keep it from being hung up.
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("closes it");
        }
        let master = File::from(both.master);
        let cells = vt100::Parser::new(size(rows), size(columns), 0);
        let seen = Arc::new(Mutex::new(Seen { bytes: Vec::new(), mark: 0, cells }));
        let closed = Arc::new(AtomicBool::new(false));
        let (mut shown, all, over) = (master.try_clone().expect("can be copied"), seen.clone(), closed.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0u8; 4096];
            while !over.load(Ordering::SeqCst) {
                let mut fds = [PollFd::new(shown.as_fd(), PollFlags::POLLIN)];
                if poll(&mut fds, 20u16).is_ok_and(|ready| ready == 0) {
                    continue;
                }
                let Ok(length @ 1..) = shown.read(&mut buffer) else { return };
                let mut seen = all.lock().unwrap_or_else(PoisonError::into_inner);
                seen.bytes.extend_from_slice(&buffer[..length]);
                seen.cells.process(&buffer[..length]);
            }
        });
        Self { master, slave: both.slave, seen, closed, reader }
    }

    /// Closes the window.
    pub(crate) fn hang_up(self) {
        self.closed.store(true, Ordering::SeqCst);
        self.reader.join().expect("reads to the end");
    }

    /// Returns the end for programs.
    pub(crate) fn end(&self) -> OwnedFd {
        self.slave.as_fd().try_clone_to_owned().expect("can be copied")
    }

    /// Returns what it is called, as whoever has it open sees it.
    pub(crate) fn name(&self) -> PathBuf {
        std::fs::read_link(format!("/proc/self/fd/{}", self.slave.as_raw_fd())).expect("a name")
    }

    /// Prepares jobdir as the only thing that this terminal controls.
    pub(crate) fn prepare(&self, env: &TestEnv, words: &[&str]) -> Invocation {
        let jobdir = jobdir().to_string_lossy().into_owned();
        let words: Vec<&str> = ["-c", jobdir.as_str()].into_iter().chain(words.iter().copied()).collect();
        env.program("setsid", &words).env("TERM", "xterm-256color")
    }

    /// Starts something here.
    #[track_caller]
    pub(crate) fn spawn(&self, invocation: Invocation) -> Client {
        invocation.spawn_with(Some(self.end()), self.end(), Some(self.end()))
    }

    /// Starts jobdir here.
    #[track_caller]
    pub(crate) fn jobdir(&self, env: &TestEnv, words: &[&str]) -> Client {
        self.spawn(self.prepare(env, words))
    }

    /// Starts jobdir here with more variables.
    #[track_caller]
    pub(crate) fn jobdir_with(&self, env: &TestEnv, words: &[&str], variables: &[(&str, &OsStr)]) -> Client {
        let prepared = self.prepare(env, words);
        self.spawn(variables.iter().fold(prepared, |invocation, (name, value)| invocation.env(name, value)))
    }

    /// Presses keys.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        (&self.master).write_all(keys.as_bytes()).expect("somebody has the other end");
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns everything that has appeared since the last text that was waited for.
    pub(crate) fn unread(&self) -> String {
        let seen = self.seen();
        String::from_utf8_lossy(&seen.bytes[seen.mark..]).into_owned()
    }

    /// Waits until this appears, after what was waited for before.
    #[track_caller]
    pub(crate) fn expect(&self, text: &str) {
        let found = eventually_within(super::patience(), || {
            let mut seen = self.seen();
            let at = seen.bytes[seen.mark..].windows(text.len()).position(|window| window == text.as_bytes())?;
            seen.mark += at + text.len();
            Some(())
        });
        assert!(found.is_some(), "'{}' does not appear; there is: {:?}", text.escape_debug(), self.unread());
    }

    /// Looks at the screen.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen().cells.screen())
    }

    /// Returns what is on the screen, in lines.
    pub(crate) fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Waits until that holds of what is on the screen, and returns it.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let found = eventually_within(super::patience(), || Some(self.text()).filter(|text| holds(text)));
        found.unwrap_or_else(|| panic!("in vain: {what}; there is:\n{}", self.text()))
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Returns its modes.
    pub(crate) fn modes(&self) -> Termios {
        tcgetattr(&self.slave).expect("it has modes")
    }

    /// Waits until it lets every key through.
    #[track_caller]
    pub(crate) fn expect_raw(&self) {
        let raw = || !self.modes().local_flags.intersects(LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::ECHO);
        assert!(eventually_within(super::patience(), || raw().then_some(())).is_some(), "it is not raw");
    }

    /// Gives it another size.
    #[track_caller]
    pub(crate) fn resize(&self, env: &TestEnv, rows: u16, columns: u16) {
        self.seen().cells.set_size(size(rows), size(columns));
        let (rows, columns) = (rows.to_string(), columns.to_string());
        let (_unused, stdout) = std::io::pipe().expect("a pipe");
        let stty = env.program("stty", &["rows", &rows, "columns", &columns]);
        stty.spawn_with(Some(self.end()), stdout.into(), None).wait().assert_code(0);
    }
}
