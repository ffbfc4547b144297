//! `jobdir unpause`: let paused jobs go on.

use clap::Args as ClapArgs;

use super::acting::{TargetArgs, ask_each};
use crate::context::Context;
use crate::domain::request::Verb;
use crate::error::CommandError;

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
    ask_each(&args.target, Verb::Unpause, "unpaused", "it cannot be unpaused", context)
}
