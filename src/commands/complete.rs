//! `jobdir complete`, which the completions of shells ask: the jobs that a command can be meant for.
//!
//! It looks like any reader: it starts nothing, writes nothing, and makes no state directory. It never fails either, since
//! nobody wants to read errors in the middle of typing.

use std::collections::HashSet;

use clap::Args as ClapArgs;

use crate::context::Context;
use crate::domain::job::Job;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::{columns, text};

/// How many of the newest jobs are looked at.
const LOOKED_AT: usize = 1000;
/// How many columns a description has at most.
const DESCRIPTION: usize = 60;

/// List the jobs that a command can be meant for
///
/// A line each, newest first: an id or a name, a tabulator, and the state and the command of the job.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The command
    verb: String,
}

/// Lists.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let ids = context.reading().and_then(|store| Ok((store.job_ids()?, store)));
    let Ok((ids, store)) = ids else { return Ok(exit_code::DONE) };
    let jobs = store.load_all(&ids[ids.len().saturating_sub(LOOKED_AT)..]);
    let mut names = HashSet::new();
    let mut lines = String::new();
    for job in jobs.iter().rev() {
        let name = job.spec().and_then(|spec| spec.name.as_ref());
        // A name means the newest job that bears it, whether the command is for that one or not.
        let name = name.filter(|name| names.insert(name.key()));
        if !applies(&args.verb, job) {
            continue;
        }
        let state = if job.is_paused() { "paused" } else { job.state().as_str() };
        let description = text::fit(&format!("{state}  {}", columns::command(job)), DESCRIPTION);
        let words = name.map(ToString::to_string).into_iter().chain([job.id.to_string()]);
        lines.extend(words.map(|word| format!("{word}\t{description}\n")));
    }
    context.out(&lines);
    Ok(exit_code::DONE)
}

fn applies(verb: &str, job: &Job) -> bool {
    match verb {
        "kill" | "stop" => job.is_stoppable(),
        "abandon" | "signal" | "send" | "attach" | "wait" => job.state().is_active(),
        "pause" => job.state().is_active() && !job.is_paused(),
        "unpause" => job.state().is_active() && job.is_paused(),
        "resume" => job.is_resumable(),
        _ => true,
    }
}
