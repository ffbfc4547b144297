//! `jobdir kill`: run the stop plan of jobs, and return when that has happened.

use std::time::{Duration, Instant};

use clap::Args as ClapArgs;

use super::shared::{FilterArgs, choose, choose_by_filter, parse_duration};
use crate::client::{KillOptions, KillResult, kill, parse_signal};
use crate::context::Context;
use crate::domain::duration::to_ms;
use crate::domain::job::Job;
use crate::domain::request::Kill;
use crate::domain::signal::Signal;
use crate::domain::state::Reason;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::json::{self, JobDocument, ResultDocument, ResultsDocument};
use crate::present::text::escape;
use crate::store::StoreError;

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

Without the CLI: move an empty file named 'kill' into the job's
kill-signals directory. See docs/protocol.md.")]
pub struct Args {
    /// The jobs: ids, names or @last
    #[arg(value_name = "JOB", required_unless_present_any = ["all", "state", "name", "label"])]
    jobs: Vec<String>,
    /// All active jobs
    #[arg(long, conflicts_with = "jobs")]
    all: bool,
    #[command(flatten)]
    filter: FilterArgs,
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
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Stops.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = context.reading()?;
    let chosen = if args.jobs.is_empty() {
        let mut filter = args.filter.filter();
        filter.active = true;
        choose_by_filter(&store, &filter)?
    } else {
        choose(&store, &args.jobs)?
    };
    if let (Some(unresolved), true) = (chosen.unresolved.first(), chosen.ids.is_empty()) {
        return Err(CommandError::no_such_job(unresolved, context));
    }
    let store = if chosen.ids.is_empty() { store } else { context.writing()? };
    let queue = context.queue().map_err(anyhow::Error::from)?;
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
        no_wait: args.no_wait,
        deadline: args.timeout.map(|timeout| Instant::now() + timeout),
    };
    let mut code = exit_code::DONE;
    let mut done: Vec<(String, &'static str, Option<String>, Option<Job>)> = Vec::new();
    for unresolved in &chosen.unresolved {
        let error = CommandError::no_such_job(unresolved, context);
        code = exit_code::NO_SUCH_JOB;
        if !args.json {
            error.report(context);
        }
        done.push((unresolved.given.clone(), "not_found", Some(error.message), None));
    }
    // All are asked before the first is waited for, so that their plans run side by side.
    if chosen.ids.len() > 1 && !args.no_wait {
        let ask = KillOptions { no_wait: true, ..options.clone() };
        for id in &chosen.ids {
            let supervised = store.load(*id, &crate::store::Surroundings::new());
            if supervised.is_ok_and(|job| job.observation.supervised == Some(true)) {
                kill(&store, &queue, *id, &ask).ok();
            }
        }
    }
    for id in chosen.ids {
        match kill(&store, &queue, id, &options) {
            Ok((result, job, continued)) => {
                let message = sentence(result, &job, continued);
                if matches!(result, KillResult::NotStopped | KillResult::Refused)
                    || (result == KillResult::Requested && !args.no_wait)
                {
                    code = code.max(exit_code::FAILED);
                }
                if let (false, Some(message)) = (args.json, &message) {
                    context.talk(message);
                }
                done.push((id.to_string(), result.as_str(), message, Some(job)));
            }
            Err(StoreError::NoSuchJob) => {
                code = exit_code::NO_SUCH_JOB;
                let message = format!("job {id} was deleted meanwhile");
                if !args.json {
                    context.talk(&message);
                }
                done.push((id.to_string(), "not_found", Some(message), None));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if args.json {
        let results = done
            .iter()
            .map(|(id, result, message, job)| ResultDocument {
                id: id.clone(),
                result,
                message: message.clone(),
                job: job.as_ref().map(|job| JobDocument::new(job, false)),
            })
            .collect();
        context.out(&json::render(&ResultsDocument { schema: "jobdir/kill/1".into(), results }));
    }
    Ok(code)
}

/// What is said about one job; nothing when it was simply stopped.
fn sentence(result: KillResult, job: &Job, continued: bool) -> Option<String> {
    let id = job.id;
    let note = match result {
        KillResult::Stopped => None,
        KillResult::NeverStarted => Some(format!("job {id} was stopped before its command was started")),
        KillResult::SurvivorsStopped => Some(format!("job {id} had ended; what was left of it has been stopped")),
        KillResult::AlreadyEnded => Some(format!("job {id} had already ended: {}", outcome(job))),
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
