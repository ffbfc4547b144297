//! `jobdir jobs`: the list, once or as it changes.

mod errands;
mod live;
mod watch;

use std::collections::HashSet;

use clap::Args as ClapArgs;

use super::filters::FilterArgs;
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::columns::{self, Column};
use crate::present::field::LineTemplate;
use crate::present::json::{self, JobDocument, JobsDocument};
use crate::present::text;
use crate::store::{PublicForms, Store, Surroundings, in_portions};

/// How many ended jobs the table shows by default.
const RECENT: usize = 20;

/// List jobs
///
/// The table shows what is active, orphaned or has survivors, and the last 20 that ended; with filters, of those that they
/// admit. JSON, lines and -q always list everything that the filters admit. Nothing is written: what is shown was concluded
/// from the state directory just now.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir jobs                              what is going on, what ended last
  jobdir jobs --all --failed --since 1d    everything that went wrong today
  jobdir jobs -q --active --here           ids of what runs below here
  jobdir jobs --name 'web-*' --json        one JSON document
  jobdir jobs --sort elapsed -n 5          the five that took longest
  jobdir jobs --columns id,state,meta.url  other columns
  jobdir jobs --format '{id} {exit_code}'  a line for each job
  jobdir jobs --watch                      a live view; '?' shows its keys
  jobdir jobs --watch --json -n 0          every change from now on

Columns: id, name, state, exit, age, elapsed, pid, command, attempt,
labels, ended, reason, cpu, memory, output, progress, and every field of
the JSON document by its path, such as created_at or output.stdout_path.")]
pub struct Args {
    /// Show every job
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    filter: FilterArgs,
    /// Only so many: the newest, or the highest of --sort
    #[arg(short = 'n', value_name = "NUMBER")]
    number: Option<usize>,
    /// Sort by this column instead of the id, lowest first
    #[arg(long, value_name = "COLUMN")]
    sort: Option<Column>,
    /// Turn the order round
    #[arg(short, long)]
    reverse: bool,
    /// The columns of the table, separated by commas
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    columns: Vec<Column>,
    /// Print a table, json, ndjson, or a line by a template
    ///
    /// A template has fields of the JSON document in braces: '{id} {state} {meta.url}'. '{{' and '}}' are single braces, \t
    /// and \n a tabulator and a new line. What is missing is empty.
    #[arg(long, value_name = "table|json|ndjson|TEMPLATE")]
    format: Option<Format>,
    /// Print ids alone, a line each
    #[arg(short, long, conflicts_with_all = ["json", "format", "columns"])]
    quiet: bool,
    /// Print one JSON document
    #[arg(long, conflicts_with_all = ["format", "columns"])]
    json: bool,
    /// Go on, and show what changes
    ///
    /// On a terminal this is a live view: keys select a job, show its output, kill, pause, resume and delete it; '?' tells
    /// them all. Otherwise, and in every other format, there is a line for each job at first and then for each that has
    /// changed: as JSON, unless a template or -q says otherwise. A job that was deleted comes for the last time with
    /// 'deleted' set. Changes within a moment may come as one; 'jobdir events' tells them all.
    #[arg(short, long)]
    watch: bool,
}

/// In what form jobs are listed.
#[derive(Clone, Debug)]
enum Format {
    Table,
    Json,
    Ndjson,
    Lines(LineTemplate),
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "ndjson" => Ok(Self::Ndjson),
            _ if text.contains('{') => LineTemplate::parse(text).map(Self::Lines),
            _ => Err(format!(
                "'{text}' is none of table, json, ndjson, and no template: it has no field such as '{{id}}'"
            )),
        }
    }
}

