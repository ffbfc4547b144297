//! Executing commands where a child can be made that waits until it is recorded.

use std::fs::File;
use std::io::{self, Write};

use super::os::HeldChild;
use super::{Announcement, ExecFailure, ExecPlan, JobInput, os};
use crate::domain::identity::ProcessIdentity;
use crate::domain::state::Reason;

/// Executes a command in a child that has nothing of ours but these three. Before that it is announced. Returns who it is once
/// it executes.
///
/// # Errors
/// Which step failed, and why. The child has then ended and been reaped.
pub fn execute(
    plan: &ExecPlan,
    input: &JobInput,
    stdout: &File,
    stderr: &File,
    announcement: Option<&Announcement>,
) -> Result<ProcessIdentity, ExecFailure> {
    let setup = |error| ExecFailure { reason: Reason::Setup, error };
    let child = HeldChild::create(plan, input, stdout, stderr).map_err(setup)?;
    let identity = child.identity();
    // Without a process there is nobody to announce: what is wrong was found before there was one.
    let announcement = announcement.filter(|_| identity.pid != 0);
    let announced = announcement.map_or(Ok(()), |announcement| announce(announcement, identity));
    let executed = match announced {
        Ok(()) => child.release(),
        Err(error) => {
            drop(child);
            Err(setup(error))
        }
    };
    if executed.is_err() && identity.pid != 0 {
        os::reap_blocking(identity.pid);
    }
    executed.map(|()| identity)
}

fn announce(announcement: &Announcement, identity: ProcessIdentity) -> io::Result<()> {
    super::crash_point("start.forked");
    let [before, between, after] = &announcement.text;
    let numbers = [identity.pid.to_string(), identity.start_time.to_string()];
    let text = [before.as_slice(), numbers[0].as_bytes(), between, numbers[1].as_bytes(), after].concat();
    (&announcement.file).write_all(&text)?;
    super::crash_point("start.written");
    os::rename(&announcement.temporary, &announcement.path)?;
    super::crash_point("start.identified");
    Ok(())
}
