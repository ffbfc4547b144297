//! `jobdir signal`: send one signal to the processes of jobs, and nothing more.

use clap::Args as ClapArgs;

use super::acting::{TargetArgs, ask_each};
use crate::client::parse_signal;
use crate::context::Context;
use crate::domain::request::Verb;
use crate::domain::signal::Signal;
use crate::error::CommandError;

/// Send a signal to every process of jobs
///
/// Sends this one signal and nothing more, for programs that reload, dump or rotate on a signal. What dies of it is
/// 'failed', reason 'signal'; to stop a job use 'jobdir kill'.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir signal HUP web      make it reload
  jobdir signal USR1 12 13   tell both")]
pub struct Args {
    /// The signal, such as HUP, SIGUSR1 or 10
    #[arg(value_name = "SIGNAL", value_parser = parse_signal)]
    signal: Signal,
    #[command(flatten)]
    target: TargetArgs,
}

/// Sends.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let signal = args.signal;
    ask_each(&args.target, Verb::Signal { signal }, "sent", &format!("there is nothing to send {signal} to"), context)
}
