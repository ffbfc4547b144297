//! `jobdir logs`: what a job has printed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::shared::choose_one;
use crate::client::{EndWatch, Pump, Sink};
use crate::context::Context;
use crate::domain::job::Job;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::{self, Wake};
use crate::present::json::{self, LogsDocument, StreamDocument};
use crate::store::{Store, Surroundings, Watch};

/// How often to look in spite of a watch, and without one.
const SLOW_POLL: std::time::Duration = std::time::Duration::from_secs(1);
const BLIND_POLL: std::time::Duration = std::time::Duration::from_millis(100);

/// Show what a job has printed
///
/// Its stdout goes to stdout and its stderr to stderr, byte for byte, with no times in front of lines: 'jobdir events' tells
/// when what happened. There is no common order of the two: use --merge-output when starting the job if that matters.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir logs 12            everything so far
  jobdir logs -f web        go on until the job ends
  jobdir logs -n 20 @last   the last 20 lines
  jobdir logs --json 12     one JSON document with byte ranges")]
pub struct Args {
    /// The job: an id, a name or @last
    #[arg(value_name = "JOB")]
    job: String,
    /// Go on until the job ends
    #[arg(short, long, conflicts_with = "json")]
    follow: bool,
    /// Only the last lines of each stream
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<u64>,
    /// Only stdout
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// Only stderr
    #[arg(long)]
    stderr: bool,
    /// The output of this attempt, not of the latest
    #[arg(long, value_name = "NUMBER")]
    attempt: Option<u32>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Shows.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = context.reading()?;
    let id = choose_one(&store, &args.job, context)?;
    let job = store.load(id, &Surroundings::new())?;
    let latest = job.attempt().map(|a| a.number).ok_or_else(|| {
        CommandError::new("corrupt", format!("job {id}: its files cannot be read"))
            .hint(format!("the raw output is in '{}'", store.layout().job(id).attempts().display()))
    })?;
    let attempt = args.attempt.unwrap_or(latest);
    if attempt == 0 || attempt > latest {
        return Err(CommandError::new("no_such_attempt", format!("job {id} has no attempt {attempt}"))
            .hint(format!("its attempts are 1 to {latest}")));
    }
    let paths = store.layout().job(id);
    let mut streams: Vec<(PathBuf, Sink)> = Vec::new();
    if !args.stderr {
        streams.push((paths.stdout(attempt), Sink::Stdout));
    }
    if !args.stdout {
        streams.push((paths.stderr(attempt), Sink::Stderr));
    }
    if args.json {
        return document(&args, context, &job, attempt, &streams);
    }
    let running = attempt == latest && !job.state().is_terminal();
    follow(&args, context, &store, &job, &streams, args.follow && running)
}

/// Copies what is there, and with `on` what still comes, until the job ends or nobody reads it.
fn follow(
    args: &Args,
    context: &Context,
    store: &Store,
    job: &Job,
    streams: &[(PathBuf, Sink)],
    on: bool,
) -> Result<u8, CommandError> {
    let queue = context.queue().map_err(anyhow::Error::from)?;
    let mut pump = Pump::new(queue.waker());
    for (path, sink) in streams {
        let from = match (args.tail, platform::open_regular(path)) {
            (Some(lines), Ok(mut file)) => tail_start(&mut file, lines).map_err(anyhow::Error::from)?,
            _ => 0,
        };
        pump.add(path, *sink, from);
    }
    let end = on.then(|| EndWatch::new(store, job.id, queue.waker()));
    let watcher = streams.first().filter(|_| on).and_then(|(path, _)| Watch::of(path.parent()?, queue.waker()));
    let mut over = !on;
    loop {
        if over {
            pump.finish();
        } else {
            pump.look();
        }
        if let Some((_, error)) = pump.take_failure() {
            if error.kind() == std::io::ErrorKind::BrokenPipe {
                return Ok(exit_code::DONE);
            }
            return Err(CommandError::new("io", format!("cannot pass on the output of job {}: {error}", job.id)));
        }
        if over && pump.is_done() {
            return Ok(exit_code::DONE);
        }
        let timeout = if watcher.is_some() || over { SLOW_POLL } else { BLIND_POLL };
        let (wakes, _) = queue.wait(Some(timeout), None).map_err(anyhow::Error::from)?;
        if let Some(signal) = wakes.iter().find_map(|wake| match wake {
            Wake::Signal(signal) => Some(*signal),
            Wake::Child | Wake::Look => None,
        }) {
            return Ok(crate::client::shell_code(crate::domain::outcome::ExitStatus::Signaled(signal)));
        }
        if !over && end.as_ref().is_some_and(EndWatch::is_free) {
            over = match store.load(job.id, &Surroundings::new()) {
                Ok(job) => job.state().is_terminal(),
                Err(_) => {
                    context.talk(&format!("job {} was deleted", job.id));
                    true
                }
            };
        }
    }
}

