//! From options and surroundings to the spec of a job.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::Args;
use crate::client::Launching;
use crate::context::Context;
use crate::domain::duration::{Limit, to_ms};
use crate::domain::job_id::JobId;
use crate::domain::os_text::OsText;
use crate::domain::spec::{Environment, FinallySpec, JobSpec, SPEC_SCHEMA, Stdin, StopSpec, Variables};
use crate::error::CommandError;
use crate::platform::{self, StdinKind};
use crate::store::{Store, Surroundings};

/// Decides everything about a job that the user did not, and gives it its id.
pub(super) fn prepare(args: &Args, context: &Context, store: &Store) -> Result<Launching, CommandError> {
    let cwd = working_directory(args.cwd.as_deref(), context)?;
    let variables = environment(args, context)?;
    let stdin = stdin(args)?;
    let stop = stop_spec(args)?;
    let parent = parent(context, store);
    let job = store.new_job()?;
    let merge_output = args.merge_output || (!args.detach && platform::same_destination());
    let environment = Environment {
        saved: !args.no_save_env,
        names: if args.no_save_env { variables.iter().map(|(name, _)| name.clone()).collect() } else { Vec::new() },
        variables: if args.no_save_env { Vec::new() } else { variables.clone() },
    };
    let spec = JobSpec {
        schema: SPEC_SCHEMA.into(),
        id: job.id,
        uid: job.uid.clone(),
        name: args.name.clone(),
        labels: args.label.iter().cloned().collect(),
        created_at: context.now(),
        parent,
        foreground: !args.detach,
        command: std::iter::once(&args.command).chain(&args.args).map(|word| platform::os_text(word)).collect(),
        cwd: platform::os_text(cwd.as_os_str()),
        stdin,
        merge_output,
        umask: args.umask.unwrap_or_else(|| context.file_mask()),
        nice: args.nice,
        resource_limits: args.rlimit.clone(),
        stop,
        finally: FinallySpec {
            steps: args.finally.clone(),
            timeout_ms: args.finally_timeout.unwrap_or(Limit(Some(Duration::from_secs(240)))).0.map(to_ms),
        },
        on_exit: args.on_exit.clone(),
        delete_on_success: false,
        environment,
    };
    Ok(Launching { job, spec, variables: args.no_save_env.then_some(variables) })
}

/// Returns the directory, absolute. That it cannot be entered is for the attempt to find out, and to record.
fn working_directory(given: Option<&Path>, context: &Context) -> Result<PathBuf, CommandError> {
    let current = context.current_dir().map_err(|error| {
        CommandError::new("cwd", format!("the current directory cannot be used: {error}"))
            .hint("change to a directory that exists, or name one with --cwd DIR")
    });
    match given {
        Some(dir) if dir.is_absolute() => Ok(dir.to_owned()),
        Some(dir) => Ok(current?.join(dir)),
        None => current,
    }
}

fn environment(args: &Args, context: &Context) -> Result<Variables, CommandError> {
    let mut variables: Variables = if args.clear_env { Vec::new() } else { context.variables() };
    let mut set = |name: OsText, value: OsText| {
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value));
    };
    for file in &args.env_file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            CommandError::new("env_file", format!("cannot read the environment file '{}': {error}", file.display()))
        })?;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once('=') {
                Some((name, value)) if !name.is_empty() => set(name.trim_end().into(), value.into()),
                // As docker does: a name alone is passed on from ours.
                None => {
                    if let Some(value) = context.variable(line.trim_end()) {
                        set(line.trim_end().into(), platform::os_text(&value));
                    }
                }
                Some(_) => {
                    let place = format!("'{}' line {}", file.display(), number + 1);
                    return Err(CommandError::new("env_file", format!("{place} is not of the form KEY=VALUE")));
                }
            }
        }
    }
    for entry in &args.env {
        let entry = platform::os_text(entry);
        match entry.0.iter().position(|byte| *byte == b'=') {
            Some(0) => return Err(CommandError::usage("--env needs a name before the '='")),
            Some(at) => set(OsText(entry.0[..at].to_vec()), OsText(entry.0[at + 1..].to_vec())),
            None if entry.0.is_empty() => return Err(CommandError::usage("--env needs KEY=VALUE or KEY")),
            None => {
                if let Some(value) = context.variable(&entry.lossy()) {
                    set(entry, platform::os_text(&value));
                }
            }
        }
    }
    Ok(variables)
}

fn stdin(args: &Args) -> Result<Stdin, CommandError> {
    let Some(given) = &args.stdin else {
        return Ok(if args.detach { Stdin::Null } else { own_stdin() });
    };
    Ok(match given.to_str() {
        Some("null") => Stdin::Null,
        Some("inherit") if args.detach => Stdin::Inherit,
        Some("inherit") => own_stdin(),
        Some("fifo") => Stdin::Fifo,
        Some("") => return Err(CommandError::usage("--stdin needs inherit, null, fifo or a file")),
        _ => Stdin::File(platform::os_text(std::path::absolute(given).unwrap_or_else(|_| given.into()).as_os_str())),
    })
}

fn own_stdin() -> Stdin {
    match platform::stdin_kind() {
        StdinKind::Terminal => Stdin::Typed,
        StdinKind::Other => Stdin::Inherit,
        StdinKind::Closed => Stdin::Null,
    }
}

fn stop_spec(args: &Args) -> Result<StopSpec, CommandError> {
    let mut plan = args.stop_plan.clone().unwrap_or_default();
    if let Some(signal) = args.stop_signal {
        plan = plan.with_first_signal(signal);
    }
    if let Some(grace) = args.grace {
        // Without a plan of its own the grace is the wait; it can be longer than the default.
        plan = match args.stop_plan {
            None => plan.with_only_wait(grace),
            Some(_) => plan.bounded_by(grace),
        };
    }
    let limit = |limit: Option<Limit>| limit.and_then(|limit| limit.0).map(to_ms);
    Ok(StopSpec {
        plan,
        scope: args.signal_scope.unwrap_or_default(),
        leftovers: args.leftovers.unwrap_or_default(),
        timeout_ms: limit(args.timeout),
        idle_timeout_ms: limit(args.idle_timeout),
        abandon_after_ms: limit(args.abandon_after),
        early_signal: args.early_signal,
    })
}

/// The job that we are part of, if the environment says so and the cookie proves it.
fn parent(context: &Context, store: &Store) -> Option<JobId> {
    let id: JobId = context.variable("JOBDIR_JOB_ID")?.to_str()?.parse().ok()?;
    let uid = context.variable("JOBDIR_JOB_UID")?;
    let job = store.load(id, &Surroundings::new()).ok()?;
    (job.spec()?.uid.as_str() == uid.to_str()?).then_some(id)
}
