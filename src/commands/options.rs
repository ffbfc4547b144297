//! The options by which `run` and `resume` say how a job is to run: all of a spec but who it is and what it runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::coordination::CoordinationArgs;
use super::shared::{parse_duration, parse_limit, parse_size_limit};
use super::terminal::TerminalArgs;
use crate::client::{parse_plan, parse_signal};
use crate::context::Context;
use crate::domain::duration::{Limit, to_ms};
use crate::domain::os_text::OsText;
use crate::domain::signal::Signal;
use crate::domain::spec::{
    EarlySignal, Environment, FinallySpec, JobSpec, Leftovers, ResourceLimitSpec, RetrySpec, SignalScope, Stdin,
    Variables,
};
use crate::domain::stop_plan::StopPlan;
use crate::domain::template::Template;
use crate::error::CommandError;
use crate::platform::{self, StdinKind};
use crate::store::Store;

/// How a job is to run.
#[derive(Debug, Clone, Args)]
pub struct JobArgs {
    /// Run in this directory instead of the current one
    ///
    /// When it cannot be entered the job has failed, with reason 'cwd' and exit code 125.
    #[arg(short = 'C', long, value_name = "DIR", help_heading = "Environment")]
    cwd: Option<PathBuf>,
    /// Set a variable, or pass one on (can be repeated)
    ///
    /// KEY=VALUE sets it; KEY alone passes on the value that it has here, despite --clear-env too. By default a job gets
    /// the whole environment.
    #[arg(short, long, value_name = "KEY[=VALUE]", help_heading = "Environment")]
    env: Vec<OsString>,
    /// Set variables from KEY=VALUE lines (can be repeated)
    ///
    /// Empty lines and those that begin with '#' are passed over; KEY alone passes on the value that it has here. What
    /// --env says wins.
    #[arg(long, value_name = "FILE", help_heading = "Environment")]
    env_file: Vec<PathBuf>,
    /// Start with an empty environment
    #[arg(long, help_heading = "Environment")]
    clear_env: bool,
    /// Keep only the names of variables on disk, not their values
    ///
    /// By default the environment is kept in the job's spec, readable by you alone. It is never shown.
    #[arg(long, help_heading = "Environment")]
    no_save_env: bool,
    /// Set the file mode creation mask, in octal
    ///
    /// By default the caller's.
    #[arg(long, value_name = "MASK", value_parser = parse_umask, help_heading = "Environment")]
    umask: Option<u32>,

    /// Run with this niceness, from -20 to 19
    ///
    /// By default the caller's. Less than that needs a privilege; where it is refused the job could not be started. On
    /// Windows it stands for a priority class.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-20..=19), help_heading = "Environment")]
    nice: Option<i32>,
    /// Set a resource limit: NOFILE=1024 (can be repeated)
    ///
    /// Or NAME=SOFT:HARD, where NAME is AS, CORE, CPU, DATA, FSIZE, MEMLOCK, NOFILE, NPROC or STACK, and a limit is a
    /// size, such as 20M, or 'unlimited'. On Windows AS, CPU, DATA and NPROC, and the soft limit counts.
    #[arg(long, value_name = "NAME=SOFT[:HARD]", value_parser = parse_rlimit, help_heading = "Environment")]
    rlimit: Vec<ResourceLimitSpec>,

    /// Where the input comes from: inherit, null, fifo or a file
    ///
    /// In the foreground the default is 'inherit'; a terminal is copied, never handed over. With --detach the default is
    /// 'null'. 'fifo' makes a FIFO named 'stdin' in the job's directory; on Windows that file names a pipe.
    #[arg(long, value_name = "SOURCE", help_heading = "Input and output")]
    stdin: Option<OsString>,
    /// Keep stdout and stderr in one log, in their true order
    ///
    /// The default in the foreground when both go to the same place, such as a terminal.
    #[arg(long, help_heading = "Input and output")]
    merge_output: bool,
    #[command(flatten)]
    terminal: TerminalArgs,
    /// Keep each log below this size: its first part and its newest
    ///
    /// What is in between is dropped; 'status' and 'logs' say how much. A size such as 20M; 0 or off is no limit. The default
    /// is 1G with --detach, and no limit in the foreground.
    #[arg(long, value_name = "SIZE", value_parser = parse_size_limit, help_heading = "Input and output")]
    log_max: Option<u64>,

