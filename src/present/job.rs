//! One JOB, the document that most others are made of.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Serialize;
use serde_json::Value;

use super::json::time;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::record::{Attempt, Finally, Holdout, StopProgress, Usage, Waiting};
use crate::domain::stop_plan::Rung;

/// One JOB.
#[derive(Debug, Serialize)]
pub struct JobDocument<'a> {
    schema: &'static str,
    id: String,
    // The third, so that a stored form is brought up to date without looking for it.
    observed_at: String,
    uid: Option<&'a str>,
    name: Option<&'a str>,
    labels: Option<&'a BTreeMap<String, String>>,
    state: &'static str,
    error_kind: Option<&'static str>,
    reason: Option<&'static str>,
    reason_text: Option<&'a str>,
    message: Option<&'a str>,
    exit_code: Option<i32>,
    signal: Option<&'static str>,
    paused: Option<bool>,
    attempt: Option<u32>,
    attempts: Option<Vec<AttemptDocument<'a>>>,
    resumable: Option<bool>,
    parent: Option<String>,
    command: Option<Vec<String>>,
    cwd: Option<String>,
    created_at: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
    duration_ms: Option<u64>,
    pid: Option<u32>,
    supervisor_pid: Option<u32>,
    supervised: Option<bool>,
    alive: Option<bool>,
    survivors: Option<Vec<SurvivorDocument<'a>>>,
    stop: Option<StopDocument<'a>>,
    waiting_for: Option<Vec<WaitingDocument<'a>>>,
    finally: Option<FinallyDocument<'a>>,
    output: Option<OutputDocument>,
    usage: Option<Usage>,
    progress: Option<ProgressDocument<'a>>,
    ready: Option<bool>,
    deleted: bool,
    meta: Option<&'a BTreeMap<String, String>>,
    boot_id: Option<&'a str>,
    host: Option<&'a str>,
    containment: Option<&'a [String]>,
    capabilities: Option<&'a [String]>,
}

#[derive(Debug, Serialize)]
struct AttemptDocument<'a> {
    attempt: u32,
    command: Option<Vec<String>>,
    state: Option<&'static str>,
    error_kind: Option<&'static str>,
    reason: Option<&'static str>,
    reason_text: Option<&'a str>,
    message: Option<&'a str>,
    exit_code: Option<i32>,
    signal: Option<&'static str>,
    started_at: Option<String>,
    ended_at: Option<String>,
    duration_ms: Option<u64>,
    pid: Option<u32>,
    finally: Option<FinallyDocument<'a>>,
    usage: Option<Usage>,
}

#[derive(Debug, Serialize)]
struct SurvivorDocument<'a> {
    pid: u32,
    start_time: u64,
    command: &'a str,
}

#[derive(Debug, Serialize)]
struct StopDocument<'a> {
    plan: &'a str,
    rungs: &'a [Rung],
    rung: usize,
    signal: &'static str,
    since: String,
    next: Option<NextDocument>,
    reason: Option<&'static str>,
    reason_text: Option<&'a str>,
    not_stopped: &'a [Holdout],
}

#[derive(Debug, Serialize)]
struct NextDocument {
    signal: &'static str,
    at: String,
}

#[derive(Debug, Serialize)]
struct WaitingDocument<'a> {
    kind: &'a str,
    name: Option<&'a str>,
    holders: Vec<String>,
    position: Option<u32>,
    until: Option<String>,
}

#[derive(Debug, Serialize)]
struct FinallyDocument<'a> {
    state: Value,
    steps: Vec<StepDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct StepDocument<'a> {
    command: &'a str,
    started_at: Option<String>,
    ended_at: Option<String>,
    exit_code: Option<i32>,
    signal: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct OutputDocument {
    stdout_path: String,
    stderr_path: Option<String>,
    stdout_bytes: u64,
    stderr_bytes: Option<u64>,
    dropped_bytes: u64,
}

#[derive(Debug, Serialize)]
struct ProgressDocument<'a> {
    fraction: Option<f64>,
    current: Option<f64>,
    total: Option<f64>,
    message: Option<&'a str>,
}

