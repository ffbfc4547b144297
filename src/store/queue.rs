//! The queue for mutexes and slots: a directory of entries, one for each attempt that wants something.
//!
//! Who holds what follows from the entries and their order (see [`crate::domain::queue`]); nothing else is written. An
//! entry is added under a short lock, so that whoever comes later sees it, and is removed by its owner, or by anybody
//! who finds that the owner has ended. While processes of an owner live, its entry stays, whoever supervises them.

use crate::domain::identity::Whereabouts;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::queue::{Entry, Wants, released_by};
use crate::domain::record::Waiting;
use crate::domain::state::State;

use super::error::{Context, StoreError};
use super::{Flush, Store, Surroundings, atomic, format, lock, random};

impl Store {
    /// Adds an entry behind all others.
    ///
    /// # Errors
    /// What the system says.
    pub fn join_queue(&self, id: JobId, attempt: u32, wants: &Wants) -> Result<Entry, StoreError> {
        let path = self.layout.queue();
        super::ignore_existing(crate::platform::make_private_directory(&path)).context("create", &path)?;
        let _lock = lock::exclusive(&self.layout.queue_lock())?;
        let last = self.queue_entries()?.last().map_or(0, |entry| entry.ticket);
        let entry = Entry { ticket: last + 1, id, attempt, wants: wants.clone() };
        let staged = self.layout.staged(&format!("entry-{}", random()?));
        atomic::create(&staged, &format::render(&entry), Flush::No)?;
        atomic::rename(&staged, &self.layout.queue_entry(&entry))?;
        Ok(entry)
    }

    /// Removes every entry of a job, and wakes those that may go now. Harmless when there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn leave_queue(&self, id: JobId) -> Result<(), StoreError> {
        for entry in self.queue_entries()?.iter().filter(|entry| entry.id == id) {
            self.remove_entry(entry)?;
        }
        Ok(())
    }

    fn remove_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        atomic::remove_any(&self.layout.queue_entry(entry))?;
        let left = self.queue_entries()?;
        for released in released_by(entry, &left) {
            self.ring(released.id);
        }
        Ok(())
    }

    /// Rings at a supervisor: something changes in its inbox, so it looks everywhere. A name that begins with a dot is
    /// no request.
    fn ring(&self, id: JobId) {
        let Ok(random) = random() else { return };
        let bell = self.layout.job(id).kill_signals().join(format!("{}{random}", super::inbox::BELL));
        // Somebody who is gone by now needs no waking.
        atomic::create(&bell, b"", Flush::No).ok();
        atomic::remove_any(&bell).ok();
    }

    /// Returns all entries in order. What cannot be read is passed over: it is no entry.
    ///
    /// # Errors
    /// What the system says of the directory.
    pub fn queue_entries(&self) -> Result<Vec<Entry>, StoreError> {
        let path = self.layout.queue();
        let mut entries: Vec<Entry> = match std::fs::read_dir(&path) {
            Ok(entries) => entries.filter_map(|entry| format::read::<Entry>(&entry.ok()?.path()).ok()).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error).context("list", &path),
        };
        entries.sort_by_key(|entry| entry.ticket);
        Ok(entries)
    }

    /// Says whether an entry counts: its attempt has not ended, or processes of it may live.
    pub fn entry_counts(&self, entry: &Entry, surroundings: &Surroundings) -> bool {
        let Ok(job) = self.load(entry.id, surroundings) else { return false };
        let same_attempt = job.attempt().is_some_and(|attempt| attempt.number == entry.attempt);
        match job.state() {
            // Whoever cannot be judged keeps what it has.
            State::Corrupt => true,
            State::Lost => false,
            state => same_attempt && !state.is_recorded_end(),
        }
    }

    /// Removes an entry whose owner has ended without removing it.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove_dead_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        self.remove_entry(entry)
    }

    /// Returns what a queued job waits for, as it stands now.
    pub(super) fn waiting_now(&self, job: &Job, surroundings: &Surroundings) -> Option<Vec<Waiting>> {
        let recorded = job.record()?.waiting_for.clone();
        if job.state() != State::Queued || job.record()?.place.seen_from(surroundings.place()) == Whereabouts::Elsewhere
        {
            return recorded;
        }
        let wants = &job.spec()?.coordination.wants;
        if recorded.as_ref().is_some_and(|list| list.iter().any(|w| w.kind != "mutex" && w.kind != "slots"))
            || wants.is_empty()
        {
            return recorded;
        }
        let entries = self.queue_entries().ok()?;
        let own = entries.iter().find(|entry| entry.id == job.id)?;
        let waiting = crate::domain::queue::blocked(own, &entries).into_iter().map(|blocked| {
            let may_go = |entry: &Entry| crate::domain::queue::may_go(entry, &entries);
            let wants_it = |entry: &&Entry| match blocked.kind {
                "mutex" => entry.wants.mutexes.iter().any(|want| want.name == blocked.name),
                _ => entry.wants.slots.iter().any(|want| want.group == blocked.name),
            };
            let before = entries.iter().filter(|entry| entry.ticket < own.ticket).filter(wants_it);
            let (holding, waiting): (Vec<&Entry>, Vec<&Entry>) = before.partition(|entry| may_go(entry));
            Waiting {
                kind: blocked.kind.into(),
                name: Some(blocked.name.to_owned()),
                holders: holding.iter().map(|entry| entry.id).collect(),
                position: u32::try_from(waiting.len() + 1).ok(),
                until: None,
            }
        });
        Some(waiting.collect())
    }
}
