//! The list of jobs as it changes.
//!
//! Watches tell of records that are replaced and of jobs that come and go. Nothing tells of a supervisor that was killed, of
//! a process that survived and is gone now, or of progress in the job's own files: for these every job that has not ended is
//! looked at again each second. Of those that have ended only a new record is looked for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::signal::Signal;
use crate::platform::{self, WakeQueue};
use crate::store::{Store, StoreError, Watch};

const SLOW_POLL: Duration = Duration::from_secs(1);
const BLIND_POLL: Duration = Duration::from_millis(250);
/// What happens within this time after a look is looked at together.
const GATHERING: Duration = Duration::from_millis(30);

/// What is different since the last look.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was seen last; `None` for a new job.
    pub before: Option<Job>,
    /// What it is now; `None` when it is gone.
    pub now: Option<Job>,
}

/// When and where a record was written: it is another one exactly when this is.
type Stamp = Option<((u64, u64), u64, Option<SystemTime>)>;

/// A list that can be looked at again.
#[derive(Debug)]
pub struct LiveList<'a> {
    store: &'a Store,
    queue: &'a WakeQueue,
    watch: Option<Watch>,
    jobs: BTreeMap<JobId, (Stamp, Job)>,
    looked: Instant,
}

impl<'a> LiveList<'a> {
    /// Knows of no job yet.
    pub fn new(store: &'a Store, queue: &'a WakeQueue) -> Self {
        let watch = Watch::new(queue.waker());
        let mut list = Self { store, queue, watch, jobs: BTreeMap::new(), looked: Instant::now() };
        list.watch_list();
        list
    }

    /// Watches for jobs that come and go. Where there is no state directory yet, nothing can be watched.
    fn watch_list(&mut self) {
        let jobs = self.store.layout().jobs();
        self.watch = self.watch.take().and_then(|mut watch| watch.add(&jobs).then_some(watch));
    }

    /// Returns every job as it was seen last, in the order of ids.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().map(|(_, job)| job)
    }

    /// Looks, and returns what has changed, in the order of ids.
    ///
    /// # Errors
    /// When the list itself cannot be read.
    pub fn look(&mut self) -> Result<Vec<Change>, StoreError> {
        self.looked = Instant::now();
        if self.watch.is_none() && platform::facts(&self.store.layout().jobs()).is_ok() {
            self.watch = Watch::new(self.queue.waker());
            self.watch_list();
        }
        let ids = self.store.job_ids()?;
        let mut changes = Vec::new();
        let gone: Vec<JobId> = self.jobs.keys().filter(|id| ids.binary_search(id).is_err()).copied().collect();
        for id in gone {
            self.forget(id, &mut changes);
        }
        let mut fresh = Vec::new();
        for id in ids {
            let stamp = self.stamp(id);
            match self.jobs.get(&id) {
                Some((seen, job)) if *seen == stamp && is_settled(job) => {}
                known => {
                    let is_new = known.is_none();
                    if let (true, Some(watch)) = (is_new, &mut self.watch) {
                        // Before it is read, so that nothing happens unseen in between. That it cannot be watched costs
                        // time only.
                        watch.add(self.store.layout().job(id).dir());
                    }
                    fresh.push((id, stamp));
                }
            }
        }
        let ids: Vec<JobId> = fresh.iter().map(|(id, _)| *id).collect();
        let mut loaded: BTreeMap<JobId, Job> = self.store.load_all(&ids).into_iter().map(|job| (job.id, job)).collect();
        for (id, stamp) in fresh {
            let Some(job) = loaded.remove(&id) else {
                self.forget(id, &mut changes);
                continue;
            };
            if let (true, Some(watch)) = (is_settled(&job), &mut self.watch) {
                watch.remove(self.store.layout().job(id).dir());
            }
            let before = self.jobs.insert(id, (stamp, job.clone())).map(|(_, before)| before);
            if before.as_ref().is_none_or(|before| job.differs_from(before)) {
                changes.push(Change { before, now: Some(job) });
            }
        }
        changes.sort_by_key(|change| change.now.as_ref().or(change.before.as_ref()).map(|job| job.id));
        Ok(changes)
    }

    fn forget(&mut self, id: JobId, changes: &mut Vec<Change>) {
        if let Some((_, before)) = self.jobs.remove(&id) {
            changes.push(Change { before: Some(before), now: None });
        }
    }

    fn stamp(&self, id: JobId) -> Stamp {
        let facts = platform::facts(&self.store.layout().job(id).record()).ok()?;
        Some((facts.identity, facts.length, facts.modified))
    }

    /// Returns how long it is after a look until the next is due, if nothing is told before.
    pub fn patience(&self) -> Duration {
        if self.watch.is_some() { SLOW_POLL } else { BLIND_POLL }
    }

    /// Sleeps until it is worth looking again. Returns the signal that came instead, if one did.
    ///
    /// # Errors
    /// When sleeping fails.
    pub fn wait(&self) -> std::io::Result<Option<Signal>> {
        let mut timeout = self.patience();
        loop {
            let (wakes, _) = self.queue.wait(Some(timeout), None)?;
            if let Some(signal) = wakes.iter().find_map(platform::Wake::signal) {
                return Ok(Some(signal));
            }
            timeout = GATHERING.saturating_sub(self.looked.elapsed());
            if timeout.is_zero() {
                return Ok(None);
            }
        }
    }
}

/// Says whether nothing happens to a job any more unless its record is replaced.
fn is_settled(job: &Job) -> bool {
    job.record().is_some_and(|record| record.state.is_recorded_end()) && !job.has_survivors()
}
