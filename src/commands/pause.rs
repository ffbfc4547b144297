//! `jobdir pause`: stop every process of jobs for a while.

use clap::Args as ClapArgs;

use super::acting::{TargetArgs, ask_each};
use crate::context::Context;
use crate::domain::request::Verb;
use crate::error::CommandError;

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
    ask_each(&args.target, Verb::Pause, "paused", "it cannot be paused", context)
}
