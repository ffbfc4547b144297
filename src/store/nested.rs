//! Recognising the supervisors of other jobs among processes, by evidence and never by their name.
//!
//! A process is a supervisor when it has a claim's file open, that claim is held, and the job's PID file names exactly
//! this process. All three can only be true together of the holder of the claim.

use std::path::PathBuf;

use super::layout::{JobPaths, Layout};
use super::{format, lock};
use crate::domain::identity::{PidFile, ProcessIdentity};
use crate::domain::job_id::JobId;
use crate::domain::spec::SpecHead;
use crate::domain::tree::ProcessInfo;
use crate::platform;

/// A job whose supervisor was found among processes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NestedJob {
    /// The supervisor.
    pub supervisor: ProcessIdentity,
    /// The job's state directory.
    pub state_dir: PathBuf,
    /// The job.
    pub id: JobId,
    /// Whether a client stays (or stayed) with it.
    pub foreground: bool,
}

/// Finds the supervisors among these processes.
pub fn nested_supervisors<'a>(rows: impl IntoIterator<Item = &'a ProcessInfo>) -> Vec<NestedJob> {
    // A supervisor leads a session of its own; that spares looking at the files of everybody else.
    rows.into_iter().filter(|row| row.is_live() && row.session == row.pid()).filter_map(verify).collect()
}

fn verify(row: &ProcessInfo) -> Option<NestedJob> {
    platform::open_files(row.pid()).into_iter().find_map(|path| {
        let id: JobId = path.file_name()?.to_str()?.parse().ok()?;
        let locks = path.parent().filter(|dir| dir.ends_with("locks"))?;
        let layout = Layout::new(locks.parent()?.to_owned());
        let paths: JobPaths = layout.job(id);
        let pid: PidFile = format::read(&paths.pid()).ok()?;
        (pid.supervisor == row.identity && lock::is_held(&path).ok()?).then(|| NestedJob {
            supervisor: row.identity,
            state_dir: layout.root().to_owned(),
            id,
            foreground: format::read::<SpecHead>(&paths.spec()).is_ok_and(|spec| spec.foreground),
        })
    })
}
