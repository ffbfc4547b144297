//! `run --observe --json`: one document instead of the output, with everything that is needed to go on.

use std::time::Duration;

use super::streams::end_of;
use crate::client::Sink;
use crate::context::Context;
use crate::domain::cursor::Cursor;
use crate::domain::job::Job;
use crate::exit_code;
use crate::present::json::{self, JobDocument, RunDocument};
use crate::store::Store;

/// How much of the end of each stream is told: enough for the error that ended a build, little for who must read it.
const TAIL: u64 = 16 << 10;

/// How a client looks on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looking {
    /// At most so long.
    pub limit: Option<Duration>,
    /// It tells of the job in one document, and shows nothing.
    pub json: bool,
}

/// Prints the document. Returns the exit code: the job's, or that it goes on.
pub(super) fn hand_back(job: &Job, context: &Context, store: &Store) -> u8 {
    let ended = job.state().is_terminal();
    let [stdout, stderr] = [Sink::Stdout, Sink::Stderr].map(|sink| end_of(store, job, sink, TAIL));
    let (id, attempt) = (job.id, job.attempt().map_or(1, |attempt| attempt.number));
    let next = match ended {
        true => [format!("jobdir logs {id}"), format!("jobdir resume {id}")],
        false => [format!("jobdir wait {id}"), format!("jobdir kill {id}")],
    };
    let cursor = Cursor { attempt, stdout: stdout.end, stderr: stderr.end }.to_string();
    let job_document = JobDocument::new(job, false);
    let document =
        RunDocument { schema: "jobdir/run/1", ended, job: job_document, cursor, stdout, stderr, next: next.into() };
    context.out(&json::render(&document));
    exit_code::of_job(job)
}
