//! Creating processes: the supervisor, and the commands of jobs.
//!
//! std's `Command` returns only after the child executes, so nothing can be recorded between creation and execution.
//! Here the child waits, complete but for the exec, until its identity is on disk. Whoever creates it may die at any
//! moment: the child then sees the end of its pipe and exits without having executed anything.

use std::cell::Cell;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::fcntl::OFlag;
use nix::libc;

use super::connection::SUPERVISOR_END;
use super::files;
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
    resource: i32,
    soft: Option<u64>,
    hard: Option<u64>,
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

/// Everything that the child needs, allocated before the fork: afterwards it may only make system calls.
struct Prepared {
    candidates: Vec<CString>,
    _strings: Vec<CString>,
    argv: Vec<*const libc::c_char>,
    /// `argv` for a script without an interpreter line: the shell, then the script's path, set by the child.
    shell_argv: Vec<Cell<*const libc::c_char>>,
    envp: Vec<*const libc::c_char>,
    cwd: Option<CString>,
    stdio: [RawFd; 3],
    supervisor_end: Option<RawFd>,
    umask: Option<u32>,
    nice: Option<i32>,
    limits: Vec<ResourceLimit>,
    oom_score: Option<Vec<u8>>,
}

const SHELL: &std::ffi::CStr = c"/bin/sh";

fn c_string(text: &OsText) -> io::Result<CString> {
    CString::new(text.0.clone())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "contains a NUL byte, which no process can be given"))
}

impl Prepared {
    fn new(command: &[OsText], variables: &[(OsText, OsText)], stdio: [RawFd; 3]) -> io::Result<Self> {
        let path = variables.iter().rev().find(|(name, _)| name.0 == b"PATH").map(|(_, value)| value.0.as_slice());
        let candidates = candidates(&command[0].0, path.unwrap_or(b"/usr/local/bin:/usr/bin:/bin"))?;
        let arguments = command.iter().map(c_string).collect::<io::Result<Vec<_>>>()?;
        let entries = variables
            .iter()
            .map(|(name, value)| c_string(&OsText([name.0.as_slice(), b"=", value.0.as_slice()].concat())))
            .collect::<io::Result<Vec<_>>>()?;
        let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
            strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
        };
        let argv = pointers(&arguments);
        let envp = pointers(&entries);
        let shell_argv = [SHELL.as_ptr()].into_iter().chain(argv.iter().copied()).map(Cell::new).collect();
        Ok(Self {
            candidates,
            _strings: arguments.into_iter().chain(entries).collect(),
            argv,
            shell_argv,
            envp,
            cwd: None,
            stdio,
            supervisor_end: None,
            umask: None,
            nice: None,
            limits: Vec::new(),
            oom_score: None,
        })
    }
}

/// Where a command may be: itself when it contains a slash, else one path for each entry of `PATH`.
fn candidates(command: &[u8], path: &[u8]) -> io::Result<Vec<CString>> {
    if command.contains(&b'/') || command.is_empty() {
        return Ok(vec![c_string(&OsText(command.to_vec()))?]);
    }
    path.split(|b| *b == b':')
        .map(|dir| c_string(&OsText([if dir.is_empty() { b"." } else { dir }, b"/", command].concat())))
        .collect()
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
            JobInput::File(file) => file.as_raw_fd(),
        };
        let stdio = [stdin, stdout.as_raw_fd(), stderr.as_raw_fd()];
        let mut prepared = Prepared::new(&plan.command, &plan.variables, stdio)?;
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

