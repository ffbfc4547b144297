//! Removing a job: out of sight in one step, then piece by piece. A crash leaves it whole or gone; what lies in
//! `trash/` is removed by the next sweep.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Claim, Store, StoreError, Surroundings, atomic, random, random_below, spare};
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::name::Name;
use crate::domain::retention::{Keep, Retention, is_removable};
use crate::domain::state::State;
use crate::platform;

/// How old something in `staging/` must be before nobody can still be working on it.
const STALE: TimeDelta = TimeDelta::days(1);
/// How many jobs are looked at in one go by [`Store::retire`].
const AT_ONCE: usize = 256;

impl Store {
    /// Removes every trace of a claimed job. The caller has made sure that nothing of it lives.
    ///
    /// # Errors
    /// What the system says. If the job could not be moved out of sight, it is whole.
    pub fn delete(&self, claim: Claim) -> Result<(), StoreError> {
        let name = claim.load_spec().ok().and_then(|spec| spec.name);
        self.delete_of_name(claim, name.as_ref())
    }

    fn delete_of_name(&self, claim: Claim, name: Option<&Name>) -> Result<(), StoreError> {
        let id = claim.id();
        let trash = self.layout().trash().join(format!("{id}-{}", random()?));
        atomic::rename(claim.paths().dir(), &trash)?;
        platform::crash_point("delete.moved");
        // Whoever waits for the lock finds it unlinked, and the job gone.
        atomic::remove_any(&self.layout().claim(id))?;
        platform::crash_point("delete.unlocked");
        if let Some(name) = name {
            self.forget_bearer(name, id);
            platform::crash_point("delete.unnamed");
        }
        let removed = atomic::remove_any(&trash);
        platform::crash_point("delete.removed");
        log::info!("job {id}: removed");
        drop(claim);
        removed
    }

    /// Removes a job under its claim if it is still as it was when it was chosen, and returns how many bytes that freed. Its
    /// name is left to [`Store::sweep_hints`]: of many jobs of one name the list is made anew once.
    ///
    /// # Errors
    /// `Busy` when somebody acts on it, or what the system says.
    pub fn delete_ended(&self, job: &Job) -> Result<u64, StoreError> {
        let claim = self.claim_for_removal(job.id)?;
        let as_chosen = match (claim.load_record(), job.record()) {
            (Ok(now), Some(then)) => now == *then,
            // What could not be read then, its record or its spec, cannot be read now; and nothing of it lives.
            (_, None) => {
                let now = self.load(job.id, &Surroundings::new())?;
                now.state() == State::Corrupt && self.processes_of_unreadable(job.id).is_empty()
            }
            (Err(_), Some(_)) => false,
        };
        if !as_chosen {
            return Err(StoreError::Busy);
        }
        let bytes = size_of(claim.paths().dir());
        self.delete_of_name(claim, None)?;
        Ok(bytes)
    }

    /// Says whether there is certainly no such job. One that cannot be looked at may be there.
    pub(super) fn is_gone(&self, id: JobId) -> bool {
        let looked = platform::facts(self.layout().job(id).dir());
        looked.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    /// Returns how many bytes the files of a job have.
    pub fn size_of(&self, id: JobId) -> u64 {
        size_of(self.layout().job(id).dir())
    }

    /// Removes ended jobs that are older than anybody wants them, a bounded number at a time.
    pub fn retire(&self, now: DateTime<Utc>, keep: Keep) {
        let Some(age) = keep.age_ms.map(|ms| TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX))) else {
            return;
        };
        let Ok(mut ids) = self.job_ids() else { return };
        // The lowest ids are the oldest jobs; the newest are never looked at.
        ids.truncate(ids.len().saturating_sub(keep.last));
        let retention = Retention { ended_before: Some(now - age), keep: 0 };
        if self.retire_of(ids.iter().take(AT_ONCE), &retention) == 0 && ids.len() > AT_ONCE {
            // The oldest may be such as never end, or cannot be removed, and must not stand before the others for ever.
            let from = random_below(ids.len() - AT_ONCE);
            self.retire_of(ids[AT_ONCE + from..].iter().take(AT_ONCE), &retention);
        }
    }

    /// Removes those of some jobs that need not be kept, and returns how many they were.
    fn retire_of<'a>(&self, ids: impl Iterator<Item = &'a JobId>, retention: &Retention) -> usize {
        let surroundings = Surroundings::new();
        let jobs: Vec<Job> = ids.filter_map(|id| self.load(*id, &surroundings).ok()).collect();
        let mut removed = retention.choose(jobs.iter().filter(|job| is_removable(job)));
        removed.retain(|job| self.delete_ended(job).is_ok());
        let names: HashSet<String> = removed.iter().filter_map(|job| Some(job.spec()?.name.as_ref()?.key())).collect();
        for name in names {
            self.forget_gone_bearers(&self.layout().names().join(name));
        }
        removed.len()
    }

    /// Removes what crashed processes left: in `trash/`, in `staging/` when it is a day old, claims of settled jobs.
    pub fn sweep(&self) {
        let entries = |path| std::fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries(self.layout().trash()) {
            atomic::remove_any(&entry.path()).ok();
            platform::crash_point("sweep.trash");
        }
        let unfinished = entries(self.layout().spares()).filter(|entry| !spare::is_finished(&entry.file_name()));
        for entry in entries(self.layout().staging()).chain(unfinished) {
            if is_stale(&entry.path()) {
                atomic::remove_any(&entry.path()).ok();
                platform::crash_point("sweep.staging");
            }
        }
        self.tidy_ended();
    }
}

/// Says whether something in `staging/` is so old that nobody can still be working on it.
pub(super) fn is_stale(path: &Path) -> bool {
    let modified = platform::facts(path).ok().and_then(|facts| facts.modified);
    modified.is_some_and(|at| platform::now() - DateTime::<Utc>::from(at) > STALE)
}

/// Adds up the bytes of the files below a directory, not following links.
fn size_of(dir: &Path) -> u64 {
    let mut bytes = 0;
    let mut queue = vec![dir.to_owned()];
    while let Some(dir) = queue.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            match platform::facts(&entry.path()) {
                Ok(facts) if facts.is_directory => queue.push(entry.path()),
                Ok(facts) if facts.is_regular => bytes += facts.length,
                Ok(_) | Err(_) => {}
            }
        }
    }
    bytes
}
