//! A job as readers see it: its files and what was concluded from them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::job_id::JobId;
use super::observe::Observation;
use super::os_text::OsText;
use super::record::{Attempt, JobRecord, Waiting};
use super::spec::SpecHead;
use super::state::State;

/// Which form the public JSON of a job has. Raise it with every change of the fields: records hold JSON in this form, and
/// another one is made anew. A test knows which fields belong to it.
pub const PUBLIC_FORM: u32 = 3;

/// Everything that a reader can know of a job.
#[derive(Clone, Debug)]
pub struct Job {
    /// The id, from the directory's name.
    pub id: JobId,
    /// The spec and the record; `None` when they cannot be read.
    pub files: Option<(SpecHead, JobRecord)>,
    /// What was concluded.
    pub observation: Observation,
    /// When.
    pub observed_at: DateTime<Utc>,
    /// Where the output of the present attempt is.
    pub output: Option<Output>,
    /// What the job wrote to `JOBDIR_META`.
    pub meta: BTreeMap<String, String>,
    /// What the job wrote to `JOBDIR_PROGRESS`.
    pub progress: Option<Progress>,
    /// Whether the job has said that it is ready.
    pub ready: bool,
    /// What it waits for, while it is queued.
    pub waiting_for: Option<Vec<Waiting>>,
    /// Who waits for whom from there on, where somebody has asked for that.
    pub chain: Option<Vec<Job>>,
    /// Its live processes, each behind its parent, where somebody has asked for them.
    pub processes: Option<Vec<JobProcess>>,
}

/// A live process of a job, for showing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Process")]
pub struct JobProcess {
    /// Its number.
    pub pid: u32,
    /// That of its parent.
    pub parent_pid: u32,
    /// How many of its ancestors belong to the job.
    pub depth: u32,
    /// As the system abbreviates it: R runs, S sleeps, D waits for a device, T is stopped.
    pub state: String,
    /// Its command line.
    pub command: String,
    /// Resident memory.
    pub memory_bytes: Option<u64>,
    /// The time that it has computed.
    pub cpu_ms: Option<u64>,
}

impl Job {
    /// A job of which nothing can be read, and why.
    pub fn unreadable(id: JobId, why: String, observed_at: DateTime<Utc>) -> Self {
        Self {
            id,
            files: None,
            observation: Observation::corrupt(why),
            observed_at,
            output: None,
            meta: BTreeMap::new(),
            progress: None,
            ready: false,
            waiting_for: None,
            chain: None,
            processes: None,
        }
    }

    /// Says whether something has happened to it since: time that passes and output that grows are no news.
    pub fn differs_from(&self, before: &Self) -> bool {
        let record = |job: &Self| job.record().cloned();
        self.observation != before.observation
            || self.progress != before.progress
            || (self.ready, &self.meta) != (before.ready, &before.meta)
            || self.waiting_for != before.waiting_for
            || record(self) != record(before)
    }

    /// Returns where the job is.
    pub fn state(&self) -> State {
        self.observation.state
    }

    /// Returns the spec, if it can be read.
    pub fn spec(&self) -> Option<&SpecHead> {
        self.files.as_ref().map(|(spec, _)| spec)
    }

    /// Returns the record, if it can be read.
    pub fn record(&self) -> Option<&JobRecord> {
        self.files.as_ref().map(|(_, record)| record)
    }

    /// Returns the present attempt, if the files can be read.
    pub fn attempt(&self) -> Option<&Attempt> {
        self.record().map(JobRecord::attempt)
    }

    /// Returns what the present attempt runs.
    pub fn command(&self) -> Option<&[OsText]> {
        let (spec, record) = self.files.as_ref()?;
        Some(record.attempt().command.as_deref().unwrap_or(&spec.command))
    }

    /// Says whether processes of it may live although nothing supervises them.
    pub fn has_survivors(&self) -> bool {
        !self.observation.survivors.is_empty()
    }

    /// Says whether there is something to stop.
    pub fn is_stoppable(&self) -> bool {
        self.state().is_active() || self.has_survivors()
    }

    /// Says whether its processes stand still.
    pub fn is_paused(&self) -> bool {
        self.record().is_some_and(|record| record.paused)
    }

