//! Which ended jobs may be removed.

use chrono::{DateTime, TimeDelta, Utc};

use super::job::Job;
use super::record::FinallyState;
use super::state::State;

/// How long ended jobs are kept.
pub const KEEP_DAYS: i64 = 30;
/// How many of the last ended jobs are kept in any case.
pub const KEEP_LAST: usize = 1000;

/// What `prune` is asked to remove, besides what filters say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// Only what ended before.
    pub ended_before: Option<DateTime<Utc>>,
    /// Keep so many of the newest.
    pub keep: usize,
}

impl Retention {
    /// What is removed without being asked.
    pub fn by_default(now: DateTime<Utc>) -> Self {
        Self { ended_before: Some(now - TimeDelta::days(KEEP_DAYS)), keep: KEEP_LAST }
    }

    /// Chooses from ended jobs, given newest first, those that go.
    pub fn choose<'a>(&self, newest_first: impl Iterator<Item = &'a Job>) -> Vec<&'a Job> {
        newest_first
            .skip(self.keep)
            .filter(|job| {
                let ended_at = job.attempt().and_then(|a| a.ended_at).or(job.spec().map(|spec| spec.created_at));
                self.ended_before.is_none_or(|before| ended_at.is_none_or(|ended| ended < before))
            })
            .collect()
    }
}

/// Says whether a job has ended so completely that nothing would be lost but its files.
pub fn is_removable(job: &Job) -> bool {
    let pending = job
        .attempt()
        .and_then(|attempt| attempt.finally.as_ref())
        .is_some_and(|finally| matches!(finally.state, FinallyState::Pending | FinallyState::Running));
    let ended = job.state().is_recorded_end() || (job.state() == State::Lost && !pending);
    ended && !job.has_survivors() && !pending
}
