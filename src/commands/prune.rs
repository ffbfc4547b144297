//! `jobdir prune`: remove ended jobs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args as ClapArgs;

use super::filters::FilterArgs;
use super::shared::parse_duration;
use super::waiting::count;
use crate::context::Context;
use crate::domain::retention::{Retention, is_removable};
use crate::domain::state::State;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform;
use crate::present::json::{self, PruneDocument};
use crate::present::text;
use crate::store::StoreError;

/// Remove ended jobs
///
/// Never touches what is active, is orphaned, has survivors, or has finally steps to run.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir prune --older-than 7d              what ended a week ago
  jobdir prune --keep 100                   all but the last hundred
  jobdir prune --state succeeded --dry-run  what would go")]
pub struct Args {
    /// Only what ended so long ago
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    older_than: Option<Duration>,
    /// Keep so many of the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    keep: usize,
    #[command(flatten)]
    filter: FilterArgs,
    /// Say what would go, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Removes.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = if args.dry_run { context.reading()? } else { context.writing()? };
    let filter = args.filter.filter(context)?;
    // A job whose files cannot be read has no state of its own to be chosen by; it goes when it is asked for by name.
    let corrupt_too = args.filter.wants_corrupt();
    let mut jobs = store.load_all(&store.job_ids()?);
    let pending: Vec<String> = jobs
        .iter()
        .filter(|job| job.state() == State::Lost && !is_removable(job) && filter.admits(job))
        .map(|job| job.id.to_string())
        .collect();
    jobs.retain(|job| is_removable(job) || (corrupt_too && job.state() == State::Corrupt));
    jobs.retain(|job| filter.admits(job));
    jobs.reverse();
    let before = args.older_than.map(|age| context.now() - TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX));
    let retention = Retention { ended_before: before, keep: args.keep };
    let (mut removed, mut bytes, mut code) = (Vec::new(), 0, exit_code::DONE);
    let chosen = retention.choose(jobs.iter());
    let done = Rc::new(Cell::new(0));
    let waiting = count(context, done.clone(), chosen.len());
    for job in chosen {
        platform::meanwhile();
        done.set(done.get() + 1);
        let freed = if args.dry_run { Ok(store.size_of(job.id)) } else { store.delete_ended(job) };
        match freed {
            Ok(freed) => {
                removed.push(job.id);
                bytes += freed;
            }
            // Somebody resumed or deleted it meanwhile: then it is not ours to remove.
            Err(StoreError::Busy | StoreError::NoSuchJob) => {}
            Err(error) => {
                code = exit_code::FAILED;
                context.talk(&format!("job {}: {error}", job.id));
            }
        }
    }
    drop(waiting);
    if !args.dry_run {
        store.sweep();
        store.sweep_hints();
    }
    if args.json {
        let document = PruneDocument { schema: "jobdir/prune/1", dry_run: args.dry_run, removed, bytes };
        context.out(&json::render(&document));
        return Ok(code);
    }
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    if !removed.is_empty() {
        context.out(&removed.iter().map(|id| format!("{id}\n")).collect::<String>());
    }
    if !pending.is_empty() {
        let list = pending.join(" ");
        context
            .talk(&format!("kept, because finally steps of them are pending: {list}; 'jobdir kill {list}' runs these"));
    }
    context.talk(&format!("{} {verb}, {}", text::count(removed.len(), "job"), text::bytes(bytes)));
    Ok(code)
}
