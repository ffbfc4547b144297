//! `run --observe --json`: one document instead of the output, with everything that is needed to go on.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use crate::context::Context;
use crate::domain::job::Job;
use crate::exit_code;
use crate::platform;
use crate::present::json::{self, JobDocument, RunDocument, StreamDocument};

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
pub(super) fn hand_back(job: &Job, context: &Context) -> u8 {
    let ended = job.state().is_terminal();
    let output = job.output.as_ref();
    let stdout = output.map_or_else(nothing, |output| tail(&output.stdout_path));
    let stderr = output.and_then(|output| output.stderr_path.as_deref()).map_or_else(nothing, tail);
    let (id, attempt) = (job.id, job.attempt().map_or(1, |attempt| attempt.number));
    let next = match ended {
        true => [format!("jobdir logs {id}"), format!("jobdir resume {id}")],
        false => [format!("jobdir wait {id}"), format!("jobdir kill {id}")],
    };
    let cursor = format!("{attempt}:{}:{}", stdout.end, stderr.end);
    let job_document = JobDocument::new(job, false);
    let document =
        RunDocument { schema: "jobdir/run/1", ended, job: job_document, cursor, stdout, stderr, next: next.into() };
    context.out(&json::render(&document));
    exit_code::of_job(job)
}

fn nothing() -> StreamDocument {
    let text = String::new();
    StreamDocument { text, encoding: "utf-8", start: 0, end: 0, total: 0, truncated: false, dropped_bytes: 0 }
}

/// Reads the end of a stream. One that cannot be read is told as empty: the job is what counts.
fn tail(path: &Path) -> StreamDocument {
    platform::open_regular(path).and_then(read_tail).unwrap_or_else(|_| nothing())
}

fn read_tail(mut file: File) -> std::io::Result<StreamDocument> {
    let total = file.seek(SeekFrom::End(0))?;
    let mut start = total.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let end = start + bytes.len() as u64;
    if start > 0 {
        // The line that was cut is left out, or at least the character.
        let line = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1).filter(|at| *at < bytes.len());
        let character = bytes.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
        bytes.drain(..line.unwrap_or(character));
        start = end - bytes.len() as u64;
    }
    let (text, encoding) = match String::from_utf8(bytes) {
        Ok(text) => (text, "utf-8"),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), "utf-8-lossy"),
    };
    Ok(StreamDocument { text, encoding, start, end, total, truncated: start > 0, dropped_bytes: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn told(text: &[u8]) -> StreamDocument {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text).expect("writes");
        read_tail(file).expect("reads")
    }

    #[test]
    fn a_tail_begins_with_a_whole_line_or_at_least_character() {
        let lines = "0123456789\n".repeat(5000);
        let tail = told(lines.as_bytes());
        assert!(tail.truncated && tail.text.starts_with("0123") && tail.text.len() as u64 > TAIL - 11, "{tail:?}");
        assert_eq!((tail.start + tail.text.len() as u64, tail.end), (tail.total, lines.len() as u64));
        let tail = told("日".repeat(10_000).as_bytes());
        assert!(tail.encoding == "utf-8" && tail.text.chars().all(|c| c == '日') && !tail.text.is_empty());
        let tail = told(b"all\xff of it");
        assert_eq!((tail.truncated, tail.encoding, tail.end), (false, "utf-8-lossy", 10));
    }
}
