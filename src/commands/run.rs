//! `jobdir run`: start a job, and stay with it unless told otherwise.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as ClapArgs;

use super::shared::{parse_duration, parse_limit};
use crate::client::{
    Foreground, ForegroundEnd, IdFile, Launched, Launching, Leave, copy_typed, launch, parse_plan, parse_signal,
};
use crate::context::Context;
use crate::domain::duration::{Limit, render, to_ms};
use crate::domain::job_id::JobId;
use crate::domain::name::{Name, parse_label};
use crate::domain::os_text::OsText;
use crate::domain::signal::Signal;
use crate::domain::spec::{
    EarlySignal, Environment, FinallySpec, JobSpec, Leftovers, SPEC_SCHEMA, SignalScope, Stdin, StopSpec, Variables,
};
use crate::domain::stop_plan::StopPlan;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::{self, StdinKind};
use crate::present::json::{self, JobDocument};
use crate::store::{StagedJob, Store, StoreError, Surroundings};

/// Start a job
///
/// Runs COMMAND under a supervisor of its own. In the foreground its output is shown as it comes and its exit code
/// becomes that of jobdir, but the job does not depend on this process: if the terminal closes or jobdir is killed,
/// the job goes on, and 'jobdir jobs' still tells the truth about it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir run -- cargo build --release         run it here, but never lose it
  jobdir run -d --name web -- npm start       start it, print its id, come back at once
  id=$(jobdir run -d -- make test)            keep the id in a script
  jobdir run --timeout 10m -- ./flaky-test    stop it when it takes too long
  jobdir run --stop-plan github -- ./deploy   INT, 7.5 s, TERM, 2.5 s, KILL

The exit code is the command's own, 128+n when it died of signal n, 124 when its time limit stopped it,
126 or 127 when it could not be executed, 125 when jobdir itself failed. See jobdir-run(1).")]
pub struct Args {
    /// Give the job a name; only one active job can bear it
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    name: Option<Name>,
    /// Give the job a label (can be repeated)
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = parse_label, help_heading = "Identity")]
    label: Vec<(String, String)>,
    /// Write the id to this file before the command starts
    #[arg(long, value_name = "PATH", help_heading = "Identity")]
    id_file: Option<PathBuf>,

    /// Run in this directory instead of the current one
    #[arg(short = 'C', long, value_name = "DIR", help_heading = "Environment")]
    cwd: Option<PathBuf>,
    /// Set a variable, or pass one of ours on despite --clear-env (can be repeated)
    #[arg(short, long, value_name = "KEY[=VALUE]", help_heading = "Environment")]
    env: Vec<OsString>,
    /// Set the variables in this file of KEY=VALUE lines (can be repeated)
    #[arg(long, value_name = "FILE", help_heading = "Environment")]
    env_file: Vec<PathBuf>,
    /// Start with an empty environment
    #[arg(long, help_heading = "Environment")]
    clear_env: bool,
    /// Keep only the names of variables on disk, not their values
    #[arg(long, help_heading = "Environment")]
    no_save_env: bool,
    /// Set the file mode creation mask, in octal
    #[arg(long, value_name = "MASK", value_parser = parse_umask, help_heading = "Environment")]
    umask: Option<u32>,

    /// Where the input comes from: inherit, null, fifo or a file
    ///
    /// In the foreground the default is our own input; a terminal is copied, never handed over. With --detach it is
    /// null.
    #[arg(long, value_name = "SOURCE", help_heading = "Input and output")]
    stdin: Option<OsString>,
    /// Keep stdout and stderr in one log, in their true order
    ///
    /// The default when both go to the same place.
    #[arg(long, help_heading = "Input and output")]
    merge_output: bool,

    /// Print the id and return as soon as the command executes
    #[arg(short, long, help_heading = "Watching")]
    detach: bool,
    /// Print one JSON document (with --detach)
    #[arg(long, help_heading = "Watching")]
    json: bool,

    /// How to stop it: SIGNAL:WAIT,…,KILL or a preset
    ///
    /// Such as INT:7.5s,TERM:2.5s,KILL, or one of default, docker, github, gitlab, buildkite, kubernetes, systemd. The
    /// default is TERM:10s,KILL.
    #[arg(long, value_name = "PLAN", value_parser = parse_plan, help_heading = "Stopping")]
    stop_plan: Option<StopPlan>,
    /// The first signal of the stop plan
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal, help_heading = "Stopping")]
    stop_signal: Option<Signal>,
    /// The longest time between the first signal and KILL
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Stopping")]
    grace: Option<Duration>,
    /// Whom signals before KILL reach: tree, group or leader
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope, help_heading = "Stopping")]
    signal_scope: Option<SignalScope>,
    /// What happens to processes that outlive the command: kill, wait or leave
    #[arg(long, value_name = "POLICY", value_parser = parse_leftovers, help_heading = "Stopping")]
    leftovers: Option<Leftovers>,
    /// Stop it when it takes longer
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    timeout: Option<Limit>,
    /// Stop it when it neither prints nor computes for so long
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    idle_timeout: Option<Limit>,
    /// Give it up when it still lives so long after KILL
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    abandon_after: Option<Limit>,
    /// Send a signal some time before --timeout, such as USR1@60s
    #[arg(long, value_name = "SIGNAL@TIME", value_parser = parse_early, requires = "timeout", help_heading = "Stopping")]
    early_signal: Option<EarlySignal>,

    /// Run shell text after every attempt, however it ended (can be repeated)
    #[arg(long, value_name = "COMMAND", help_heading = "Cleaning up")]
    finally: Vec<String>,
    /// The limit for all finally steps together; the default is 4m
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Cleaning up")]
    finally_timeout: Option<Limit>,

    /// The command to run
    #[arg(value_name = "COMMAND")]
    command: OsString,
    /// Its arguments
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

