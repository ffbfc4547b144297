//! One JOB, as every document shows it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Time;
use crate::domain::job::{Job, JobProcess};
use crate::domain::job_id::JobId;
use crate::domain::observe::Survivor;
use crate::domain::os_text::OsText;
use crate::domain::record::{Attempt, Finally, FinallyState, Holdout, StopProgress, Usage, Waiting};
use crate::domain::signal::Signal;
use crate::domain::state::{ErrorKind, Reason, State};
use crate::domain::stop_plan::Rung;
use crate::present::output::TailDocument;

/// One JOB. Of a job in state `corrupt` everything is null but `id`, `state`, `message` and `observed_at`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub struct JobDocument<'a> {
    #[schemars(extend("const" = "jobdir/job/1"))]
    schema: &'static str,
    /// A small number, never used again.
    id: JobId,
    /// When all of this was concluded.
    // The third, so that a stored form is brought up to date without looking for it.
    observed_at: Time,
    /// Unguessable; the cookie in the environment of the job's processes.
    uid: Option<&'a str>,
    /// What `--name` said.
    name: Option<&'a str>,
    /// What `--label` said.
    labels: Option<&'a BTreeMap<String, String>>,
    /// Where the job is.
    state: State,
    /// What kind of failure ended it.
    error_kind: Option<ErrorKind>,
    /// What caused the end.
    reason: Option<Reason>,
    /// What `--reason` said to it.
    reason_text: Option<&'a str>,
    /// A sentence for people.
    message: Option<&'a str>,
    /// The leader's own exit code, also of a job that was stopped.
    exit_code: Option<i32>,
    /// The signal that the leader died of.
    signal: Option<Signal>,
    /// Whether `pause` has stopped its processes for a while.
    paused: Option<bool>,
    /// The present or last attempt, counted from 1.
    attempt: Option<u32>,
    /// Every attempt; null in lists.
    attempts: Option<Vec<AttemptDocument<'a>>>,
    /// Whether `resume` can start the next attempt.
    resumable: Option<bool>,
    /// The job that this one was started from.
    parent: Option<JobId>,
    /// What it runs.
    command: Option<Vec<String>>,
    /// Where it runs.
    cwd: Option<String>,
    /// Whether this attempt has a terminal of its own, see `--pty`.
    pty: Option<bool>,
    created_at: Option<Time>,
    /// When the command of this attempt began to execute; null when it never did.
    started_at: Option<Time>,
    /// When no process of this attempt lived any more.
    ended_at: Option<Time>,
    /// How long it lasted, or has lasted so far.
    duration_ms: Option<u64>,
    /// The leader.
    pid: Option<u32>,
    supervisor_pid: Option<u32>,
    /// Whether a supervisor lives; null when that cannot be known from here.
    supervised: Option<bool>,
    /// Whether any process of the job lives; null when that cannot be known from here.
    alive: Option<bool>,
    /// Processes of an ended, abandoned or orphaned attempt that live.
    survivors: Option<Vec<SurvivorDocument<'a>>>,
    /// The stop plan that is under way.
    stop: Option<StopDocument<'a>>,
    /// What a queued job waits for.
    waiting_for: Option<Vec<WaitingDocument<'a>>>,
    /// Of a queued job in full: the jobs that it waits for, those that they wait for, and so on, nearest first. Null in lists.
    chain: Option<Vec<ChainDocument<'a>>>,
    /// Its live processes, each behind its parent; null when there are none, and in lists.
    processes: Option<&'a [JobProcess]>,
    /// The finally steps of this attempt.
    finally: Option<FinallyDocument<'a>>,
    /// Where the output of this attempt is, and how much.
    output: Option<OutputDocument>,
    /// The last lines of its output, where they were asked for.
    pub tail: Option<TailDocument>,
    /// What its processes have used, once it has ended.
    usage: Option<Usage>,
    /// What it says in `JOBDIR_PROGRESS`.
    progress: Option<ProgressDocument<'a>>,
    /// Whether it has made the file `JOBDIR_READY`.
    ready: Option<bool>,
    /// Whether it is gone, and this is what was seen of it last.
    deleted: bool,
    /// What it says in `JOBDIR_META`.
    meta: Option<&'a BTreeMap<String, String>>,
    boot_id: Option<&'a str>,
    host: Option<&'a str>,
    /// What holds its processes together.
    containment: Option<&'a [String]>,
    /// The requests that its supervisor understands.
    capabilities: Option<&'a [String]>,
}

