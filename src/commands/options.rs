//! The options by which `run` and `resume` say how a job is to run: all of a spec but who it is and what it runs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::shared::{choose_one, parse_duration, parse_limit};
use crate::client::{parse_plan, parse_signal};
use crate::context::Context;
use crate::domain::duration::{Limit, to_ms};
use crate::domain::name::Name;
use crate::domain::os_text::OsText;
use crate::domain::queue::{MutexWant, SlotWant};
use crate::domain::signal::Signal;
use crate::domain::spec::{
    After, EarlySignal, Environment, FinallySpec, JobSpec, Leftovers, RequiredEnd, ResourceLimitSpec, RetrySpec,
    SignalScope, Stdin, Variables,
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

    /// Run with this niceness, from -20 to 19
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-20..=19), help_heading = "Environment")]
    nice: Option<i32>,
    /// Set a resource limit, such as NOFILE=1024 or CORE=0:0 (can be repeated)
    #[arg(long, value_name = "NAME=SOFT[:HARD]", value_parser = parse_rlimit, help_heading = "Environment")]
    rlimit: Vec<ResourceLimitSpec>,

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
    /// Run shell text once the end is recorded; it has 10 s, nobody waits for it
    #[arg(long, value_name = "COMMAND", help_heading = "Cleaning up")]
    on_exit: Option<String>,

    /// Hold a mutex while it runs; NAME:shared with others (can be repeated)
    #[arg(long, value_name = "NAME[:shared]", value_parser = parse_mutex, help_heading = "Coordination")]
    mutex: Vec<MutexWant>,
    /// Run at most N jobs of a group at once (can be repeated)
    #[arg(long, value_name = "GROUP=N", value_parser = parse_slots, help_heading = "Coordination")]
    slots: Vec<SlotWant>,
    /// Start when another job has ended: JOB[:ok|failed|any] (can be repeated)
    #[arg(long, value_name = "JOB[:END]", help_heading = "Coordination")]
    after: Vec<String>,
    /// Give up when it has to wait longer for all this
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Coordination")]
    queue_timeout: Option<Limit>,

    /// Repeat a failed attempt so many times
    #[arg(long, value_name = "NUMBER", help_heading = "Retrying")]
    retries: Option<u32>,
    /// Wait so long before the first retry; the default is 1s
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Retrying")]
    retry_delay: Option<Duration>,
    /// Multiply the delay by this from one retry to the next
    #[arg(long, value_name = "FACTOR", value_parser = parse_backoff, help_heading = "Retrying")]
    retry_backoff: Option<f64>,
    /// What 'resume' runs: a template with {args} and {meta.KEY}
    ///
    /// It is cut into words as a shell does it, and no shell sees the result. {args} stands for the arguments given to
    /// resume, {meta.KEY} for what the job wrote to the file JOBDIR_META.
    #[arg(long, value_name = "COMMAND", value_parser = parse_template, help_heading = "Threads")]
    resume_with: Option<String>,
}

fn parse_umask(text: &str) -> Result<u32, String> {
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
        None => Err(format!("there is no resource '{name}'; try NOFILE, CORE, CPU, AS, DATA, FSIZE, NPROC or STACK")),
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

fn parse_mutex(text: &str) -> Result<MutexWant, String> {
    let (name, shared) = match text.split_once(':') {
        None => (text, false),
        Some((name, "shared")) => (name, true),
        Some((_, mode)) => return Err(format!("unknown mode '{mode}'; write NAME or NAME:shared")),
    };
    Ok(MutexWant { name: name.parse::<Name>().map_err(|e| e.to_string())?.key(), shared })
}

fn parse_slots(text: &str) -> Result<SlotWant, String> {
    let (group, limit) = text.split_once('=').ok_or("write it as GROUP=N, such as gpu=2")?;
    let limit = limit.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("'{limit}' is not a number of slots"))?;
    Ok(SlotWant { group: group.parse::<Name>().map_err(|e| e.to_string())?.key(), limit })
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
        let before = (!is_new).then(|| spec.stdin.clone());
        spec.stdin = self.stdin(detach, before)?;
        if is_new || self.merge_output {
            spec.merge_output = self.merge_output || (!detach && platform::same_destination());
        }
        self.apply_stop(spec);
        self.apply_coordination(spec, store, context)?;
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

    fn apply_coordination(&self, spec: &mut JobSpec, store: &Store, context: &Context) -> Result<(), CommandError> {
        let coordination = &mut spec.coordination;
        if !self.mutex.is_empty() {
            coordination.wants.mutexes = strongest(&self.mutex);
        }
        if !self.slots.is_empty() {
            coordination.wants.slots.clone_from(&self.slots);
        }
        if !self.after.is_empty() {
            coordination.after = self.after.iter().map(|text| after(text, store, context)).collect::<Result<_, _>>()?;
        }
        if let Some(limit) = self.queue_timeout {
            coordination.queue_timeout_ms = limit.0.map(to_ms);
        }
        Ok(())
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

/// A mutex that is asked for twice is asked for once, exclusively if one of them says so.
fn strongest(given: &[MutexWant]) -> Vec<MutexWant> {
    let mut wants: Vec<MutexWant> = Vec::new();
    for want in given {
        match wants.iter_mut().find(|known| known.name == want.name) {
            Some(known) => known.shared &= want.shared,
            None => wants.push(want.clone()),
        }
    }
    wants
}

/// Resolves `JOB[:ok|failed|any]` now: what it means must not change while the job waits.
fn after(text: &str, store: &Store, context: &Context) -> Result<After, CommandError> {
    let (job, end) = match text.rsplit_once(':') {
        None | Some((_, "ok")) => (text.strip_suffix(":ok").unwrap_or(text), RequiredEnd::Ok),
        Some((job, "failed")) => (job, RequiredEnd::Failed),
        Some((job, "any")) => (job, RequiredEnd::Any),
        Some((_, other)) => {
            return Err(CommandError::usage(format!("--after {text}: '{other}' is none of ok, failed, any")));
        }
    };
    Ok(After { id: choose_one(store, job, context)?, end })
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