    /// How to stop it: SIGNAL:WAIT,…,KILL or a preset
    ///
    /// Such as INT:7.5s,TERM:2.5s,KILL, or one of default, docker, github, gitlab, buildkite, kubernetes, systemd. The
    /// default is TERM:10s,KILL.
    #[arg(long, value_name = "PLAN", value_parser = parse_plan, help_heading = "Stopping")]
    stop_plan: Option<StopPlan>,
    /// The first signal of the stop plan
    ///
    /// By name in any case, with or without SIG, or by number.
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal, help_heading = "Stopping")]
    stop_signal: Option<Signal>,
    /// The longest time between the first signal and KILL
    ///
    /// It bounds the waits of the plan, used up in order; without --stop-plan it is the wait. Such as 500ms, 7.5s, 2m; a
    /// bare number is seconds.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Stopping")]
    grace: Option<Duration>,
    /// Whom signals before KILL reach: tree, group or leader
    ///
    /// 'tree', the default, is every process of the job, 'group' the process group of the command, 'leader' the command
    /// alone. KILL always means the tree.
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope, help_heading = "Stopping")]
    signal_scope: Option<SignalScope>,
    /// What becomes of processes that outlive the command
    ///
    /// 'kill', the default, gives them TERM and 2 s; 'wait' lets the job last as long as they do; 'leave' ends the job and
    /// lists them as survivors.
    #[arg(long, value_name = "POLICY", value_parser = parse_leftovers, help_heading = "Stopping")]
    leftovers: Option<Leftovers>,
    /// Stop it when it takes longer
    ///
    /// Runs the stop plan; the job is then 'timed_out', exit code 124. 0 or off is no limit, which is the default.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    timeout: Option<Limit>,
    /// Stop it when it neither prints nor computes for so long
    ///
    /// As --timeout otherwise.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    idle_timeout: Option<Limit>,
    /// Give it up when it still lives so long after KILL
    ///
    /// The job is then 'abandoned', and what lives is listed as survivors. By default jobdir does not give up.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    abandon_after: Option<Limit>,
    /// Send a signal some time before --timeout: USR1@60s
    ///
    /// And nothing more, so that the job can save what it has.
    #[arg(long, value_name = "SIGNAL@TIME", value_parser = parse_early, help_heading = "Stopping")]
    early_signal: Option<EarlySignal>,

    /// Run shell text after every attempt (can be repeated)
    ///
    /// However the attempt ended, once nothing of it lives; in the order given, by '/bin/sh -c'. A step finds how it
    /// ended in JOBDIR_STATE, JOBDIR_EXIT_CODE and others; see jobdir-run(1).
    #[arg(long, value_name = "COMMAND", help_heading = "Cleaning up")]
    finally: Vec<String>,
    /// The limit for all finally steps together
    ///
    /// The default is 4m; 0 or off is no limit.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Cleaning up")]
    finally_timeout: Option<Limit>,
    /// Run shell text once the end is recorded
    ///
    /// It runs once for a run, with its retries, and has 10 s; nobody waits for it. It is told of the end as finally steps
    /// are, by variables, and has at its stdin the JSON document that 'jobdir status --json' prints.
    #[arg(long, value_name = "COMMAND", help_heading = "Cleaning up")]
    on_exit: Option<String>,

    #[command(flatten)]
    coordination: CoordinationArgs,

    /// Repeat a failed attempt so many times
    ///
    /// What was stopped on request or by a limit is not repeated, nor what fails 5 times within 10 s. By default nothing is.
    #[arg(long, value_name = "NUMBER", help_heading = "Coordination")]
    retries: Option<u32>,
    /// Wait so long before the first retry
    ///
    /// The default is 1s.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Coordination")]
    retry_delay: Option<Duration>,
    /// Multiply the delay by this from one retry to the next
    #[arg(long, value_name = "FACTOR", value_parser = parse_backoff, help_heading = "Coordination")]
    retry_backoff: Option<f64>,
    /// What 'resume' runs: a template with {args} and {meta.KEY}
    ///
    /// It is cut into words as a shell does it, and no shell sees the result. {args} stands for the arguments given to
    /// resume, {meta.KEY} for what the job wrote to the file JOBDIR_META.
    #[arg(long, value_name = "COMMAND", value_parser = parse_template, help_heading = "Threads")]
    resume_with: Option<String>,
}

