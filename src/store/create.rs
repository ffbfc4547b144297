//! Making a job: everything is prepared in `staging/` and becomes visible in one step.
//!
//! Left behind by a crash: an id that is never used, and a directory in `staging/` that the next sweep removes.

use std::fs::File;
use std::io::{Seek, Write};

use super::error::{Context, StoreError};
use super::layout::JobPaths;
use super::spare::{is_sound, lay_out};
use super::{Store, atomic, format, random};
use crate::domain::job_id::JobId;
use crate::domain::record::JobRecord;
use crate::domain::spec::{JobSpec, Stdin};
use crate::platform;

/// No host starts so many jobs: a directory with such a number was not made by us, and numbers do not go on from there.
const MAX_PLAUSIBLE: u64 = 1 << 40;

/// A job in the making.
#[derive(Debug)]
pub struct NewJob {
    /// Its id; never given to another job.
    pub id: JobId,
    /// Its unguessable name.
    pub uid: String,
}

/// A job that is complete but not visible. Removed unless [`StagedJob::handed_over`] is called.
#[derive(Debug)]
pub struct StagedJob {
    name: String,
    paths: JobPaths,
    from_spare: bool,
    spec: Option<File>,
    jobs: std::path::PathBuf,
    keep: bool,
}

impl Store {
    /// Gives out the next id.
    ///
    /// The length of the file `ids` is the last id: appending one byte and looking where it landed is one step for
    /// the kernel, needs no lock and leaves at worst an unused id.
    ///
    /// # Errors
    /// What the system says.
    pub fn new_job(&self) -> Result<NewJob, StoreError> {
        let path = self.layout.ids();
        let uid = platform::random_hex::<16>().context("get randomness for", &path)?;
        // It is made anew, and then goes on from the jobs that are there.
        atomic::remove_unusable(&path, u64::MAX)?;
        loop {
            let mut file = platform::append_private(&path).context("open", &path)?;
            file.write_all(b".").context("extend", &path)?;
            let number = file.stream_position().context("extend", &path)?;
            let id = JobId::new(number)
                .ok_or_else(|| StoreError::Damaged { path: path.clone(), why: "it is empty".into() })?;
            if platform::facts(self.layout.job(id).dir()).is_err() {
                platform::crash_point("create.id");
                return Ok(NewJob { id, uid });
            }
            // The file was lost or restored from a copy: skip what is taken.
            let plausible = |id: &JobId| id.number() < MAX_PLAUSIBLE;
            let highest = self.job_ids()?.into_iter().rev().find(plausible).map_or(number, |id| id.number());
            // Extended, never cut: somebody else may be doing the same.
            platform::extend_file(&path, highest).context("extend", &path)?;
            platform::crash_point("create.extended");
        }
    }

    /// Returns a name in `staging/` for what is prepared of a job.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn staging_name(&self, id: JobId) -> Result<String, StoreError> {
        Ok(format!("job-{id}-{}", random()?))
    }

    /// Begins a job under this name in `staging/`, with a spare if there is one. Nothing may be there yet otherwise.
    pub fn stage(&self, name: String, id: JobId) -> StagedJob {
        let paths = JobPaths::at(self.layout.staged(&name));
        let from_spare = self.take_spare(id, &paths);
        StagedJob { name, paths, from_spare, spec: None, jobs: self.layout.jobs(), keep: false }
    }
}

impl StagedJob {
    /// Prepares everything that the supervisor needs.
    ///
    /// # Errors
    /// What the system says.
    pub fn fill(&mut self, spec: &JobSpec, record: &JobRecord) -> Result<(), StoreError> {
        let paths = &self.paths;
        // A spare that is not as it was made is none.
        if !(self.from_spare && is_sound(paths)) {
            atomic::remove_any(paths.dir())?;
            lay_out(paths)?;
        } else if spec.merge_output || spec.pty {
            atomic::remove_any(&paths.stderr(1))?;
        }
        if matches!(spec.stdin, Stdin::Fifo | Stdin::Typed) {
            platform::make_fifo(&paths.stdin()).context("create", &paths.stdin())?;
        }
        // In a spare the two are there, and empty.
        let mut file = platform::append_private(&paths.spec()).context("create", &paths.spec())?;
        file.write_all(&format::render(spec)).context("write", &paths.spec())?;
        self.spec = Some(file);
        platform::crash_point("create.spec");
        let mut file = platform::append_private(&paths.record()).context("create", &paths.record())?;
        file.write_all(&format::render(record)).context("write", &paths.record())?;
        platform::crash_point("create.staged");
        Ok(())
    }
}

impl Store {
    /// Makes a FIFO in `staging/` and returns its name there.
    ///
    /// # Errors
    /// What the system says.
    pub fn stage_fifo(&self) -> Result<String, StoreError> {
        let name = format!("stdin-{}", random()?);
        let path = self.layout.staged(&name);
        platform::make_fifo(&path).context("create", &path)?;
        platform::crash_point("resume.fifo_staged");
        Ok(name)
    }
}

impl StagedJob {
    /// Returns its name in `staging/`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its paths while it is not visible.
    pub fn paths(&self) -> &JobPaths {
        &self.paths
    }

    /// Makes the spec survive a power loss. Works before and after the job has become visible.
    ///
    /// # Errors
    /// What the system says.
    pub fn flush(&self) -> Result<(), StoreError> {
        if let Some(spec) = &self.spec {
            spec.sync_data().context("flush", &self.paths.spec())?;
        }
        Ok(())
    }

    /// Makes the job's place among the jobs survive a power loss, once it is visible.
    ///
    /// # Errors
    /// What the system says.
    pub fn flush_place(&self) -> Result<(), StoreError> {
        platform::sync_directory(&self.jobs).context("flush", &self.jobs)
    }

    /// Takes it back after all: the supervisor has said that it does not want it.
    pub fn take_back(&mut self) {
        self.keep = false;
    }

    /// Leaves the rest to the supervisor: what is prepared is not removed when this is dropped.
    pub fn handed_over(&mut self) {
        self.keep = true;
    }
}

impl Drop for StagedJob {
    fn drop(&mut self) {
        if !self.keep {
            // Where an open file keeps its name, its directory cannot be removed.
            self.spec = None;
            // What cannot be removed now is removed by a later sweep.
            atomic::remove_any(self.paths.dir()).ok();
        }
    }
}
