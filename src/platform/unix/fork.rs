//! Between fork and exec: everything is prepared before, and the child makes system calls only.

use std::cell::Cell;
use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;

use nix::libc;

use super::command::ResourceLimit;
use super::connection::SUPERVISOR_END;
#[cfg(target_os = "linux")]
use super::execute::Herald;
use crate::domain::os_text::OsText;

/// Everything that the child needs, allocated before the fork: afterwards it may only make system calls.
pub(super) struct Prepared<'a> {
    pub(super) candidates: Vec<CString>,
    _strings: Vec<CString>,
    argv: Vec<*const libc::c_char>,
    /// `argv` for a script without an interpreter line: the shell, then the script's path, set by the child.
    shell_argv: Vec<Cell<*const libc::c_char>>,
    envp: Vec<*const libc::c_char>,
    pub(super) cwd: Option<CString>,
    stdio: [RawFd; 3],
    /// Whether stdin is the terminal that is to control the session.
    pub(super) has_terminal: bool,
    pub(super) supervisor_end: Option<RawFd>,
    pub(super) umask: Option<u32>,
    pub(super) nice: Option<i32>,
    pub(super) limits: Vec<ResourceLimit>,
    pub(super) oom_score: Option<Vec<u8>>,
    /// How the child announces itself, if it shares our memory.
    #[cfg(target_os = "linux")]
    pub(super) herald: Option<Herald<'a>>,
    #[cfg(not(target_os = "linux"))]
    pub(super) herald: std::marker::PhantomData<&'a ()>,
    /// Which step failed, and the error, as a child has said that shares our memory.
    pub(super) failure: Cell<Option<(u8, i32)>>,
}

const SHELL: &std::ffi::CStr = c"/bin/sh";

pub(super) fn c_string(text: &OsText) -> io::Result<CString> {
    CString::new(text.0.clone())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "contains a NUL byte, which no process can be given"))
}

impl Prepared<'_> {
    pub(super) fn new(command: &[OsText], variables: &[(OsText, OsText)], stdio: [RawFd; 3]) -> io::Result<Self> {
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
            has_terminal: false,
            supervisor_end: None,
            umask: None,
            nice: None,
            limits: Vec::new(),
            oom_score: None,
            herald: Default::default(),
            failure: Cell::new(None),
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

const STAGE_SETUP: u8 = 0;
pub(super) const STAGE_CWD: u8 = 1;
pub(super) const STAGE_EXEC: u8 = 2;

/// Where a child waits for a byte before it executes, and where it then says what has failed.
pub(super) type Waits = Option<(RawFd, RawFd)>;

/// Creates a child that becomes what was prepared.
pub(super) fn fork(prepared: &Prepared<'_>, waits: Waits) -> io::Result<u32> {
    // SAFETY: between fork and exec the child makes system calls only. One that waits for us must have a memory of its own; one
    // that executes at once borrows ours meanwhile.
    undisturbed(|| unsafe {
        match waits {
            Some(_) => match libc::fork() {
                0 => become_command(prepared, waits),
                pid => pid,
            },
            None => borrow_memory(prepared),
        }
    })
}

/// Creates a child that has a copy of our memory, takes on what was prepared and goes on with `run`, whose result is its exit code.
/// To be called by a process with one thread.
pub(super) fn fork_and_run(prepared: &Prepared<'_>, run: impl FnOnce() -> u8) -> io::Result<u32> {
    // SAFETY: we have one thread, so the child's memory is as whole as ours.
    undisturbed(|| unsafe {
        match libc::fork() {
            0 => {
                let is_ready = move_in(prepared, None).is_ok() && enter(prepared).is_ok();
                libc::exit(if is_ready { run().into() } else { 125 })
            }
            pid => pid,
        }
    })
}

/// Creates a child while no signal is taken. It inherits our handlers until it has reset them; a signal in between must not run
/// one of them there.
fn undisturbed(create: impl FnOnce() -> libc::pid_t) -> io::Result<u32> {
    // SAFETY: plain signal mask calls on initialised sets.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let pid = create();
        let error = io::Error::last_os_error();
        libc::sigprocmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        u32::try_from(pid).map_err(|_| error)
    }
}