/// Lists.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let format = match (&args.format, args.json, args.quiet) {
        (Some(format), ..) => format.clone(),
        (None, true, _) => Format::Json,
        (None, _, true) => Format::Lines(LineTemplate::parse("{id}").map_err(CommandError::usage)?),
        (None, ..) => Format::Table,
    };
    if !args.columns.is_empty() && !matches!(format, Format::Table) {
        return Err(CommandError::usage("--columns are for tables, and --format asks for something else"));
    }
    let store = context.reading()?;
    let filter = args.filter.filter(context)?;
    if args.watch {
        let is_live = matches!(format, Format::Table) && context.height().is_some();
        return match is_live {
            true => live::run(&args, &filter, &store, context),
            false => watch::run(&args, &format, &filter, &store, context),
        };
    }
    let is_table = matches!(format, Format::Table);
    let ids: Vec<JobId> = if is_table && args.is_default() { Vec::new() } else { store.job_ids()? };
    if matches!(format, Format::Json) && args.is_plain() {
        return Ok(print_all(context, &store, &ids));
    }
    if args.quiet && args.is_plain() {
        context.out(&ids.iter().map(|id| format!("{id}\n")).collect::<String>());
        return Ok(exit_code::DONE);
    }
    let mut unseen = 0;
    let jobs: Vec<Job> = match args.number {
        None if is_table && args.is_default() => {
            // What has settled needs no look to be known as ended, but for those that are shown.
            let mut overview = store.overview()?;
            unseen = overview.settled.len().saturating_sub(RECENT);
            overview.settled.truncate(RECENT);
            let mut shown = [overview.unsettled, overview.settled].concat();
            shown.sort_unstable();
            store.load_all(&shown)
        }
        Some(number) if args.sort.is_none() => {
            // Newest first, and no further than needed.
            let surroundings = Surroundings::new();
            let loaded = ids.iter().rev().filter_map(|id| store.load(*id, &surroundings).ok());
            let mut jobs: Vec<Job> = loaded.filter(|job| filter.admits(job)).take(number).collect();
            jobs.reverse();
            jobs
        }
        _ => store.load_all(&ids).into_iter().filter(|job| filter.admits(job)).collect(),
    };
    let (jobs, hidden) = args.arrange(jobs, is_table && !args.all);
    match &format {
        Format::Table => {
            context.out(&args.table(&jobs, context));
            if hidden + unseen > 0 {
                let more = text::count(hidden + unseen, "job");
                context.talk(&format!("{more} more ended; 'jobdir jobs --all' lists them"));
            }
        }
        Format::Json => {
            let document = JobsDocument {
                schema: "jobdir/jobs/1",
                state_dir: context.state_dir().to_string_lossy().into_owned(),
                jobs: jobs.iter().map(|job| JobDocument::new(job, false)).collect(),
            };
            context.out(&json::render(&document));
        }
        Format::Ndjson | Format::Lines(_) => {
            context.out(&jobs.iter().map(|job| line(&format, &JobDocument::new(job, false))).collect::<String>());
        }
    }
    Ok(exit_code::DONE)
}

/// Prints the whole list as JSON, in portions: it may be long.
fn print_all(context: &Context, store: &Store, ids: &[JobId]) -> u8 {
    let observed_at = json::time(context.now());
    let forms = PublicForms::new(store, &observed_at);
    let render = |job: &Job| json::render(&JobDocument::new(job, false));
    let read = |ids: &[JobId], surroundings: &Surroundings, text: &mut Vec<u8>| {
        forms.append(ids, surroundings, text, render);
    };
    let mut opening = json::jobs_opening(&context.state_dir().to_string_lossy()).into_bytes();
    in_portions(ids, read, |text| {
        if !opening.is_empty() && !text.is_empty() {
            // The first job comes after what opens the document, not after a comma.
            text.splice(..1, opening.drain(..));
        }
        let written = context.out_bytes(text);
        text.clear();
        written
    });
    opening.extend_from_slice(b"]}\n");
    context.out_bytes(&opening);
    exit_code::DONE
}

impl Args {
    /// Says whether every job is listed, in the order of ids.
    fn is_plain(&self) -> bool {
        self.filter.is_empty() && self.number.is_none() && self.sort.is_none() && !self.reverse
    }

    /// Says whether the table shows what it does by default, of all jobs.
    fn is_default(&self) -> bool {
        self.filter.is_empty() && self.number.is_none() && !self.all
    }

    /// Chooses which of the admitted jobs, given in the order of ids, are listed, and in what order: of those that ended
    /// perhaps only the recent ones. Says how many ended ones are not.
    fn arrange(&self, mut jobs: Vec<Job>, only_recent: bool) -> (Vec<Job>, usize) {
        let total = jobs.len();
        let mut hidden = 0;
        if only_recent && self.number.is_none() {
            let mut ended: Vec<_> = jobs
                .iter()
                .filter(|job| !job.is_stoppable())
                .map(|job| (job.attempt().and_then(|attempt| attempt.ended_at), job.id))
                .collect();
            ended.sort_unstable();
            let surplus = ended.len().saturating_sub(RECENT);
            let old: HashSet<JobId> = ended[..surplus].iter().map(|(_, id)| *id).collect();
            jobs.retain(|job| !old.contains(&job.id));
            hidden = total - jobs.len();
        }
        if let Some(column) = &self.sort {
            column.sort(&mut jobs);
        }
        if let Some(number) = self.number {
            jobs.drain(..jobs.len().saturating_sub(number));
        }
        if self.reverse {
            jobs.reverse();
        }
        (jobs, hidden)
    }

    fn table(&self, jobs: &[Job], context: &Context) -> String {
        columns::render(jobs, &self.shown_columns(), context.now(), context.width(), context.style())
    }

    fn shown_columns(&self) -> Vec<Column> {
        if self.columns.is_empty() { Column::usual() } else { self.columns.clone() }
    }
}

/// Renders one job on a line of its own.
fn line(format: &Format, document: &JobDocument) -> String {
    match format {
        Format::Lines(template) => template.fill(&serde_json::to_value(document).unwrap_or_default()),
        Format::Table | Format::Json | Format::Ndjson => json::render(document),
    }
}
