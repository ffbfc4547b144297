//! What happens after a start: print the id and go, or stay with the job and mirror its end.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use super::observing::{Looking, hand_back};
use super::shared::{dropped_notice, end_note, orphan_notice};
use super::waiting::Awaited;
use crate::client::{
    FollowEnd, Following, Foreground, ForegroundEnd, Launched, Leave, Limited, Sink, Told, Wanted, wait_for_ends,
};
use crate::context::Context;
use crate::domain::duration::render;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::signal::Signal;
use crate::domain::state::State;
use crate::domain::stop_plan::StopPlan;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::{self, TypedEnd, WakeQueue};
use crate::present::json::{self, JobDocument};
use crate::present::text;
use crate::store::{Store, StoreError, Surroundings};

/// Prints the id, or the whole job.
pub(super) fn detach(id: JobId, as_json: bool, context: &Context, store: &Store) -> Result<u8, CommandError> {
    if as_json {
        let job = store.load(id, &Surroundings::new())?;
        context.out(&json::render(&JobDocument::new(&job, false)));
    } else {
        context.out(&format!("{id}\n"));
    }
    Ok(exit_code::DONE)
}

/// Prints the id of a job that was just launched, unless nothing is left of it.
pub(super) fn leave(launched: &Launched, as_json: bool, context: &Context, store: &Store) -> Result<u8, CommandError> {
    let id = launched.id;
    if launched.is_lost {
        let mut error = CommandError::new("lost", format!("job {id} is lost: its supervisor died while it started"));
        error.id = Some(id.to_string());
        return Err(error.hint(format!("'jobdir status {id}' says what is known, 'jobdir resume {id}' tries again")));
    }
    detach(id, as_json, context, store)
}

/// Stays with a job that was just launched. Returns the exit code that mirrors its end.
pub(super) fn stay(
    launched: Launched,
    merged: bool,
    plan: &StopPlan,
    looking: Looking,
    queue: &WakeQueue,
    context: &Context,
    store: &Store,
) -> Result<u8, CommandError> {
    let refuse = |error: StoreError| CommandError::from(error).exit(exit_code::JOBDIR_FAILED);
    let Launched { id, attempt, queued, connection, limited, pty, .. } = launched;
    let tell_of_queue = || {
        if !looking.json
            && let Ok(job) = store.load(id, &Surroundings::new())
        {
            context.talk(&format!("jobdir: job {id} is {}{}", job.state(), waiting_text(&job)));
        }
    };
    if queued {
        tell_of_queue();
    }
    let until = looking.limit.map(|limit| Instant::now() + limit);
    let _waiting = queued.then(|| Awaited::start(context, &id, until).tell(context, store));
    let (shows, is_queued) = (!looking.json, queued);
    let types = pty && shows;
    let foreground =
        Foreground { store, id, attempt, shows, merged, limited, queue, connection, until, is_queued, types };
    let end = foreground.stay(|told| match told {
        Told::Stop(_, _) | Told::Suspended if !context.stderr_is_terminal() => {}
        Told::Stop(signal, nth) => context.talk(&stop_notice(id, plan, *signal, *nth)),
        Told::Suspended => context.talk(&suspend_notice(id)),
        Told::NotTaken(_, error) => {
            let logs = format!("'jobdir logs {id}' has all of it");
            context.talk(&format!("jobdir: cannot pass on the output of job {id}: {error}; the job goes on, {logs}"));
        }
        // A person sees it all the time.
        Told::Queued if Context::status_columns(looking.json).is_some() => {}
        Told::Queued => tell_of_queue(),
        Told::Unrecorded(why) => context.talk(&format!(
            "job {id} has ended, but how cannot be recorded yet: {why}; it is tried again until it can"
        )),
    });
    match end.map_err(refuse)? {
        ForegroundEnd::RunEnded(_until_the_outcome_is_read) if looking.json => look(id, None, queue, context, store),
        ForegroundEnd::RunEnded(_until_the_outcome_is_read) => ended(context, store, queue, id),
        ForegroundEnd::Left(Leave::ReaderGone) => Ok(exit_code::READER_GONE),
        ForegroundEnd::Left(Leave::Observed | Leave::ThirdSignal) if looking.json => {
            look(id, Some(Duration::ZERO), queue, context, store)
        }
        ForegroundEnd::Left(Leave::Observed) => observed(id, context, store),
        ForegroundEnd::Left(Leave::Detached) => Ok(detached(id, context)),
        ForegroundEnd::Left(Leave::ThirdSignal) => {
            context.talk(&format!("jobdir: job {id} is still stopping; 'jobdir status {id}' shows how far it is"));
            Ok(exit_code::STILL_RUNNING)
        }
    }
}

