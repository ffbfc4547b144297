//! Looking for what is wrong with a state directory as a whole, and mending what can be mended without harm. Looking
//! writes nothing.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::error::{Context, StoreError};
use super::{Store, Surroundings, atomic, delete, lock};
use crate::domain::job_id::JobId;
use crate::platform;

impl Store {
    /// Says why nothing can be written here; nothing when everything can, or when there is no directory yet.
    pub fn obstacles(&self) -> Vec<StoreError> {
        match self.check_root() {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(error) => return vec![error],
        }
        let format = match self.read_format() {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        };
        let directories = self.layout().directories();
        let of_directories = directories.iter().map(|path| match platform::facts_with_access(path) {
            Ok(facts) if !facts.is_directory => {
                Err(StoreError::Damaged { path: path.clone(), why: "it is not a directory".into() })
            }
            Ok(facts) if facts.others_may_write => {
                Err(StoreError::WritableByOthers { path: path.clone(), remedy: platform::to_make_private(path) })
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("look at", path),
            Ok(_) | Err(_) => Ok(()),
        });
        std::iter::once(format).chain(of_directories).filter_map(Result::err).collect()
    }

    /// Takes a lock on a file that nobody locks, and looks whether another opening of it sees that.
    ///
    /// # Errors
    /// What the system says of locks on this file system.
    pub fn locks_work(&self) -> Result<bool, StoreError> {
        lock::works(&self.layout().format())
    }

    /// Returns what crashed processes left and nobody uses: in `trash/`, in `staging/` for more than a day, half written
    /// files of jobs that nobody supervises, entries of the dead in the queue, and claims and names of jobs that are gone.
    pub fn strays(&self) -> Vec<PathBuf> {
        let mut strays = entries(&self.layout().trash());
        strays.extend(entries(&self.layout().staging()).into_iter().filter(|path| delete::is_stale(path)));
        for id in self.job_ids().unwrap_or_default() {
            let left = self.half_written(id);
            if !left.is_empty() && self.is_claimed(id).is_ok_and(|held| !held) {
                strays.extend(left);
            }
        }
        let surroundings = Surroundings::new();
        let dead = |entry: &_| !self.entry_counts(entry, &surroundings);
        let queued = self.queue_entries().unwrap_or_default();
        strays.extend(queued.iter().filter(|entry| dead(entry)).map(|entry| self.layout().queue_entry(entry)));
        strays.extend(self.claims_of_nothing().into_iter().map(|id| self.layout().claim(id)));
        strays.extend(self.bearers_of_nothing());
        strays
    }

    /// Removes the strays, those of a job under its claim. What somebody uses by now stays.
    pub fn remove_strays(&self) {
        self.sweep();
        self.sweep_hints();
        for id in self.job_ids().unwrap_or_default() {
            if self.half_written(id).is_empty() {
                continue;
            }
            if let Ok(claim) = self.claim(id) {
                for path in self.half_written(id) {
                    atomic::remove_any(&path).ok();
                    platform::crash_point("sweep.half_written");
                }
                claim.release();
            }
        }
    }

    /// Removes every claim and every name that leads to no job, and places in the queue whose owners have ended: usually whoever
    /// they would block does that. Takes as long as there are names.
    pub fn sweep_hints(&self) {
        for id in self.claims_of_nothing() {
            self.forget_claim(id);
        }
        for path in self.bearers_of_nothing() {
            self.forget_gone_bearers(&path);
        }
        let surroundings = Surroundings::new();
        for entry in self.queue_entries().unwrap_or_default() {
            if !self.entry_counts(&entry, &surroundings) {
                self.remove_dead_entry(&entry).ok();
            }
        }
    }

    fn half_written(&self, id: JobId) -> Vec<PathBuf> {
        let paths = self.layout().job(id);
        let half = [paths.record(), paths.pid()].map(|path| path.with_added_extension("new"));
        half.into_iter().filter(|path| platform::facts(path).is_ok()).collect()
    }

    /// Returns when the state directory was last written, as far as its own files tell.
    pub fn last_change(&self) -> Option<DateTime<Utc>> {
        let layout = self.layout();
        let times = [layout.ids(), layout.jobs(), layout.staging(), layout.format()];
        times.iter().filter_map(|path| platform::facts(path).ok()?.modified).max().map(DateTime::from)
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