fn parse_umask(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mask| *mask <= 0o777)
        .ok_or_else(|| format!("'{text}' is not a mask; write it in octal, such as 022"))
}

fn parse_scope(text: &str) -> Result<SignalScope, String> {
    match text {
        "tree" => Ok(SignalScope::Tree),
        "group" => Ok(SignalScope::Group),
        "leader" => Ok(SignalScope::Leader),
        _ => Err(format!("'{text}' is none of tree, group, leader")),
    }
}

fn parse_leftovers(text: &str) -> Result<Leftovers, String> {
    match text {
        "kill" => Ok(Leftovers::Kill),
        "wait" => Ok(Leftovers::Wait),
        "leave" => Ok(Leftovers::Leave),
        _ => Err(format!("'{text}' is none of kill, wait, leave")),
    }
}

fn parse_early(text: &str) -> Result<EarlySignal, String> {
    let (signal, before) = text.split_once('@').ok_or("write it as SIGNAL@TIME, such as USR1@60s")?;
    Ok(EarlySignal { signal: parse_signal(signal)?, before_ms: to_ms(parse_duration(before)?) })
}

/// Starts the job, and stays with it unless it is detached.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let refuse = |error: CommandError| error.exit(exit_code::JOBDIR_FAILED);
    if args.json && !args.detach {
        return Err(refuse(CommandError::usage("--json needs --detach: in the foreground stdout is the job's")));
    }
    let store = context.writing().map_err(|error| refuse(error.into()))?;
    let id_file = args.id_file.as_deref().map(|path| id_file(path, context)).transpose().map_err(refuse)?;
    let launching = prepare(&args, context, &store).map_err(refuse)?;
    let queue = context.queue().map_err(|error| refuse(anyhow::Error::from(error).into()))?;
    let id = launching.job.id;
    let merged = launching.spec.merge_output;
    let typed = launching.spec.stdin == Stdin::Typed;
    let plan = launching.spec.stop.plan.clone();
    let mut typed_ends = None;
    let launched = launch(&store, launching, |staged| {
        if typed {
            typed_ends = Some(open_typed(staged)?);
        }
        id_file.as_ref().map_or(Ok(()), |file| file.write(id))
    });
    let launched = match launched {
        Ok(launched) => launched,
        Err(error) => {
            let error = CommandError::from(error);
            if let (Some(file), None) = (&id_file, &error.id) {
                file.remove();
            }
            return Err(error);
        }
    };
    if let Some((_reader, writer)) = typed_ends {
        copy_typed(writer);
    }
    if args.detach {
        return detached(&args, context, &store, &launched);
    }
    let Launched { id, connection, .. } = launched;
    let foreground = Foreground { store: &store, id, attempt: 1, merged, queue: &queue, connection };
    let end = foreground.stay(
        |signal, nth| {
            if context.stderr_is_terminal() {
                context.talk(&stop_notice(id, &plan, signal, nth));
            }
        },
        |_, error| {
            let logs = format!("'jobdir logs {id}' has all of it");
            context.talk(&format!("jobdir: cannot pass on the output of job {id}: {error}; the job goes on, {logs}"));
        },
    );
    match end.map_err(|error| refuse(error.into()))? {
        ForegroundEnd::RunEnded => ended(context, &store, &queue, id),
        ForegroundEnd::Left(Leave::ReaderGone) => Ok(exit_code::READER_GONE),
        ForegroundEnd::Left(Leave::ThirdSignal) => {
            context.talk(&format!("jobdir: job {id} is still stopping; 'jobdir status {id}' shows how far it is"));
            Ok(exit_code::STILL_RUNNING)
        }
    }
}

