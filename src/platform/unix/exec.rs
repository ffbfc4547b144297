//! Creating processes: the supervisor, and the commands of jobs.
//!
//! std's `Command` returns only after the child executes, so nothing can be recorded between creation and execution.
//! Here the child waits, complete but for the exec, until its identity is on disk. Whoever creates it may die at any
//! moment: the child then sees the end of its pipe and exits without having executed anything.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::libc;

use super::files;
use super::fork::{Prepared, STAGE_CWD, STAGE_EXEC, c_string, fork, fork_and_run};
use super::process;
use super::wake::away_from_stdio;
use crate::domain::identity::ProcessIdentity;
use crate::domain::os_text::OsText;
use crate::domain::state::Reason;
use crate::platform::ExecFailure;

/// What a child is to become.
#[derive(Clone, Debug)]
pub struct ExecPlan {
    /// The command and its arguments; never empty. Looked up in the `PATH` of `variables`.
    pub command: Vec<OsText>,
    /// Its whole environment.
    pub variables: Vec<(OsText, OsText)>,
    /// Its working directory.
    pub cwd: OsText,
    /// Its file mode creation mask.
    pub umask: u32,
    /// Its niceness, if it shall differ from ours.
    pub nice: Option<i32>,
    /// Resource limits: the resource, the soft and the hard limit.
    pub limits: Vec<ResourceLimit>,
}

/// One resource limit; `None` is unlimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceLimit {
    pub(super) resource: i32,
    pub(super) soft: Option<u64>,
    pub(super) hard: Option<u64>,
}

/// The input of a command.
#[derive(Debug)]
pub enum JobInput {
    /// Nothing.
    Null,
    /// Descriptor 0 of this process.
    Own,
    /// An open file or FIFO.
    File(File),
    /// A terminal of its own, which controls its session.
    Terminal(File),
}

/// A child that waits for [`HeldChild::release`] before it executes its command. Dropping it makes the child exit.
#[derive(Debug)]
pub struct HeldChild {
    identity: ProcessIdentity,
    go: File,
    news: File,
}

/// Returns the limit with this name (`NOFILE`, any case, with or without `RLIMIT_`), or `None` when there is none.
pub fn resource_limit(name: &str, soft: Option<u64>, hard: Option<u64>) -> Option<ResourceLimit> {
    let upper = name.to_ascii_uppercase();
    let resource = match upper.strip_prefix("RLIMIT_").unwrap_or(&upper) {
        "AS" => libc::RLIMIT_AS,
        "CORE" => libc::RLIMIT_CORE,
        "CPU" => libc::RLIMIT_CPU,
        "DATA" => libc::RLIMIT_DATA,
        "FSIZE" => libc::RLIMIT_FSIZE,
        "MEMLOCK" => libc::RLIMIT_MEMLOCK,
        "NOFILE" => libc::RLIMIT_NOFILE,
        "NPROC" => libc::RLIMIT_NPROC,
        "STACK" => libc::RLIMIT_STACK,
        _ => return None,
    };
    Some(ResourceLimit { resource: resource as i32, soft, hard })
}

impl HeldChild {
    /// Creates the child in a session of its own, with default dispositions, an empty signal mask and no descriptors
    /// but 0, 1 and 2, and lets it wait.
    ///
    /// # Errors
    /// When something cannot be prepared or the process cannot be created.
    pub fn create(plan: &ExecPlan, input: &JobInput, stdout: &File, stderr: &File) -> io::Result<Self> {
        let null = files::open_null()?;
        let stdin = match input {
            JobInput::Null => null.as_raw_fd(),
            JobInput::Own => 0,
            JobInput::File(file) | JobInput::Terminal(file) => file.as_raw_fd(),
        };
        let stdio = [stdin, stdout.as_raw_fd(), stderr.as_raw_fd()];
        let mut prepared = Prepared::new(&plan.command, &plan.variables, stdio)?;
        prepared.has_terminal = matches!(input, JobInput::Terminal(_));
        prepared.cwd = Some(c_string(&plan.cwd)?);
        prepared.umask = Some(plan.umask);
        prepared.nice = plan.nice;
        prepared.limits.clone_from(&plan.limits);
        prepared.oom_score = raised_oom_score();
        let (go_reader, go_writer) = pipe()?;
        let (news_reader, news_writer) = pipe()?;
        let pid = fork(&prepared, Some(go_reader.as_raw_fd()), news_writer.as_raw_fd())?;
        drop((go_reader, news_writer));
        let identity = process::process_info(pid).map_or(ProcessIdentity { pid, start_time: 0 }, |info| info.identity);
        Ok(Self { identity, go: go_writer.into(), news: news_reader.into() })
    }

    /// Returns who the child is; that stays the same through exec.
    pub fn identity(&self) -> ProcessIdentity {
        self.identity
    }

    /// Lets the child execute, and returns once it does. On failure the child has exited, and must be reaped.
    ///
    /// # Errors
    /// Which step failed, and why.
    pub fn release(mut self) -> Result<(), ExecFailure> {
        let setup = |error| ExecFailure { reason: Reason::Setup, error };
        // A child that failed before it came to wait hears nothing any more, but has said why.
        let heard = self.go.write_all(&[1]);
        let mut news = Vec::new();
        self.news.read_to_end(&mut news).map_err(setup)?;
        let Some((stage, errno)) = news.split_first() else { return heard.map_err(setup) };
        let errno = errno.try_into().map(i32::from_ne_bytes).unwrap_or(libc::EIO);
        let reason = match (*stage, errno) {
            (STAGE_CWD, _) => Reason::Cwd,
            (STAGE_EXEC, libc::ENOENT | libc::ENOTDIR) => Reason::NotFound,
            (STAGE_EXEC, _) => Reason::NotExecutable,
            _ => Reason::Setup,
        };
        Err(ExecFailure { reason, error: io::Error::from_raw_os_error(errno) })
    }
}

