//! A child that waits to be recorded, where a child cannot borrow the memory of its parent.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc;

use super::command::{ExecPlan, JobInput, failure, prepare};
use super::fork::fork;
use super::wake::away_from_stdio;
use super::{files, process};
use crate::domain::identity::ProcessIdentity;
use crate::domain::state::Reason;
use crate::platform::ExecFailure;

/// A child that waits for [`HeldChild::release`] before it executes its command. Dropping it makes the child exit.
#[derive(Debug)]
pub(in crate::platform) struct HeldChild {
    identity: ProcessIdentity,
    go: File,
    news: File,
}

impl HeldChild {
    /// Creates the child in a session of its own, with default dispositions, an empty signal mask and no descriptors
    /// but 0, 1 and 2, and lets it wait.
    ///
    /// # Errors
    /// When something cannot be prepared or the process cannot be created.
    pub(in crate::platform) fn create(
        plan: &ExecPlan,
        input: &JobInput,
        stdout: &File,
        stderr: &File,
    ) -> io::Result<Self> {
        let null = files::open_null()?;
        let prepared = prepare(plan, input, stdout, stderr, &null)?;
        let (go_reader, go_writer) = pipe()?;
        let (news_reader, news_writer) = pipe()?;
        let pid = fork(&prepared, Some((go_reader.as_raw_fd(), news_writer.as_raw_fd())))?;
        drop((go_reader, news_writer));
        let identity = process::process_info(pid).map_or(ProcessIdentity { pid, start_time: 0 }, |info| info.identity);
        Ok(Self { identity, go: go_writer.into(), news: news_reader.into() })
    }

    /// Returns who the child is; that stays the same through exec.
    pub(in crate::platform) fn identity(&self) -> ProcessIdentity {
        self.identity
    }

    /// Lets the child execute, and returns once it does. On failure the child has exited, and must be reaped.
    ///
    /// # Errors
    /// Which step failed, and why.
    pub(in crate::platform) fn release(mut self) -> Result<(), ExecFailure> {
        let setup = |error| ExecFailure { reason: Reason::Setup, error };
        // A child that failed before it came to wait hears nothing any more, but has said why.
        let heard = self.go.write_all(&[1]);
        let mut news = Vec::new();
        self.news.read_to_end(&mut news).map_err(setup)?;
        let Some((stage, errno)) = news.split_first() else { return heard.map_err(setup) };
        let errno = errno.try_into().map(i32::from_ne_bytes).unwrap_or(libc::EIO);
        Err(failure(*stage, errno))
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((away_from_stdio(reader.into())?, away_from_stdio(writer.into())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(command: &str) -> ExecPlan {
        ExecPlan {
            command: vec![command.into()],
            variables: Vec::new(),
            cwd: "/".into(),
            umask: 0o22,
            nice: None,
            limits: Vec::new(),
        }
    }

    #[test]
    fn a_child_executes_when_it_is_released_and_says_why_it_cannot() {
        let null = files::open_null().expect("opens");
        for (command, failure) in [("true", None), ("no such command", Some(Reason::NotFound))] {
            let child = HeldChild::create(&plan(command), &JobInput::Null, &null, &null).expect("creates");
            let pid = child.identity().pid;
            assert_eq!(child.release().err().map(|failure| failure.reason), failure);
            super::super::reap_blocking(pid);
        }
    }

    #[test]
    fn a_child_that_waits_holds_nothing_of_ours_and_goes_when_we_do() {
        let lock = tempfile::tempfile().expect("a file");
        nix::fcntl::fcntl(&lock, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).expect("inheritable");
        let null = files::open_null().expect("opens");
        let child = HeldChild::create(&plan("true"), &JobInput::Null, &null, &null).expect("creates");
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