/// Says that the time to look on is over, and what to type next.
fn observed(id: JobId, context: &Context, store: &Store) -> Result<u8, CommandError> {
    let state = store.load(id, &Surroundings::new()).map_err(|_| deleted(id))?.state();
    context.talk(&format!(
        "job {id} is {state}; the looking on has ended, the job goes on\n\
         hint: 'jobdir wait {id}' waits for it, 'jobdir logs -f {id}' shows its output, 'jobdir kill {id}' stops it"
    ));
    Ok(exit_code::STILL_RUNNING)
}

/// Waits for the end of a job, at most so long, and tells of it in one document.
pub(super) fn look(
    id: JobId,
    limit: Option<Duration>,
    queue: &WakeQueue,
    context: &Context,
    store: &Store,
) -> Result<u8, CommandError> {
    let until = limit.map(|limit| Instant::now() + limit);
    let _waiting = Awaited::end(context, &[id], until).tell(context, store);
    let (_, jobs) = wait_for_ends(store, queue, &[id], false, until, |_| {})?;
    jobs.into_iter().flatten().next().map(|job| hand_back(&job, context, store)).ok_or_else(|| deleted(id))
}

/// Joins a job that runs already: shows what it has printed and prints, and mirrors its end. Signals leave the job
/// alone: it is somebody else's. At its terminal, if it has one, we type; of what it has printed there the last part is
/// shown, since the rest has long scrolled away.
pub(super) fn join(
    id: JobId,
    observe: Option<Duration>,
    queue: &WakeQueue,
    context: &Context,
    store: &Store,
) -> Result<u8, CommandError> {
    let until = observe.map(|limit| Instant::now() + limit);
    let job = store.load(id, &Surroundings::new())?;
    let attempt = job.attempt().map_or(1, |attempt| attempt.number);
    let limit = job.attempt().and_then(|attempt| attempt.log_limit).map(|limit| limit.max_bytes);
    let limited = limit.map(|limit| Limited::new(&store.layout().job(id), attempt, limit));
    let pty = job.attempt().is_some_and(|attempt| attempt.pty);
    // Before it has started there is nobody to type to, and ^C is for us.
    let types = pty && matches!(job.state(), State::Starting | State::Running | State::Stopping);
    let from = if pty { last_part(&store.layout().job(id).stdout(attempt)) } else { 0 };
    let _waiting = (job.state() == State::Queued).then(|| Awaited::start(context, &job.id, until).tell(context, store));
    let streams = vec![Sink::Stdout, Sink::Stderr];
    let following = Following { store, queue, id, attempts: (attempt, None), streams, on: true, limited, types, until };
    let wanted = |shown, sink| {
        let from = if shown == attempt && sink == Sink::Stdout { from } else { 0 };
        (Wanted { from, ..Wanted::default() }, limit)
    };
    match following.show(wanted, |sink, bytes| context.talk(&dropped_notice(sink, bytes)))? {
        FollowEnd::Ended | FollowEnd::Deleted => ended(context, store, queue, id),
        FollowEnd::Detached => Ok(detached(id, context)),
        FollowEnd::TimeUp => observed(id, context, store),
        FollowEnd::Signal(_) | FollowEnd::NotTaken(..) => {
            context.talk(&format!("job {id} goes on; 'jobdir wait {id}' to wait for it"));
            Ok(exit_code::STILL_RUNNING)
        }
    }
}

