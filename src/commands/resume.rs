//! `jobdir resume`: the next attempt of a job that has ended.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args as ClapArgs;

use super::defaults::Configured;
use super::observing::Looking;
use super::options::JobArgs;
use super::shared::{choose_one, parse_duration};
use super::staying::{leave, open_typed, stay};
use super::waiting::Awaited;
use crate::client::{self, Limited, Resuming, copy_typed, relaunch};
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::os_text::OsText;
use crate::domain::record::FinallyState;
use crate::domain::request::Kill;
use crate::domain::spec::{JobSpec, Stdin};
use crate::domain::state::{Reason, State};
use crate::domain::template::Template;
use crate::error::CommandError;
use crate::platform;
use crate::store::{Store, Surroundings};

/// Start the next attempt of a job that has ended
///
/// Runs the same command in the same directory with the same environment and options, unless others are given. ARGs are
/// appended to the command, or filled into what --resume-with said. Earlier attempts keep their output and outcome.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir resume 12                      once more
  jobdir resume review -- 'and now y'   go on with a conversation
  jobdir resume -d --timeout 1h @last   in the background, with another limit")]
pub struct Args {
    /// The job: an id, a name or @last
    #[arg(value_name = "JOB")]
    job: String,
    /// Stop processes of earlier attempts that still live
    #[arg(long)]
    kill_survivors: bool,

    #[command(flatten)]
    options: JobArgs,

    /// Print the id, and return as soon as it executes
    #[arg(short, long, help_heading = "Watching")]
    detach: bool,
    /// Hand back after this time with the job going on
    ///
    /// The exit code is then 122. With --json nothing is shown, and one document tells where the job is, the end of its
    /// output and what to type next, whether it has ended or not.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with = "detach", help_heading = "Watching")]
    observe: Option<Duration>,
    /// Print one JSON document (with --detach or --observe)
    #[arg(long, help_heading = "Watching")]
    json: bool,

    /// Where defaults come from.
    #[command(flatten)]
    pub configured: Configured,

    /// Further arguments
    #[arg(value_name = "ARG", last = true)]
    args: Vec<OsString>,
}

/// Starts the attempt, and stays with it unless it is detached.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    start(&args, context).map_err(CommandError::of_run)
}

fn start(args: &Args, context: &Context) -> Result<u8, CommandError> {
    if args.json && !args.detach && args.observe.is_none() {
        let message = "--json needs --detach or --observe: else stdout is the job's";
        return Err(CommandError::usage(message).hint("'--observe DURATION --json' tells of the job and shows nothing"));
    }
    let store = context.reading()?;
    let id = choose_one(&store, &args.job, context)?;
    let store = context.writing()?;
    let queue = context.queue().map_err(anyhow::Error::from)?;
    let job = settle(args, id, context, &store)?;
    let own = store.load_spec(id)?;
    let mut spec = own.clone();
    spec.command = command(&own, &args.args, &job)?;
    spec.foreground = !args.detach;
    let variables = args.options.apply(&mut spec, args.detach, false, &store, context)?;
    let variables = (!spec.environment.saved).then_some(variables);
    let mut typed = None;
    let mut fifo = None;
    if matches!(spec.stdin, Stdin::Typed | Stdin::Fifo) {
        let name = store.stage_fifo()?;
        if spec.stdin == Stdin::Typed {
            typed = Some(open_typed(&store.layout().staged(&name))?);
        }
        fifo = Some(name);
    }
    let merged = spec.merge_output;
    let plan = spec.stop.plan.clone();
    let keep_stdin = spec.stdin == Stdin::Inherit;
    let next = job.attempt().map_or(1, |attempt| attempt.number + 1);
    let limit = spec.log_limit().filter(|_| spec.foreground && !args.json);
    let limited = limit.map(|limit| Limited::new(&store.layout().job(id), next, limit));
    let pty = spec.pty;
    if let (true, Some(size)) = (pty, platform::terminal_size()) {
        store.set_terminal_size(id, &size)?;
    }
    let spec = (spec != own).then_some(spec);
    let keep = context.settings()?.keep;
    let mut launched = relaunch(&store, Resuming { id, spec, fifo, variables, keep_stdin, keep })?;
    (launched.limited, launched.pty) = (limited, pty);
    if let Some(end) = typed {
        copy_typed(end, launched.queued);
    }
    if args.detach {
        return leave(&launched, args.json, context, &store);
    }
    let looking = Looking { limit: args.observe, json: args.json };
    stay(launched, merged, &plan, looking, &queue, context, &store)
}

