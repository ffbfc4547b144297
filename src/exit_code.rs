//! Exit codes: the table of the contract, in one place.

use crate::client::shell_code;
use crate::domain::job::Job;
use crate::domain::outcome::ExitStatus;
use crate::domain::state::{ErrorKind, Reason, State};

/// Done.
pub const DONE: u8 = 0;
/// Refused or failed (all commands but `run`, `resume` and `wait`).
pub const FAILED: u8 = 1;
/// Wrong usage (all commands but `run`, `resume` and `wait`).
pub const USAGE: u8 = 2;
/// No such job, or ambiguous (all commands but `run`, `resume` and `wait`).
pub const NO_SUCH_JOB: u8 = 3;
/// `run`, `resume`, `wait`: the job was abandoned.
pub const ABANDONED: u8 = 120;
/// `run`, `resume`, `wait`: the job is lost, no outcome is known.
pub const LOST: u8 = 121;
/// `run`, `resume`, `wait`: the job goes on; only the looking on has ended.
pub const STILL_RUNNING: u8 = 122;
/// `run`, `resume`, `wait`: the job was never started.
pub const NEVER_STARTED: u8 = 123;
/// `run`, `resume`, `wait`: the job's own time limit stopped it.
pub const TIMED_OUT: u8 = 124;
/// `run`, `resume`, `wait`: jobdir failed or refused.
pub const JOBDIR_FAILED: u8 = 125;
/// The command was found but cannot be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// The command was not found.
pub const NOT_FOUND: u8 = 127;
/// Interrupted on request although the command itself exited with 0, or its status could not be seen.
pub const INTERRUPTED: u8 = 130;
/// The reader of a foreground client's stdout went away.
pub const READER_GONE: u8 = 141;

/// Returns the code of a start that failed for this reason.
pub fn of_spawn_failure(reason: Reason) -> u8 {
    match reason {
        Reason::NotFound => NOT_FOUND,
        Reason::NotExecutable => NOT_EXECUTABLE,
        _ => JOBDIR_FAILED,
    }
}

/// Returns the code by which `run`, `resume` and `wait` mirror the end of a job.
pub fn of_job(job: &Job) -> u8 {
    let attempt = job.attempt();
    let started = attempt.is_some_and(|a| a.started_at.is_some());
    let status = attempt.and_then(|a| match (a.exit_code, a.signal) {
        (Some(code), _) => Some(ExitStatus::Exited(code)),
        (None, Some(signal)) => Some(ExitStatus::Signaled(signal)),
        (None, None) => None,
    });
    match job.state() {
        State::Succeeded => DONE,
        State::Failed => match (job.observation.error_kind, status) {
            (Some(ErrorKind::SpawnFailure), _) => job.observation.reason.map_or(JOBDIR_FAILED, of_spawn_failure),
            (_, Some(status)) => shell_code(status),
            (_, None) => JOBDIR_FAILED,
        },
        State::Interrupted | State::TimedOut if !started => NEVER_STARTED,
        State::Interrupted => match status {
            Some(ExitStatus::Exited(0)) | None => INTERRUPTED,
            Some(status) => shell_code(status),
        },
        State::TimedOut => TIMED_OUT,
        State::Abandoned => ABANDONED,
        State::Skipped => NEVER_STARTED,
        State::Lost | State::Orphaned => LOST,
        State::Corrupt | State::Unknown => JOBDIR_FAILED,
        State::Queued | State::Starting | State::Running | State::Stopping | State::Finalizing => STILL_RUNNING,
    }
}
