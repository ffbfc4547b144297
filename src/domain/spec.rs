//! The spec of a job: everything that was asked for when it was made, and never changes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::job_id::JobId;
use super::name::Name;
use super::os_text::OsText;
use super::queue::Wants;
use super::signal::Signal;
use super::stop_plan::StopPlan;

/// The value of a spec's `schema` field.
pub const SPEC_SCHEMA: &str = "jobdir/spec/1";

/// What to run and how: `spec.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobSpec<E = Environment> {
    /// [`SPEC_SCHEMA`].
    pub schema: String,
    /// The job's id, also the name of its directory.
    pub id: JobId,
    /// Unguessable, and in the environment of every process of the job: the cookie.
    pub uid: String,
    /// The name, if it has one.
    pub name: Option<Name>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// When the job was made.
    pub created_at: DateTime<Utc>,
    /// The id of the job that this one was started from, if any.
    pub parent: Option<JobId>,
    /// Whether a client stayed with it (`run` without `--detach`).
    pub foreground: bool,
    /// The command and its arguments; never empty.
    pub command: Vec<OsText>,
    /// The working directory, absolute.
    pub cwd: OsText,
    /// Where the job's input comes from.
    pub stdin: Stdin,
    /// Whether the job has a terminal of its own, at which stdin is typed from the FIFO in its directory.
    #[serde(default)]
    pub pty: bool,
    /// Whether stderr goes to the same file as stdout.
    pub merge_output: bool,
    /// The size limit of each log, 0 for none; `None` when nothing was said, see [`JobSpec::log_limit`].
    #[serde(default)]
    pub log_max_bytes: Option<u64>,
    /// The file mode creation mask of the job.
    pub umask: u32,
    /// The niceness, if it shall differ from that of whoever starts the attempt.
    #[serde(default)]
    pub nice: Option<i32>,
    /// Resource limits.
    #[serde(default)]
    pub resource_limits: Vec<ResourceLimitSpec>,
    /// How the job is stopped, and its limits.
    pub stop: StopSpec,
    /// What the job waits for before each attempt.
    #[serde(default)]
    pub coordination: CoordinationSpec,
    /// Shell commands that run after every attempt that had started.
    #[serde(default)]
    pub finally: FinallySpec,
    /// A shell command that is told of the end, once for each run.
    #[serde(default)]
    pub on_exit: Option<String>,
    /// What `resume` runs instead of the command: a template.
    #[serde(default)]
    pub resume_with: Option<String>,
    /// When failed attempts are repeated.
    #[serde(default)]
    pub retry: RetrySpec,
    /// Whether the job is deleted when it has succeeded.
    #[serde(default)]
    pub delete_on_success: bool,
    /// The environment. Last, so that readers that do not need it can stop before it.
    pub environment: E,
}

impl<E> JobSpec<E> {
    /// Returns the size limit of each log: that of a detached job has one unless told otherwise.
    pub fn log_limit(&self) -> Option<u64> {
        let default = if self.foreground { 0 } else { super::log_limit::DEFAULT };
        Some(self.log_max_bytes.unwrap_or(default)).filter(|max| *max > 0)
    }
}

/// A spec without the environment: what readers need, who list many jobs and start none.
pub type SpecHead = JobSpec<Unread>;

impl JobSpec {
    /// Returns a copy without the environment.
    pub fn head(&self) -> SpecHead {
        SpecHead {
            schema: self.schema.clone(),
            id: self.id,
            uid: self.uid.clone(),
            name: self.name.clone(),
            labels: self.labels.clone(),
            created_at: self.created_at,
            parent: self.parent,
            foreground: self.foreground,
            command: self.command.clone(),
            cwd: self.cwd.clone(),
            stdin: self.stdin.clone(),
            pty: self.pty,
            merge_output: self.merge_output,
            log_max_bytes: self.log_max_bytes,
            umask: self.umask,
            nice: self.nice,
            resource_limits: self.resource_limits.clone(),
            stop: self.stop.clone(),
            coordination: self.coordination.clone(),
            finally: self.finally.clone(),
            on_exit: self.on_exit.clone(),
            resume_with: self.resume_with.clone(),
            retry: self.retry.clone(),
            delete_on_success: self.delete_on_success,
            environment: Unread,
        }
    }
}

/// Stands for a value that was passed over while reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unread;

