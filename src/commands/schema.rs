//! `jobdir schema`: what every JSON document looks like.

use clap::Args as ClapArgs;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::json;

/// Show the JSON Schema of every document
///
/// One JSON Schema (2020-12) for all that jobdir prints as JSON, lines of NDJSON and errors included: a 'oneOf' whose
/// members are told apart by the field 'schema'.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir schema                              all of it
  jobdir schema | jq '.\"$defs\".Job'         what a JOB is")]
pub struct Args {
    /// Print JSON, which is the default and only format
    #[arg(long, hide = true)]
    json: bool,
}

/// Shows.
pub fn run(_: Args, context: &Context) -> Result<u8, CommandError> {
    context.out(&json::render_for_people(&json::schema()));
    Ok(exit_code::DONE)
}
