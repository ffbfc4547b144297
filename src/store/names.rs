//! Names: which jobs bear one, and that only one of them is active.
//!
//! For each name there is a file with the ids that were given it. It is a hint: every id is checked against the jobs,
//! and when it does not lead to a job, the jobs themselves are searched. What it must never miss is an active bearer,
//! so a bearer is added *before* its job becomes visible, under a lock that also covers the check.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::{Context, StoreError};
use super::{Flush, Store, Surroundings, atomic, format, lock, random};
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::name::Name;
use crate::platform;

/// The longest list that is read.
const MAX_LIST: u64 = 1 << 20;

/// The right to give a name to a job.
#[derive(Debug)]
pub struct NameLock {
    path: PathBuf,
    _lock: File,
}

impl NameLock {
    pub(super) fn add(&self, id: JobId) -> Result<(), StoreError> {
        // Without it the list is only shorter.
        atomic::remove_unusable(&self.path, MAX_LIST)?;
        let mut file = platform::append_private(&self.path).context("open", &self.path)?;
        file.write_all(format!("{id}\n").as_bytes()).context("extend", &self.path)
    }
}

impl Store {
    /// Takes the right to give this name to a job, unless an active job bears it: then returns that job.
    ///
    /// # Errors
    /// What the system says.
    pub fn lock_name(&self, name: &Name) -> Result<Result<NameLock, JobId>, StoreError> {
        let lock = lock::exclusive(&self.layout.name_lock())?;
        platform::crash_point("name.locked");
        if let Some(bearer) = self.active_bearer(name)? {
            return Ok(Err(bearer));
        }
        Ok(Ok(NameLock { path: self.layout.bearers(name), _lock: lock }))
    }

    /// Returns the newest active job that bears a name.
    ///
    /// # Errors
    /// What the system says.
    pub fn active_bearer(&self, name: &Name) -> Result<Option<JobId>, StoreError> {
        let surroundings = Surroundings::new();
        let bearers = self.listed_bearers(name);
        let active = |id: &&JobId| self.load(**id, &surroundings).is_ok_and(|job| job.bears_its_name());
        Ok(bearers.iter().rev().find(active).copied())
    }

    /// Returns the newest job that bears a name.
    ///
    /// # Errors
    /// What the system says of the list of jobs.
    pub fn newest_bearer(&self, name: &Name) -> Result<Option<JobId>, StoreError> {
        let bears = |job: &Job| job.spec().and_then(|spec| spec.name.as_ref()) == Some(name);
        let surroundings = Surroundings::new();
        let is_bearer = |id: &&JobId| self.load(**id, &surroundings).is_ok_and(|job| bears(&job));
        let listed = self.listed_bearers(name);
        if let Some(id) = listed.iter().rev().find(is_bearer) {
            return Ok(Some(*id));
        }
        Ok(self.job_ids()?.iter().rev().find(is_bearer).copied())
    }

    /// Takes a deleted job off the list of a name's bearers. The list is a hint, so failing to do so is harmless.
    pub(super) fn forget_bearer(&self, name: &Name, id: JobId) {
        let Ok(_lock) = lock::exclusive(&self.layout.name_lock()) else { return };
        self.keep_bearers(&self.layout.bearers(name), |bearer| *bearer != id);
    }

    /// Returns the lists of bearers that name jobs which are gone.
    pub(super) fn bearers_of_nothing(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.layout.names()).into_iter().flatten().flatten();
        let leads_nowhere = |path: &PathBuf| read_bearers(path).iter().any(|id| self.is_gone(*id));
        entries.map(|entry| entry.path()).filter(leads_nowhere).collect()
    }

    /// Takes jobs that are gone off a list of bearers.
    pub(super) fn forget_gone_bearers(&self, path: &Path) {
        // Whoever begins a job adds it before the job can be seen, and holds this lock until it can.
        let Ok(_lock) = lock::exclusive(&self.layout.name_lock()) else { return };
        if read_bearers(path).iter().any(|id| self.is_gone(*id)) {
            self.keep_bearers(path, |id| !self.is_gone(*id));
            platform::crash_point("sweep.name");
        }
    }

    /// Makes a list anew, under the lock of names. What is staged lies elsewhere: everything in `names/` is a name.
    fn keep_bearers(&self, path: &Path, is_kept: impl Fn(&JobId) -> bool) {
        let left: String = read_bearers(path).into_iter().filter(is_kept).map(|id| format!("{id}\n")).collect();
        if left.is_empty() {
            atomic::remove_any(path).ok();
        } else if let Ok(random) = random() {
            let staged = self.layout.staged(&format!("name-{random}"));
            if atomic::create(&staged, left.as_bytes(), Flush::No).is_ok() {
                platform::crash_point("name.staged");
                atomic::rename(&staged, path).ok();
            }
        }
    }

    fn listed_bearers(&self, name: &Name) -> Vec<JobId> {
        read_bearers(&self.layout.bearers(name))
    }
}

/// Reads a list of bearers, in ascending order. What is no id is passed over.
fn read_bearers(path: &Path) -> Vec<JobId> {
    let content = format::read_bounded(path, MAX_LIST).unwrap_or_default();
    let mut ids: Vec<JobId> = String::from_utf8_lossy(&content).lines().filter_map(|line| line.parse().ok()).collect();
    ids.sort_unstable();
    ids
}
