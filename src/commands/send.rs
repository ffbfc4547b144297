//! `jobdir send`: write to the input of a job that was started with `--stdin fifo`.

use std::ffi::OsString;
use std::io::{self, Read, Write};

use clap::Args as ClapArgs;

use super::shared::choose_one;
use crate::client::{Answer, request};
use crate::context::Context;
use crate::domain::request::Verb;
use crate::domain::spec::Stdin;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform;
use crate::present::json::{self, JobDocument, ResultDocument, ResultsDocument};
use crate::store::Surroundings;

/// Write to the input of a job
///
/// Writes TEXT and a newline, or what comes from our own input, to a job that was started with --stdin fifo. Other
/// senders may follow, until one says --eof.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir run -d --name calc --stdin fifo -- bc
  jobdir send calc '2^64'
  jobdir send --eof calc")]
pub struct Args {
    /// The job: an id, a name or @last
    #[arg(value_name = "JOB")]
    job: String,
    /// The text; our own input when there is none
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: Option<OsString>,
    /// Write no newline after TEXT
    #[arg(short = 'n', long)]
    no_newline: bool,
    /// Let the job see the end of its input afterwards
    #[arg(long)]
    eof: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Writes.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = context.reading()?;
    let id = choose_one(&store, &args.job, context)?;
    let store = context.writing()?;
    let job = store.load(id, &Surroundings::new())?;
    if job.observation.supervised != Some(true) {
        return Err(CommandError::new("not_running", format!("job {id} is {}: nobody reads its input", job.state()))
            .about(id)
            .hint(format!("'jobdir status {id}' says how it ended, 'jobdir resume {id}' starts its next attempt")));
    }
    // An attempt may have an input of its own; the FIFO is there when it reads from one.
    let path = store.layout().job(id).stdin();
    let is_fifo = job.spec().is_some_and(|spec| matches!(spec.stdin, Stdin::Fifo));
    let refused = |why: String| {
        CommandError::new("no_input", format!("job {id} takes no input: {why}"))
            .about(id)
            .hint(format!("'jobdir status {id}' says what it does"))
    };
    let mut fifo = platform::open_fifo_writer(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if !is_fifo => {
            refused("it was not started with --stdin fifo".into()).hint("start it with 'jobdir run --stdin fifo'")
        }
        io::ErrorKind::NotConnected => refused("it has closed its input".into()),
        _ => refused(error.to_string()),
    })?;
    let failed = |error: io::Error| refused(format!("it has closed its input ({error})"));
    match &args.text {
        Some(text) => {
            let mut bytes = platform::os_text(text).0;
            if !args.no_newline {
                bytes.push(b'\n');
            }
            fifo.write_all(&bytes).and_then(|()| platform::close_fifo_writer(fifo)).map_err(failed)?;
        }
        None if args.eof => drop(fifo),
        None => {
            let mut buffer = [0u8; 64 << 10];
            loop {
                match io::stdin().lock().read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => fifo.write_all(&buffer[..n]).map_err(failed)?,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(CommandError::new("io", format!("cannot read our input: {error}"))),
                }
            }
            platform::close_fifo_writer(fifo).map_err(failed)?;
        }
    }
    platform::crash_point("input.sent");
    if args.eof {
        let queue = context.queue().map_err(anyhow::Error::from)?;
        match request(&store, &queue, &job, Verb::CloseInput, None)? {
            Answer::Accepted | Answer::NoChange | Answer::AlreadyEnded => {}
            Answer::Refused(why) => return Err(refused(why)),
            Answer::None => {
                return Err(CommandError::new("no_answer", format!("the supervisor of job {id} has not answered yet"))
                    .about(id)
                    .hint(format!("the request lies there until it does; 'jobdir status {id}' says how it is")));
            }
        }
    }
    if args.json {
        let job = store.load(id, &Surroundings::new()).ok();
        let job = job.as_ref().map(|job| JobDocument::new(job, false));
        let results = vec![ResultDocument { id: id.to_string(), result: "sent", message: None, job }];
        context.out(&json::render(&ResultsDocument { schema: "jobdir/send/1".into(), results }));
    }
    Ok(exit_code::DONE)
}