/// One attempt of a job.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
struct AttemptDocument<'a> {
    /// Counted from 1.
    attempt: u32,
    /// What it ran, when that was not the command of the job.
    command: Option<Vec<String>>,
    /// How it ended; null while it has not.
    state: Option<State>,
    error_kind: Option<ErrorKind>,
    reason: Option<Reason>,
    reason_text: Option<&'a str>,
    message: Option<&'a str>,
    exit_code: Option<i32>,
    signal: Option<Signal>,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    duration_ms: Option<u64>,
    pid: Option<u32>,
    finally: Option<FinallyDocument<'a>>,
    usage: Option<Usage>,
}

/// A live process of a job that has ended, or has lost its supervisor.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Survivor")]
struct SurvivorDocument<'a> {
    pid: u32,
    /// In the system's own unit; on Linux clock ticks since boot.
    start_time: u64,
    command: &'a str,
}

/// A stop plan under way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stop")]
struct StopDocument<'a> {
    /// The plan, as `--stop-plan` takes it.
    plan: &'a str,
    rungs: &'a [Rung],
    /// The rung in force, counted from 0.
    rung: usize,
    /// Its signal.
    signal: Signal,
    since: Time,
    /// What comes next; null on the last rung.
    next: Option<NextDocument>,
    reason: Option<Reason>,
    reason_text: Option<&'a str>,
    /// Who was left when KILL had had its time.
    not_stopped: &'a [Holdout],
}

/// The next rung of a stop plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NextRung")]
struct NextDocument {
    signal: Signal,
    at: Time,
}

/// One thing that a queued job waits for.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
struct WaitingDocument<'a> {
    #[schemars(extend("enum" = ["mutex", "slots", "after", "retry"]))]
    kind: &'a str,
    /// The mutex, the group of slots or the job.
    name: Option<&'a str>,
    holders: &'a [JobId],
    /// The jobs that wait for it, too, and come first, in order.
    queued_before: &'a [JobId],
    /// The place in the queue, counted from 1.
    position: Option<u32>,
    /// Until when, for a retry.
    until: Option<Time>,
    /// What keeps a holder from letting go by itself, and what to do about it.
    message: Option<&'a str>,
}

/// One job that a queued job waits for, directly or not.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChainLink")]
struct ChainDocument<'a> {
    id: JobId,
    name: Option<&'a str>,
    state: State,
    supervised: Option<bool>,
    waiting_for: Option<Vec<WaitingDocument<'a>>>,
}

/// The finally steps of an attempt.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finally")]
struct FinallyDocument<'a> {
    state: FinallyState,
    steps: Vec<StepDocument<'a>>,
}

/// One finally step.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
struct StepDocument<'a> {
    command: &'a str,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    exit_code: Option<i32>,
    signal: Option<Signal>,
}

/// The output of an attempt.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Output")]
struct OutputDocument {
    stdout_path: String,
    /// Null when stderr goes where stdout goes.
    stderr_path: Option<String>,
    stdout_bytes: u64,
    stderr_bytes: Option<u64>,
    /// How much of it is gone for ever.
    dropped_bytes: u64,
    /// The size limit of each, if there is one.
    log_max_bytes: Option<u64>,
    /// Whether somebody keeps that limit; null without one, and when nothing writes any more.
    log_max_kept: Option<bool>,
}