fn stop_notice(id: JobId, plan: &StopPlan, signal: Signal, nth: u32) -> String {
    if nth > 1 {
        return format!("jobdir: going on to the next step of stopping job {id}; once more to leave it alone");
    }
    let mut at = Duration::ZERO;
    let steps: Vec<String> = plan
        .clone()
        .with_signal_in_front(signal)
        .rungs()
        .iter()
        .map(|rung| {
            let when = if at.is_zero() { "now".to_owned() } else { format!("in {}", render(at)) };
            at += Duration::from_millis(rung.wait_ms);
            format!("{} {when}", rung.signal.short_name())
        })
        .collect();
    format!("jobdir: stopping job {id}: {}; once more to go faster", steps.join(", "))
}

fn detached(args: &Args, context: &Context, store: &Store, launched: &Launched) -> Result<u8, CommandError> {
    if args.json {
        let job = store.load(launched.id, &Surroundings::new())?;
        context.out(&json::render(&JobDocument::new(&job, false)));
    } else {
        context.out(&format!("{}\n", launched.id));
    }
    Ok(exit_code::DONE)
}

fn ended(context: &Context, store: &Store, queue: &platform::WakeQueue, id: JobId) -> Result<u8, CommandError> {
    let refuse = |error: StoreError| CommandError::from(error).exit(exit_code::JOBDIR_FAILED);
    let say = |job: &crate::domain::job::Job| context.talk(&super::shared::orphan_notice(job));
    let (_, jobs) = crate::client::wait_for_ends(store, queue, &[id], false, None, say).map_err(refuse)?;
    let Some(Some(job)) = jobs.into_iter().next() else {
        return Err(CommandError::new("job_deleted", format!("job {id} was deleted before its outcome was seen"))
            .exit(exit_code::JOBDIR_FAILED));
    };
    if let Some(note) = super::shared::end_note(&job) {
        context.talk(&note);
    }
    Ok(exit_code::of_job(&job))
}

fn open_typed(staged: &StagedJob) -> Result<(File, File), StoreError> {
    let path = staged.paths().stdin();
    let failed = |source| StoreError::Io { action: "open", path: path.clone(), source };
    // The reader is only there so that the writer can be opened before the job opens its own.
    let reader = platform::open_fifo_reader(&path).map_err(failed)?;
    let writer = platform::open_fifo_writer(&path).map_err(failed)?;
    Ok((reader, writer))
}

fn prepare(args: &Args, context: &Context, store: &Store) -> Result<Launching, CommandError> {
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
        stop,
        finally: FinallySpec {
            steps: args.finally.clone(),
            timeout_ms: args.finally_timeout.unwrap_or(Limit(Some(Duration::from_secs(240)))).0.map(to_ms),
        },
        on_exit: None,
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

fn id_file(path: &Path, context: &Context) -> Result<IdFile, CommandError> {
    IdFile::prepare(path, context.file_mask()).map_err(|error| {
        CommandError::new("id_file", format!("cannot write the id file '{}': {error}", path.display()))
            .hint("name a file in a directory that exists and that you can write")
    })
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
