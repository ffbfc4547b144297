//! `jobdir run`: start a job, and stay with it unless told otherwise.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args as ClapArgs, ValueHint};

use super::defaults::Configured;
use super::observing::Looking;
use super::options::JobArgs;
use super::shared::parse_duration;
use super::staying::{detach, join, leave, look, open_typed, stay};
use super::waiting::Awaited;
use crate::client::{KillOptions, LaunchError, Launched, Launching, Limited, copy_typed, kill, launch};
use crate::context::Context;
use crate::domain::job_id::JobId;
use crate::domain::name::{Name, parse_label};
use crate::domain::request::Kill;
use crate::domain::spec::{
    CoordinationSpec, Environment, FinallySpec, JobSpec, RetrySpec, SPEC_SCHEMA, Stdin, StopSpec,
};
use crate::domain::state::Reason;
use crate::error::CommandError;
use crate::platform::{self, WakeQueue};
use crate::store::{Store, StoreError, Surroundings};

/// Start a job
///
/// Runs COMMAND under a supervisor of its own. In the foreground its output is shown as it comes and its exit code
/// becomes that of jobdir, but the job does not depend on this process: if jobdir is killed, the job goes on, and
/// 'jobdir jobs' still tells the truth about it. INT, TERM and HUP, which comes when the terminal closes, ask the job to end,
/// as they would end the command itself; --detach, ctrl-p ctrl-q at its terminal and nohup let it go on.
#[derive(Debug, ClapArgs)]
#[command(override_usage = "jobdir run [OPTIONS] [--] COMMAND [ARG]...")]
#[command(after_help = "\
Examples:
  jobdir run -- cargo build --release         run it here
  jobdir run -d --name web -- npm start       in the background
  id=$(jobdir run -d -- make test)            keep the id
  jobdir run --timeout 10m -- ./flaky-test    stop it after 10 minutes
  jobdir run --stop-plan github -- ./deploy   INT, 7.5 s, TERM, 2.5 s, KILL

The exit code is the command's own, 128+n when it died of signal n,
124 when its time limit stopped it, 126 or 127 when it could not be
executed, 125 when jobdir itself failed. See jobdir-run(1).")]
pub struct Args {
    /// Give the job a name; only one active job can bear it
    ///
    /// Letters, digits and '._-', at most 64, compared without case. Wherever a JOB is asked for, a name means the newest
    /// job that bears it.
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    name: Option<Name>,
    /// Give the job a label (can be repeated)
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = parse_label, help_heading = "Identity")]
    label: Vec<(String, String)>,
    /// Write the id to this file before the command starts
    ///
    /// The file is replaced as a whole: whoever waits for it never reads half an id.
    #[arg(long, value_name = "PATH", help_heading = "Identity")]
    id_file: Option<PathBuf>,
    /// When the name is taken: fail, attach, skip or replace
    ///
    /// 'fail', the default, refuses. 'attach' shows the output of that job and mirrors its end. 'skip' prints its id.
    /// 'replace' stops it first. Whatever is chosen, only one of many callers starts a job.
    #[arg(
        long,
        value_name = "POLICY",
        value_parser = ["fail", "attach", "skip", "replace"],
        hide_possible_values = true,
        help_heading = "Identity"
    )]
    if_running: Option<String>,
    /// Delete the job when it has succeeded
    #[arg(long, help_heading = "Identity")]
    rm: bool,

    #[command(flatten)]
    job: JobArgs,

    /// Print the id, and return as soon as it executes
    ///
    /// When it cannot be started nothing is printed on stdout, and the message on stderr names the id.
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

    /// The command to run, and its arguments
    ///
    /// Looked up in PATH and executed as it is, without a shell. Everything behind it is its own, options too.
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        value_hint = ValueHint::CommandWithArguments
    )]
    command: Vec<OsString>,
}

/// How often a bearer of the name is met before giving up: others may want the name, too.
const ROUNDS: u32 = 1000;

/// Starts the job, and stays with it unless it is detached.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    start(&args, context).map_err(CommandError::of_run)
}

