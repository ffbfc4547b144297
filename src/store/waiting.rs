//! What a queued job waits for, as it stands now: who holds it, who comes first.

use super::snapshot::Surroundings;
use super::{Store, StoreError};
use crate::domain::identity::Whereabouts;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::queue::{Entry, blocked, going};
use crate::domain::record::Waiting;
use crate::domain::state::State;

/// The most holders of one thing whose state is looked at.
const LOOKED_AT: usize = 16;

/// One look at the queue.
#[derive(Debug)]
pub(super) struct Queue {
    entries: Vec<Entry>,
    going: Vec<bool>,
}

impl Queue {
    pub(super) fn read(store: &Store) -> Result<Self, StoreError> {
        let entries = store.queue_entries()?;
        let going = going(&entries);
        Ok(Self { entries, going })
    }

    /// Returns what a job's entry waits for.
    fn waiting(&self, id: JobId) -> Option<Vec<Waiting>> {
        let own = self.entries.iter().find(|entry| entry.id == id)?;
        let waiting = blocked(own, &self.entries).into_iter().map(|blocked| {
            let wants_it = |entry: &Entry| match blocked.kind {
                "mutex" => entry.wants.mutexes.iter().any(|want| want.name == blocked.name),
                _ => entry.wants.slots.iter().any(|want| want.group == blocked.name),
            };
            let earlier = self.entries.iter().zip(&self.going).take_while(|(entry, _)| entry.ticket < own.ticket);
            let (mut holders, mut before) = (Vec::new(), Vec::new());
            for (entry, going) in earlier.filter(|(entry, _)| wants_it(entry)) {
                if *going { &mut holders } else { &mut before }.push(entry.id);
            }
            let position = u32::try_from(before.len() + 1).ok();
            let name = Some(blocked.name.to_owned());
            Waiting { kind: blocked.kind.into(), name, holders, before, position, until: None, message: None }
        });
        Some(waiting.collect())
    }
}

impl Store {
    /// Returns what a queued job waits for. What its supervisor wrote down is enough where nothing better is known.
    pub(super) fn waiting_now(&self, job: &Job, surroundings: &Surroundings) -> Option<Vec<Waiting>> {
        let recorded = job.record()?.waiting_for.clone();
        if job.record()?.place.seen_from(surroundings.place()) == Whereabouts::Elsewhere {
            return recorded;
        }
        let is_in_queue = |list: &Vec<Waiting>| list.iter().all(|w| w.kind == "mutex" || w.kind == "slots");
        let mut waiting = match recorded {
            Some(list) if !is_in_queue(&list) => list,
            other => surroundings.queue(self).and_then(|queue| queue.waiting(job.id)).or(other)?,
        };
        for one in &mut waiting {
            one.message = self.who_does_not_let_go(one, surroundings);
        }
        Some(waiting)
    }

    /// Names the holders that nobody supervises: what they hold is released when their processes are gone, or given up.
    fn who_does_not_let_go(&self, waiting: &Waiting, surroundings: &Surroundings) -> Option<String> {
        let orphaned = |id: &&JobId| surroundings.state(self, **id) == Some(State::Orphaned);
        let found: Vec<&JobId> = waiting.holders.iter().take(LOOKED_AT).filter(orphaned).collect();
        let list: Vec<String> = found.iter().map(ToString::to_string).collect();
        let (jobs, first) = (if list.len() == 1 { "job" } else { "jobs" }, found.first()?);
        Some(format!(
            "held by orphaned {jobs} {}; 'jobdir kill {first}' or 'jobdir abandon {first}' releases it",
            list.join(", ")
        ))
    }
}
