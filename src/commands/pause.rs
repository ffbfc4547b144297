//! `jobdir pause`: stop every process of jobs for a while.

use clap::Args as ClapArgs;

use super::acting::{Deed, TargetArgs, act_on_each, deed_of_answer};
use crate::client::request;
use crate::context::Context;
use crate::domain::request::Verb;
use crate::error::CommandError;
use crate::store::Surroundings;

/// Stop every process of jobs for a while
///
/// Sends STOP to the whole tree. The job's time limits stand still meanwhile. 'jobdir unpause' lets it go on.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir pause build     free the machine for something else
  jobdir unpause build   and go on")]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,
}

/// Does it.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    act_on_each(
        &args.target,
        "pause",
        context,
        |job| job.state().is_active(),
        |_, _, _| {},
        |store, queue, id| {
            let job = store.load(id, &Surroundings::new())?;
            if job.observation.supervised != Some(true) {
                let message = format!("job {id} is {}: it cannot be paused", job.state());
                return Ok(Deed::refused(message, job));
            }
            let answer = request(store, queue, &job, Verb::Pause, None)?;
            deed_of_answer(store, id, answer, "paused")
        },
    )
}
