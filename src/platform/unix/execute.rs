//! Executing the commands of jobs.
//!
//! std's `Command` returns only after the child executes, so nobody could record it before. Here nothing executes that is not
//! announced: the child itself writes who it is, into a file that was made for that, and only then executes. Whoever creates it
//! may die at any moment: up to there the child dies with it.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::libc;

use super::command::{ExecPlan, JobInput, failure, prepare};
use super::files;
use super::fork::{c_string, fork, set_errno};
use crate::domain::identity::ProcessIdentity;
use crate::domain::state::Reason;
use crate::platform::crash::crash_point_of_parent;
use crate::platform::{Announcement, ExecFailure};

/// Executes a command in a child in a session of its own, with default dispositions, an empty signal mask and no descriptors but
/// 0, 1 and 2. Before that, the child announces itself. Returns who it is once it executes. We stand still until then: the child
/// borrows our memory, so that none has to be copied.
///
/// # Errors
/// Which step failed, and why. The child has then ended and been reaped.
pub fn execute(
    plan: &ExecPlan,
    input: &JobInput,
    stdout: &File,
    stderr: &File,
    announcement: Option<&Announcement>,
) -> Result<ProcessIdentity, ExecFailure> {
    let setup = |error| ExecFailure { reason: Reason::Setup, error };
    let null = files::open_null().map_err(setup)?;
    let mut prepared = prepare(plan, input, stdout, stderr, &null).map_err(setup)?;
    prepared.herald = Some(Herald::new(announcement).map_err(setup)?);
    let pid = fork(&prepared, None).map_err(setup)?;
    if let Some((stage, errno)) = prepared.failure.get() {
        super::reap_blocking(pid);
        return Err(failure(stage, errno));
    }
    // Somebody has killed it on its way: the command has not been started.
    let Some(start_time) = prepared.herald.as_ref().and_then(|herald| herald.executes.get()) else {
        super::reap_blocking(pid);
        return Err(setup(io::Error::other("killed before it could execute")));
    };
    Ok(ProcessIdentity { pid, start_time })
}

/// What the child needs to announce itself, and to die with us until it has.
pub(super) struct Herald<'a> {
    parent: libc::pid_t,
    announcement: Option<(&'a Announcement, [std::ffi::CString; 2])>,
    /// When the child was created; known once nothing but its end keeps it from executing.
    executes: Cell<Option<u64>>,
    start_time: Cell<u64>,
}

impl<'a> Herald<'a> {
    fn new(announcement: Option<&'a Announcement>) -> io::Result<Self> {
        let path = |path: &std::path::Path| c_string(&files::os_text(path.as_os_str()));
        let with_paths = |announcement: &'a Announcement| {
            Ok::<_, io::Error>((announcement, [path(&announcement.temporary)?, path(&announcement.path)?]))
        };
        Ok(Self {
            parent: nix::unistd::getpid().as_raw(),
            announcement: announcement.map(with_paths).transpose()?,
            executes: Cell::new(None),
            start_time: Cell::new(0),
        })
    }

    /// Announces the child that calls this. Only system calls; the error is in `errno`.
    pub(super) unsafe fn announce(&self) -> Result<(), ()> {
        // SAFETY: these calls take integers, and pointers to what lives as long as our parent stands still.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() != self.parent {
                libc::_exit(125);
            }
            let mut stat = [0u8; 1024];
            let fd = libc::open(c"/proc/self/stat".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
            if fd < 0 {
                // Who has no start time is nobody, and could not be found again.
                return Err(());
            }
            let length = libc::read(fd, stat.as_mut_ptr().cast(), stat.len());
            libc::close(fd);
            let stat = stat.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
            let Some(row) = super::process::parse_stat(stat) else {
                set_errno(libc::EIO);
                return Err(());
            };
            self.start_time.set(row.identity.start_time);
            let Some((announcement, [temporary, path])) = &self.announcement else { return Ok(()) };
            crash_point_of_parent("start.forked");
            let (mut pid, mut start) = ([0; 20], [0; 20]);
            let [before, between, after] = &announcement.text;
            let numbers = [
                decimal(u64::from(libc::getpid().cast_unsigned()), &mut pid),
                decimal(self.start_time.get(), &mut start),
            ];
            let file = announcement.file.as_raw_fd();
            for part in [before.as_slice(), numbers[0], between, numbers[1], after] {
                let mut rest = part;
                while !rest.is_empty() {
                    match usize::try_from(libc::write(file, rest.as_ptr().cast(), rest.len())) {
                        Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                        Err(_) if io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => {}
                        Err(_) => return Err(()),
                    }
                }
            }
            crash_point_of_parent("start.written");
            if libc::rename(temporary.as_ptr(), path.as_ptr()) != 0 {
                return Err(());
            }
            crash_point_of_parent("start.identified");
            Ok(())
        }
    }

    /// From now on the child lives on when we die: it is known. Ends it if we are dead already.
    pub(super) unsafe fn let_go(&self) {
        // SAFETY: these calls take integers.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, 0);
            if libc::getppid() != self.parent {
                libc::_exit(125);
            }
        }
        self.executes.set(Some(self.start_time.get()));
    }
}

/// Writes a number into a buffer, without any memory but that.
fn decimal(mut number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_killed_on_the_way_has_not_started() {
        let null = files::open_null().expect("opens");
        let (_reader, mut full) = io::pipe().expect("a pipe");
        io::Write::write_all(&mut full, &[0; 65536]).expect("fills");
        // It comes no further than its announcement.
        let announcement = Announcement {
            file: std::os::fd::OwnedFd::from(full).into(),
            temporary: "/nowhere/pid.new".into(),
            path: "/nowhere/pid".into(),
            text: [b"{".to_vec(), Vec::new(), Vec::new()],
        };
        let children = format!("/proc/self/task/{}/children", nix::unistd::gettid());
        let killer = std::thread::spawn(move || {
            let began = std::time::Instant::now();
            loop {
                let child = std::fs::read_to_string(&children).ok().and_then(|list| list.trim().parse().ok());
                if let Some(child) = child {
                    return nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), nix::sys::signal::SIGKILL);
                }
                assert!(began.elapsed().as_secs() < 30, "no child");
                std::thread::yield_now();
            }
        });
        let plan = ExecPlan {
            command: vec!["true".into()],
            variables: Vec::new(),
            cwd: "/".into(),
            umask: 0o022,
            nice: None,
            limits: Vec::new(),
        };
        let failure = execute(&plan, &JobInput::Null, &null, &null, Some(&announcement)).expect_err("was killed");
        assert_eq!(failure.reason, Reason::Setup);
        killer.join().expect("ends").expect("kills");
    }
}
