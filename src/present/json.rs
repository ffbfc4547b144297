//! The public JSON documents: their own types, so that the files on disk and what is printed can change apart.
//!
//! Times are RFC 3339 UTC with milliseconds, durations `*_ms`, missing is null and never absent.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;

pub use super::job::JobDocument;
use crate::domain::event::Event;

/// Renders a document on one line, with its end.
pub fn render(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string(document).expect("our documents have no failing serialiser");
    text.push('\n');
    text
}

/// Renders a time.
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Renders an event on one line. Its form on disk is its public form, but for the time.
pub fn render_event(event: &Event) -> String {
    let mut value = serde_json::to_value(event).unwrap_or(Value::Null);
    if let Some(object) = value.as_object_mut() {
        object.insert("time".into(), Value::String(time(event.time)));
    }
    render(&value)
}

/// `capabilities --json`.
#[derive(Debug, Serialize)]
pub struct CapabilitiesDocument<'a> {
    /// `jobdir/capabilities/1`.
    pub schema: &'static str,
    /// The version of jobdir.
    pub version: &'static str,
    /// The system it was built for.
    pub platform: &'static str,
    /// Its subcommands.
    pub verbs: &'a [&'static str],
    /// What supervisors of this version understand as requests.
    pub requests: &'a [&'static str],
    /// What holds the processes of a job together here.
    pub containment: Vec<&'static str>,
    /// The formats that are written.
    pub formats: FormatsDocument,
}

/// The formats that this version writes.
#[derive(Debug, Serialize)]
pub struct FormatsDocument {
    /// Of state directories.
    pub state: u64,
    /// Of records.
    pub record: u32,
}

/// `jobs --json`.
#[derive(Debug, Serialize)]
pub struct JobsDocument<'a> {
    /// `jobdir/jobs/1`.
    pub schema: &'static str,
    /// Where the jobs are.
    pub state_dir: String,
    /// The jobs.
    pub jobs: Vec<JobDocument<'a>>,
}

/// Renders what comes before the jobs in `jobs --json`; between them there are commas, after them `]}`.
pub fn jobs_opening(state_dir: &str) -> String {
    let mut text = render(&JobsDocument { schema: "jobdir/jobs/1", state_dir: state_dir.to_owned(), jobs: Vec::new() });
    text.truncate(text.len() - "]}\n".len());
    text
}

/// What a verb did to several jobs.
#[derive(Debug, Serialize)]
pub struct ResultsDocument<'a> {
    /// `jobdir/<verb>/1`.
    pub schema: String,
    /// One for each job.
    pub results: Vec<ResultDocument<'a>>,
}

/// What a verb did to one job.
#[derive(Debug, Serialize)]
pub struct ResultDocument<'a> {
    /// The job's id, or what the user wrote when there is no such job.
    pub id: String,
    /// What really happened.
    pub result: &'static str,
    /// A sentence for people.
    pub message: Option<String>,
    /// The job, if there is one.
    pub job: Option<JobDocument<'a>>,
}

/// `wait --json`.
#[derive(Debug, Serialize)]
pub struct WaitDocument<'a> {
    /// `jobdir/wait/1`.
    pub schema: &'static str,
    /// Whether what was waited for has come about.
    pub satisfied: bool,
    /// Whether the time was over first.
    pub timed_out: bool,
    /// The jobs.
    pub jobs: Vec<JobDocument<'a>>,
}

/// `logs --json`.
#[derive(Debug, Serialize)]
pub struct LogsDocument {
    /// `jobdir/logs/1`.
    pub schema: &'static str,
    /// The job.
    pub id: String,
    /// The attempt whose output this is.
    pub attempt: u32,
    /// Where the job is.
    pub state: &'static str,
    /// Where to go on reading.
    pub cursor: String,
    /// Its stdout.
    pub stdout: StreamDocument,
    /// Its stderr.
    pub stderr: StreamDocument,
}

/// A part of one stream.
#[derive(Debug, Serialize)]
pub struct StreamDocument {
    /// The text.
    pub text: String,
    /// `utf-8`, or `utf-8-lossy` when bytes had to be replaced.
    pub encoding: &'static str,
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// How long the whole stream is.
    pub total: u64,
    /// Whether something of the stream is not in the text.
    pub truncated: bool,
    /// How much of it is gone for ever.
    pub dropped_bytes: u64,
}

/// An error.
#[derive(Debug, Serialize)]
pub struct ErrorDocument<'a> {
    /// `jobdir/error/1`.
    pub schema: &'static str,
    /// The error.
    pub error: ErrorBody<'a>,
}

/// What an error says.
#[derive(Debug, Serialize)]
pub struct ErrorBody<'a> {
    /// A stable word.
    pub code: &'a str,
    /// A sentence.
    pub message: &'a str,
    /// What to do.
    pub hint: Option<&'a str>,
    /// What may have been meant.
    pub candidates: &'a [String],
    /// The job that it is about, if there is one.
    pub id: Option<&'a str>,
}
