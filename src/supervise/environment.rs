//! The environment of a job: what the user gave it, and what jobdir adds.

use std::path::Path;

use crate::domain::job_id::JobId;
use crate::domain::os_text::OsText;
use crate::domain::record::Attempt;
use crate::domain::spec::{JobSpec, Variables};
use crate::domain::state::Reason;
use crate::platform;
use crate::store::{JobPaths, Layout};

/// What jobdir sets; never inherited from an outer job.
const OURS: &[&str] = &[
    "JOBDIR_JOB_ID",
    "JOBDIR_JOB_UID",
    "JOBDIR_ATTEMPT",
    "JOBDIR_STATE_DIR",
    "JOBDIR_JOB_DIR",
    "JOBDIR_META",
    "JOBDIR_PROGRESS",
    "JOBDIR_READY",
    "JOBDIR_STATE",
    "JOBDIR_ERROR_KIND",
    "JOBDIR_EXIT_CODE",
    "JOBDIR_SIGNAL",
    "JOBDIR_REASON",
    "JOBDIR_CANCELLED",
    "JOBDIR_TIMED_OUT",
    "JOBDIR_STDOUT",
    "JOBDIR_STDERR",
];

fn add(variables: &mut Variables, name: &str, value: OsText) {
    variables.push((name.into(), value));
}

fn path(path: &Path) -> OsText {
    platform::os_text(path.as_os_str())
}

/// Returns the environment of the command in this attempt.
pub(super) fn of_command(
    spec: &JobSpec,
    given: &Variables,
    layout: &Layout,
    paths: &JobPaths,
    attempt: u32,
) -> Variables {
    let id: JobId = spec.id;
    let is_ours = |name: &OsText| OURS.iter().any(|ours| ours.as_bytes() == name.0);
    let mut variables: Variables = given.iter().filter(|(name, _)| !is_ours(name)).cloned().collect();
    add(&mut variables, "JOBDIR_JOB_ID", id.to_string().as_str().into());
    add(&mut variables, "JOBDIR_JOB_UID", spec.uid.as_str().into());
    add(&mut variables, "JOBDIR_ATTEMPT", attempt.to_string().as_str().into());
    add(&mut variables, "JOBDIR_STATE_DIR", path(layout.root()));
    add(&mut variables, "JOBDIR_JOB_DIR", path(&paths.scratch()));
    add(&mut variables, "JOBDIR_META", path(&paths.meta()));
    add(&mut variables, "JOBDIR_PROGRESS", path(&paths.progress(attempt)));
    add(&mut variables, "JOBDIR_READY", path(&paths.ready(attempt)));
    variables
}

/// Adds what finally steps and `--on-exit` are told of the end of the attempt.
pub(super) fn add_outcome(variables: &mut Variables, spec: &JobSpec, paths: &JobPaths, attempt: &Attempt) {
    let outcome = attempt.outcome.as_ref();
    let reason = outcome.and_then(|o| o.reason);
    let flag = |is_set: bool| if is_set { "1" } else { "" };
    let timed_out = matches!(reason, Some(Reason::Timeout | Reason::IdleTimeout | Reason::QueueTimeout));
    let cancelled = outcome.is_some_and(|o| o.error_kind == Some(crate::domain::state::ErrorKind::Cancelled));
    let exit_code = attempt.exit_code.map(|code| code.to_string());
    let stderr = if spec.merge_output { paths.stdout(attempt.number) } else { paths.stderr(attempt.number) };
    let texts = [
        ("JOBDIR_STATE", outcome.map_or("", |o| o.state.as_str())),
        ("JOBDIR_ERROR_KIND", outcome.and_then(|o| o.error_kind).map_or("", |k| k.as_str())),
        ("JOBDIR_EXIT_CODE", exit_code.as_deref().unwrap_or("")),
        ("JOBDIR_SIGNAL", attempt.signal.map_or("", |s| s.name())),
        ("JOBDIR_REASON", reason.map_or("", |r| r.as_str())),
        ("JOBDIR_CANCELLED", flag(cancelled)),
        ("JOBDIR_TIMED_OUT", flag(timed_out)),
    ];
    for (name, value) in texts {
        add(variables, name, value.into());
    }
    add(variables, "JOBDIR_STDOUT", path(&paths.stdout(attempt.number)));
    add(variables, "JOBDIR_STDERR", path(&stderr));
}
