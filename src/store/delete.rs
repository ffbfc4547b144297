//! Removing a job: out of sight in one step, then piece by piece. A crash leaves it whole or gone; what lies in
//! `trash/` is removed by the next sweep.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Claim, Store, StoreError, atomic, random};
use crate::platform;

/// How old something in `staging/` must be before nobody can still be working on it.
const STALE: TimeDelta = TimeDelta::days(1);

impl Store {
    /// Removes every trace of a claimed job. The caller has made sure that nothing of it lives.
    ///
    /// # Errors
    /// What the system says. If the job could not be moved out of sight, it is whole.
    pub fn delete(&self, claim: Claim) -> Result<(), StoreError> {
        let id = claim.id();
        let trash = self.layout().trash().join(format!("{id}-{}", random()?));
        atomic::rename(claim.paths().dir(), &trash)?;
        // Whoever waits for the lock finds it unlinked, and the job gone.
        atomic::remove_any(&self.layout().claim(id))?;
        let _held_until_here = claim.lock_file();
        atomic::remove_any(&trash)
    }

    /// Removes what crashed processes left in `trash/` and, when it is a day old, in `staging/`.
    pub fn sweep(&self) {
        let entries = |path| std::fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries(self.layout().trash()) {
            atomic::remove_any(&entry.path()).ok();
        }
        for entry in entries(self.layout().staging()) {
            let modified = platform::facts(&entry.path()).ok().and_then(|facts| facts.modified);
            if modified.is_some_and(|at| platform::now() - DateTime::<Utc>::from(at) > STALE) {
                atomic::remove_any(&entry.path()).ok();
            }
        }
    }
}
