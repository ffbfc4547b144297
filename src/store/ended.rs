//! Which jobs have settled, without looking at each: the hint that keeps the list quick beside a hundred thousand jobs.
//!
//! A job has settled when its outcome is recorded and nothing of it can live. Its supervisor then appends its id to
//! `ended` and unlinks the file of its claim, while it still holds it. So a job that is in `ended` and has no such file
//! needs no look to be known as ended; every other one is looked at. Both are hints: losing either costs time alone.

use std::io::Write;

use super::error::{Context, StoreError};
use super::spare::Former;
use super::{Claim, Flush, Store, atomic, format, lock, random, random_below};
use crate::domain::job_id::{IdSet, JobId};
use crate::domain::record::JobRecord;
use crate::domain::state::State;
use crate::platform;

/// The largest list that is read; a longer one is made anew by the sweep.
const MAX_LIST: u64 = 64 << 20;
/// Shorter lists are never made anew.
const SHORT_LIST: u64 = 64 << 10;
/// How many claims that crashed supervisors left are cleared away in one sweep. It begins anywhere, so that those which
/// cannot be cleared away do not stand before the others for ever.
const AT_ONCE: usize = 256;

/// All jobs, told apart by whether they have to be looked at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overview {
    /// Those that may be active, in ascending order.
    pub unsettled: Vec<JobId>,
    /// Those that have settled, the last that ended first.
    pub settled: Vec<JobId>,
}

/// Says whether nothing of a job can live any more, as far as its record tells.
pub(super) fn has_settled(record: &JobRecord) -> bool {
    record.state.is_recorded_end() && record.state != State::Abandoned && record.attempt().adopted.is_empty()
}

impl Store {
    /// Lists all jobs, and which of them have to be looked at.
    ///
    /// # Errors
    /// What the system says of the directory of jobs.
    pub fn overview(&self) -> Result<Overview, StoreError> {
        // The list first: a job that is resumed meanwhile has a claim by the time that claims are listed.
        let list = self.ended_list();
        let claims = self.claim_files();
        let mut hinted = IdSet::default();
        list.iter().for_each(|id| hinted.insert(*id));
        for id in claims {
            hinted.remove(id);
        }
        let (mut there, mut unsettled) = (IdSet::default(), Vec::new());
        self.each_job(|id| if hinted.contains(id) { there.insert(id) } else { unsettled.push(id) })?;
        unsettled.sort_unstable();
        let settled = list.into_iter().rev().filter(|id| there.remove(*id)).collect();
        Ok(Overview { unsettled, settled })
    }

    /// Returns the ids in `ended`, in the order in which the jobs ended. What is no id is passed over.
    fn ended_list(&self) -> Vec<JobId> {
        let content = format::read_bounded(&self.layout.ended(), MAX_LIST).unwrap_or_default();
        content.split(|byte| *byte == b'\n').filter_map(JobId::from_ascii).collect()
    }

    fn claim_files(&self) -> Vec<JobId> {
        let mut claims = Vec::new();
        platform::each_name(&self.layout.locks(), |name| claims.extend(name.parse::<JobId>())).ok();
        claims
    }

    /// Returns the claims that nobody holds and whose jobs are gone.
    pub(super) fn claims_of_nothing(&self) -> Vec<JobId> {
        let is_left = |id: &JobId| self.is_gone(*id) && self.is_claimed(*id).is_ok_and(|held| !held);
        self.claim_files().into_iter().filter(is_left).collect()
    }

    /// Removes the file of a claim that leads to no job, while holding it: a job that is about to become visible holds
    /// its claim before, and whoever waits for the lock finds it unlinked.
    pub(super) fn forget_claim(&self, id: JobId) {
        let path = self.layout.claim(id);
        if let Ok(Some(_held)) = lock::try_exclusive(&path)
            && self.is_gone(id)
        {
            atomic::remove_any(&path).ok();
            platform::crash_point("sweep.claim");
        }
    }