/// Makes sure that nothing of an earlier attempt lives and that its finally steps have run.
fn settle(args: &Args, id: JobId, context: &Context, store: &Store) -> Result<Job, CommandError> {
    let job = store.load(id, &Surroundings::new())?;
    let state = job.state();
    if state == State::Corrupt {
        return Err(corrupt(&job));
    }
    if state.is_active() && state != State::Orphaned {
        return Err(busy(&job));
    }
    if job.has_survivors() && !args.kill_survivors {
        let pids: Vec<String> = job.observation.survivors.iter().map(|s| s.identity.pid.to_string()).collect();
        let message = format!("job {id} is {state}, and processes of it still live: {}", pids.join(", "));
        return Err(CommandError::new("survivors", message)
            .about(id)
            .hint(format!("stop them first with 'jobdir kill {id}', or with 'jobdir resume --kill-survivors {id}'")));
    }
    let pending = job
        .attempt()
        .and_then(|a| a.finally.as_ref())
        .is_some_and(|finally| matches!(finally.state, FinallyState::Pending | FinallyState::Running));
    if state == State::Lost || job.has_survivors() || pending {
        // Under the claim, by a supervisor of its own: stops what is left, runs what is pending, records an outcome.
        let _waiting = Awaited::end(context, &[id], None).tell(context, store);
        let job = client::settle(store, id, Kill { reason: Some(Reason::Kill), ..Kill::default() })?;
        if job.has_survivors() || !job.state().is_recorded_end() {
            return Err(CommandError::new("not_stopped", format!("job {id}: what is left of it could not be stopped"))
                .about(id)
                .hint(format!("'jobdir status {id}' says who is left")));
        }
        return Ok(job);
    }
    Ok(job)
}

fn busy(job: &Job) -> CommandError {
    let id = job.id;
    let attempt = job.attempt();
    let since = attempt.and_then(|a| a.started_at).map(|t| format!(" since {}", crate::present::json::time(t)));
    let by = job.record().and_then(|r| r.supervisor).map(|s| format!(", supervised by process {}", s.pid));
    let number = attempt.map_or(1, |a| a.number);
    let message =
        format!("job {id} is {}: attempt {number}{}{}", job.state(), since.unwrap_or_default(), by.unwrap_or_default());
    CommandError::new("busy", message)
        .about(id)
        .hint(format!("wait for it with 'jobdir wait {id}', or stop it with 'jobdir kill {id}'"))
}

fn corrupt(job: &Job) -> CommandError {
    let why = job.observation.message.as_deref().unwrap_or("its files cannot be read");
    CommandError::new("corrupt", format!("job {} cannot be resumed: {why}", job.id))
        .about(job.id)
        .hint(format!("'jobdir delete {}' removes it", job.id))
}

/// Returns what the next attempt runs.
fn command(spec: &JobSpec, args: &[OsString], job: &Job) -> Result<Vec<OsText>, CommandError> {
    let args: Vec<OsText> = args.iter().map(|arg| platform::os_text(arg)).collect();
    let Some(template) = &spec.resume_with else {
        return Ok(spec.command.iter().cloned().chain(args).collect());
    };
    Template::parse(template).and_then(|template| template.fill(&args, &job.meta)).map_err(|why| {
        CommandError::new("template", format!("job {}: its --resume-with command cannot be filled in: {why}", job.id))
            .about(job.id)
            .hint(format!("the template is: {template}"))
    })
}