/// Starts `jobdir supervise` with these further arguments in a session of its own, with nothing of ours but its end of
/// the connection and, when asked for, our stdin. Returns its pid; whether it works is told by the connection.
///
/// # Errors
/// When the process cannot be created.
pub fn spawn_supervisor(
    arguments: &[&OsStr],
    variables: &[(OsText, OsText)],
    connection: OwnedFd,
    keep_stdin: bool,
) -> io::Result<u32> {
    let null = files::open_null()?;
    let null = null.as_raw_fd();
    let command: Vec<OsText> =
        [OsStr::new("jobdir"), OsStr::new("supervise")].iter().chain(arguments).map(|a| files::os_text(a)).collect();
    let mut prepared = Prepared::new(&command, variables, [if keep_stdin { 0 } else { null }, null, null])?;
    // `/proc/self/exe` still works after the binary was replaced; elsewhere its path must do.
    let own = std::env::current_exe()?;
    prepared.candidates = vec![c"/proc/self/exe".to_owned(), c_string(&files::os_text(own.as_os_str()))?];
    prepared.cwd = Some(c"/".to_owned());
    prepared.supervisor_end = Some(connection.as_raw_fd());
    let (_news_reader, news_writer) = pipe()?;
    fork(&prepared, None, news_writer.as_raw_fd())
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    Ok((away_from_stdio(reader)?, away_from_stdio(writer)?))
}

/// Raising the score needs no privilege, and makes the kernel choose the job before its supervisor.
fn raised_oom_score() -> Option<Vec<u8>> {
    let score = std::fs::read_to_string("/proc/self/oom_score_adj").ok()?;
    let score: i32 = score.trim().parse().ok()?;
    Some((score + 500).min(1000).to_string().into_bytes())
}

const STAGE_SETUP: u8 = 0;
const STAGE_CWD: u8 = 1;
const STAGE_EXEC: u8 = 2;

fn fork(prepared: &Prepared, go: Option<RawFd>, news: RawFd) -> io::Result<u32> {
    // The child inherits our handlers until it has reset them; a signal in between must not run one of them there.
    // SAFETY: plain signal mask calls on initialised sets; between fork and exec the child makes system calls only.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let pid = libc::fork();
        if pid == 0 {
            become_command(prepared, go, news);
        }
        let error = io::Error::last_os_error();
        libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        u32::try_from(pid).map_err(|_| error)
    }
}

/// The child's part. Only system calls: no allocation, no lock, no panic.
unsafe fn become_command(prepared: &Prepared, go: Option<RawFd>, news: RawFd) -> ! {
    // SAFETY: all pointers were prepared before the fork and live in our copy of the memory.
    unsafe {
        let fail = |stage: u8| -> ! {
            let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO).to_ne_bytes();
            let message = [stage, errno[0], errno[1], errno[2], errno[3]];
            libc::write(news, message.as_ptr().cast(), message.len());
            libc::_exit(125)
        };
        libc::setsid();
        reset_signals();
        // The sources are above 2, except stdin itself, which is put first.
        for (target, source) in prepared.stdio.iter().enumerate() {
            let target = target as RawFd;
            if *source == target {
                libc::fcntl(target, libc::F_SETFD, 0);
            } else if libc::dup2(*source, target) < 0 {
                fail(STAGE_SETUP);
            }
        }
        // Nothing of our parent's may be left while we wait: not its end of our pipe, whose closing tells us of its
        // death, and not the lock that is its claim.
        close_all_but([prepared.supervisor_end.unwrap_or(-1), go.unwrap_or(-1), news]);
        if let Some(connection) = prepared.supervisor_end {
            if connection == SUPERVISOR_END {
                libc::fcntl(connection, libc::F_SETFD, 0);
            } else if libc::dup2(connection, SUPERVISOR_END) < 0 {
                fail(STAGE_SETUP);
            }
        }
        if let Some(mask) = prepared.umask {
            libc::umask(mask as libc::mode_t);
        }
        if let Some(score) = &prepared.oom_score {
            let fd = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            if fd >= 0 {
                libc::write(fd, score.as_ptr().cast(), score.len());
                libc::close(fd);
            }
        }
        for limit in &prepared.limits {
            let value = |limit: Option<u64>| limit.map_or(libc::RLIM_INFINITY, |l| l as libc::rlim_t);
            let both = libc::rlimit { rlim_cur: value(limit.soft), rlim_max: value(limit.hard) };
            if libc::setrlimit(limit.resource as _, &raw const both) != 0 {
                fail(STAGE_SETUP);
            }
        }
        if let Some(nice) = prepared.nice
            && libc::setpriority(libc::PRIO_PROCESS, 0, nice) != 0
        {
            fail(STAGE_SETUP);
        }
        if let Some(cwd) = &prepared.cwd
            && libc::chdir(cwd.as_ptr()) != 0
        {
            fail(STAGE_CWD);
        }
        if let Some(go) = go {
            let mut byte = 0u8;
            loop {
                match libc::read(go, (&raw mut byte).cast(), 1) {
                    1 => break,
                    -1 if io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
                    // Whoever created us is gone before it could record us.
                    _ => libc::_exit(125),
                }
            }
        }
        let mut refused = 0;
        for candidate in &prepared.candidates {
            libc::execve(candidate.as_ptr(), prepared.argv.as_ptr(), prepared.envp.as_ptr());
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => {}
                // A script without an interpreter line, as every shell and execvp(3) understand it.
                Some(libc::ENOEXEC) => {
                    prepared.shell_argv[1].set(candidate.as_ptr());
                    libc::execve(SHELL.as_ptr(), prepared.shell_argv.as_ptr().cast(), prepared.envp.as_ptr());
                    fail(STAGE_EXEC);
                }
                Some(libc::EACCES) => refused = libc::EACCES,
                _ => fail(STAGE_EXEC),
            }
        }
        if refused != 0 {
            set_errno(refused);
        }
        fail(STAGE_EXEC)
    }
}

