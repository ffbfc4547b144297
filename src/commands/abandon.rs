//! `jobdir abandon`: stop supervising jobs, and say honestly what is left.

use clap::Args as ClapArgs;

use super::acting::{Deed, TargetArgs, act_on_each};
use crate::client::abandon;
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::state::State;
use crate::error::CommandError;
use crate::store::Surroundings;

/// Give jobs up
///
/// Stops supervising at once, whatever the processes do; they are left alone. For processes that cannot be killed.
/// Their output still goes to the log, and 'jobdir kill' can still try to stop them. A job that has a terminal of its own
/// (--pty) is hung up, since that terminal goes with the supervisor: it gets HUP, and prints to nobody any more.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir abandon 12          when KILL does not help
  jobdir abandon --kill 12   with one last attempt to kill it")]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Make one attempt to kill the processes
    #[arg(long)]
    kill: bool,
    /// Record why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Gives up.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    act_on_each(
        &args.target,
        None,
        context,
        |job| job.state().is_active(),
        |_, _, _| {},
        |store, queue, id| {
            let job = store.load(id, &Surroundings::new())?;
            if job.state().is_recorded_end() || job.state() == State::Corrupt {
                let message = format!("job {id} had already ended: {}", job.state());
                return Ok(Deed::done("already_ended", Some(job)).saying(message));
            }
            let (job, refusal) = abandon(store, queue, job, args.kill, args.reason.clone())?;
            Ok(match refusal {
                Some(why) => Deed::refused(
                    format!("job {id} was not abandoned: {why}; 'jobdir kill {id}' can still stop it"),
                    job,
                ),
                None => deed(job),
            })
        },
    )
}

fn deed(job: Job) -> Deed {
    let id = job.id;
    match job.state() {
        State::Abandoned => {
            let pids: Vec<String> = job.observation.survivors.iter().map(|s| s.identity.pid.to_string()).collect();
            let left = if pids.is_empty() {
                "none of its processes was seen afterwards".to_owned()
            } else {
                format!("its processes may still be running on this host: {}", pids.join(", "))
            };
            let hung_up = match job.attempt().is_some_and(|attempt| attempt.pty) {
                true => "its terminal went with the supervisor, and it was hung up; ",
                false => "",
            };
            Deed::done("abandoned", Some(job)).saying(format!("job {id} is abandoned; {hung_up}{left}"))
        }
        State::Interrupted if job.attempt().is_some_and(|attempt| attempt.started_at.is_none()) => {
            Deed::done("never_started", Some(job))
                .saying(format!("job {id} had not started, and was cancelled instead"))
        }
        state if state.is_terminal() => {
            Deed::done("already_ended", Some(job)).saying(format!("job {id} had already ended: {state}"))
        }
        state => Deed::refused(format!("job {id} could not be abandoned: it is still {state}"), job),
    }
}