/// How far a job says it is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Progress")]
struct ProgressDocument<'a> {
    /// From 0 to 1.
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
            id: job.id,
            observed_at: Time(job.observed_at),
            uid: spec.map(|s| s.uid.as_str()),
            name: spec.and_then(|s| s.name.as_ref()).map(|name| name.as_str()),
            labels: spec.map(|s| &s.labels),
            state: seen.state,
            error_kind: seen.error_kind,
            reason: seen.reason,
            reason_text: record.and_then(|r| r.outcome()?.reason_text.as_deref()),
            message: seen.message.as_deref(),
            exit_code: attempt.and_then(|a| a.exit_code),
            signal: attempt.and_then(|a| a.signal),
            paused: record.map(|r| r.paused),
            attempt: attempt.map(|a| a.number),
            attempts: record.filter(|_| with_attempts).map(|r| r.attempts.iter().map(attempt_document).collect()),
            resumable: known.then(|| job.is_resumable()),
            parent: spec.and_then(|s| s.parent),
            command: job.command().map(words),
            cwd: spec.map(|s| s.cwd.lossy().into_owned()),
            pty: attempt.map(|a| a.pty),
            created_at: spec.map(|s| Time(s.created_at)),
            started_at: started_at.map(Time),
            ended_at: ended_at.map(Time),
            duration_ms: attempt.and_then(|a| a.duration_ms).or(running_for),
            pid: attempt.and_then(|a| a.leader).map(|leader| leader.pid),
            supervisor_pid: record.and_then(|r| r.supervisor).map(|supervisor| supervisor.pid),
            supervised: seen.supervised,
            alive: seen.alive,
            survivors: known.then(|| seen.survivors.iter().map(survivor_document).collect()),
            stop: record.and_then(|r| r.stop.as_ref()).map(stop_document),
            waiting_for: waiting_documents(job),
            chain: job.chain.as_ref().map(|chain| chain.iter().map(chain_document).collect()),
            processes: job.processes.as_deref(),
            finally: attempt.and_then(|a| a.finally.as_ref()).map(finally_document),
            output: job.output.as_ref().map(|output| OutputDocument {
                stdout_path: output.stdout_path.to_string_lossy().into_owned(),
                stderr_path: output.stderr_path.as_ref().map(|path| path.to_string_lossy().into_owned()),
                stdout_bytes: output.stdout_bytes,
                stderr_bytes: output.stderr_path.as_ref().map(|_| output.stderr_bytes),
                dropped_bytes: output.dropped_bytes,
                log_max_bytes: output.limit_bytes,
                log_max_kept: output.limit_kept,
            }),
            tail: None,
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

/// Returns the words of a command, what is no UTF-8 in them replaced.
fn words(command: &[OsText]) -> Vec<String> {
    command.iter().map(|word| word.lossy().into_owned()).collect()
}

fn survivor_document(survivor: &Survivor) -> SurvivorDocument<'_> {
    let identity = survivor.identity;
    SurvivorDocument { pid: identity.pid, start_time: identity.start_time, command: &survivor.command }
}

fn attempt_document(attempt: &Attempt) -> AttemptDocument<'_> {
    let outcome = attempt.outcome.as_ref();
    AttemptDocument {
        attempt: attempt.number,
        command: attempt.command.as_deref().map(words),
        state: outcome.map(|o| o.state),
        error_kind: outcome.and_then(|o| o.error_kind),
        reason: outcome.and_then(|o| o.reason),
        reason_text: outcome.and_then(|o| o.reason_text.as_deref()),
        message: attempt.message.as_deref(),
        exit_code: attempt.exit_code,
        signal: attempt.signal,
        started_at: attempt.started_at.map(Time),
        ended_at: attempt.ended_at.map(Time),
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
        signal: stop.signal,
        since: Time(stop.since),
        next: stop.next.as_ref().map(|next| NextDocument { signal: next.signal, at: Time(next.at) }),
        reason: stop.reason,
        reason_text: stop.reason_text.as_deref(),
        not_stopped: &stop.not_stopped,
    }
}

fn chain_document(job: &Job) -> ChainDocument<'_> {
    ChainDocument {
        id: job.id,
        name: job.spec().and_then(|spec| spec.name.as_ref()).map(|name| name.as_str()),
        state: job.state(),
        supervised: job.observation.supervised,
        waiting_for: waiting_documents(job),
    }
}

fn waiting_documents(job: &Job) -> Option<Vec<WaitingDocument<'_>>> {
    Some(job.waiting_for.as_ref()?.iter().map(waiting_document).collect())
}

fn waiting_document(waiting: &Waiting) -> WaitingDocument<'_> {
    WaitingDocument {
        kind: &waiting.kind,
        name: waiting.name.as_deref(),
        holders: &waiting.holders,
        queued_before: &waiting.before,
        position: waiting.position,
        until: waiting.until.map(Time),
        message: waiting.message.as_deref(),
    }
}

fn finally_document(finally: &Finally) -> FinallyDocument<'_> {
    FinallyDocument {
        state: finally.state,
        steps: finally
            .steps
            .iter()
            .map(|step| StepDocument {
                command: &step.command,
                started_at: step.started_at.map(Time),
                ended_at: step.ended_at.map(Time),
                exit_code: step.exit_code,
                signal: step.signal,
            })
            .collect(),
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
    pub fn field_names() -> Vec<String> {
        let nothing = Job::unreadable(JobId::FIRST, String::new(), chrono::DateTime::UNIX_EPOCH);
        let document = serde_json::to_value(JobDocument::new(&nothing, false)).unwrap_or(serde_json::Value::Null);
        document.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    }
}
