//! `jobdir help`: the help of a command, or the page for AI agents.

use clap::Args as ClapArgs;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::guide;

/// Show help, or the page for AI agents
///
/// Without a topic it shows what 'jobdir --help' shows.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir help kill     what 'jobdir kill --help' shows
  jobdir help agents   one page for AI agents")]
pub struct Args {
    /// A command, or agents
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}

impl Args {
    /// Returns what to ask jobdir itself for instead; nothing when the topic is no command.
    pub fn instead(&self) -> Option<Vec<&str>> {
        match self.topic.as_deref() {
            Some("agents") => None,
            Some(command) => Some(vec![command, "--help"]),
            None => Some(vec!["--help"]),
        }
    }
}

/// Shows the page.
pub fn run(_: Args, context: &Context) -> Result<u8, CommandError> {
    context.out(guide::page());
    Ok(exit_code::DONE)
}
