//! The record of a job: what its claim holder knows, replaced as a whole at every change.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::identity::{Place, ProcessIdentity};
use super::job_id::JobId;
use super::os_text::OsText;
use super::signal::Signal;
use super::state::{ErrorKind, Reason, State};
use super::stop_plan::Rung;

/// The value of a record's `schema` field.
pub const RECORD_SCHEMA: &str = "jobdir/record/1";
/// The newest format that this version writes; a record with a higher number is read, never written.
pub const RECORD_FORMAT: u32 = 1;

/// The mutable part of a job: `job.json`. Written only by the holder of the job's claim.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobRecord {
    /// [`RECORD_SCHEMA`].
    pub schema: String,
    /// [`RECORD_FORMAT`] of the writer.
    pub format: u32,
    /// The job.
    pub id: JobId,
    /// Where the job is, as far as its claim holder knew.
    pub state: State,
    /// Whether the tree is stopped by `pause`.
    #[serde(default)]
    pub paused: bool,
    /// The stop plan under way, if any.
    #[serde(default)]
    pub stop: Option<StopProgress>,
    /// What a queued job waits for.
    #[serde(default)]
    pub waiting_for: Option<Vec<Waiting>>,
    /// Where the pids below mean something.
    pub place: Place,
    /// Who wrote this.
    pub supervisor: Option<ProcessIdentity>,
    /// What holds the job's processes together: `subreaper`, `session`, `cookie`, …
    #[serde(default)]
    pub containment: Vec<String>,
    /// The verbs that the supervisor understands.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The first attempt of the present run.
    #[serde(default = "first")]
    pub run_started_with: u32,
    /// How the run ended, when that was decided between two attempts.
    #[serde(default)]
    pub run_outcome: Option<Outcome>,
    /// Every attempt, the present one last; never empty.
    pub attempts: Vec<Attempt>,
}

fn first() -> u32 {
    1
}

impl JobRecord {
    /// Returns the present attempt.
    pub fn attempt(&self) -> &Attempt {
        self.attempts.last().expect("a record has at least one attempt; checked when it is read")
    }

    /// Returns how the run ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.run_outcome.as_ref().or(self.attempt().outcome.as_ref())
    }

    /// Returns the present attempt for changing.
    pub fn attempt_mut(&mut self) -> &mut Attempt {
        self.attempts.last_mut().expect("a record has at least one attempt; checked when it is read")
    }
}

/// One start of a job.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// What it ran, when that is not the command of the spec.
    pub command: Option<Vec<OsText>>,
    /// Whether it has a terminal of its own.
    pub pty: bool,
    /// How it ended; `None` while it has not.
    pub outcome: Option<Outcome>,
    /// When the command began to execute.
    pub started_at: Option<DateTime<Utc>>,
    /// When its tree was empty, or it was given up.
    pub ended_at: Option<DateTime<Utc>>,
    /// From `started_at` to `ended_at` on a clock that does not jump.
    pub duration_ms: Option<u64>,
    /// The leader.
    pub leader: Option<ProcessIdentity>,
    /// The leader's own exit code.
    pub exit_code: Option<i32>,
    /// The signal that the leader died of.
    pub signal: Option<Signal>,
    /// Processes that left the leader's session, or outlived the attempt.
    pub adopted: Vec<ProcessIdentity>,
    /// What its processes used.
    pub usage: Option<Usage>,
    /// Its finally steps.
    pub finally: Option<Finally>,
    /// The size limit of each of its logs, if there is one.
    pub log_limit: Option<LogLimit>,
    /// What was in its files when nothing of it lived any more, so that readers need not look.
    pub traces: Option<Traces>,
    /// A sentence for people.
    pub message: Option<String>,
}

/// A size limit of logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogLimit {
    /// The most bytes of each log.
    pub max_bytes: u64,
    /// Whether the supervisor can keep it here.
    pub kept: bool,
}

/// What an attempt left in its files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Traces {
    /// Bytes of stdout.
    pub stdout_bytes: u64,
    /// Bytes of stderr; `None` when it was merged into stdout.
    pub stderr_bytes: Option<u64>,
    /// Bytes of both that the size limit dropped.
    #[serde(default)]
    pub dropped_bytes: u64,
    /// Whether the job has written `JOBDIR_META`.
    pub meta: bool,
    /// Whether the job has written `JOBDIR_PROGRESS`.
    pub progress: bool,
    /// Whether the job has made `JOBDIR_READY`.
    pub ready: bool,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// A recorded end.
    pub state: State,
    /// The kind of failure, if it was one.
    pub error_kind: Option<ErrorKind>,
    /// The first cause.
    pub reason: Option<Reason>,
    /// The text that the one who asked gave.
    pub reason_text: Option<String>,
}

/// What the processes of an attempt used, as far as they have been waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// CPU time in user mode.
    pub user_ms: u64,
    /// CPU time in the kernel.
    pub system_ms: u64,
    /// The largest resident set of one process.
    pub max_rss_bytes: u64,
}

/// A stop plan under way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StopProgress {
    /// The plan, in full.
    pub plan: String,
    /// Its rungs.
    pub rungs: Vec<Rung>,
    /// Which rung is in force, counted from 0.
    pub rung: usize,
    /// Its signal.
    pub signal: Signal,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What comes next, unless this is the last rung.
    pub next: Option<NextRung>,
    /// Who or what asked for it.
    pub reason: Option<Reason>,
    /// The text given with it.
    pub reason_text: Option<String>,
    /// Set when KILL did not end everything within its time: who is left.
    #[serde(default)]
    pub not_stopped: Vec<Holdout>,
}

/// The next rung and when it is due.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NextRung {
    /// Its signal.
    pub signal: Signal,
    /// When, unless the tree is empty before.
    pub at: DateTime<Utc>,
}

/// A process that KILL did not end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Holdout {
    /// Which process.
    #[serde(flatten)]
    pub identity: ProcessIdentity,
    /// Its state as the kernel calls it, such as `D`.
    pub process_state: String,
    /// Its command.
    pub command: String,
}

/// One thing that a queued job waits for.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Waiting {
    /// `mutex`, `slots`, `after` or `retry`.
    pub kind: String,
    /// The mutex, group or job.
    pub name: Option<String>,
    /// The jobs that hold it.
    pub holders: Vec<JobId>,
    /// The jobs that wait for it, too, and come first, in order.
    #[serde(default)]
    pub before: Vec<JobId>,
    /// The place in the queue, counted from 1.
    pub position: Option<u32>,
    /// Until when, for a retry delay.
    pub until: Option<DateTime<Utc>>,
    /// A sentence for people, when a holder will not let go by itself.
    #[serde(default)]
    pub message: Option<String>,
}

/// The finally steps of an attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finally {
    /// Where they are: `pending`, `running`, `done`, `failed`, `timed_out`, `aborted` or `skipped`.
    pub state: FinallyState,
    /// One for each step.
    pub steps: Vec<Step>,
}

/// Where finally steps are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FinallyState {
    /// Still to be run.
    Pending,
    /// A step runs.
    Running,
    /// All have run with exit code 0.
    Done,
    /// All have run, at least one failed.
    Failed,
    /// The limit stopped them.
    TimedOut,
    /// `kill --abort` stopped or skipped them.
    Aborted,
    /// They do not run: the job was abandoned, or never started.
    Skipped,
}

/// One finally step.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Step {
    /// The shell text.
    pub command: String,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// The signal that it died of.
    pub signal: Option<Signal>,
}
