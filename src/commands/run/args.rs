//! The options of `jobdir run`, and how they are read.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;

use crate::client::{parse_plan, parse_signal};
use crate::commands::shared::{parse_duration, parse_limit};
use crate::domain::duration::{Limit, to_ms};
use crate::domain::name::{Name, parse_label};
use crate::domain::signal::Signal;
use crate::domain::spec::{EarlySignal, Leftovers, ResourceLimitSpec, SignalScope};
use crate::domain::stop_plan::StopPlan;
use crate::platform;

/// Start a job
///
/// Runs COMMAND under a supervisor of its own. In the foreground its output is shown as it comes and its exit code
/// becomes that of jobdir, but the job does not depend on this process: if the terminal closes or jobdir is killed,
/// the job goes on, and 'jobdir jobs' still tells the truth about it.
#[derive(Debug, ClapArgs)]
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
    pub(super) name: Option<Name>,
    /// Give the job a label (can be repeated)
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = parse_label, help_heading = "Identity")]
    pub(super) label: Vec<(String, String)>,
    /// Write the id to this file before the command starts
    ///
    /// The file is replaced as a whole: whoever waits for it never reads half an id.
    #[arg(long, value_name = "PATH", help_heading = "Identity")]
    pub(super) id_file: Option<PathBuf>,

    /// Run in this directory instead of the current one
    ///
    /// When it cannot be entered the job has failed, with reason 'cwd' and exit code 125.
    #[arg(short = 'C', long, value_name = "DIR", help_heading = "Environment")]
    pub(super) cwd: Option<PathBuf>,
    /// Set a variable, or pass one on (can be repeated)
    ///
    /// KEY=VALUE sets it; KEY alone passes on the value that it has here, despite --clear-env too. By default a job gets
    /// the whole environment.
    #[arg(short, long, value_name = "KEY[=VALUE]", help_heading = "Environment")]
    pub(super) env: Vec<OsString>,
    /// Set variables from KEY=VALUE lines (can be repeated)
    ///
    /// Empty lines and those that begin with '#' are passed over; KEY alone passes on the value that it has here. What
    /// --env says wins.
    #[arg(long, value_name = "FILE", help_heading = "Environment")]
    pub(super) env_file: Vec<PathBuf>,
    /// Start with an empty environment
    #[arg(long, help_heading = "Environment")]
    pub(super) clear_env: bool,
    /// Keep only the names of variables on disk, not their values
    ///
    /// By default the environment is kept in the job's spec, readable by you alone. It is never shown.
    #[arg(long, help_heading = "Environment")]
    pub(super) no_save_env: bool,
    /// Set the file mode creation mask, in octal
    ///
    /// By default the caller's.
    #[arg(long, value_name = "MASK", value_parser = parse_umask, help_heading = "Environment")]
    pub(super) umask: Option<u32>,

    /// Run with this niceness, from -20 to 19
    ///
    /// By default the caller's. Less than that needs a privilege; where it is refused the job could not be started.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-20..=19), help_heading = "Environment")]
    pub(super) nice: Option<i32>,
    /// Set a resource limit: NOFILE=1024 (can be repeated)
    ///
    /// Or NAME=SOFT:HARD, where NAME is AS, CORE, CPU, DATA, FSIZE, MEMLOCK, NOFILE, NPROC or STACK, and a limit is a
    /// size, such as 20M, or 'unlimited'.
    #[arg(long, value_name = "NAME=SOFT[:HARD]", value_parser = parse_rlimit, help_heading = "Environment")]
    pub(super) rlimit: Vec<ResourceLimitSpec>,

    /// Where the input comes from: inherit, null, fifo or a file
    ///
    /// In the foreground the default is 'inherit'; a terminal is copied, never handed over. With --detach the default is
    /// 'null'. 'fifo' makes a FIFO named 'stdin' in the job's directory.
    #[arg(long, value_name = "SOURCE", help_heading = "Input and output")]
    pub(super) stdin: Option<OsString>,
    /// Keep stdout and stderr in one log, in their true order
    ///
    /// The default in the foreground when both go to the same place, such as a terminal.
    #[arg(long, help_heading = "Input and output")]
    pub(super) merge_output: bool,

    /// Print the id and return as soon as the command executes
    ///
    /// When it cannot be started nothing is printed on stdout, and the message on stderr names the id.
    #[arg(short, long, help_heading = "Watching")]
    pub(super) detach: bool,
    /// Print one JSON document (with --detach)
    #[arg(long, help_heading = "Watching")]
    pub(super) json: bool,

    /// How to stop it: SIGNAL:WAIT,…,KILL or a preset
    ///
    /// Such as INT:7.5s,TERM:2.5s,KILL, or one of default, docker, github, gitlab, buildkite, kubernetes, systemd. The
    /// default is TERM:10s,KILL.
    #[arg(long, value_name = "PLAN", value_parser = parse_plan, help_heading = "Stopping")]
    pub(super) stop_plan: Option<StopPlan>,
    /// The first signal of the stop plan
    ///
    /// By name in any case, with or without SIG, or by number.
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal, help_heading = "Stopping")]
    pub(super) stop_signal: Option<Signal>,
    /// The longest time between the first signal and KILL
    ///
    /// It bounds the waits of the plan, used up in order; without --stop-plan it is the wait. Such as 500ms, 7.5s, 2m; a
    /// bare number is seconds.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, help_heading = "Stopping")]
    pub(super) grace: Option<Duration>,
    /// Whom signals before KILL reach: tree, group or leader
    ///
    /// 'tree', the default, is every process of the job, 'group' the process group of the command, 'leader' the command
    /// alone. KILL always means the tree.
    #[arg(long, value_name = "SCOPE", value_parser = parse_scope, help_heading = "Stopping")]
    pub(super) signal_scope: Option<SignalScope>,
    /// What becomes of processes that outlive the command
    ///
    /// 'kill', the default, gives them TERM and 2 s; 'wait' lets the job last as long as they do; 'leave' ends the job and
    /// lists them as survivors.
    #[arg(long, value_name = "POLICY", value_parser = parse_leftovers, help_heading = "Stopping")]
    pub(super) leftovers: Option<Leftovers>,
    /// Stop it when it takes longer
    ///
    /// Runs the stop plan; the job is then 'timed_out', exit code 124. 0 or off is no limit, which is the default.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    pub(super) timeout: Option<Limit>,
    /// Stop it when it neither prints nor computes for so long
    ///
    /// As --timeout otherwise.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    pub(super) idle_timeout: Option<Limit>,
    /// Give it up when it still lives so long after KILL
    ///
    /// The job is then 'abandoned', and what lives is listed as survivors. By default jobdir does not give up.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Stopping")]
    pub(super) abandon_after: Option<Limit>,
    /// Send a signal some time before --timeout: USR1@60s
    ///
    /// And nothing more, so that the job can save what it has.
    #[arg(long, value_name = "SIGNAL@TIME", value_parser = parse_early, requires = "timeout", help_heading = "Stopping")]
    pub(super) early_signal: Option<EarlySignal>,

    /// Run shell text after every attempt (can be repeated)
    ///
    /// However the attempt ended, once nothing of it lives; in the order given, by '/bin/sh -c'. A step finds how it
    /// ended in JOBDIR_STATE, JOBDIR_EXIT_CODE and others; see jobdir-run(1).
    #[arg(long, value_name = "COMMAND", help_heading = "Cleaning up")]
    pub(super) finally: Vec<String>,
    /// The limit for all finally steps together
    ///
    /// The default is 4m; 0 or off is no limit.
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Cleaning up")]
    pub(super) finally_timeout: Option<Limit>,
    /// Run shell text once the end is recorded
    ///
    /// It has 10 s, nobody waits for it, and it is told of the end as finally steps are.
    #[arg(long, value_name = "COMMAND", help_heading = "Cleaning up")]
    pub(super) on_exit: Option<String>,

    /// The command to run
    ///
    /// Looked up in PATH and executed as it is, without a shell.
    #[arg(value_name = "COMMAND")]
    pub(super) command: OsString,
    /// Its arguments
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) args: Vec<OsString>,
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
