//! `jobdir logs`: what a job has printed.

use clap::Args as ClapArgs;
use regex::bytes::Regex;

use super::shared::{choose_one, dropped_notice};
use super::streams::{DOCUMENT_MAX, read_part, read_stream};
use crate::client::{Cleaning, FollowEnd, Following, Grep, MOST_CONTEXT, Sink, Wanted};
use crate::context::Context;
use crate::domain::cursor::Cursor;
use crate::domain::duration::parse_size;
use crate::domain::job::Job;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform;
use crate::present::json;
use crate::present::output::LogsDocument;
use crate::store::{Store, Surroundings};

/// Show what a job has printed
///
/// Its stdout goes to stdout and its stderr to stderr, byte for byte, with no times in front of lines: 'jobdir events' tells
/// when what happened. There is no common order of the two: use --merge-output when starting the job if that matters. What --log-max
/// has dropped is passed over, and told on stderr.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir logs 12                     everything so far
  jobdir logs -f web                 go on until the job ends
  jobdir logs -n 20 @last            the last 20 lines
  jobdir logs --grep 'error|panic' -C 3 build
  jobdir logs --json 12              one JSON document, with a cursor
  jobdir logs --json --since 1:4096:0 12
                                     only what is new since then

With --since, --head, --tail and --max-bytes each stream is taken by itself.
With --grep, --head and --tail count the lines that match.")]
pub struct Args {
    /// The job: an id, a name or @last
    #[arg(value_name = "JOB")]
    job: String,
    /// Go on until the job ends
    #[arg(short, long, conflicts_with_all = ["json", "head", "max_bytes"])]
    follow: bool,
    /// Only what is new since a former answer
    ///
    /// CURSOR is what 'jobdir logs --json' calls so. It stays valid when old output is dropped and when the job is resumed:
    /// after the end of its attempt comes the beginning of the next one.
    #[arg(long, value_name = "CURSOR")]
    since: Option<Cursor>,
    /// Only the last lines
    #[arg(short = 'n', long, value_name = "LINES", conflicts_with = "head")]
    tail: Option<u64>,
    /// Only the first lines
    #[arg(long, value_name = "LINES")]
    head: Option<u64>,
    /// Only so many bytes: the newest with --tail, else the first
    ///
    /// A size such as 4096 or 64K. With --json the default is 16M for each stream; 'truncated' and 'more' tell whether there
    /// is more.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_bytes: Option<u64>,
    /// Only lines that match this regular expression
    #[arg(long, value_name = "REGEX", value_parser = parse_regex)]
    grep: Option<Regex>,
    /// With --grep: also so many lines before and after each
    #[arg(short = 'C', long, value_name = "LINES", requires = "grep")]
    context: Option<u64>,
    /// Only stdout
    #[arg(long, conflicts_with = "stderr")]
    stdout: bool,
    /// Only stderr
    #[arg(long)]
    stderr: bool,
    /// The output of this attempt, not of the latest
    #[arg(long, value_name = "NUMBER")]
    attempt: Option<u32>,
    /// Without colours and other escape sequences
    ///
    /// The default for a job with a terminal of its own (--pty), unless stdout is a terminal. Lines that a terminal has
    /// written end plainly then, and of those that were written over and over again, as progress bars are, only what
    /// came last is shown. The bytes themselves: 'jobdir status -P output.stdout_path JOB' names the file.
    #[arg(long)]
    strip_ansi: bool,
    /// Whether a terminal has written it.
    #[arg(skip)]
    is_of_terminal: bool,
    /// Print one JSON document
    ///
    /// For each stream it has the text, where in the stream it begins and ends, how long that is, and how much of it was
    /// dropped. Bytes that are not UTF-8 are replaced, and 'encoding' says so.
    #[arg(long)]
    json: bool,
}

fn parse_regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| format!("'{text}' is not a regular expression: {error}"))
}

