//! `jobdir unpause`: let paused jobs go on.

use clap::Args as ClapArgs;

use super::acting::{Deed, TargetArgs, act_on_each, deed_of_answer};
use crate::client::request;
use crate::context::Context;
use crate::domain::request::Verb;
use crate::error::CommandError;
use crate::store::Surroundings;

/// Let paused jobs go on
///
/// Sends CONT to every process that 'jobdir pause' stopped; what the job itself had stopped stays stopped.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir unpause build   go on
  jobdir unpause --all   everything that is paused")]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,
}

/// Does it.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    act_on_each(
        &args.target,
        "unpause",
        context,
        |job| job.state().is_active(),
        |_, _, _| {},
        |store, queue, id| {
            let job = store.load(id, &Surroundings::new())?;
            if job.observation.supervised != Some(true) {
                let message = format!("job {id} is {}: it cannot be unpaused", job.state());
                return Ok(Deed::refused(message, job));
            }
            let answer = request(store, queue, &job, Verb::Unpause, None)?;
            deed_of_answer(store, id, answer, "unpaused")
        },
    )
}
