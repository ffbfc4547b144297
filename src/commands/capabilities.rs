//! `jobdir capabilities`: what this version can do on this host.

use clap::Args as ClapArgs;

use crate::context::Context;
use crate::domain::record::RECORD_FORMAT;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::json::{self, CapabilitiesDocument, FormatsDocument};
use crate::supervise;

/// Show what this version can do on this host
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir capabilities          for reading
  jobdir capabilities --json   one JSON document")]
pub struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Shows.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let document = CapabilitiesDocument {
        schema: "jobdir/capabilities/1",
        version: env!("CARGO_PKG_VERSION"),
        platform: std::env::consts::OS,
        verbs: super::NAMES,
        requests: supervise::CAPABILITIES,
        containment: supervise::containment(),
        formats: FormatsDocument { state: crate::store::STATE_FORMAT, record: RECORD_FORMAT },
    };
    if args.json {
        context.out(&json::render(&document));
        return Ok(exit_code::DONE);
    }
    let lines = [
        ("version", format!("{} ({})", document.version, document.platform)),
        ("commands", document.verbs.join(", ")),
        ("requests", document.requests.join(", ")),
        ("containment", document.containment.join(", ")),
        ("formats", format!("state {}, record {}", document.formats.state, document.formats.record)),
    ];
    let text: String = lines.iter().map(|(key, value)| format!("{key:<12} {value}\n")).collect();
    context.out(&text);
    Ok(exit_code::DONE)
}