fn start(args: &Args, context: &Context) -> Result<u8, CommandError> {
    if args.json && !args.detach && args.observe.is_none() {
        let message = "--json needs --detach or --observe: else stdout is the job's";
        return Err(CommandError::usage(message).hint("'--observe DURATION --json' tells of the job and shows nothing"));
    }
    if args.if_running.is_some() && args.name.is_none() {
        return Err(CommandError::usage("--if-running needs --name: it is about a job that bears the name already"));
    }
    let store = context.writing()?;
    let id_file = args.id_file.as_deref().map(|path| IdFile::prepare(path, context)).transpose()?;
    let queue = context.queue().map_err(anyhow::Error::from)?;
    let looking = Looking { limit: args.observe, json: args.json };
    for _ in 0..ROUNDS {
        if let Some(bearer) = args.name.as_ref().map(|name| store.active_bearer(name)).transpose()?.flatten() {
            crate::client::dismiss();
            if let Some(code) = meet(args, bearer, &queue, context, &store, id_file.as_ref())? {
                return Ok(code);
            }
        }
        let launching = prepare(args, context, &store)?;
        let (merged, plan) = (launching.spec.merge_output, launching.spec.stop.plan.clone());
        match launch_once(launching, &store, id_file.as_ref(), looking) {
            Ok(launched) if args.detach => return leave(&launched, args.json, context, &store),
            Ok(launched) => return stay(launched, merged, &plan, looking, &queue, context, &store),
            // Somebody was faster: meet that job in the next round.
            Err(LaunchError::NameTaken(_)) if args.if_running.is_some() => {}
            Err(error) => {
                let mut error = CommandError::from(error);
                if let ("not_found", Some(meant)) = (error.code, likely_mistake(&args.command)) {
                    error.hint = Some(meant);
                }
                if let (Some(file), None) = (&id_file, &error.id) {
                    file.remove();
                }
                return Err(error);
            }
        }
    }
    Err(CommandError::new("name_taken", "other jobs took the name again and again")
        .hint("try again, or choose another name"))
}

fn launch_once(
    launching: Launching,
    store: &Store,
    id_file: Option<&IdFile>,
    looking: Looking,
) -> Result<Launched, LaunchError> {
    let (id, is_typed) = (launching.job.id, launching.spec.stdin == Stdin::Typed);
    // Whoever shows nothing keeps nothing from being dropped.
    let limit = launching.spec.log_limit().filter(|_| launching.spec.foreground && !looking.json);
    let pty = launching.spec.pty;
    let (mut typed, mut limited) = (None, None);
    let mut launched = launch(store, launching, |staged| {
        if is_typed {
            typed = Some(open_typed(&staged.paths().stdin())?);
        }
        limited = limit.map(|limit| Limited::new(staged.paths(), 1, limit));
        if let (true, Some(size)) = (pty, platform::terminal_size()) {
            staged.set_terminal_size(&size)?;
        }
        id_file.map_or(Ok(()), |file| file.write(id))
    })?;
    (launched.limited, launched.pty) = (limited, pty);
    if let Some(end) = typed {
        copy_typed(end, launched.queued);
    }
    Ok(launched)
}

/// Says what was probably meant by a command that does not exist.
fn likely_mistake(command: &[OsString]) -> Option<String> {
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let first = words.first()?;
    let whole = crate::present::text::escape(&words.join(" "));
    if first.contains(char::is_whitespace) || words.iter().any(|word| matches!(&**word, "|" | "&&" | "||" | ";" | ">"))
    {
        let whole = whole.replace('\'', "'\\''");
        return Some(format!("no shell reads the command; to let one: jobdir run -- sh -c '{whole}'"));
    }
    if parse_duration(first).is_ok() && words.len() > 1 {
        return Some(format!(
            "'{first}' was taken for the command: an option has one value; perhaps you meant: jobdir run -- {}",
            crate::present::text::escape(&words[1..].join(" "))
        ));
    }
    const OF_SHELLS: [&str; 8] = ["alias", "cd", "eval", "exec", "export", "set", "source", "ulimit"];
    OF_SHELLS.contains(&&**first).then(|| format!("'{first}' is part of the shell: jobdir run -- sh -c '{whole}'"))
}

