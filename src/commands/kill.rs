//! `jobdir kill`: run the stop plan of jobs, and return when that has happened.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;

use super::acting::{Deed, TargetArgs, act_on_each};
use super::shared::parse_duration;
use crate::client::{KillOptions, KillResult, kill, parse_signal};
use crate::context::Context;
use crate::domain::duration::to_ms;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::request::Kill;
use crate::domain::signal::Signal;
use crate::domain::state::{Reason, State};
use crate::error::CommandError;
use crate::platform::WakeQueue;
use crate::present::text::escape;
use crate::store::{Store, Surroundings};

/// Stop jobs
///
/// Runs the stop plan of each job (by default TERM, 10 s, KILL, to every process of the job) and returns when nothing of
/// it lives, its finally steps are done and its outcome is recorded. The job is then 'interrupted', not gone.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir kill 12                          stop it and wait until it is stopped
  jobdir kill --force web                 KILL at once
  jobdir kill -s INT --grace 3s @last     INT, at most 3 s, KILL
  jobdir kill --all                       stop everything that is active
  jobdir kill --name 'web-*' --here       of that what the filters admit

Without the CLI: move an empty file named 'kill' into the job's
kill-signals directory. See docs/protocol.md.")]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Send this signal first, instead of the plan's
    ///
    /// By name in any case, with or without SIG, or by number.
    #[arg(short, long, value_name = "SIGNAL", value_parser = parse_signal)]
    signal: Option<Signal>,
    /// The longest time between the first signal and KILL
    ///
    /// Of this and the job's own waits the shorter counts.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    grace: Option<Duration>,
    /// Go on to the next step of a stop under way at once
    #[arg(long)]
    now: bool,
    /// KILL at once
    #[arg(long)]
    force: bool,
    /// Skip finally steps
    ///
    /// Those that run already are stopped.
    #[arg(long)]
    abort: bool,
    /// Record why, for 'jobdir status' and the events
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Return as soon as the request is delivered
    #[arg(long)]
    no_wait: bool,
    /// Stop waiting after this time; the stop goes on
    ///
    /// The exit code is then 1 and the result 'requested'.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,
}

/// Stops.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let options = KillOptions {
        kill: Kill {
            signal: args.signal,
            grace_ms: args.grace.map(to_ms),
            now: args.now,
            force: args.force,
            abort: args.abort,
            reason: Some(Reason::Kill),
            reason_text: args.reason.clone(),
            ..Kill::default()
        },
        is_asked: false,
        no_wait: args.no_wait,
        deadline: args.timeout.map(|timeout| Instant::now() + timeout),
    };
    let asked: RefCell<Vec<JobId>> = RefCell::default();
    let ask_all = |store: &Store, queue: &WakeQueue, ids: &[JobId]| {
        // All are asked before the first is waited for, so that their plans run side by side.
        let ask = KillOptions { no_wait: true, ..options.clone() };
        if ids.len() > 1 && !args.no_wait {
            for id in ids {
                if let Ok(job) = store.load(*id, &Surroundings::new())
                    && job.observation.supervised == Some(true)
                    && kill(store, queue, job, &ask).is_ok()
                {
                    asked.borrow_mut().push(*id);
                }
            }
        }
    };
    act_on_each(&args.target, options.deadline, context, Job::is_stoppable, ask_all, |store, queue, id| {
        let before = store.load(id, &Surroundings::new())?;
        let was_paused = before.record().is_some_and(|record| record.paused);
        let progress = progress(&before);
        if let (Some(progress), false) = (&progress, args.target.json) {
            context.talk(progress);
        }
        let options = KillOptions { is_asked: asked.borrow().contains(&id), ..options.clone() };
        let (result, job, continued) = kill(store, queue, before, &options)?;
        let failed = match result {
            KillResult::NotStopped | KillResult::Refused => true,
            KillResult::Requested => !args.no_wait,
            _ => false,
        };
        let mut message = sentence(result, &job, continued);
        if was_paused && result == KillResult::Stopped {
            message = Some(format!("job {id} was paused; it was continued and stopped"));
        }
        if args.target.json {
            message = message.or(progress);
        }
        Ok(Deed { result: result.as_str(), message, failed, job: Some(job) })
    })
}

/// How far a stop is that was under way already.
fn progress(job: &Job) -> Option<String> {
    let stop = job.record()?.stop.as_ref().filter(|_| job.state() == State::Stopping)?;
    let next = stop.next.as_ref().map_or_else(String::new, |next| {
        format!(", {} at {}", next.signal.short_name(), crate::present::json::time(next.at))
    });
    let since = crate::present::json::time(stop.since);
    Some(format!(
        "job {} is being stopped already ({}): {} since {since}{next}",
        job.id,
        stop.plan,
        stop.signal.short_name()
    ))
}

/// What is said about one job; nothing when it was simply stopped.
fn sentence(result: KillResult, job: &Job, continued: bool) -> Option<String> {
    let id = job.id;
    let note = match result {
        KillResult::Stopped => None,
        KillResult::NeverStarted => Some(format!("job {id} was stopped before its command was started")),
        KillResult::SurvivorsStopped => Some(format!("job {id} had ended; what was left of it has been stopped")),
        KillResult::AlreadyEnded => Some(format!("job {id} had already ended: {}", outcome(job))),
        KillResult::Settled => {
            Some(format!("job {id} was lost; nothing of it lives, and it is now recorded as {}", job.state()))
        }
        KillResult::Requested => {
            Some(format!("job {id} has been asked to stop; 'jobdir wait {id}' waits until it has"))
        }
        KillResult::NotStopped => {
            let held = job.record().and_then(|record| record.stop.as_ref());
            let list: Vec<String> = held
                .map(|stop| {
                    let describe = |h: &crate::domain::record::Holdout| {
                        format!("{} (state {}, {})", h.identity.pid, h.process_state, escape(&h.command))
                    };
                    stop.not_stopped.iter().map(describe).collect()
                })
                .unwrap_or_default();
            let list = if list.is_empty() {
                job.observation
                    .survivors
                    .iter()
                    .map(|s| format!("{} ({})", s.identity.pid, escape(&s.command)))
                    .collect()
            } else {
                list
            };
            Some(format!(
                "job {id} could not be stopped: still there after KILL: {}; try again, or give it up with 'jobdir abandon {id}'",
                list.join(", ")
            ))
        }
        KillResult::Refused => Some(format!(
            "job {id} cannot be stopped: {}; 'jobdir delete {id}' removes it",
            job.observation.message.as_deref().unwrap_or("its files cannot be read")
        )),
    };
    let continued = continued.then(|| format!("the supervisor of job {id} was suspended and has been continued"));
    match (continued, note) {
        (Some(continued), Some(note)) => Some(format!("{continued}; {note}")),
        (continued, note) => continued.or(note),
    }
}

fn outcome(job: &Job) -> String {
    let attempt = job.attempt();
    match (attempt.and_then(|a| a.exit_code), attempt.and_then(|a| a.signal)) {
        (Some(code), _) => format!("{} with exit code {code}", job.state()),
        (None, Some(signal)) => format!("{} by {signal}", job.state()),
        (None, None) => job.state().to_string(),
    }
}
