//! `jobdir wait`: block until runs have ended, and mirror how.

use std::time::{Duration, Instant};

use clap::Args as ClapArgs;

use super::filters::FilterArgs;
use super::shared::{choose, choose_by_filter, end_note, orphan_notice, parse_duration};
use super::streams::tail_of;
use super::waiting::Awaited;
use crate::client::{Condition, Mistake, Progress, Unresolved, Woken, wait_for, wait_for_ends};
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::WakeQueue;
use crate::present::json::{self, JobDocument};
use crate::present::output::{WaitDocument, excerpt};
use crate::store::Store;

/// Wait until jobs have ended
///
/// Blocks without polling until the runs of all the given jobs have ended, retries included, and exits as they did:
/// with the command's own code, 128+n after a signal, and so on; with several jobs with the highest of their codes.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir wait 12                    wait, and exit as job 12 does
  jobdir wait --any 12 13           wait for the first of them
  jobdir wait --timeout 5m build    at most 5 minutes; then exit with 122
  jobdir wait --json @last          one document with the outcome
  jobdir wait --tail 20 build       and show the end of its output
  jobdir wait --for ready web       until it has created $JOBDIR_READY
  jobdir wait --for output='listening on' --timeout 30s web

Conditions: a state such as running or failed, ready, paused, deleted,
output=REGEX. With --for the exit code is 0 when the condition came true,
122 when the time was up, 1 when it can no longer come true.")]
pub struct Args {
    /// The jobs: ids, names or @last
    #[arg(value_name = "JOB", required_unless_present_any = ["all", "filters"], conflicts_with = "filters")]
    jobs: Vec<String>,
    /// Wait for all of them, which is the default
    ///
    /// Without JOB and without filters: for all that are active now.
    #[arg(long, conflicts_with = "any")]
    all: bool,
    /// Wait for the first of them only
    #[arg(long)]
    any: bool,
    /// Stop waiting after this time; the jobs go on
    ///
    /// The exit code is then 122. 0 tests once.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// Wait for this instead of the end
    ///
    /// A state, ready, paused, deleted or output=REGEX; see below.
    #[arg(long = "for", value_name = "CONDITION")]
    condition: Option<Condition>,
    /// Also show the last lines of each job's output
    ///
    /// Under the verdict, on stderr, with control characters escaped. With --json each job has a field 'tail' with both
    /// streams, in the form of 'jobdir logs --json'.
    #[arg(long, value_name = "LINES")]
    tail: Option<u64>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

/// Waits.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let refuse = |error: CommandError| error.exit(exit_code::JOBDIR_FAILED);
    let store = context.reading().map_err(|error| refuse(error.into()))?;
    let deadline = args.timeout.map(|timeout| Instant::now() + timeout);
    let chosen = if args.jobs.is_empty() {
        let mut filter = args.filter.filter(context).map_err(refuse)?;
        filter.active |= args.filter.is_empty();
        choose_by_filter(&store, &filter)
    } else {
        choose(&store, &args.jobs)
    }
    .map_err(refuse)?;
    let is_gone = |unresolved: &&Unresolved| {
        matches!((unresolved.mistake, &args.condition), (Some(Mistake::Gone), Some(Condition::Deleted)))
    };
    if let Some(unresolved) = chosen.unresolved.iter().find(|unresolved| !is_gone(unresolved)) {
        return Err(refuse(CommandError::no_such_job(unresolved, context)));
    }
    let queue = context.queue().map_err(|error| refuse(anyhow::Error::from(error).into()))?;
    let mut awaited = Awaited::end(context, &chosen.ids, deadline);
    if let Some(condition) = &args.condition {
        awaited.what.push_str(&format!(" --for {condition}"));
        awaited.goes_on = |_| true;
    }
    let _waiting = awaited.tell(context, &store);
    if let Some(condition) = &args.condition {
        // One that is gone already is enough for --any.
        let ids = if args.any && !chosen.unresolved.is_empty() { &[] } else { chosen.ids.as_slice() };
        return wait_for_condition(&args, condition, ids, deadline, &queue, &store, context).map_err(refuse);
    }
    let before = if args.json { store.load_all(&chosen.ids) } else { Vec::new() };
    let say = |job: &Job| context.talk(&orphan_notice(job));
    let (woken, jobs) =
        wait_for_ends(&store, &queue, &chosen.ids, args.any, deadline, say).map_err(|error| refuse(error.into()))?;
    let ended = jobs.iter().flatten().filter(|job| job.state().is_terminal());
    let deleted = chosen.ids.iter().zip(&jobs).find(|(_, job)| job.is_none()).map(|(id, _)| *id);
    // Of what was deleted no end was seen; one of others is enough for --any.
    let deleted = deleted.filter(|_| !args.any || ended.clone().next().is_none());
    let is_over = matches!(woken, Woken::Done);
    if args.json {
        let document = WaitDocument {
            schema: "jobdir/wait/1",
            satisfied: is_over && deleted.is_none(),
            timed_out: matches!(woken, Woken::TimedOut),
            jobs: told(&args, &store, &chosen.ids, &jobs, &before),
        };
        context.out(&json::render(&document));
    }
    if !is_over {
        if !args.json {
            for job in jobs.iter().flatten().filter(|job| !job.state().is_terminal()) {
                context.talk(&format!(
                    "job {} is still {}; the waiting has ended, the job goes on: 'jobdir wait {}' to wait again",
                    job.id,
                    job.state(),
                    job.id
                ));
                show_tail(&args, &store, job, context);
            }
        }
        return Ok(exit_code::STILL_RUNNING);
    }
    if let Some(id) = deleted {
        if args.json {
            return Ok(exit_code::JOBDIR_FAILED);
        }
        let message = format!("job {id} was deleted before its outcome was seen");
        return Err(refuse(CommandError::new("job_deleted", message).about(id)));
    }
    if !args.json {
        for job in ended.clone() {
            match end_note(job) {
                Some(note) => context.talk(&note),
                // What follows must belong to something.
                None if args.tail.is_some() => context.talk(&verdict(job)),
                None => {}
            }
            show_tail(&args, &store, job, context);
        }
    }
    let code = if args.any {
        let first = ended.min_by_key(|job| job.attempt().and_then(|a| a.ended_at));
        first.map_or(exit_code::JOBDIR_FAILED, exit_code::of_job)
    } else {
        ended.map(exit_code::of_job).max().unwrap_or(exit_code::DONE)
    };
    // Somebody waits for the end of this process, which is the end of all this.
    std::mem::forget((args, store, chosen, queue, jobs));
    Ok(code)
}

