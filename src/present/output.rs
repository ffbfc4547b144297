//! The public JSON documents that carry output of jobs.

use schemars::JsonSchema;
use serde::Serialize;

use super::json::JobDocument;
use super::text;
use crate::domain::state::State;

/// `logs --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Logs")]
pub struct LogsDocument {
    /// `jobdir/logs/1`.
    #[schemars(extend("const" = "jobdir/logs/1"))]
    pub schema: &'static str,
    /// The job.
    pub id: String,
    /// The attempt whose output this is.
    pub attempt: u32,
    /// Where the job is.
    #[schemars(with = "State")]
    pub state: &'static str,
    /// Where to go on reading.
    pub cursor: String,
    /// Whether asking again with that cursor gives more at once.
    pub more: bool,
    /// Its stdout.
    pub stdout: StreamDocument,
    /// Its stderr.
    pub stderr: StreamDocument,
}

/// A part of one stream.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stream")]
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
    /// Whether something after the cursor, or after the beginning, is not in the text.
    pub truncated: bool,
    /// How much of the whole stream was dropped by the size limit.
    pub dropped_bytes: u64,
    /// What was dropped between `start` and `end`: the text goes on behind it without a mark.
    pub gaps: Vec<GapDocument>,
}

/// A range that was dropped.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Gap")]
pub struct GapDocument {
    /// Its first offset.
    pub start: u64,
    /// The offset behind it.
    pub end: u64,
}

impl StreamDocument {
    /// Describes a stream of which nothing is there, up to an offset that is known already.
    pub fn empty(at: u64) -> Self {
        Self {
            text: String::new(),
            encoding: "utf-8",
            start: at,
            end: at,
            total: at,
            truncated: false,
            dropped_bytes: 0,
            gaps: Vec::new(),
        }
    }
}

impl StreamDocument {
    /// Says whether nothing new of the stream was left to give out.
    pub fn is_through(&self) -> bool {
        self.text.is_empty() && self.end >= self.total
    }
}

/// Turns bytes into text, and says in which encoding they are.
pub fn decode(bytes: Vec<u8>) -> (String, &'static str) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, "utf-8"),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), "utf-8-lossy"),
    }
}

/// Shows lines of output as an excerpt: control characters are escaped, each line is indented.
pub fn excerpt(text: &str) -> String {
    text.lines().map(|line| format!("  {}\n", text::escape(line.trim_end_matches('\r')))).collect()
}

/// `wait --json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Wait")]
pub struct WaitDocument<'a> {
    /// `jobdir/wait/1`.
    #[schemars(extend("const" = "jobdir/wait/1"))]
    pub schema: &'static str,
    /// Whether what was waited for has come about.
    pub satisfied: bool,
    /// Whether the time was over first.
    pub timed_out: bool,
    /// The jobs.
    pub jobs: Vec<JobDocument<'a>>,
}

/// The last lines of both streams.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tail")]
pub struct TailDocument {
    /// Of stdout.
    pub stdout: StreamDocument,
    /// Of stderr.
    pub stderr: StreamDocument,
}