    /// Settles what crashed supervisors have left unsettled, removes the claims of jobs that are gone, and shortens the list. A
    /// bounded amount of work.
    pub fn tidy_ended(&self) {
        let is_free = |id: &JobId| self.is_claimed(*id).is_ok_and(|held| !held);
        let mut claims = self.claim_files();
        let first = random_below(claims.len());
        claims.rotate_left(first);
        for id in claims.into_iter().filter(is_free).take(AT_ONCE) {
            match self.claim(id) {
                Ok(claim) => {
                    if let Ok(record) = claim.load_record()
                        && has_settled(&record)
                    {
                        drop(claim.end(self, &record));
                    }
                }
                Err(StoreError::NoSuchJob) => self.forget_claim(id),
                Err(_) => {}
            }
        }
        let path = self.layout.ended();
        let Ok(length) = platform::facts(&path).map(|facts| facts.length) else { return };
        let Ok(Overview { settled, .. }) = self.overview() else { return };
        if length < SHORT_LIST || length / 32 < settled.len() as u64 {
            return;
        }
        // Whoever appends meanwhile appends to what is replaced: that job is looked at until the next time.
        let lines: String = settled.iter().rev().map(|id| format!("{id}\n")).collect();
        if let Ok(random) = random() {
            let staged = self.layout.staged(&format!("ended-{random}"));
            if atomic::create(&staged, lines.as_bytes(), Flush::No).is_ok() {
                platform::crash_point("sweep.list_staged");
                atomic::rename(&staged, &path).ok();
                platform::crash_point("sweep.list");
            }
        }
    }
}

impl Claim {
    /// Gives up the claim of a job that has settled: it is on the list, and its claim leaves no file. Whoever waits for
    /// the lock finds it unlinked.
    fn settle(self, store: &Store) {
        if append(store, self.id()).is_ok() {
            platform::crash_point("end.listed");
            store.put_aside(self.id(), &store.layout.claim(self.id())).ok();
            platform::crash_point("end.unlocked");
        }
        self.release();
    }

    /// Gives up the claim of a job that has ended with this record. What it returns is for later, when nobody waits any more.
    pub fn end(self, store: &Store, record: &JobRecord) -> Former {
        // Made ahead by a spare, and not needed.
        atomic::remove_temporary(&self.paths().pid());
        let former = store.take_former(self.id(), &self.paths().record());
        if has_settled(record) {
            self.settle(store);
        } else {
            self.release();
        }
        former
    }
}

fn append(store: &Store, id: JobId) -> Result<(), StoreError> {
    let path = store.layout.ended();
    let mut file = platform::append_private(&path).context("open", &path)?;
    file.write_all(format!("{id}\n").as_bytes()).context("extend", &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> JobId {
        JobId::new(number).expect("not zero")
    }

    #[test]
    fn only_who_is_listed_and_unclaimed_has_settled() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open_for_writing(dir.path()).expect("opens");
        assert_eq!(store.overview().expect("lists"), Overview::default());
        for number in 1..=5 {
            platform::make_private_directory(store.layout.job(id(number)).dir()).expect("creates");
        }
        // 9 is deleted, 2 ended twice, the last line is torn.
        std::fs::write(store.layout.ended(), "2\n9\n3\nx\n2\n1\n\n5").expect("writes");
        std::fs::write(store.layout.claim(id(3)), "").expect("writes");
        let overview = store.overview().expect("lists");
        assert_eq!(overview.unsettled, [id(3), id(4)]);
        assert_eq!(overview.settled, [id(5), id(1), id(2)]);
    }

    #[test]
    fn claims_that_cannot_be_removed_do_not_hide_those_that_can() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open_for_writing(dir.path()).expect("opens");
        let claim = |number| store.layout.claim(id(number));
        // Of jobs that are there and never settle.
        for number in 1..=(2 * AT_ONCE as u64) {
            platform::make_private_directory(store.layout.job(id(number)).dir()).expect("creates");
            std::fs::write(claim(number), "").expect("writes");
        }
        std::fs::write(claim(1_000), "").expect("writes");
        std::fs::write(claim(1_001), "").expect("writes");
        // It is about to become visible.
        let held = lock::try_exclusive(&claim(1_001)).expect("locks").expect("free");
        let looks = (0..200).take_while(|_| {
            store.tidy_ended();
            claim(1_000).exists()
        });
        assert!(looks.count() < 200, "it is never come to");
        assert!(claim(1_001).exists() && claim(1).exists());
        drop(held);
        assert_eq!(store.claims_of_nothing(), [id(1_001)]);
    }

    #[test]
    fn a_long_list_is_shortened_to_what_is_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open_for_writing(dir.path()).expect("opens");
        platform::make_private_directory(store.layout.job(id(7)).dir()).expect("creates");
        std::fs::write(store.layout.ended(), "7\n".repeat(40_000)).expect("writes");
        store.tidy_ended();
        assert_eq!(std::fs::read_to_string(store.layout.ended()).expect("reads"), "7\n");
    }
}