/// Says how a job ended of which there is nothing else to say.
fn verdict(job: &Job) -> String {
    let how = match job.attempt().map(|attempt| (attempt.exit_code, attempt.signal)) {
        Some((Some(code), _)) if code != 0 => format!(" with exit code {code}"),
        Some((_, Some(signal))) => format!(" by {signal}"),
        _ => String::new(),
    };
    format!("job {} {}{how}", job.id, job.state())
}

/// Describes the jobs that were waited for: as they are, or as they were before if they are gone.
fn told<'a>(
    args: &Args,
    store: &Store,
    ids: &[JobId],
    now: impl IntoIterator<Item = &'a Option<Job>>,
    before: &'a [Job],
) -> Vec<JobDocument<'a>> {
    let describe = |(id, job): (&JobId, &'a Option<Job>)| {
        let Some(job) = job else {
            return Some(JobDocument::new(before.iter().find(|job| job.id == *id)?, false).deleted());
        };
        let mut document = JobDocument::new(job, false);
        document.tail = args.tail.and_then(|lines| tail_of(store, job, lines));
        Some(document)
    };
    ids.iter().zip(now).filter_map(describe).collect()
}

/// Shows the last lines of a job under what was said of it.
fn show_tail(args: &Args, store: &Store, job: &Job, context: &Context) {
    let Some(tail) = args.tail.and_then(|lines| tail_of(store, job, lines)) else { return };
    for (name, stream) in [("stdout", tail.stdout), ("stderr", tail.stderr)] {
        let text = excerpt(&stream.text);
        if !text.is_empty() {
            context.talk(&format!("{name} of job {}:\n{}", job.id, text.trim_end_matches('\n')));
        }
    }
}

fn wait_for_condition(
    args: &Args,
    condition: &Condition,
    ids: &[JobId],
    deadline: Option<Instant>,
    queue: &WakeQueue,
    store: &Store,
    context: &Context,
) -> Result<u8, CommandError> {
    let before = store.load_all(ids);
    let (woken, seen) = wait_for(store, queue, ids, args.any, condition, deadline)?;
    let is = |wanted: Progress| seen.iter().filter(|(progress, _)| *progress == wanted).count();
    let satisfied = seen.is_empty() || if args.any { is(Progress::True) > 0 } else { is(Progress::True) == seen.len() };
    let (code, ending) = match woken {
        _ if satisfied => (exit_code::DONE, None),
        Woken::Done => (exit_code::FAILED, Some("cannot come true any more")),
        Woken::TimedOut | Woken::Interrupted => (exit_code::STILL_RUNNING, Some("has not come true yet")),
    };
    if args.json {
        let document = WaitDocument {
            schema: "jobdir/wait/1",
            satisfied,
            timed_out: matches!(woken, Woken::TimedOut),
            jobs: told(args, store, ids, seen.iter().map(|(_, job)| job), &before),
        };
        context.out(&json::render(&document));
    } else {
        for ((progress, job), id) in seen.iter().zip(ids) {
            let state = job.as_ref().map_or("deleted", |job| job.state().as_str());
            let note = match (progress, ending) {
                (Progress::True, _) | (_, None) => args.tail.map(|_| format!("job {id} is {state}")),
                (Progress::Impossible, Some(_)) => {
                    Some(format!("job {id} is {state}: {}", condition.missed(job.as_ref())))
                }
                (Progress::Open, Some(ending)) if code == exit_code::STILL_RUNNING => Some(format!(
                    "job {id} is {state}: what was waited for {ending}\n\
                     hint: 'jobdir wait {id}' waits for its end, 'jobdir logs -f {id}' shows its output"
                )),
                (Progress::Open, Some(ending)) => Some(format!("job {id} is {state}: what was waited for {ending}")),
            };
            note.into_iter().for_each(|note| context.talk(&note));
            job.iter().for_each(|job| show_tail(args, store, job, context));
        }
    }
    Ok(code)
}