/// Shows.
pub fn run(mut args: Args, context: &Context) -> Result<u8, CommandError> {
    if args.context.is_some_and(|lines| lines > MOST_CONTEXT as u64) {
        return Err(CommandError::usage(format!("--context is at most {MOST_CONTEXT} lines")));
    }
    let store = context.reading()?;
    let id = choose_one(&store, &args.job, context)?;
    let job = store.load(id, &Surroundings::new())?;
    let latest = job.attempt().map(|a| a.number).ok_or_else(|| {
        CommandError::new("corrupt", format!("job {id}: its files cannot be read"))
            .hint(format!("the raw output is in '{}'", store.layout().job(id).attempts().display()))
    })?;
    let attempt = match (args.attempt, args.since) {
        (Some(attempt), Some(cursor)) if attempt != cursor.attempt => {
            let message =
                format!("the cursor {cursor} is of attempt {}, and attempt {attempt} is asked for", cursor.attempt);
            return Err(CommandError::usage(message));
        }
        (attempt, cursor) => attempt.or(cursor.map(|cursor| cursor.attempt)).unwrap_or(latest),
    };
    if attempt == 0 || attempt > latest {
        return Err(CommandError::new("no_such_attempt", format!("job {id} has no attempt {attempt}"))
            .hint(format!("its attempts are 1 to {latest}")));
    }
    // What is meant for a terminal is of no use elsewhere.
    let pty = job.record().is_some_and(|record| record.attempts.iter().any(|one| one.number == attempt && one.pty));
    args.strip_ansi |= pty && !context.stdout_is_terminal();
    args.is_of_terminal = pty;
    if args.json {
        document(&args, context, &store, &job, attempt)
    } else {
        show(&args, context, &store, &job, attempt)
    }
}

impl Args {
    /// What is wanted of a stream of an attempt.
    fn wanted(&self, attempt: u32, sink: Sink) -> Wanted {
        let from = self.since.filter(|cursor| cursor.attempt == attempt).map_or(0, |cursor| match sink {
            Sink::Stdout => cursor.stdout,
            Sink::Stderr => cursor.stderr,
        });
        let context = usize::try_from(self.context.unwrap_or(0)).unwrap_or(MOST_CONTEXT);
        Wanted {
            from,
            until: None,
            head: self.head,
            tail: self.tail,
            max_bytes: self.max_bytes,
            grep: self.grep.clone().map(|regex| Grep { regex, context }),
            cleaning: Cleaning { strip_ansi: self.strip_ansi, returns: self.is_of_terminal && self.strip_ansi },
        }
    }

    fn streams(&self) -> Vec<Sink> {
        match (self.stdout, self.stderr) {
            (true, _) => vec![Sink::Stdout],
            (_, true) => vec![Sink::Stderr],
            (false, false) => vec![Sink::Stdout, Sink::Stderr],
        }
    }
}