/// Finds where the last `lines` lines begin, reading backwards, so that a huge log costs no more than a small one.
fn tail_start(file: &mut File, lines: u64) -> std::io::Result<u64> {
    const BLOCK: u64 = 64 << 10;
    let length = file.seek(SeekFrom::End(0))?;
    if lines == 0 {
        return Ok(length);
    }
    let mut missing = lines;
    let mut end = length;
    let mut buffer = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        buffer.clear();
        file.take(end - start).read_to_end(&mut buffer)?;
        for (index, byte) in buffer.iter().enumerate().rev() {
            // The newline at the very end closes the last line; it does not begin another.
            let position = start + index as u64;
            if *byte == b'\n' && position + 1 != length {
                missing -= 1;
                if missing == 0 {
                    return Ok(position + 1);
                }
            }
        }
        end = start;
    }
    Ok(0)
}

fn document(
    args: &Args,
    context: &Context,
    job: &Job,
    attempt: u32,
    streams: &[(PathBuf, Sink)],
) -> Result<u8, CommandError> {
    let part = |sink: Sink| -> Result<StreamDocument, CommandError> {
        match streams.iter().find(|(_, s)| *s == sink) {
            Some((path, _)) => stream(path, args.tail),
            None => Ok(empty()),
        }
    };
    let (stdout, stderr) = (part(Sink::Stdout)?, part(Sink::Stderr)?);
    let document = LogsDocument {
        schema: "jobdir/logs/1",
        id: job.id.to_string(),
        attempt,
        state: job.state().as_str(),
        cursor: format!("{attempt}:{}:{}", stdout.end, stderr.end),
        stdout,
        stderr,
    };
    context.out(&json::render(&document));
    Ok(exit_code::DONE)
}

fn empty() -> StreamDocument {
    StreamDocument {
        text: String::new(),
        encoding: "utf-8",
        start: 0,
        end: 0,
        total: 0,
        truncated: false,
        dropped_bytes: 0,
    }
}

fn stream(path: &Path, tail: Option<u64>) -> Result<StreamDocument, CommandError> {
    let mut file = match platform::open_regular(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(empty()),
        Err(error) => return Err(CommandError::new("io", format!("cannot read '{}': {error}", path.display()))),
    };
    let read = || -> std::io::Result<(u64, Vec<u8>)> {
        let start = match tail {
            Some(lines) => tail_start(&mut file, lines)?,
            None => 0,
        };
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((start, bytes))
    };
    let mut read = read;
    let (start, bytes) = read().map_err(anyhow::Error::from)?;
    let end = start + bytes.len() as u64;
    let (text, encoding) = match String::from_utf8(bytes) {
        Ok(text) => (text, "utf-8"),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), "utf-8-lossy"),
    };
    Ok(StreamDocument { text, encoding, start, end, total: end, truncated: start > 0, dropped_bytes: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_last_lines_are_found() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"one\ntwo\nthree\n").expect("writes");
        for (lines, start) in [(0, 14), (1, 8), (2, 4), (3, 0), (9, 0)] {
            assert_eq!(tail_start(&mut file, lines).expect("reads"), start, "{lines}");
        }
        file.write_all(b"open").expect("writes");
        assert_eq!(tail_start(&mut file, 1).expect("reads"), 14);
    }
}
