//! `jobdir events`: everything that happened to jobs, as NDJSON.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use clap::Args as ClapArgs;

use super::shared::choose;
use crate::client::shell_code;
use crate::context::Context;
use crate::domain::event::Event;
use crate::domain::job_id::JobId;
use crate::domain::outcome::ExitStatus;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::WakeQueue;
use crate::present::json;
use crate::store::{EventReader, Store, StoreError, Surroundings, Watch};

const SLOW_POLL: std::time::Duration = std::time::Duration::from_secs(1);
const BLIND_POLL: std::time::Duration = std::time::Duration::from_millis(100);

/// Show everything that happened to jobs
///
/// One JSON object a line: state changes with their cause, signals sent and whom they reached, requests and their answers,
/// strays, finally steps, warnings. Events of one job are numbered from 1. Where one is missing or cannot be read there is an
/// event 'gap' instead that says how many.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir events 12              the whole story of job 12
  jobdir events -f              everything, and go on
  jobdir events --since 7 12    what came after event 7")]
pub struct Args {
    /// The jobs: ids, names or @last; all jobs when there is none
    #[arg(value_name = "JOB")]
    jobs: Vec<String>,
    /// Go on until the jobs have ended; without JOB for ever
    #[arg(short, long)]
    follow: bool,
    /// Only events of each job after this number
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    since: u64,
    /// Print JSON, which is the default and only format
    #[arg(long, hide = true)]
    json: bool,
}

/// Shows.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = context.reading()?;
    let chosen = choose(&store, &args.jobs)?;
    if let Some(unresolved) = chosen.unresolved.first() {
        return Err(CommandError::no_such_job(unresolved, context));
    }
    let all = args.jobs.is_empty();
    let reader = |id: &JobId| (*id, EventReader::new(*id, args.since));
    let mut readers: BTreeMap<JobId, EventReader> = chosen.ids.iter().map(reader).collect();
    let queue = context.queue().map_err(anyhow::Error::from)?;
    let mut damaged = BTreeSet::new();
    let watcher = args.follow.then(|| watch(&store, &queue, if all { None } else { Some(&chosen.ids) })).flatten();
    loop {
        if all {
            for id in store.job_ids()? {
                readers.entry(id).or_insert_with(|| EventReader::new(id, args.since));
            }
        }
        // Looked at before the events are: what happens in between is then still shown.
        let over = !args.follow || (!all && ended(&store, &chosen.ids));
        if !show(&store, &mut readers, all, &mut damaged, over, context)? || over || WakeQueue::is_stdout_abandoned() {
            return Ok(exit_code::DONE);
        }
        let timeout = if watcher.is_some() { SLOW_POLL } else { BLIND_POLL };
        let (wakes, _) = queue.wait(Some(timeout), None).map_err(anyhow::Error::from)?;
        if let Some(signal) = wakes.iter().find_map(|wake| wake.signal()) {
            return Ok(shell_code(ExitStatus::Signaled(signal)));
        }
    }
}

/// Prints what is new, in the order of time; at the end also what is missing there. Says whether somebody still reads it.
fn show(
    store: &Store,
    readers: &mut BTreeMap<JobId, EventReader>,
    all: bool,
    damaged: &mut BTreeSet<JobId>,
    over: bool,
    context: &Context,
) -> Result<bool, CommandError> {
    loop {
        let mut fresh = Vec::new();
        for (id, reader) in readers.iter_mut() {
            match reader.read(store) {
                Ok(events) => fresh.extend(in_order(events)),
                Err(StoreError::NoSuchJob) => {}
                // One job that cannot be read is no reason to keep silent about the others.
                Err(error) if all => {
                    if damaged.insert(*id) {
                        context.talk(&format!("job {id}: {error}"));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        let is_all = fresh.is_empty();
        if is_all && over {
            fresh.extend(in_order(readers.values_mut().filter_map(|reader| reader.rest(store))));
        }
        // Stable: the events of one job stay in their order.
        fresh.sort_by_key(|(latest, event)| (*latest, event.id));
        let lines: String = fresh.iter().map(|(_, event)| json::render_event(event)).collect();
        if !lines.is_empty() && !context.out(&lines) {
            return Ok(false);
        }
        if is_all {
            return Ok(true);
        }
    }
}

/// Adds to each event the latest time up to it: a clock that was set back changes no order within a job.
fn in_order(events: impl IntoIterator<Item = Event>) -> impl Iterator<Item = (DateTime<Utc>, Event)> {
    events.into_iter().scan(DateTime::UNIX_EPOCH, |latest, event| {
        *latest = (*latest).max(event.time);
        Some((*latest, event))
    })
}

/// Says whether all of these jobs have told everything. The end is told once it is recorded, and before the claim is free.
fn ended(store: &Store, ids: &[JobId]) -> bool {
    let surroundings = Surroundings::new();
    let has_ended = |id: &JobId| store.load(*id, &surroundings).map_or(true, |job| job.state().is_terminal());
    ids.iter().all(|id| has_ended(id) && !store.is_claimed(*id).unwrap_or(false))
}

fn watch(store: &Store, queue: &WakeQueue, ids: Option<&[JobId]>) -> Option<Watch> {
    let mut watch = Watch::new(queue.waker())?;
    let works = match ids {
        None => watch.add_all_below(&store.layout().jobs()),
        Some(ids) => ids.iter().all(|id| watch.add(store.layout().job(*id).dir())),
    };
    works.then_some(watch)
}
