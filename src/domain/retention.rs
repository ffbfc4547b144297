//! Which ended jobs may be removed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::job::Job;
use super::record::FinallyState;
use super::state::State;

/// What is kept without being asked to remove it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Keep {
    /// How long ended jobs are kept; for ever when nothing.
    pub age_ms: Option<u64>,
    /// How many of the newest jobs are kept in any case.
    pub last: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self { age_ms: Some(30 * 24 * 3600 * 1000), last: 1000 }
    }
}

/// What `prune` is asked to remove, besides what filters say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// Only what ended before.
    pub ended_before: Option<DateTime<Utc>>,
    /// Keep so many of the newest.
    pub keep: usize,
}

impl Retention {
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