impl<'a> JobDocument<'a> {
    /// Describes a job; with all its attempts for `status`, without them in lists.
    pub fn new(job: &'a Job, with_attempts: bool) -> Self {
        let (spec, record, attempt, seen) = (job.spec(), job.record(), job.attempt(), &job.observation);
        let known = record.is_some();
        let started_at = attempt.and_then(|a| a.started_at);
        let ended_at = attempt.and_then(|a| a.ended_at);
        let running_for = started_at
            .filter(|_| ended_at.is_none() && !job.state().is_terminal())
            .map(|started| u64::try_from((job.observed_at - started).num_milliseconds()).unwrap_or(0));
        Self {
            schema: "jobdir/job/1",
            id: job.id.to_string(),
            observed_at: time(job.observed_at),
            uid: spec.map(|s| s.uid.as_str()),
            name: spec.and_then(|s| s.name.as_ref()).map(|name| name.as_str()),
            labels: spec.map(|s| &s.labels),
            state: seen.state.as_str(),
            error_kind: seen.error_kind.map(|kind| kind.as_str()),
            reason: seen.reason.map(|reason| reason.as_str()),
            reason_text: record.and_then(|r| r.outcome()?.reason_text.as_deref()),
            message: seen.message.as_deref(),
            exit_code: attempt.and_then(|a| a.exit_code),
            signal: attempt.and_then(|a| a.signal).map(|signal| signal.name()),
            paused: record.map(|r| r.paused),
            attempt: attempt.map(|a| a.number),
            attempts: record.filter(|_| with_attempts).map(|r| r.attempts.iter().map(attempt_document).collect()),
            resumable: known.then(|| job.is_resumable()),
            parent: spec.and_then(|s| s.parent).map(|id| id.to_string()),
            command: job.command().map(|words| words.iter().map(|word| word.lossy().into_owned()).collect()),
            cwd: spec.map(|s| s.cwd.lossy().into_owned()),
            created_at: spec.map(|s| time(s.created_at)),
            started_at: started_at.map(time),
            ended_at: ended_at.map(time),
            duration_ms: attempt.and_then(|a| a.duration_ms).or(running_for),
            pid: attempt.and_then(|a| a.leader).map(|leader| leader.pid),
            supervisor_pid: record.and_then(|r| r.supervisor).map(|supervisor| supervisor.pid),
            supervised: seen.supervised,
            alive: seen.alive,
            survivors: known.then(|| {
                seen.survivors
                    .iter()
                    .map(|s| SurvivorDocument {
                        pid: s.identity.pid,
                        start_time: s.identity.start_time,
                        command: &s.command,
                    })
                    .collect()
            }),
            stop: record.and_then(|r| r.stop.as_ref()).map(stop_document),
            waiting_for: job.waiting_for.as_ref().map(|list| list.iter().map(waiting_document).collect()),
            finally: attempt.and_then(|a| a.finally.as_ref()).map(finally_document),
            output: job.output.as_ref().map(|output| OutputDocument {
                stdout_path: output.stdout_path.to_string_lossy().into_owned(),
                stderr_path: output.stderr_path.as_ref().map(|path| path.to_string_lossy().into_owned()),
                stdout_bytes: output.stdout_bytes,
                stderr_bytes: output.stderr_path.as_ref().map(|_| output.stderr_bytes),
                dropped_bytes: output.dropped_bytes,
            }),
            usage: attempt.and_then(|a| a.usage),
            progress: job.progress.as_ref().map(|p| ProgressDocument {
                fraction: p.fraction,
                current: p.current,
                total: p.total,
                message: p.message.as_deref(),
            }),
            ready: known.then_some(job.ready),
            deleted: false,
            meta: known.then_some(&job.meta),
            boot_id: record.map(|r| r.place.boot_id.as_str()),
            host: record.map(|r| r.place.host.as_str()),
            containment: record.map(|r| r.containment.as_slice()),
            capabilities: record.map(|r| r.capabilities.as_slice()),
        }
    }
}

