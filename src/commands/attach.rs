//! `jobdir attach`: come back to a job that runs.

use clap::Args as ClapArgs;

use super::shared::choose_one;
use super::staying::join;
use crate::context::Context;
use crate::error::CommandError;

/// Follow a job, and type at its terminal
///
/// Shows what the job prints until its run ends, and ends with its exit code, as 'run' does. A job with a terminal of its
/// own (--pty) is shown from the last part of its output on, and gets what is typed, ^C included; the terminal of whoever
/// attached last gives it its size. A job without one is shown from its beginning, and ^C leaves it.
///
/// Ctrl-p ctrl-q detaches and leaves the job running, with exit code 122. Any number can be attached at once.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir run -d --pty --name edit -- vim notes   start it out of sight
  jobdir attach edit                             ctrl-p ctrl-q leaves it

'jobdir logs -f' follows without typing, 'jobdir send' types a line.")]
pub struct Args {
    /// The job: an id, a name or @last
    #[arg(value_name = "JOB")]
    job: String,
}

/// Attaches.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let attach = || {
        let store = context.reading()?;
        let id = choose_one(&store, &args.job, context)?;
        let queue = context.queue().map_err(anyhow::Error::from)?;
        join(id, None, &queue, context, &store)
    };
    attach().map_err(CommandError::of_run)
}