impl<'de> Deserialize<'de> for Unread {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// How a job is stopped.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StopSpec {
    /// The rungs.
    pub plan: StopPlan,
    /// Which processes the rungs before KILL reach.
    pub scope: SignalScope,
    /// What happens to processes that outlive their leader.
    pub leftovers: Leftovers,
    /// The longest that an attempt may last.
    pub timeout_ms: Option<u64>,
    /// The longest without output and without CPU use.
    pub idle_timeout_ms: Option<u64>,
    /// How long after the KILL rung the job is given up.
    pub abandon_after_ms: Option<u64>,
    /// A signal sent some time before the deadline.
    pub early_signal: Option<EarlySignal>,
}

/// What a job waits for before each attempt.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CoordinationSpec {
    /// Mutexes and slots.
    pub wants: Wants,
    /// Other jobs that must have ended in a certain way.
    pub after: Vec<After>,
    /// The longest that the job may wait for all this.
    pub queue_timeout_ms: Option<u64>,
}

/// `--after JOB[:ok|failed|any]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct After {
    /// The other job.
    pub id: JobId,
    /// How it must have ended.
    pub end: RequiredEnd,
}

/// How a job must have ended for another one to start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredEnd {
    /// It succeeded.
    Ok,
    /// It ended in any other way.
    Failed,
    /// It ended.
    Any,
}

/// When failed attempts are repeated.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RetrySpec {
    /// How many attempts may follow the first one of a run.
    pub retries: u32,
    /// How long to wait before the first of them.
    pub delay_ms: u64,
    /// By what the delay grows from one to the next; at least 1.
    pub backoff: f64,
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self { retries: 0, delay_ms: 1_000, backoff: 1.0 }
    }
}

impl RetrySpec {
    /// The longest delay, whatever the backoff comes to.
    const LONGEST_MS: f64 = 24.0 * 3600.0 * 1000.0;

    /// Returns how long to wait before retry number `nth`, counted from 1; in milliseconds.
    pub fn delay_before(&self, nth: u32) -> u64 {
        let growth = self.backoff.max(1.0).powi(i32::try_from(nth.saturating_sub(1)).unwrap_or(i32::MAX));
        (self.delay_ms as f64 * growth).min(Self::LONGEST_MS) as u64
    }
}

/// `--rlimit R=SOFT[:HARD]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResourceLimitSpec {
    /// The resource as setrlimit(2) names it, without `RLIMIT_`.
    pub resource: String,
    /// The soft limit; `None` is unlimited.
    pub soft: Option<u64>,
    /// The hard limit; `None` is unlimited.
    pub hard: Option<u64>,
}

/// `--early-signal SIG@D`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EarlySignal {
    /// What is sent.
    pub signal: Signal,
    /// How long before the deadline of `--timeout`.
    pub before_ms: u64,
}

/// Which processes the rungs before KILL reach. KILL always means the whole tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalScope {
    /// Every process of the job.
    #[default]
    Tree,
    /// The leader's process group.
    Group,
    /// The leader alone.
    Leader,
}

/// What happens to processes that outlive their leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leftovers {
    /// TERM and CONT at once, KILL after 2 s.
    #[default]
    Kill,
    /// The attempt lasts until they have ended.
    Wait,
    /// They are left alone and recorded as survivors.
    Leave,
}

/// Finally steps and their limit.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct FinallySpec {
    /// Shell text, run in order by `/bin/sh -c`.
    pub steps: Vec<String>,
    /// The limit for all steps together; `None` is no limit.
    pub timeout_ms: Option<u64>,
}

/// Where a job's input comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stdin {
    /// Nothing: end of file at once.
    #[default]
    Null,
    /// Descriptor 0 of whoever starts the attempt.
    Inherit,
    /// A FIFO in the job's directory, for `send`.
    Fifo,
    /// A FIFO in the job's directory into which the foreground client copies what is typed.
    Typed,
    /// A file, opened when the attempt starts.
    File(OsText),
}

/// The environment that the command gets, without what jobdir adds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Environment {
    /// `false` when only the names were kept (`--no-save-env`).
    pub saved: bool,
    /// The names, for those who may see names only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<OsText>,
    /// Names and values; empty when not saved.
    #[serde(default)]
    pub variables: Vec<(OsText, OsText)>,
}

/// The part of a spec that readers need who do not start anything: all but the environment.
pub type Variables = Vec<(OsText, OsText)>;
