//! Options and steps that several commands share.

use std::time::Duration;

use crate::client::{Filter, Sink, Unresolved, resolve};
use crate::context::Context;
use crate::domain::duration;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::state::{ErrorKind, State};
use crate::error::CommandError;
use crate::store::Store;

/// Parses a duration option.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    duration::parse(text)
}

/// Parses a limit option, where 0 and off mean none.
pub(super) fn parse_limit(text: &str) -> Result<duration::Limit, String> {
    duration::parse_limit(text)
}

/// Parses a size option, where 0 and off mean none.
pub(super) fn parse_size_limit(text: &str) -> Result<u64, String> {
    if text == "off" { Ok(0) } else { duration::parse_size(text) }
}

/// Says that output is missing, and why.
pub(super) fn dropped_notice(sink: Sink, bytes: u64) -> String {
    let stream = match sink {
        Sink::Stdout => "stdout",
        Sink::Stderr => "stderr",
    };
    format!("jobdir: {bytes} bytes of {stream} are missing here: the limit of --log-max dropped them")
}

/// Which jobs a verb means: named ones, or those that a filter admits.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The jobs, each once, in the order given.
    pub ids: Vec<JobId>,
    /// What leads to no job.
    pub unresolved: Vec<Unresolved>,
}

/// Finds the jobs that were named.
pub(super) fn choose(store: &Store, given: &[String]) -> Result<Chosen, CommandError> {
    let mut chosen = Chosen { ids: Vec::new(), unresolved: Vec::new() };
    for text in given {
        match resolve(store, text)? {
            Ok(id) if chosen.ids.contains(&id) => {}
            Ok(id) => chosen.ids.push(id),
            Err(unresolved) => chosen.unresolved.push(unresolved),
        }
    }
    Ok(chosen)
}

/// Finds the jobs that a filter admits.
pub(super) fn choose_by_filter(store: &Store, filter: &Filter) -> Result<Chosen, CommandError> {
    let jobs = store.load_all(&store.job_ids()?);
    let ids = jobs.iter().filter(|job| filter.admits(job)).map(|job| job.id).collect();
    Ok(Chosen { ids, unresolved: Vec::new() })
}

/// Finds exactly one job.
pub(super) fn choose_one(store: &Store, given: &str, context: &Context) -> Result<JobId, CommandError> {
    resolve(store, given)?.map_err(|unresolved| CommandError::no_such_job(&unresolved, context))
}

/// What is said when a job turns out to have lost its supervisor.
pub(super) fn orphan_notice(job: &Job) -> String {
    let pids: Vec<String> = job.observation.survivors.iter().map(|s| s.identity.pid.to_string()).collect();
    format!(
        "job {} is orphaned: its supervisor died, process {} goes on; waiting for its end ('jobdir kill {}' stops it)",
        job.id,
        pids.join(", "),
        job.id
    )
}

/// What is said of an end that the exit code alone does not tell; nothing for an ordinary one.
pub(super) fn end_note(job: &Job) -> Option<String> {
    let id = job.id;
    let message = job.observation.message.as_deref().map(crate::present::text::escape);
    let with = |text: String| message.as_ref().map_or(text.clone(), |message| format!("{text}: {message}"));
    match job.state() {
        State::Failed if job.observation.error_kind == Some(ErrorKind::SpawnFailure) => {
            Some(with(format!("job {id} could not be started")))
        }
        State::Failed | State::Succeeded => message.map(|message| format!("job {id}: {message}")),
        State::TimedOut => Some(format!("job {id} was stopped by its own time limit ({})", reason(job))),
        State::Interrupted => Some(format!("job {id} was stopped on request ({})", reason(job))),
        State::Abandoned => Some(with(format!("job {id} was abandoned"))),
        State::Skipped => Some(with(format!("job {id} was never started"))),
        State::Lost => Some(with(format!("job {id} is lost"))),
        State::Corrupt => Some(with(format!("job {id} is corrupt"))),
        _ => None,
    }
}

fn reason(job: &Job) -> String {
    let text = job.record().and_then(|r| r.outcome()?.reason_text.as_deref());
    let reason = job.observation.reason.map_or("unknown", |reason| reason.as_str());
    text.map_or_else(|| reason.to_owned(), |text| format!("{reason}: {}", crate::present::text::escape(text)))
}