fn parse_umask(text: &str) -> Result<u32, String> {
    if !platform::has_file_masks() {
        return Err("files have no modes here; who may use one is what its directory says".into());
    }
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mask| *mask <= 0o777)
        .ok_or_else(|| format!("'{text}' is not a mask; write it in octal, such as 022"))
}

fn parse_rlimit(text: &str) -> Result<ResourceLimitSpec, String> {
    let (name, limits) = text.split_once('=').ok_or("write it as NAME=SOFT or NAME=SOFT:HARD, such as NOFILE=1024")?;
    let number = |text: &str| match text {
        "unlimited" | "infinity" => Ok(None),
        _ => crate::domain::duration::parse_size(text).map(Some),
    };
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if soft.unwrap_or(u64::MAX) > hard.unwrap_or(u64::MAX) {
        return Err("the soft limit must not be above the hard one".into());
    }
    match platform::resource_limit(name, soft, hard) {
        Some(_) => Ok(ResourceLimitSpec { resource: name.to_ascii_uppercase(), soft, hard }),
        None => Err(format!("there is no resource '{name}' here; try {}", platform::RESOURCES_HERE)),
    }
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

fn parse_backoff(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor: &f64| (1.0..=1000.0).contains(factor))
        .ok_or_else(|| format!("'{text}' is not a factor; write a number of at least 1, such as 2 or 1.5"))
}

fn parse_template(text: &str) -> Result<String, String> {
    Template::parse(text).map(|_| text.to_owned())
}

impl JobArgs {
    /// Changes a spec to what was asked for, and leaves the rest as it is. Returns the environment.
    ///
    /// # Errors
    /// What cannot be used, and what to do.
    pub(super) fn apply(
        &self,
        spec: &mut JobSpec,
        detach: bool,
        is_new: bool,
        store: &Store,
        context: &Context,
    ) -> Result<Variables, CommandError> {
        if is_new || self.cwd.is_some() {
            let cwd = working_directory(self.cwd.as_deref(), context)?;
            spec.cwd = platform::os_text(cwd.as_os_str());
        }
        let variables = self.environment(spec, is_new, context)?;
        let saved = if is_new { !self.no_save_env } else { spec.environment.saved && !self.no_save_env };
        spec.environment = Environment {
            saved,
            names: if saved { Vec::new() } else { variables.iter().map(|(name, _)| name.clone()).collect() },
            variables: if saved { variables.clone() } else { Vec::new() },
        };
        spec.umask = self.umask.unwrap_or(if is_new { context.file_mask() } else { spec.umask });
        spec.nice = self.nice.or(spec.nice);
        if !self.rlimit.is_empty() {
            spec.resource_limits.clone_from(&self.rlimit);
        }
        let had_terminal = spec.pty;
        spec.pty = self.terminal.decide(detach, self.stdin.is_some(), had_terminal)?;
        // The FIFO behind a terminal was not asked for by --stdin.
        let before = (!is_new && !had_terminal).then(|| spec.stdin.clone());
        spec.stdin = if spec.pty { Stdin::Fifo } else { self.stdin(detach, before)? };
        if is_new || self.merge_output || spec.pty != had_terminal {
            spec.merge_output = spec.pty || self.merge_output || (!detach && platform::same_destination());
        }
        spec.log_max_bytes = self.log_max.or(spec.log_max_bytes);
        self.apply_stop(spec);
        if self.early_signal.is_some() && spec.stop.timeout_ms.is_none() {
            return Err(CommandError::usage("--early-signal needs --timeout: it is sent some time before that"));
        }
        self.coordination.apply(&mut spec.coordination, store, context)?;
        if !self.finally.is_empty() {
            spec.finally.steps.clone_from(&self.finally);
        }
        if is_new || self.finally_timeout.is_some() {
            let limit = self.finally_timeout.unwrap_or(Limit(Some(Duration::from_secs(240))));
            spec.finally = FinallySpec { timeout_ms: limit.0.map(to_ms), ..spec.finally.clone() };
        }
        spec.on_exit = self.on_exit.clone().or(spec.on_exit.take());
        spec.resume_with = self.resume_with.clone().or(spec.resume_with.take());
        spec.retry = RetrySpec {
            retries: self.retries.unwrap_or(spec.retry.retries),
            delay_ms: self.retry_delay.map_or(spec.retry.delay_ms, to_ms),
            backoff: self.retry_backoff.unwrap_or(spec.retry.backoff),
        };
        Ok(variables)
    }