unsafe fn set_errno(value: i32) {
    #[cfg(target_os = "linux")]
    // SAFETY: always valid for the calling thread.
    unsafe {
        *libc::__errno_location() = value;
    }
    #[cfg(not(target_os = "linux"))]
    // SAFETY: always valid for the calling thread.
    unsafe {
        *libc::__error() = value;
    }
}

/// Default dispositions for everything, and an empty mask: an ignored INT would be inherited through exec.
unsafe fn reset_signals() {
    // SAFETY: plain data, fully initialised; numbers that do not exist are refused and that is fine.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        libc::sigemptyset(&raw mut default.sa_mask);
        for number in 1..=64 {
            libc::sigaction(number, &raw const default, std::ptr::null_mut());
        }
        // The C library refuses to touch the two that it uses itself, yet posix_spawn(3) makes programs ignore one.
        #[cfg(target_os = "linux")]
        {
            let default = [0u64; 8];
            for number in [32, 33] {
                libc::syscall(libc::SYS_rt_sigaction, number, default.as_ptr(), std::ptr::null_mut::<u64>(), 8);
            }
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Closes every descriptor above stderr, whoever opened it, but these (-1 is none).
unsafe fn close_all_but(keep: [RawFd; 3]) {
    // SAFETY: these calls take integers only.
    unsafe {
        let mut first = 3;
        loop {
            // The next one to keep, or the end.
            let mut next = RawFd::MAX;
            for fd in keep {
                if fd >= first && fd < next {
                    next = fd;
                }
            }
            let last = if next == RawFd::MAX { u32::MAX } else { next as u32 - 1 };
            if next > first && !close_range(first as u32, last) {
                let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
                let end = (limit.rlim_cur.clamp(256, 65_536) as RawFd).min(next);
                for fd in first..end {
                    libc::close(fd);
                }
            }
            if next == RawFd::MAX {
                return;
            }
            first = next + 1;
        }
    }
}

/// Closes a range of descriptors at once, where the system can.
unsafe fn close_range(first: u32, last: u32) -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: the call takes integers only.
    return unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) == 0 };
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (first, last);
        false
    }
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
