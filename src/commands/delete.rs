//! `jobdir delete`: stop jobs if need be, and remove every trace of them.

use std::time::{Duration, Instant};

use clap::Args as ClapArgs;

use super::acting::{Deed, TargetArgs, act_on_each};
use crate::client::{EndWatch, KillOptions, KillResult, kill, stop_unreadable};
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::record::FinallyState;
use crate::domain::request::Kill;
use crate::domain::state::{Reason, State};
use crate::error::CommandError;
use crate::platform::WakeQueue;
use crate::store::{Store, StoreError, Surroundings, deliver_bare_kill};

/// Stop jobs if need be, and remove every trace of them
///
/// An active job is stopped first, as 'jobdir kill' does it. What cannot be stopped is not removed. Output, record and
/// the job's own folder are gone afterwards, for good.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir delete 12               stop it if it runs, and remove it
  jobdir delete --state failed   everything that failed
  jobdir prune --older-than 7d   what ended a week ago")]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Skip finally steps when it has to be stopped
    #[arg(long)]
    abort: bool,
}

/// Deletes.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let code = act_on_each(
        &args.target,
        None,
        context,
        |_| true,
        |_, _, _| {},
        |store, queue, id| delete(store, queue, id, args.abort),
    )?;
    // What an earlier deletion could not finish, it finishes now.
    if let Ok(store) = context.writing() {
        store.sweep();
    }
    Ok(code)
}

/// How long the end of a job is waited for whose plan cannot be read.
const UNREADABLE_LIMIT: Duration = Duration::from_secs(120);

fn delete(store: &Store, queue: &WakeQueue, id: JobId, abort: bool) -> Result<Deed, StoreError> {
    let mut job = store.load(id, &Surroundings::new())?;
    let pending = job
        .attempt()
        .and_then(|a| a.finally.as_ref())
        .is_some_and(|finally| matches!(finally.state, FinallyState::Pending | FinallyState::Running));
    if job.state().is_active() || job.has_survivors() || (pending && job.state() != State::Corrupt) {
        let options = KillOptions {
            kill: Kill { abort, reason: Some(Reason::Delete), ..Kill::default() },
            ..KillOptions::default()
        };
        let (result, stopped, _) = kill(store, queue, job, &options)?;
        if matches!(result, KillResult::NotStopped | KillResult::Requested) || !has_ended(&stopped) {
            let left: Vec<String> = stopped.observation.survivors.iter().map(|s| s.identity.pid.to_string()).collect();
            let left = if left.is_empty() { String::new() } else { format!(" (still there: {})", left.join(", ")) };
            let message =
                format!("job {id} could not be stopped{left}, so nothing was removed; try 'jobdir kill --force {id}'");
            return Ok(Deed { result: "not_stopped", message: Some(message), failed: true, job: Some(stopped) });
        }
        job = stopped;
    }
    if job.state() == State::Corrupt && store.is_claimed(id)? {
        // Its record cannot be read, but somebody supervises it, and will overwrite the record when it has ended.
        deliver_bare_kill(store, id)?;
        let deadline = Instant::now() + UNREADABLE_LIMIT;
        let mut watch = EndWatch::alone(store, id);
        while !watch.is_free() && Instant::now() < deadline {
            watch.wait(queue, Some(Duration::from_millis(250))).ok();
        }
    }
    let claim = store.claim_for_removal(id)?;
    if job.state() == State::Corrupt && !stop_unreadable(store, id) {
        let message = format!("job {id} is corrupt, and processes of it could not be stopped, so nothing was removed");
        return Ok(Deed { result: "not_stopped", message: Some(message), failed: true, job: Some(job) });
    }
    // Resumed by somebody between the two looks?
    let now = claim.load_record();
    if let (Some(then), Ok(now)) = (job.record(), now)
        && now.attempt().number != then.attempt().number
    {
        return Err(StoreError::Busy);
    }
    store.delete(claim)?;
    Ok(Deed::done("deleted", Some(job)))
}

fn has_ended(job: &Job) -> bool {
    job.state().is_terminal() && !job.has_survivors()
}
