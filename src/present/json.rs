//! The public JSON documents: their own types, so that the files on disk and what is printed can change apart.
//!
//! Times are RFC 3339 UTC with milliseconds, durations `*_ms`, missing is null and never absent.

mod codes;
mod job;
mod schema;

use super::output::StreamDocument;
use chrono::{DateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

pub use self::codes::ERROR_CODES;
pub use self::job::JobDocument;
pub use self::schema::schema;
use crate::domain::event::{EVENT_SCHEMA, Event, Happening};
use crate::domain::job::Job;
use crate::domain::job_id::JobId;

/// Renders a document on one line, with its end.
pub fn render(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string(document).expect("our documents have no failing serialiser");
    text.push('\n');
    text
}

/// Renders a document over many lines, for those who also read it.
pub fn render_for_people(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("our documents have no failing serialiser");
    text.push('\n');
    text
}

/// Renders a JOB as `status --json` shows it.
pub fn render_job(job: &Job) -> String {
    render(&JobDocument::new(job, true))
}

/// Renders a time.
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time in a document.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time(self.0))
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "RFC 3339 in UTC with milliseconds.",
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        })
    }
}

/// Renders an event on one line.
pub fn render_event(event: &Event) -> String {
    let Event { seq, time, id, attempt, what, .. } = event;
    let (time, id) = (Time(*time), *id);
    render(&EventDocument { schema: EVENT_SCHEMA, seq: *seq, time, id, attempt: *attempt, what })
}

/// A line of `events`: something that happened to a job.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
struct EventDocument<'a> {
    #[schemars(extend("const" = EVENT_SCHEMA))]
    schema: &'static str,
    /// Counted from 1 within the job, without gaps.
    seq: u64,
    /// When it was written down.
    time: Time,
    /// The job.
    id: JobId,
    /// The attempt under way.
    attempt: u32,
    #[serde(flatten)]
    what: &'a Happening,
}

/// `capabilities --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Capabilities")]
pub struct CapabilitiesDocument<'a> {
    /// `jobdir/capabilities/1`.
    #[schemars(extend("const" = "jobdir/capabilities/1"))]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Formats")]
pub struct FormatsDocument {
    /// Of state directories.
    pub state: u64,
    /// Of records.
    pub record: u32,
}

/// `jobs --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Jobs")]
pub struct JobsDocument<'a> {
    /// `jobdir/jobs/1`.
    #[schemars(extend("const" = "jobdir/jobs/1"))]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Results")]
pub struct ResultsDocument<'a> {
    /// `jobdir/<verb>/1`.
    #[schemars(extend("enum" = schema::acting()))]
    pub schema: String,
    /// One for each job.
    pub results: Vec<ResultDocument<'a>>,
}

/// What a verb did to one job.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Result")]
pub struct ResultDocument<'a> {
    /// The job's id, or what the user wrote when there is no such job.
    pub id: String,
    /// What really happened.
    #[schemars(extend("enum" = codes::RESULTS))]
    pub result: &'static str,
    /// A sentence for people.
    pub message: Option<String>,
    /// The job, if there is one.
    pub job: Option<JobDocument<'a>>,
}

/// `run --observe --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Run")]
pub struct RunDocument<'a> {
    /// `jobdir/run/1`.
    #[schemars(extend("const" = "jobdir/run/1"))]
    pub schema: &'static str,
    /// Whether the run has ended. If not, only the looking on has.
    pub ended: bool,
    /// The job.
    pub job: JobDocument<'a>,
    /// Where to go on reading.
    pub cursor: String,
    /// The end of its stdout.
    pub stdout: StreamDocument,
    /// The end of its stderr.
    pub stderr: StreamDocument,
    /// What to type next.
    pub next: Vec<String>,
}

/// `prune --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Prune")]
pub struct PruneDocument {
    /// `jobdir/prune/1`.
    #[schemars(extend("const" = "jobdir/prune/1"))]
    pub schema: &'static str,
    /// Whether nothing was removed, only chosen.
    pub dry_run: bool,
    /// The jobs that were removed, or would be.
    pub removed: Vec<JobId>,
    /// What they took.
    pub bytes: u64,
}

/// `doctor --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Doctor")]
pub struct DoctorDocument {
    /// `jobdir/doctor/1`.
    #[schemars(extend("const" = "jobdir/doctor/1"))]
    pub schema: &'static str,
    /// What was looked at.
    pub state_dir: String,
    /// One for each check.
    pub checks: Vec<FindingDocument>,
}

/// What one check has found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct FindingDocument {
    /// Its name.
    pub check: &'static str,
    /// How bad it is.
    #[schemars(extend("enum" = ["ok", "note", "problem"]))]
    pub severity: &'static str,
    /// A sentence for people.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whether `--fix` has mended it.
    pub fixed: bool,
}

/// `config --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Config")]
pub struct ConfigDocument<'a> {
    /// `jobdir/config/1`.
    #[schemars(extend("const" = "jobdir/config/1"))]
    pub schema: &'static str,
    /// The file, whether it is there or not; null when the user has no home.
    pub path: Option<String>,
    /// Whether it is there.
    pub found: bool,
    /// The profile that was asked for.
    pub profile: Option<&'a str>,
    /// All profiles in the file.
    pub profiles: Vec<&'a str>,
    /// Where the jobs are.
    pub state_dir: SettingDocument<'a>,
    /// The options of `run` that have a default. Of a list there is one for each place that adds to it.
    pub run: Vec<SettingDocument<'a>>,
    /// How long ended jobs are kept.
    pub retention: Vec<SettingDocument<'a>>,
}

/// One setting that is in force.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Setting")]
pub struct SettingDocument<'a> {
    /// Its key; for `run` the long name of the option.
    pub name: &'a str,
    /// What it is. Of variables for a job only the names are told.
    pub value: SettingValue,
    /// Where that comes from; `file` is any table of the file but a profile.
    #[schemars(extend("enum" = ["built_in", "file", "profile", "environment", "command_line"]))]
    pub source: &'static str,
    /// The line of the file.
    pub line: Option<usize>,
}

/// The value of a setting.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SettingValue {
    /// Whether an option is given.
    Flag(bool),
    /// What an option is given, as it is typed.
    Text(String),
    /// What an option is given each time.
    List(Vec<String>),
}

/// `skill install --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Skill")]
pub struct SkillDocument {
    /// `jobdir/skill/1`.
    #[schemars(extend("const" = "jobdir/skill/1"))]
    pub schema: &'static str,
    /// Where the page is now.
    pub installed: Vec<InstalledDocument>,
}

/// One place where the page for agents is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Installed")]
pub struct InstalledDocument {
    /// The file, absolute.
    pub path: String,
    /// What was done.
    #[schemars(extend("enum" = ["written", "replaced", "unchanged"]))]
    pub result: &'static str,
}

/// An error.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorDocument<'a> {
    /// `jobdir/error/1`.
    #[schemars(extend("const" = "jobdir/error/1"))]
    pub schema: &'static str,
    /// The error.
    pub error: ErrorBody<'a>,
}

/// What an error says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ErrorBody")]
pub struct ErrorBody<'a> {
    /// A stable word.
    #[schemars(extend("enum" = codes::words()))]
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
