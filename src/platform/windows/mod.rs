//! Windows: files work, processes not yet. Every function that would need a job object answers `Unsupported`, so that
//! nothing is ever claimed that did not happen.

mod files;
mod logs;
mod stdin;
mod terminal;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

pub use files::{
    FileFacts, append_private, apply_file_mask, create_private, extend_file, facts, file_facts, input_with, make_fifo,
    make_private_directory, open_fifo_patient, open_fifo_reader, open_fifo_writer, open_for_user, open_input,
    open_lock_file, open_null, open_regular, open_regular_with_length, open_up, os_string, os_text, path_of,
    read_start, set_file_mask, sync_directory, user_id, user_name,
};
pub use logs::{
    WriteBell, block_size, first_locked, lock_range, next_hole, open_for_punching, punch_hole, read_at, unlock_range,
};
pub use stdin::{StdinKind, same_destination, stdin_kind};

pub use terminal::{
    RawTerminal, Terminal, TerminalInterest, TerminalNews, TypingNews, has_terminals, is_at_terminal, is_in_foreground,
    suspend, terminal_size, wait_for_typing,
};

use super::{Children, Delivery, ExecFailure, Wake};
use crate::domain::identity::{Place, ProcessIdentity};
use crate::domain::os_text::OsText;
use crate::domain::outcome::ExitStatus;
use crate::domain::record::Usage;
use crate::domain::signal::Signal;
use crate::domain::tree::{ProcessInfo, ProcessTable};

fn not_yet<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "not yet available on Windows"))
}

/// Returns the number that Windows programs know for a signal.
pub fn signal_number(signal: Signal) -> Option<i32> {
    Some(match signal {
        Signal::HUP => 1,
        Signal::INT => 2,
        Signal::KILL => 9,
        Signal::TERM => 15,
        _ => return None,
    })
}

/// Returns the signal with this number.
pub fn signal_by_number(number: i32) -> Option<Signal> {
    Signal::all().find(|signal| signal_number(*signal) == Some(number))
}

