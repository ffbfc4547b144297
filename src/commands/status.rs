//! `jobdir status`: one job in full.

use clap::Args as ClapArgs;

use super::shared::choose;
use super::streams::read_stream;
use crate::client::{Cleaning, Sink, Wanted, chain, processes};
use crate::context::Context;
use crate::domain::job::Job;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::card::{self, card};
use crate::present::field::Field;
use crate::present::json::{self, JobDocument, ResultDocument, ResultsDocument};
use crate::store::{Store, Surroundings};

/// Show one job in full
///
/// What is shown was concluded just now from the job's files, its claim and the process table; nothing is written.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir status 12               everything about job 12
  jobdir status -P state web     one value, for scripts
  jobdir status --json @last     one JSON document")]
pub struct Args {
    /// The jobs: ids, names or @last
    #[arg(value_name = "JOB", required = true)]
    jobs: Vec<String>,
    /// Print the value of one field of the JSON document
    ///
    /// Such as state, pid or output.stdout_path. Text is printed without quotes, null as an empty line.
    #[arg(short = 'P', long, value_name = "FIELD", conflicts_with = "json")]
    property: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Shows.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = context.reading()?;
    let chosen = choose(&store, &args.jobs)?;
    if let (Some(unresolved), true) = (chosen.unresolved.first(), chosen.ids.is_empty()) {
        return Err(CommandError::no_such_job(unresolved, context));
    }
    let surroundings = Surroundings::new();
    let mut code = exit_code::DONE;
    let mut jobs: Vec<Job> = chosen.ids.iter().filter_map(|id| store.load(*id, &surroundings).ok()).collect();
    for job in &mut jobs {
        job.chain = job.waiting_for.is_some().then(|| chain(&store, job, &surroundings));
        job.processes = Some(processes(&store, job, &surroundings)).filter(|list| !list.is_empty());
    }
    for unresolved in &chosen.unresolved {
        code = exit_code::NO_SUCH_JOB;
        if !args.json {
            CommandError::no_such_job(unresolved, context).report(context);
        }
    }
    if args.json {
        context.out(&document(&args, &jobs, &chosen.unresolved));
        return Ok(code);
    }
    for (index, job) in jobs.iter().enumerate() {
        match &args.property {
            Some(field) => context.out(&property(job, field)?),
            None => {
                if index > 0 {
                    context.out("\n");
                }
                context.out(&card_of(&store, job, context))
            }
        };
    }
    Ok(code)
}

fn document(args: &Args, jobs: &[Job], unresolved: &[crate::client::Unresolved]) -> String {
    if let (1, [job]) = (args.jobs.len(), jobs) {
        return json::render_job(job);
    }
    let found = jobs.iter().map(|job| ResultDocument {
        id: job.id.to_string(),
        result: "found",
        message: None,
        job: Some(JobDocument::new(job, true)),
    });
    let missing = unresolved.iter().map(|unresolved| ResultDocument {
        id: unresolved.given.clone(),
        result: "not_found",
        message: None,
        job: None,
    });
    json::render(&ResultsDocument { schema: "jobdir/status/1".into(), results: found.chain(missing).collect() })
}

/// Finds a field of the JSON document by its path; text is printed without quotes, null as nothing.
fn property(job: &Job, field: &str) -> Result<String, CommandError> {
    let document = serde_json::to_value(JobDocument::new(job, true)).map_err(anyhow::Error::from)?;
    let field = Field::parse(field).map_err(|why| {
        CommandError::new("unknown_field", why).hint(format!("'jobdir status --json {}' shows every field", job.id))
    })?;
    match field.of(&document) {
        serde_json::Value::Null => Ok("\n".into()),
        serde_json::Value::String(text) => Ok(format!("{text}\n")),
        other => Ok(format!("{other}\n")),
    }
}

/// How many of the last lines of each stream a card shows.
const LINES: u64 = 5;

fn card_of(store: &Store, job: &Job, context: &Context) -> String {
    let attempt = job.attempt().map_or(1, |attempt| attempt.number);
    let cleaning = Cleaning { strip_ansi: true, returns: true };
    let wanted = Wanted { tail: Some(LINES), max_bytes: Some(8 << 10), cleaning, ..Wanted::default() };
    let tail = |sink| {
        let stream = read_stream(store, job, attempt, sink, Some(&wanted), 0);
        stream.map(|stream| stream.text).unwrap_or_default()
    };
    let (stdout, stderr) = (tail(Sink::Stdout), tail(Sink::Stderr));
    let (now, style, width) = (context.now(), context.style(), context.width());
    card(job, &card::Surroundings { now, style, width, tail: [&stdout, &stderr] })
}
