//! What the commands of jobs are made of, however they are executed.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::libc;

use super::fork::{Prepared, STAGE_CWD, STAGE_EXEC, c_string};
use crate::domain::os_text::OsText;
use crate::domain::state::Reason;
use crate::platform::ExecFailure;

/// What a child is to become.
#[derive(Clone, Debug)]
pub struct ExecPlan {
    /// The command and its arguments; never empty. Looked up in the `PATH` of `variables`.
    pub command: Vec<OsText>,
    /// Its whole environment.
    pub variables: Vec<(OsText, OsText)>,
    /// Its working directory.
    pub cwd: OsText,
    /// Its file mode creation mask.
    pub umask: u32,
    /// Its niceness, if it shall differ from ours.
    pub nice: Option<i32>,
    /// Resource limits: the resource, the soft and the hard limit.
    pub limits: Vec<ResourceLimit>,
}

/// One resource limit; `None` is unlimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResourceLimit {
    pub(super) resource: i32,
    pub(super) soft: Option<u64>,
    pub(super) hard: Option<u64>,
}

/// The input of a command.
#[derive(Debug)]
pub enum JobInput {
    /// Nothing.
    Null,
    /// Descriptor 0 of this process.
    Own,
    /// An open file or FIFO.
    File(File),
    /// A terminal of its own, which controls its session.
    Terminal(File),
}

/// The resources that people limit, for whoever named another one.
pub const RESOURCES_HERE: &str = "NOFILE, CORE, CPU, AS, DATA, FSIZE, NPROC or STACK";

/// Returns the limit with this name (`NOFILE`, any case, with or without `RLIMIT_`), or `None` when there is none.
pub fn resource_limit(name: &str, soft: Option<u64>, hard: Option<u64>) -> Option<ResourceLimit> {
    let upper = name.to_ascii_uppercase();
    let resource = match upper.strip_prefix("RLIMIT_").unwrap_or(&upper) {
        "AS" => libc::RLIMIT_AS,
        "CORE" => libc::RLIMIT_CORE,
        "CPU" => libc::RLIMIT_CPU,
        "DATA" => libc::RLIMIT_DATA,
        "FSIZE" => libc::RLIMIT_FSIZE,
        "MEMLOCK" => libc::RLIMIT_MEMLOCK,
        "NOFILE" => libc::RLIMIT_NOFILE,
        "NPROC" => libc::RLIMIT_NPROC,
        "STACK" => libc::RLIMIT_STACK,
        _ => return None,
    };
    Some(ResourceLimit { resource: resource as i32, soft, hard })
}

/// Puts together what a child needs that becomes this command.
///
/// # Errors
/// When something of it cannot be given to any process.
pub(super) fn prepare(
    plan: &ExecPlan,
    input: &JobInput,
    stdout: &File,
    stderr: &File,
    null: &File,
) -> io::Result<Prepared<'static>> {
    let stdin = match input {
        JobInput::Null => null.as_raw_fd(),
        JobInput::Own => 0,
        JobInput::File(file) | JobInput::Terminal(file) => file.as_raw_fd(),
    };
    let stdio = [stdin, stdout.as_raw_fd(), stderr.as_raw_fd()];
    let mut prepared = Prepared::new(&plan.command, &plan.variables, stdio)?;
    prepared.has_terminal = matches!(input, JobInput::Terminal(_));
    prepared.cwd = Some(c_string(&plan.cwd)?);
    prepared.umask = Some(plan.umask);
    prepared.nice = plan.nice;
    prepared.limits.clone_from(&plan.limits);
    prepared.oom_score = raised_oom_score();
    Ok(prepared)
}

/// Says what it means that a child did not come further than this.
pub(super) fn failure(stage: u8, errno: i32) -> ExecFailure {
    let reason = match (stage, errno) {
        (STAGE_CWD, _) => Reason::Cwd,
        (STAGE_EXEC, libc::ENOENT | libc::ENOTDIR) => Reason::NotFound,
        (STAGE_EXEC, _) => Reason::NotExecutable,
        _ => Reason::Setup,
    };
    ExecFailure { reason, error: io::Error::from_raw_os_error(errno) }
}

/// Raising the score needs no privilege, and makes the kernel choose the job before its supervisor.
fn raised_oom_score() -> Option<Vec<u8>> {
    let score = std::fs::read_to_string("/proc/self/oom_score_adj").ok()?;
    let score: i32 = score.trim().parse().ok()?;
    Some((score + 500).min(1000).to_string().into_bytes())
}