/// Returns where the last part of what a terminal has shown begins, at a line if there are any.
fn last_part(log: &Path) -> u64 {
    const PART: u64 = 32 << 10;
    const LINE: u64 = 4 << 10;
    let look = || -> std::io::Result<u64> {
        let (mut file, length) = platform::open_regular_with_length(log)?;
        let Some(from) = length.checked_sub(PART) else { return Ok(0) };
        file.seek(SeekFrom::Start(from))?;
        let mut beginning = Vec::new();
        file.take(LINE).read_to_end(&mut beginning)?;
        Ok(from + beginning.iter().position(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1))
    };
    look().unwrap_or(0)
}

/// Says what becomes of a job that was left by its keys.
fn detached(id: JobId, context: &Context) -> u8 {
    // On a line of its own, wherever the job has left off.
    context.talk(&format!("\njob {id} goes on; 'jobdir attach {id}' comes back to it, 'jobdir kill {id}' stops it"));
    context.out(&format!("{id}\n"));
    exit_code::STILL_RUNNING
}

/// Says how a run has ended that we stayed with, and mirrors it.
fn ended(context: &Context, store: &Store, queue: &WakeQueue, id: JobId) -> Result<u8, CommandError> {
    let refuse = |error: StoreError| CommandError::from(error).exit(exit_code::JOBDIR_FAILED);
    let say = |job: &Job| context.talk(&orphan_notice(job));
    let _waiting = Awaited::end(context, &[id], None).tell(context, store);
    let (_, jobs) = wait_for_ends(store, queue, &[id], false, None, say).map_err(refuse)?;
    let Some(Some(job)) = jobs.into_iter().next() else {
        return Err(deleted(id));
    };
    if let Some(note) = end_note(&job) {
        context.talk(&note);
    }
    Ok(exit_code::of_job(&job))
}

fn deleted(id: JobId) -> CommandError {
    CommandError::new("job_deleted", format!("job {id} was deleted before its outcome was seen"))
        .about(id)
        .exit(exit_code::JOBDIR_FAILED)
}

/// Says what a queued job waits for, and who holds it.
pub(super) fn waiting_text(job: &Job) -> String {
    let list: Vec<String> = job.waiting_for.iter().flatten().map(text::waiting).collect();
    if list.is_empty() { String::new() } else { format!(": it waits {}", list.join("; ")) }
}

fn suspend_notice(id: JobId) -> String {
    format!("jobdir: suspended, and job {id} goes on; 'jobdir pause {id}' stops it for a while, 'fg' comes back")
}

fn stop_notice(id: JobId, plan: &StopPlan, signal: Option<Signal>, nth: u32) -> String {
    if nth > 1 {
        return format!("jobdir: going on to the next step of stopping job {id}; once more to leave it alone");
    }
    let mut at = Duration::ZERO;
    let plan = signal.map_or_else(|| plan.clone(), |signal| plan.clone().with_signal_in_front(signal));
    let steps: Vec<String> = plan
        .rungs()
        .iter()
        .map(|rung| {
            let when = if at.is_zero() { "now".to_owned() } else { format!("in {}", render(at)) };
            at += Duration::from_millis(rung.wait_ms);
            format!("{} {when}", rung.signal.short_name())
        })
        .collect();
    let again = if signal.is_some() { "once more" } else { "^C three times more" };
    format!("jobdir: stopping job {id}: {}; {again} to go faster", steps.join(", "))
}

/// Opens our end of an input that is typed, before the job opens its own.
pub(super) fn open_typed(path: &Path) -> Result<TypedEnd, StoreError> {
    TypedEnd::open(path).map_err(|source| StoreError::Io { action: "open", path: path.to_owned(), source })
}