impl JobDocument<'_> {
    /// Marks the job as gone: this is what was seen of it last.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.deleted = true;
        self
    }

    /// Returns the names of its fields.
    pub(super) fn field_names() -> Vec<String> {
        let nothing = Job::unreadable(JobId::FIRST, String::new(), DateTime::UNIX_EPOCH);
        let document = serde_json::to_value(JobDocument::new(&nothing, false)).unwrap_or(Value::Null);
        document.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    }
}

fn attempt_document(attempt: &Attempt) -> AttemptDocument<'_> {
    let outcome = attempt.outcome.as_ref();
    AttemptDocument {
        attempt: attempt.number,
        command: attempt.command.as_ref().map(|words| words.iter().map(|word| word.lossy().into_owned()).collect()),
        state: outcome.map(|o| o.state.as_str()),
        error_kind: outcome.and_then(|o| o.error_kind).map(|kind| kind.as_str()),
        reason: outcome.and_then(|o| o.reason).map(|reason| reason.as_str()),
        reason_text: outcome.and_then(|o| o.reason_text.as_deref()),
        message: attempt.message.as_deref(),
        exit_code: attempt.exit_code,
        signal: attempt.signal.map(|signal| signal.name()),
        started_at: attempt.started_at.map(time),
        ended_at: attempt.ended_at.map(time),
        duration_ms: attempt.duration_ms,
        pid: attempt.leader.map(|leader| leader.pid),
        finally: attempt.finally.as_ref().map(finally_document),
        usage: attempt.usage,
    }
}

fn stop_document(stop: &StopProgress) -> StopDocument<'_> {
    StopDocument {
        plan: &stop.plan,
        rungs: &stop.rungs,
        rung: stop.rung,
        signal: stop.signal.name(),
        since: time(stop.since),
        next: stop.next.as_ref().map(|next| NextDocument { signal: next.signal.name(), at: time(next.at) }),
        reason: stop.reason.map(|reason| reason.as_str()),
        reason_text: stop.reason_text.as_deref(),
        not_stopped: &stop.not_stopped,
    }
}

fn waiting_document(waiting: &Waiting) -> WaitingDocument<'_> {
    WaitingDocument {
        kind: &waiting.kind,
        name: waiting.name.as_deref(),
        holders: waiting.holders.iter().map(ToString::to_string).collect(),
        position: waiting.position,
        until: waiting.until.map(time),
    }
}

fn finally_document(finally: &Finally) -> FinallyDocument<'_> {
    FinallyDocument {
        state: serde_json::to_value(finally.state).unwrap_or(Value::Null),
        steps: finally
            .steps
            .iter()
            .map(|step| StepDocument {
                command: &step.command,
                started_at: step.started_at.map(time),
                ended_at: step.ended_at.map(time),
                exit_code: step.exit_code,
                signal: step.signal.map(|signal| signal.name()),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::field::Field;

    #[test]
    fn every_inner_field_can_be_asked_for() {
        let signal = crate::domain::signal::Signal::TERM;
        let stop = StopDocument {
            plan: "",
            rungs: &[],
            rung: 0,
            signal: signal.name(),
            since: String::new(),
            next: None,
            reason: None,
            reason_text: None,
            not_stopped: &[],
        };
        let output = OutputDocument {
            stdout_path: String::new(),
            stderr_path: None,
            stdout_bytes: 0,
            stderr_bytes: None,
            dropped_bytes: 0,
        };
        let documents = [
            ("stop", serde_json::to_value(stop)),
            ("output", serde_json::to_value(output)),
            ("usage", serde_json::to_value(Usage { user_ms: 0, system_ms: 0, max_rss_bytes: 0 })),
            ("finally", serde_json::to_value(FinallyDocument { state: Value::Null, steps: Vec::new() })),
            (
                "progress",
                serde_json::to_value(ProgressDocument { fraction: None, current: None, total: None, message: None }),
            ),
        ];
        for (name, document) in documents {
            for key in document.expect("serialises").as_object().expect("an object").keys() {
                let path = format!("{name}.{key}");
                assert_eq!(Field::parse(&path).expect("a field").path(), path);
            }
        }
    }
}