/// Signals are not inherited here.
pub fn inherited_ignored(_signal: Signal) -> bool {
    false
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn signal_group(_group: u32, _signal: Signal) -> io::Result<Delivery> {
    not_yet()
}

/// Not told here.
pub fn group_exists(_group: u32) -> bool {
    false
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn signal_identity(_identity: ProcessIdentity, _signal: Signal) -> io::Result<Delivery> {
    not_yet()
}

/// Says whether this system has subreapers.
pub fn has_subreaper() -> bool {
    false
}

/// There are no subreapers here.
pub fn become_subreaper() -> bool {
    false
}

/// Returns where pids mean something now.
pub fn place() -> Place {
    Place {
        boot_id: sysinfo::System::boot_time().map_or_else(|_| String::new(), |t| t.to_string()),
        host: sysinfo::System::host_name().unwrap_or_default(),
        pid_namespace: String::new(),
    }
}

/// Not yet.
pub fn process_info(_pid: u32) -> Option<ProcessInfo> {
    None
}

/// Not yet.
pub fn process_table() -> ProcessTable {
    ProcessTable::default()
}

/// Returns a table that has our descendants.
pub fn descendants() -> ProcessTable {
    process_table()
}

/// Not yet.
pub fn child_pids() -> Vec<u32> {
    Vec::new()
}

/// Not yet.
pub fn environment_value(_pid: u32, _name: &str) -> Option<String> {
    None
}

/// Not yet.
pub fn open_files(_pid: u32) -> Vec<PathBuf> {
    Vec::new()
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn own_identity() -> io::Result<ProcessIdentity> {
    not_yet()
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn peek(_pid: u32) -> io::Result<Option<ExitStatus>> {
    not_yet()
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn reap(_pid: u32) -> io::Result<Option<ExitStatus>> {
    not_yet()
}

/// Not yet.
pub fn look_at_children() -> Children {
    Children::None
}

/// Not yet.
pub fn children_usage() -> Usage {
    Usage::default()
}

/// Lets go of our own stdin.
///
/// # Errors
/// Always.
pub fn release_stdin() -> io::Result<()> {
    not_yet()
}

/// What a child is to become.
#[derive(Clone, Debug)]
pub struct ExecPlan {
    /// The command and its arguments.
    pub command: Vec<OsText>,
    /// Its whole environment.
    pub variables: Vec<(OsText, OsText)>,
    /// Its working directory.
    pub cwd: OsText,
    /// Without meaning here.
    pub umask: u32,
    /// Without meaning here.
    pub nice: Option<i32>,
    /// Without meaning here.
    pub limits: Vec<ResourceLimit>,
}

/// There are no resource limits here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceLimit;

/// There are no resource limits here.
pub fn resource_limit(_name: &str, _soft: Option<u64>, _hard: Option<u64>) -> Option<ResourceLimit> {
    None
}

/// The input of a command.
#[derive(Debug)]
pub enum JobInput {
    /// Nothing.
    Null,
    /// Standard input of this process.
    Own,
    /// An open file.
    File(File),
    /// A terminal of its own.
    Terminal(File),
}

/// A child that waits before it executes its command.
#[derive(Debug)]
pub struct HeldChild(ProcessIdentity);

impl HeldChild {
    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn create(_plan: &ExecPlan, _input: &JobInput, _stdout: &File, _stderr: &File) -> io::Result<Self> {
        not_yet()
    }

    /// Returns who the child is.
    pub fn identity(&self) -> ProcessIdentity {
        self.0
    }

    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn release(self) -> Result<(), ExecFailure> {
        not_yet().map_err(|error| ExecFailure { reason: crate::domain::state::Reason::Setup, error })
    }
}

/// The far end of a connection.
#[derive(Debug)]
pub struct FarEnd;

/// A stream of lines between a client and a supervisor.
#[derive(Debug)]
pub struct Connection;

impl Connection {
    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn send(&mut self, _line: &str) -> io::Result<()> {
        not_yet()
    }

    /// Not yet.
    ///
    /// # Errors
    /// Always.
    pub fn receive(&mut self, _timeout: Option<Duration>) -> io::Result<Option<String>> {
        not_yet()
    }

    /// Not yet.
    pub fn has_line(&self) -> bool {
        false
    }
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn connection_pair() -> io::Result<(Connection, FarEnd)> {
    not_yet()
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn connection_of_supervisor() -> io::Result<Connection> {
    not_yet()
}

/// Not yet.
///
/// # Errors
/// Always.
pub fn spawn_supervisor(
    _arguments: &[&OsStr],
    _variables: &[(OsText, OsText)],
    _connection: FarEnd,
    _keep_stdin: bool,
) -> io::Result<u32> {
    not_yet()
}

/// Receives wake-ups.
#[derive(Debug)]
pub struct WakeQueue {
    receiver: mpsc::Receiver<()>,
    waker: Waker,
}

/// Wakes a [`WakeQueue`] from another thread.
#[derive(Clone, Debug)]
pub struct Waker(mpsc::Sender<()>);

impl Waker {
    /// Makes the queue return [`Wake::Look`].
    pub fn wake(&self) {
        // Nobody waits any more.
        self.0.send(()).ok();
    }
}

impl WakeQueue {
    /// Creates a queue; signals do not reach it yet.
    ///
    /// # Errors
    /// Never.
    pub fn new(_watched: &[Signal], _keep_ignored: bool) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        Ok(Self { receiver, waker: Waker(sender) })
    }

    /// Signals do not reach it yet.
    ///
    /// # Errors
    /// Never.
    pub fn watch(&self, _watched: &[Signal], _keep_ignored: bool) -> io::Result<()> {
        Ok(())
    }

    /// Returns a handle for other threads.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Sleeps until something wakes it or the time is over.
    ///
    /// # Errors
    /// Never.
    pub fn wait(&self, timeout: Option<Duration>, _connection: Option<&Connection>) -> io::Result<(Vec<Wake>, bool)> {
        let woken = match timeout {
            Some(timeout) => self.receiver.recv_timeout(timeout).is_ok(),
            None => self.receiver.recv().is_ok(),
        };
        Ok((if woken { vec![Wake::Look] } else { Vec::new() }, false))
    }

    /// Not told here.
    pub fn is_stdout_abandoned() -> bool {
        false
    }

    /// Not told here.
    pub fn has_terminal_gone() -> bool {
        false
    }

    /// Takes what is there without sleeping.
    pub fn take(&self) -> Vec<Wake> {
        self.receiver.try_iter().map(|()| Wake::Look).collect()
    }
}

/// A directory that is watched.
#[derive(Debug)]
pub struct WatchedDirectory;

/// There is no such thing here.
///
/// # Errors
/// Always.
pub fn watch_by_signal(_path: &Path) -> io::Result<WatchedDirectory> {
    not_yet()
}

/// Not yet.
pub fn reap_blocking(_pid: u32) {}

/// Not told here yet.
pub fn free_space(_path: &std::path::Path) -> Option<super::Space> {
    None
}

/// Not told here.
pub fn network_file_system(_path: &std::path::Path) -> Option<&'static str> {
    None
}

/// There are no such limits here.
pub fn watch_limits() -> Option<(u64, u64)> {
    None
}

/// There are no such signals here.
pub fn ignore_write_signals() {}

/// Writes everything to stdout or stderr, unbuffered.
///
/// # Errors
/// What the system says.
pub fn write_all(to_stderr: bool, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    if to_stderr {
        std::io::stderr().write_all(bytes)
    } else {
        let mut stdout = std::io::stdout();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    }
}

/// Reads what is typed at the terminal at stdin; there is no job control here, so nothing is in the background.
///
/// # Errors
/// What the system says.
pub fn read_typed(buffer: &mut [u8]) -> io::Result<usize> {
    use std::io::Read;
    std::io::stdin().read(buffer)
}

/// Not told here.
pub fn out_of_memory_kills() -> Option<u64> {
    None
}

/// There is no such thing here.
pub fn suspend_self() {}

/// Starts this program with these arguments; its stderr is ours to read.
///
/// # Errors
/// What the system says.
pub fn spawn_errand(arguments: &[&OsStr], _mask: u32) -> io::Result<std::process::Child> {
    use std::process::{Command, Stdio};
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn()
}