/// What to do about an active job that bears the name. Returns the exit code when that is all; else a new job may be
/// started.
fn meet(
    args: &Args,
    bearer: JobId,
    queue: &WakeQueue,
    context: &Context,
    store: &Store,
    id_file: Option<&IdFile>,
) -> Result<Option<u8>, CommandError> {
    let policy = args.if_running.as_deref().unwrap_or("fail");
    if let (Some(file), "skip" | "attach") = (id_file, policy) {
        file.write(bearer)?;
    }
    match policy {
        "skip" => detach(bearer, args.json, context, store).map(Some),
        "attach" if args.detach => detach(bearer, args.json, context, store).map(Some),
        "attach" if args.json => look(bearer, args.observe, queue, context, store).map(Some),
        "attach" => join(bearer, args.observe, queue, context, store).map(Some),
        "replace" => {
            let options = KillOptions {
                kill: Kill { reason: Some(Reason::Replaced), ..Kill::default() },
                ..KillOptions::default()
            };
            let _waiting = Awaited::end(context, &[bearer], None).tell(context, store);
            match store.load(bearer, &Surroundings::new()).and_then(|job| kill(store, queue, job, &options)) {
                Ok((_, job, _)) if job.bears_its_name() => {
                    let message = format!("job {bearer} bears this name and could not be stopped");
                    Err(CommandError::new("not_stopped", message).hint(format!(
                        "'jobdir status {bearer}' says who is left; 'jobdir abandon {bearer}' gives it up"
                    )))
                }
                Ok(_) | Err(StoreError::NoSuchJob) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        _ => Err(LaunchError::NameTaken(bearer).into()),
    }
}

fn prepare(args: &Args, context: &Context, store: &Store) -> Result<Launching, CommandError> {
    let mut spec = JobSpec {
        schema: SPEC_SCHEMA.into(),
        id: JobId::new(1).expect("one is not zero"),
        uid: String::new(),
        name: args.name.clone(),
        labels: args.label.iter().cloned().collect(),
        created_at: context.now(),
        parent: parent(context, store),
        foreground: !args.detach,
        command: args.command.iter().map(|word| platform::os_text(word)).collect(),
        cwd: Default::default(),
        stdin: Stdin::Null,
        pty: false,
        merge_output: false,
        log_max_bytes: None,
        umask: 0,
        nice: None,
        resource_limits: Vec::new(),
        stop: StopSpec::default(),
        coordination: CoordinationSpec::default(),
        finally: FinallySpec::default(),
        on_exit: None,
        resume_with: None,
        retry: RetrySpec::default(),
        delete_on_success: args.rm,
        environment: Environment::default(),
    };
    let variables = args.job.apply(&mut spec, args.detach, true, store, context)?;
    // Only now, when nothing can be refused any more, is an id used.
    let job = store.new_job()?;
    (spec.id, spec.uid) = (job.id, job.uid.clone());
    let variables = (!spec.environment.saved).then_some(variables);
    let keep = context.settings()?.keep;
    Ok(Launching { job, spec, variables, keep })
}

/// The job that we are part of, if the environment says so and the cookie proves it.
fn parent(context: &Context, store: &Store) -> Option<JobId> {
    let id: JobId = context.variable("JOBDIR_JOB_ID")?.to_str()?.parse().ok()?;
    let uid = context.variable("JOBDIR_JOB_UID")?;
    let job = store.load(id, &Surroundings::new()).ok()?;
    (job.spec()?.uid.as_str() == uid.to_str()?).then_some(id)
}

/// The file that is told the id.
#[derive(Debug)]
struct IdFile {
    path: PathBuf,
    temporary: PathBuf,
    mask: u32,
}

impl IdFile {
    /// Finds out that it can be written before anything is started.
    fn prepare(path: &Path, context: &Context) -> Result<Self, CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::new("id_file", format!("cannot write the id file '{}': {error}", path.display()))
                .hint("name a file in a directory that exists and that you can write")
        };
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", std::process::id()));
        let file = Self { path: path.to_owned(), temporary: temporary.into(), mask: context.file_mask() };
        if path.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        drop(platform::create_private(&file.temporary).map_err(failed)?);
        platform::remove_file(&file.temporary);
        Ok(file)
    }

    fn write(&self, id: JobId) -> Result<(), StoreError> {
        let failed = |source| StoreError::Io { action: "write", path: self.path.clone(), source };
        let mut file = platform::create_private(&self.temporary).map_err(failed)?;
        platform::apply_file_mask(&file, self.mask).map_err(failed)?;
        file.write_all(format!("{id}\n").as_bytes()).map_err(failed)?;
        platform::rename_file(&self.temporary, &self.path).map_err(failed)
    }

    /// The job does not exist after all.
    fn remove(&self) {
        platform::remove_file(&self.path);
    }
}
