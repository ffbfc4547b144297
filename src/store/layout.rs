//! Every file name and path of the protocol; nothing else joins paths inside a state directory.

use std::path::{Path, PathBuf};

use crate::domain::job_id::JobId;
use crate::domain::name::Name;
use crate::domain::queue::Entry;

/// The newest format of a state directory that this version writes.
pub const STATE_FORMAT: u64 = 1;

/// The paths of one state directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    root: PathBuf,
}

/// The paths of one job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobPaths {
    dir: PathBuf,
}

impl Layout {
    /// Describes the state directory at this absolute path.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The state directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Says which format the directory has.
    pub fn format(&self) -> PathBuf {
        self.root.join("FORMAT")
    }

    /// Its length is the last id that was given out.
    pub fn ids(&self) -> PathBuf {
        self.root.join("ids")
    }

    /// The ids of jobs that have settled, in the order in which they ended.
    pub fn ended(&self) -> PathBuf {
        self.root.join("ended")
    }

    /// Where jobs are.
    pub fn jobs(&self) -> PathBuf {
        self.root.join("jobs")
    }

    /// Where claims are.
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// The file whose lock is the claim of a job.
    pub fn claim(&self, id: JobId) -> PathBuf {
        self.locks().join(id.to_string())
    }

    /// The file whose lock guards the list of a name's bearers.
    pub fn name_lock(&self) -> PathBuf {
        self.locks().join("names")
    }

    /// Where lists of bearers are.
    pub fn names(&self) -> PathBuf {
        self.root.join("names")
    }

    /// The ids of the jobs that were given a name, oldest first, one a line.
    pub fn bearers(&self, name: &Name) -> PathBuf {
        self.names().join(name.key())
    }

    /// Where the entries of jobs are that want mutexes or slots.
    pub fn queue(&self) -> PathBuf {
        self.root.join("queue")
    }

    /// One entry.
    pub fn queue_entry(&self, entry: &Entry) -> PathBuf {
        self.queue().join(format!("{:020}-{}", entry.ticket, entry.id))
    }

    /// The file whose lock guards the order of entries.
    pub fn queue_lock(&self) -> PathBuf {
        self.locks().join("queue")
    }

    /// Where things are made before they are visible.
    pub fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// One thing in the making.
    pub fn staged(&self, name: &str) -> PathBuf {
        self.staging().join(name)
    }

    /// Directories for jobs to come.
    pub fn spares(&self) -> PathBuf {
        self.root.join("spares")
    }

    /// Where deleted jobs are until they are removed.
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// The paths of a job.
    pub fn job(&self, id: JobId) -> JobPaths {
        JobPaths { dir: self.jobs().join(id.to_string()) }
    }

    /// Every directory that must exist before anything is written.
    pub fn directories(&self) -> [PathBuf; 7] {
        [self.jobs(), self.locks(), self.names(), self.queue(), self.spares(), self.staging(), self.trash()]
    }
}

impl JobPaths {
    /// Describes a job's directory, wherever it is.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The job's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The spec.
    pub fn spec(&self) -> PathBuf {
        self.dir.join("spec.json")
    }

    /// The record.
    pub fn record(&self) -> PathBuf {
        self.dir.join("job.json")
    }

    /// The PID file.
    pub fn pid(&self) -> PathBuf {
        self.dir.join("pid")
    }

    /// The inbox for requests.
    pub fn kill_signals(&self) -> PathBuf {
        self.dir.join("kill-signals")
    }

    /// The narrative.
    pub fn events(&self) -> PathBuf {
        self.dir.join("events.ndjson")
    }

    /// What becomes the lock file of the claim, when the directory is made from a spare.
    pub fn claim(&self) -> PathBuf {
        self.dir.join("claim")
    }

    /// The job's own folder, `JOBDIR_JOB_DIR`.
    pub fn scratch(&self) -> PathBuf {
        self.dir.join("scratch")
    }

    /// `JOBDIR_META`.
    pub fn meta(&self) -> PathBuf {
        self.dir.join("meta")
    }

    /// The FIFO that is the job's stdin.
    pub fn stdin(&self) -> PathBuf {
        self.dir.join("stdin")
    }

    /// The file whose locks tell how far the clients that stay with the job have shown its output.
    pub fn shown(&self) -> PathBuf {
        self.dir.join("shown")
    }

    /// How large the terminal is of whoever looked last.
    pub fn terminal(&self) -> PathBuf {
        self.dir.join("terminal")
    }

    /// Where attempts are.
    pub fn attempts(&self) -> PathBuf {
        self.dir.join("attempts")
    }

    /// One attempt.
    pub fn attempt(&self, number: u32) -> PathBuf {
        self.attempts().join(number.to_string())
    }

    /// What an attempt runs with, when that is not the spec of the job.
    pub fn attempt_spec(&self, number: u32) -> PathBuf {
        self.attempt(number).join("spec.json")
    }

    /// An attempt's stdout.
    pub fn stdout(&self, number: u32) -> PathBuf {
        self.attempt(number).join("stdout.log")
    }

    /// An attempt's stderr.
    pub fn stderr(&self, number: u32) -> PathBuf {
        self.attempt(number).join("stderr.log")
    }

    /// The output of an attempt's finally steps.
    pub fn finally_log(&self, number: u32) -> PathBuf {
        self.attempt(number).join("finally.log")
    }

    /// `JOBDIR_PROGRESS`.
    pub fn progress(&self, number: u32) -> PathBuf {
        self.attempt(number).join("progress")
    }

    /// `JOBDIR_READY`.
    pub fn ready(&self, number: u32) -> PathBuf {
        self.attempt(number).join("ready")
    }
}