    /// Says whether `resume` would start a next attempt.
    pub fn is_resumable(&self) -> bool {
        let state = self.state();
        state.is_terminal() && state != State::Corrupt && !self.has_survivors()
    }

    /// Says whether the name of the job is taken by it.
    pub fn bears_its_name(&self) -> bool {
        self.state().is_active()
    }
}

/// The output files of one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Where stdout goes, and stderr too when they are merged.
    pub stdout_path: PathBuf,
    /// Where stderr goes; `None` when it is merged into stdout.
    pub stderr_path: Option<PathBuf>,
    /// Bytes in the first.
    pub stdout_bytes: u64,
    /// Bytes in the second.
    pub stderr_bytes: u64,
    /// Bytes that a size limit removed from both.
    pub dropped_bytes: u64,
    /// The size limit of each, if there is one.
    pub limit_bytes: Option<u64>,
    /// Whether somebody keeps that limit; `None` without one, and when nothing writes any more.
    pub limit_kept: Option<bool>,
}

/// What a job says of how far it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Progress {
    /// Between 0 and 1, if it is a number at all.
    pub fraction: Option<f64>,
    /// The first number of `42/100`.
    pub current: Option<f64>,
    /// The second number of `42/100`.
    pub total: Option<f64>,
    /// The rest of the line.
    pub message: Option<String>,
}

impl Progress {
    /// Parses `42/100 message` or `0.42 message`; anything else is a message alone, nothing is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        let (head, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        let message = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        let numbers = match head.split_once('/') {
            Some((current, total)) => number(current)
                .zip(number(total).filter(|t| *t > 0.0))
                .map(|(current, total)| (current / total, Some(current), Some(total))),
            None => number(head).filter(|f| *f <= 1.0).map(|fraction| (fraction, None, None)),
        };
        Some(match numbers {
            Some((fraction, current, total)) => {
                Self { fraction: Some(fraction.min(1.0)), current, total, message: message(rest) }
            }
            None => Self { fraction: None, current: None, total: None, message: message(line) },
        })
    }
}

/// Parses `key=value` lines as `JOBDIR_META` holds them: keys `[A-Za-z0-9_.-]{1,64}`, the last value wins, other
/// lines and a last line without its end are passed over.
pub fn parse_meta(text: &str) -> BTreeMap<String, String> {
    let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
    complete
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(key, _)| {
            (1..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        })
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A job in this state, as its files tell it.
    pub(crate) fn job(id: u64, state: State, name: &str, command: &[&str]) -> Job {
        let mut spec: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/v1/jobs/1/spec.json")).expect("a spec");
        let mut record: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/data/v1/jobs/1/job.json")).expect("a record");
        spec["name"] = if name.is_empty() { serde_json::Value::Null } else { name.into() };
        spec["command"] = serde_json::json!(command);
        record["state"] = state.as_str().into();
        let spec: SpecHead = serde_json::from_value(spec).expect("a spec");
        let record: JobRecord = serde_json::from_value(record).expect("a record");
        let at = spec.created_at + chrono::TimeDelta::seconds(90);
        let id = id.to_string().parse().expect("an id");
        let mut job = Job::unreadable(id, String::new(), at);
        job.files = Some((spec, record));
        job.observation = Observation { state, message: None, ..Observation::corrupt(String::new()) };
        job
    }

    #[test]
    fn progress_lines() {
        let half = Progress::parse("42/84 linking").expect("progress");
        assert_eq!((half.fraction, half.total, half.message.as_deref()), (Some(0.5), Some(84.0), Some("linking")));
        assert_eq!(Progress::parse("0.42").expect("progress").fraction, Some(0.42));
        assert_eq!(Progress::parse("almost there\n").expect("progress").message.as_deref(), Some("almost there"));
        assert_eq!(Progress::parse("5/0 x").expect("progress").fraction, None);
        assert_eq!(Progress::parse(" \n"), None);
    }

    #[test]
    fn meta_lines() {
        let meta = parse_meta("a=1\nb=x=y\nbad key=1\na=2\n=3\nhalf=wri");
        assert_eq!(meta, BTreeMap::from([("a".into(), "2".into()), ("b".into(), "x=y".into())]));
        assert!(parse_meta("no newline=1").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_that_a_job_writes_panics(text: String) {
            drop(Progress::parse(&text));
            drop(parse_meta(&text));
        }
    }
}
