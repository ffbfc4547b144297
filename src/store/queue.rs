//! The queue for mutexes and slots: a directory of entries, one for each attempt that wants something.
//!
//! Who holds what follows from the entries and their order (see [`crate::domain::queue`]); nothing else is written. An
//! entry is added under a short lock, so that whoever comes later sees it, and is removed by its owner, or by anybody
//! who finds that the owner has ended. While processes of an owner live, its entry stays, whoever supervises them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::job_id::JobId;
use crate::domain::queue::{Entry, Wants, released_by};
use crate::domain::state::State;
use crate::platform;

use super::error::{Context, StoreError};
use super::{Flush, Store, Surroundings, atomic, format, lock, random};

/// What somebody has read of the queue. Entries never change, so each is read once.
#[derive(Debug, Default)]
pub struct QueueView {
    entries: Vec<Entry>,
    /// The last ticket of interest; `None` for all.
    until: Option<u64>,
    /// When the directory was last changed, as it was before the last reading; `None` when that was just now, and more
    /// may happen at the same time as the file system tells times.
    changed_at: Option<SystemTime>,
}

impl QueueView {
    /// Has read nothing yet, and will read what stands up to this ticket: what comes later changes nothing for it.
    pub fn up_to(ticket: u64) -> Self {
        Self { until: Some(ticket), ..Self::default() }
    }

    /// Returns the entries as they were last read, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Forgets an entry that is gone.
    pub fn forget(&mut self, entry: &Entry) {
        self.entries.retain(|known| known != entry);
    }

    /// Says whether the directory is as it was when it was last read.
    pub fn is_current(&self, store: &Store) -> bool {
        let changed_at = platform::facts(&store.layout.queue()).ok().and_then(|facts| facts.modified);
        self.changed_at.is_some() && self.changed_at == changed_at
    }

    /// Reads what is new and forgets what is gone.
    ///
    /// # Errors
    /// What the system says of the directory.
    pub fn refresh(&mut self, store: &Store) -> Result<(), StoreError> {
        const COARSE: TimeDelta = TimeDelta::seconds(2);
        let path = store.layout.queue();
        let changed_at = platform::facts(&path).ok().and_then(|facts| facts.modified);
        self.changed_at = changed_at.filter(|at| platform::now() - DateTime::<Utc>::from(*at) > COARSE);
        let mut known: HashMap<u64, Entry> = self.entries.drain(..).map(|entry| (entry.ticket, entry)).collect();
        let is_of_interest = |ticket: u64| self.until.is_none_or(|until| ticket <= until);
        for (ticket, name) in store.queue_names()?.into_iter().take_while(|(ticket, _)| is_of_interest(*ticket)) {
            let entry = known.remove(&ticket).or_else(|| format::read::<Entry>(&path.join(name)).ok());
            self.entries.extend(entry.filter(|entry| entry.ticket == ticket));
        }
        Ok(())
    }
}

impl Store {
    /// Adds an entry behind all others.
    ///
    /// # Errors
    /// What the system says.
    pub fn join_queue(&self, id: JobId, attempt: u32, wants: &Wants) -> Result<Entry, StoreError> {
        let _lock = lock::exclusive(&self.layout.queue_lock())?;
        platform::crash_point("queue.locked");
        let last = self.queue_names()?.last().map_or(0, |(ticket, _)| *ticket);
        let entry = Entry { ticket: last + 1, id, attempt, wants: wants.clone() };
        let staged = self.layout.staged(&format!("entry-{}", random()?));
        atomic::create(&staged, &format::render(&entry), Flush::No)?;
        platform::crash_point("queue.staged");
        atomic::rename(&staged, &self.layout.queue_entry(&entry))?;
        platform::crash_point("queue.joined");
        Ok(entry)
    }

    /// Removes every entry of a job, and wakes those that may go now. Harmless when there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn leave_queue(&self, id: JobId) -> Result<(), StoreError> {
        let is_ours = |name: &OsString| name.to_str().is_some_and(|name| name.ends_with(&format!("-{id}")));
        for (_, name) in self.queue_names()?.into_iter().filter(|(_, name)| is_ours(name)) {
            let path = self.layout.queue().join(name);
            match format::read::<Entry>(&path) {
                Ok(entry) => self.remove_entry(&entry)?,
                Err(_) => atomic::remove_any(&path)?,
            }
        }
        Ok(())
    }

    fn remove_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        atomic::remove_any(&self.layout.queue_entry(entry))?;
        platform::crash_point("queue.left");
        let left = self.queue_entries()?;
        for released in released_by(entry, &left) {
            self.ring(released.id);
        }
        Ok(())
    }

    /// Rings at a supervisor: something changes in its inbox, so it looks everywhere. A name that begins with a dot is
    /// no request.
    pub(super) fn ring(&self, id: JobId) {
        let Ok(random) = random() else { return };
        let bell = self.layout.job(id).kill_signals().join(format!("{}{random}", super::inbox::BELL));
        // Somebody who is gone by now needs no waking.
        atomic::create(&bell, b"", Flush::No).ok();
        platform::crash_point("queue.bell");
        atomic::remove_any(&bell).ok();
        platform::crash_point("queue.rung");
    }

    /// Returns all entries in order. What cannot be read is passed over: it is no entry.
    ///
    /// # Errors
    /// What the system says of the directory.
    pub fn queue_entries(&self) -> Result<Vec<Entry>, StoreError> {
        let mut view = QueueView::default();
        view.refresh(self)?;
        Ok(view.entries)
    }

    /// Returns the names of all entries with their tickets, in order.
    fn queue_names(&self) -> Result<Vec<(u64, OsString)>, StoreError> {
        let path = self.layout.queue();
        let names = match std::fs::read_dir(&path) {
            Ok(entries) => entries.filter_map(|entry| {
                let name = entry.ok()?.file_name();
                Some((name.to_str()?.split_once('-')?.0.parse::<u64>().ok()?, name))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).context("list", &path),
        };
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        Ok(names)
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
}
