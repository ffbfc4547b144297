//! `jobdir jobs`: the list.

use clap::Args as ClapArgs;

use super::shared::FilterArgs;
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::state::State;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::json::{self, JobDocument, JobsDocument};
use crate::present::{table, text};
use crate::store::{Listed, PublicForms, Store, Surroundings, for_each};

/// How many ended jobs the table shows by default.
const RECENT: usize = 20;
/// How much of a document is gathered before it is written.
const BUFFER: usize = 64 << 10;

/// List jobs
///
/// Shows what is active, orphaned or has survivors, and the last 20 that ended. JSON and -q always list everything that
/// the filters admit. Nothing is written: what is shown was concluded from the state directory just now.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir jobs                        what is going on, and what ended last
  jobdir jobs --all --state failed   everything that failed
  jobdir jobs -q --active            the ids of active jobs, a line each
  jobdir jobs --json                 one JSON document")]
pub struct Args {
    /// Show every job
    #[arg(short, long)]
    all: bool,
    /// Only what is active, orphaned or has survivors
    #[arg(long)]
    active: bool,
    #[command(flatten)]
    filter: FilterArgs,
    /// Only jobs started in this directory or below it
    #[arg(long)]
    here: bool,
    /// Only the newest jobs, at most this many
    #[arg(short = 'n', value_name = "NUMBER")]
    number: Option<usize>,
    /// Print ids alone, a line each
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Lists.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = context.reading()?;
    let mut filter = args.filter.filter();
    filter.active = args.active;
    filter.below = args.here.then(|| context.current_dir()).transpose().map_err(anyhow::Error::from)?;
    let everything = args.all || args.json || args.quiet || !filter.is_empty();
    let ids: Vec<JobId> = store.job_ids()?;
    if args.json && filter.is_empty() && args.number.is_none() {
        return Ok(print_all(context, &store, &ids));
    }
    let mut jobs: Vec<Job> = match args.number {
        // Newest first, and no further than needed.
        Some(number) => {
            let surroundings = Surroundings::new();
            let loaded = ids.iter().rev().filter_map(|id| store.load(*id, &surroundings).ok());
            loaded.filter(|job| filter.admits(job)).take(number).collect()
        }
        None => {
            let mut jobs = store.load_all(&ids);
            jobs.retain(|job| filter.admits(job));
            jobs.reverse();
            jobs
        }
    };
    let mut hidden = 0;
    if !everything && args.number.is_none() {
        let mut ended = 0;
        let total = jobs.len();
        jobs.retain(|job| {
            job.state().is_active() || job.has_survivors() || {
                ended += 1;
                ended <= RECENT
            }
        });
        hidden = total - jobs.len();
    }
    jobs.reverse();
    if args.json {
        let document = JobsDocument {
            schema: "jobdir/jobs/1",
            state_dir: context.state_dir().to_string_lossy().into_owned(),
            jobs: jobs.iter().map(|job| JobDocument::new(job, false)).collect(),
        };
        context.out(&json::render(&document));
    } else if args.quiet {
        let ids: String = jobs.iter().map(|job| format!("{}\n", job.id)).collect();
        context.out(&ids);
    } else {
        show(context, &jobs);
        if hidden > 0 {
            context.talk(&format!("{} more ended; 'jobdir jobs --all' lists them", text::count(hidden, "job")));
        }
    }
    Ok(exit_code::DONE)
}

/// Prints the whole list as JSON, in portions: it may be long.
fn print_all(context: &Context, store: &Store, ids: &[JobId]) -> u8 {
    let observed_at = json::time(context.now());
    let forms = PublicForms::new(store, &observed_at);
    let read = |id, surroundings: &Surroundings| {
        forms.load(id, surroundings).ok().map(|listed| match listed {
            Listed::Form(form) => form,
            Listed::Job(job) => json::render(&JobDocument::new(&job, false)).trim_end().as_bytes().to_vec(),
        })
    };
    let mut text = json::jobs_opening(&context.state_dir().to_string_lossy()).into_bytes();
    let mut between: &[u8] = b"";
    for_each(ids, read, |form| {
        text.extend_from_slice(std::mem::replace(&mut between, b","));
        text.extend_from_slice(&form);
        text.len() < BUFFER || {
            let written = context.out_bytes(&text);
            text.clear();
            written
        }
    });
    text.extend_from_slice(b"]}\n");
    context.out_bytes(&text);
    exit_code::DONE
}

fn show(context: &Context, jobs: &[Job]) {
    const HEADERS: [&str; 8] = ["ID", "NAME", "STATE", "EXIT", "AGE", "ELAPSED", "PID", "COMMAND"];
    let now = context.now();
    let rows: Vec<Vec<String>> = jobs
        .iter()
        .map(|job| {
            let (spec, attempt) = (job.spec(), job.attempt());
            let dash = || "-".to_owned();
            let exit = match (attempt.and_then(|a| a.exit_code), attempt.and_then(|a| a.signal)) {
                (Some(code), _) => code.to_string(),
                (None, Some(signal)) => signal.short_name().to_owned(),
                (None, None) => dash(),
            };
            let elapsed = attempt.and_then(|a| a.duration_ms).map(text::milliseconds).or_else(|| {
                attempt.and_then(|a| a.started_at).filter(|_| !job.state().is_terminal()).map(|t| text::ago(t, now))
            });
            vec![
                job.id.to_string(),
                spec.and_then(|s| s.name.as_ref()).map_or_else(dash, ToString::to_string),
                state(job),
                exit,
                spec.map_or_else(dash, |s| text::ago(s.created_at, now)),
                elapsed.unwrap_or_else(dash),
                attempt
                    .and_then(|a| a.leader)
                    .filter(|_| job.observation.alive == Some(true))
                    .map_or_else(dash, |leader| leader.pid.to_string()),
                spec.map_or_else(
                    || job.observation.message.as_deref().map_or_else(dash, text::escape),
                    |s| text::command(job.command().unwrap_or(&s.command)),
                ),
            ]
        })
        .collect();
    let plain = table::render(&HEADERS, &rows, context.width());
    let style = context.style();
    let mut lines = plain.lines();
    let mut out = lines.next().map(|header| style.bold(header) + "\n").unwrap_or_default();
    for (line, job) in lines.zip(jobs) {
        let word = state(job);
        // The state is the third column; a command may contain the same word, further right.
        out.push_str(&line.replacen(&word, &style.state(job.state(), &word), 1));
        out.push('\n');
    }
    context.out(&out);
}

/// The state, with what is worth knowing of it in a word: how far the job is, its place in the queue.
fn state(job: &Job) -> String {
    let state = job.state();
    match job.record() {
        Some(record) if record.paused && state == State::Running => return "paused".into(),
        _ => {}
    }
    let percent = job.progress.as_ref().and_then(|p| p.fraction).filter(|_| state == State::Running);
    let place = job.waiting_for.iter().flatten().filter_map(|waiting| waiting.position).max();
    match (percent, place) {
        (Some(fraction), _) => format!("{state} {:.0}%", fraction * 100.0),
        (None, Some(place)) => format!("{state} #{place}"),
        (None, None) => state.to_string(),
    }
}