    fn apply_stop(&self, spec: &mut JobSpec) {
        let stop = &mut spec.stop;
        let mut plan = self.stop_plan.clone().unwrap_or_else(|| stop.plan.clone());
        if let Some(signal) = self.stop_signal {
            plan = plan.with_first_signal(signal);
        }
        if let Some(grace) = self.grace {
            // Without a plan of its own the grace is the wait; it can be longer than the default.
            plan = match self.stop_plan {
                None => plan.with_only_wait(grace),
                Some(_) => plan.bounded_by(grace),
            };
        }
        stop.plan = plan;
        stop.scope = self.signal_scope.unwrap_or(stop.scope);
        stop.leftovers = self.leftovers.unwrap_or(stop.leftovers);
        let limit = |given: Option<Limit>, before: Option<u64>| given.map_or(before, |limit| limit.0.map(to_ms));
        stop.timeout_ms = limit(self.timeout, stop.timeout_ms);
        stop.idle_timeout_ms = limit(self.idle_timeout, stop.idle_timeout_ms);
        stop.abandon_after_ms = limit(self.abandon_after, stop.abandon_after_ms);
        stop.early_signal = self.early_signal.or(stop.early_signal);
    }

    fn environment(&self, spec: &JobSpec, is_new: bool, context: &Context) -> Result<Variables, CommandError> {
        let mut variables: Variables = match (self.clear_env, is_new || !spec.environment.saved) {
            (true, _) => Vec::new(),
            (false, true) => context.variables(),
            (false, false) => spec.environment.variables.clone(),
        };
        let mut set = |name: OsText, value: OsText| {
            variables.retain(|(other, _)| *other != name);
            variables.push((name, value));
        };
        for file in &self.env_file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                CommandError::new("env_file", format!("cannot read the environment file '{}': {error}", file.display()))
                    .hint("name a file that you can read; each of its lines is KEY=VALUE, or KEY alone")
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
                        return Err(CommandError::new("env_file", format!("{place} is not of the form KEY=VALUE"))
                            .hint("put a name before the '='; lines that begin with # are comments"));
                    }
                }
            }
        }
        for entry in &self.env {
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

    fn stdin(&self, detach: bool, before: Option<Stdin>) -> Result<Stdin, CommandError> {
        let Some(given) = &self.stdin else {
            // What was said of the input holds for later attempts, too; our own input is that of this invocation.
            return Ok(match before {
                Some(kept @ (Stdin::Fifo | Stdin::File(_))) => kept,
                _ if detach => Stdin::Null,
                _ => own_stdin(),
            });
        };
        Ok(match given.to_str() {
            Some("null") => Stdin::Null,
            Some("inherit") if detach => Stdin::Inherit,
            Some("inherit") => own_stdin(),
            Some("fifo") => Stdin::Fifo,
            Some("") => return Err(CommandError::usage("--stdin needs inherit, null, fifo or a file")),
            _ => {
                Stdin::File(platform::os_text(std::path::absolute(given).unwrap_or_else(|_| given.into()).as_os_str()))
            }
        })
    }
}

fn own_stdin() -> Stdin {
    match platform::stdin_kind() {
        StdinKind::Terminal => Stdin::Typed,
        StdinKind::Other => Stdin::Inherit,
        StdinKind::Closed => Stdin::Null,
    }
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