/// Creates a child that shares our memory until it executes, while we stand still: nothing has to be copied for it.
#[cfg(target_os = "linux")]
unsafe fn borrow_memory(prepared: &Prepared<'_>) -> libc::pid_t {
    extern "C" fn child(argument: *mut libc::c_void) -> libc::c_int {
        // SAFETY: our parent passed a pointer to this, and stands still as long as we use it; only system calls, and variables
        // that are on the stack that was made for us.
        unsafe { become_command(&*argument.cast::<Prepared<'_>>(), None) }
    }
    const STACK: usize = 64 << 10;
    let mut stack = vec![0u128; STACK / size_of::<u128>()];
    let argument = std::ptr::from_ref(prepared).cast_mut().cast();
    // SAFETY: the stack grows downwards from the end of memory that outlives the child's use of it, see clone(2).
    unsafe {
        let top = stack.as_mut_ptr().add(stack.len());
        libc::clone(child, top.cast(), libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, argument)
    }
}

#[cfg(not(target_os = "linux"))]
unsafe fn borrow_memory(prepared: &Prepared<'_>) -> libc::pid_t {
    // SAFETY: between fork and exec the child makes system calls only.
    match unsafe { libc::fork() } {
        // SAFETY: as above.
        0 => unsafe { become_command(prepared, None) },
        pid => pid,
    }
}

/// The child's part. Only system calls: no allocation, no lock, no panic.
unsafe fn become_command(prepared: &Prepared<'_>, waits: Waits) -> ! {
    // SAFETY: all pointers were prepared before the fork and live in memory that is ours or that our parent does not touch.
    unsafe {
        let fail = |stage: u8| -> ! {
            let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
            prepared.failure.set(Some((stage, errno)));
            if let Some((_, news)) = waits {
                let errno = errno.to_ne_bytes();
                let message = [stage, errno[0], errno[1], errno[2], errno[3]];
                libc::write(news, message.as_ptr().cast(), message.len());
            }
            libc::_exit(125)
        };
        #[cfg(target_os = "linux")]
        if let Some(herald) = &prepared.herald
            && herald.announce().is_err()
        {
            fail(STAGE_SETUP);
        }
        if move_in(prepared, waits).is_err() {
            fail(STAGE_SETUP);
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
        if enter(prepared).is_err() {
            fail(STAGE_CWD);
        }
        if let Some((go, _)) = waits {
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
        #[cfg(target_os = "linux")]
        if let Some(herald) = &prepared.herald {
            herald.let_go();
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

/// Begins a session with default dispositions and nothing open but what was prepared and where it waits. Only system calls. The
/// error is in `errno`.
unsafe fn move_in(prepared: &Prepared<'_>, waits: Waits) -> Result<(), ()> {
    // SAFETY: as for `become_command`.
    unsafe {
        libc::setsid();
        reset_signals();
        // The sources are above 2, except stdin itself, which is put first.
        for (target, source) in prepared.stdio.iter().enumerate() {
            let target = target as RawFd;
            if *source == target {
                libc::fcntl(target, libc::F_SETFD, 0);
            } else if libc::dup2(*source, target) < 0 {
                return Err(());
            }
        }
        // Only the leader of a session without a terminal may do this, which setsid(2) has made us.
        if prepared.has_terminal && libc::ioctl(0, libc::TIOCSCTTY as _, 0) != 0 {
            return Err(());
        }
        // Nothing of our parent's may be left while we wait: not its end of our pipe, whose closing tells us of its
        // death, and not the lock that is its claim.
        let (go, news) = waits.unwrap_or((-1, -1));
        close_all_but([prepared.supervisor_end.unwrap_or(-1), go, news]);
        if let Some(connection) = prepared.supervisor_end {
            if connection == SUPERVISOR_END {
                libc::fcntl(connection, libc::F_SETFD, 0);
            } else if libc::dup2(connection, SUPERVISOR_END) < 0 {
                return Err(());
            }
        }
    }
    Ok(())
}

/// Enters the working directory. The error is in `errno`.
fn enter(prepared: &Prepared<'_>) -> Result<(), ()> {
    match &prepared.cwd {
        // SAFETY: the string was prepared, and ends with a zero byte.
        Some(cwd) if unsafe { libc::chdir(cwd.as_ptr()) } != 0 => Err(()),
        _ => Ok(()),
    }
}

pub(super) unsafe fn set_errno(value: i32) {
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