/// What a supervisor inherits: its end of the connection and our stdin, which it may keep for its job.
fn of_supervisor(variables: &[(OsText, OsText)], connection: &OwnedFd, null: &File) -> io::Result<Prepared> {
    let null = null.as_raw_fd();
    let mut prepared = Prepared::new(&["jobdir".into(), "supervise".into()], variables, [0, null, null])?;
    prepared.cwd = Some(c"/".to_owned());
    prepared.supervisor_end = Some(connection.as_raw_fd());
    Ok(prepared)
}

/// Starts `jobdir supervise` in a session of its own, with nothing of ours but its end of the connection and our stdin, which it
/// may keep for its job; above all not the cookie of a job that we may be part of. Whether it works is told by the connection.
///
/// # Errors
/// When the process cannot be created.
pub fn spawn_supervisor(connection: OwnedFd) -> io::Result<()> {
    let null = files::open_null()?;
    // Room for it to show what it supervises.
    let room = ("JOBDIR_ROOM".into(), OsText(vec![b' '; 300]));
    let variables = [vec![room], crate::platform::crash::switches()].concat();
    let mut prepared = of_supervisor(&variables, &connection, &null)?;
    // `/proc/self/exe` still works after the binary was replaced; elsewhere its path must do.
    let own = std::env::current_exe()?;
    prepared.candidates = vec![c"/proc/self/exe".to_owned(), c_string(&files::os_text(own.as_os_str()))?];
    let (_news_reader, news_writer) = pipe()?;
    fork(&prepared, None, news_writer.as_raw_fd())?;
    Ok(())
}

/// Makes a supervisor of a copy of this process, which is as [`spawn_supervisor`] would make it and then runs `supervise`. To be
/// called by a process with one thread that has done nothing yet: so there is little to copy, and nothing to execute once more.
///
/// # Errors
/// When the process cannot be created.
pub fn fork_supervisor(connection: OwnedFd, supervise: fn() -> u8) -> io::Result<()> {
    let null = files::open_null()?;
    let variables = crate::platform::crash::switches();
    let prepared = of_supervisor(&variables, &connection, &null)?;
    fork_and_run(&prepared, || {
        let switches = variables.iter().map(|(name, value)| OsText([name.0.as_slice(), b"=", &value.0].concat()));
        let title: Vec<OsText> = ["jobdir".into(), "supervise".into()].into_iter().chain(switches).collect();
        super::title::show(&title, &variables);
        supervise()
    })?;
    Ok(())
}

/// Starts this program with these arguments, in a process group of its own, so that what happens to us at the terminal is
/// nothing to it; its stderr is ours to read. Meant for clients with a single thread that creates files.
///
/// # Errors
/// When the process cannot be created.
pub fn spawn_errand(arguments: &[&OsStr], mask: u32) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    // As for a supervisor: the binary may have been replaced.
    let own = Path::new("/proc/self/exe");
    let own = if own.exists() { own.to_owned() } else { std::env::current_exe()? };
    let mut command = Command::new(own);
    command.arg0("jobdir").args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let ours = files::set_file_mask(mask);
    let child = command.spawn();
    files::set_file_mask(ours);
    child
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((away_from_stdio(reader.into())?, away_from_stdio(writer.into())?))
}

/// Raising the score needs no privilege, and makes the kernel choose the job before its supervisor.
fn raised_oom_score() -> Option<Vec<u8>> {
    let score = std::fs::read_to_string("/proc/self/oom_score_adj").ok()?;
    let score: i32 = score.trim().parse().ok()?;
    Some((score + 500).min(1000).to_string().into_bytes())
}

/// Lets go of our own stdin, once the job has it: whoever writes to it must see when the job stops reading.
///
/// # Errors
/// What the system says.
pub fn release_stdin() -> io::Result<()> {
    let null = files::open_null()?;
    // SAFETY: dup2 of two descriptors that are open.
    if unsafe { libc::dup2(null.as_raw_fd(), 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_waits_holds_nothing_of_ours_and_goes_when_we_do() {
        let lock = tempfile::tempfile().expect("a file");
        nix::fcntl::fcntl(&lock, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).expect("inheritable");
        let null = files::open_null().expect("opens");
        let plan = ExecPlan {
            command: vec!["true".into()],
            variables: Vec::new(),
            cwd: "/".into(),
            umask: 0o22,
            nice: None,
            limits: Vec::new(),
        };
        let child = HeldChild::create(&plan, &JobInput::Null, &null, &null).expect("creates");
        let pid = child.identity().pid;
        // 0, 1, 2, where it waits, and where it tells of failures; it needs a moment to come that far.
        let began = std::time::Instant::now();
        while process::open_files(pid).len() != 5 {
            assert!(began.elapsed().as_secs() < 30, "{:?}", process::open_files(pid));
            std::thread::yield_now();
        }
        // Our end of its pipe is the last one: this returns, and would wait for ever otherwise.
        drop(child);
        super::super::reap_blocking(pid);
    }
}