/// Shows what is there, and with --follow what still comes.
fn show(args: &Args, context: &Context, store: &Store, job: &Job, attempt: u32) -> Result<u8, CommandError> {
    let latest = job.attempt().map_or(attempt, |latest| latest.number);
    let on = args.follow && attempt <= latest && !job.state().is_terminal();
    // What is printed while we read would be read for ever.
    let length = |attempt, sink| {
        let paths = store.layout().job(job.id);
        let path = if sink == Sink::Stdout { paths.stdout(attempt) } else { paths.stderr(attempt) };
        platform::facts(&path).map_or(0, |facts| facts.length)
    };
    let last = match args.since {
        Some(_) if args.attempt.is_none() => (!on).then_some(latest),
        _ if args.attempt.is_none() && on => None,
        _ => Some(attempt),
    };
    if args.grep.is_some() && args.tail.is_some() && args.max_bytes.is_some() {
        // Which lines are the newest that fit is known only when all have been read.
        for attempt in attempt..=last.unwrap_or(attempt) {
            for sink in args.streams() {
                let piece = read_part(store, job, attempt, sink, &args.wanted(attempt, sink))?;
                if let Err(error) = platform::write_all(sink == Sink::Stderr, &piece.unwrap_or_default().bytes) {
                    return not_taken(job, error);
                }
            }
        }
        return Ok(exit_code::DONE);
    }
    let queue = context.queue().map_err(anyhow::Error::from)?;
    let following = Following {
        store,
        queue: &queue,
        id: job.id,
        attempts: (attempt, last),
        streams: args.streams(),
        on,
        limited: None,
        types: false,
        until: None,
    };
    let wanted = |attempt, sink| {
        let mut wanted = args.wanted(attempt, sink);
        let length = length(attempt, sink);
        if wanted.from > length {
            // The job has emptied its log, as `> /dev/stderr` does.
            wanted.from = 0;
        }
        wanted.until = (!on).then_some(length);
        (wanted, limit_of(job, attempt))
    };
    match following.show(wanted, |sink, bytes| context.talk(&dropped_notice(sink, bytes)))? {
        FollowEnd::Ended | FollowEnd::Detached | FollowEnd::TimeUp => Ok(exit_code::DONE),
        FollowEnd::Deleted => {
            context.talk(&format!("job {} was deleted", job.id));
            Ok(exit_code::DONE)
        }
        FollowEnd::Signal(signal) => {
            Ok(crate::client::shell_code(crate::domain::outcome::ExitStatus::Signaled(signal)))
        }
        FollowEnd::NotTaken(_, error) => not_taken(job, error),
    }
}

/// Ends when our stdout or stderr does not take the output. That nobody reads it any more is no failure.
fn not_taken(job: &Job, error: std::io::Error) -> Result<u8, CommandError> {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Ok(exit_code::DONE);
    }
    Err(CommandError::new("io", format!("cannot pass on the output of job {}: {error}", job.id)))
}

/// Returns the size limit of the logs of an attempt. One that began after the job was read has that of the latest.
fn limit_of(job: &Job, attempt: u32) -> Option<u64> {
    let attempts = &job.record()?.attempts;
    let known = attempts.iter().find(|known| known.number == attempt).or(attempts.last());
    known?.log_limit.map(|limit| limit.max_bytes)
}

fn document(args: &Args, context: &Context, store: &Store, job: &Job, mut attempt: u32) -> Result<u8, CommandError> {
    let latest = job.attempt().map_or(attempt, |latest| latest.number);
    let streams = args.streams();
    let read = |attempt: u32, sink: Sink| {
        let mut wanted = args.wanted(attempt, sink);
        wanted.max_bytes = wanted.max_bytes.or(Some(DOCUMENT_MAX));
        let is_wanted = streams.contains(&sink);
        read_stream(store, job, attempt, sink, is_wanted.then_some(&wanted), wanted.from)
    };
    let (mut stdout, mut stderr) = (read(attempt, Sink::Stdout)?, read(attempt, Sink::Stderr)?);
    // A cursor at the end of an attempt goes on with the next one, in which something was printed or which is the latest.
    while args.since.is_some()
        && args.attempt.is_none()
        && attempt < latest
        && stdout.is_through()
        && stderr.is_through()
    {
        attempt += 1;
        (stdout, stderr) = (read(attempt, Sink::Stdout)?, read(attempt, Sink::Stderr)?);
    }
    let cursor = Cursor { attempt, stdout: stdout.end, stderr: stderr.end };
    let later = args.attempt.is_none() && attempt < latest;
    let document = LogsDocument {
        schema: "jobdir/logs/1",
        id: job.id.to_string(),
        attempt,
        state: job.state().as_str(),
        cursor: cursor.to_string(),
        more: later || stdout.end < stdout.total || stderr.end < stderr.total,
        stdout,
        stderr,
    };
    context.out(&json::render(&document));
    Ok(exit_code::DONE)
}
