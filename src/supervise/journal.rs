//! The record and the events of the job, as its supervisor writes them.
//!
//! A write that fails (a full disk) never stops the job: what could not be written is written later, and at the end
//! the supervisor holds on to the claim until the outcome is on disk.

use crate::domain::event::Happening;
use crate::domain::record::{Attempt, JobRecord};
use crate::domain::state::State;
use crate::platform;
use crate::store::{Claim, Delivered, EventLog, Flush, Inbox, Store, StoreError};

/// The two files.
#[derive(Debug)]
pub(super) struct Journal {
    record: JobRecord,
    events: Option<EventLog>,
    unsaved: bool,
    /// An end that is not told yet, because it is not on disk.
    end: Option<Happening>,
    /// Whether nothing has been saved yet, and the attempt is the first one: a new job's record is as it was created, which is
    /// never flushed.
    is_as_created: bool,
    /// Whether the former record is such a one.
    is_former_as_created: bool,
}

impl Journal {
    /// Takes over the record that is on disk.
    pub(super) fn new(claim: &Claim, record: JobRecord) -> Self {
        let (events, is_as_created) = (claim.open_events().ok(), record.attempt().number == 1);
        Self { record, events, unsaved: false, end: None, is_as_created, is_former_as_created: false }
    }

    /// Returns the record.
    pub(super) fn record(&self) -> &JobRecord {
        &self.record
    }

    /// Returns the record for changing; [`Journal::save`] writes it.
    pub(super) fn change(&mut self) -> &mut JobRecord {
        &mut self.record
    }

    /// Returns the present attempt for changing.
    pub(super) fn attempt(&mut self) -> &mut Attempt {
        self.record.attempt_mut()
    }

    /// Says whether something is still to be written.
    pub(super) fn is_unsaved(&self) -> bool {
        self.unsaved
    }

    /// Writes the record that says that the command runs, for a run that began with this journal.
    ///
    /// # Errors
    /// What the store says, for those who care.
    pub(super) fn save_running(&mut self, claim: &Claim) -> Result<(), StoreError> {
        let flush = if self.is_as_created { Flush::Later } else { Flush::No };
        self.save(claim, flush)
    }

    /// Writes the record, and remembers when that did not work.
    ///
    /// # Errors
    /// What the store says, for those who care.
    pub(super) fn save(&mut self, claim: &Claim, flush: Flush) -> Result<(), StoreError> {
        let result = claim.save_record(&self.record, flush);
        self.is_as_created = false;
        self.is_former_as_created = result.is_ok() && flush == Flush::Later;
        self.saved(claim, result)
    }

    /// Writes the record of a job that has ended, durably, with its public form if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn save_end(&mut self, store: &Store, claim: &Claim, form: Option<&str>) -> Result<(), StoreError> {
        // Once: what failed may have exchanged the two.
        let flush = if std::mem::take(&mut self.is_former_as_created) { Flush::Over } else { Flush::Yes };
        let result = claim.save_end(store, &self.record, form, flush);
        self.saved(claim, result)
    }

    /// Remembers whether a record is on disk, and tells of the end that it has.
    fn saved(&mut self, claim: &Claim, result: Result<(), StoreError>) -> Result<(), StoreError> {
        self.unsaved = result.is_err();
        if result.is_ok()
            && let Some(end) = self.end.take()
        {
            self.tell(claim, end);
        }
        result
    }

    /// Appends an event.
    pub(super) fn tell(&mut self, claim: &Claim, what: Happening) {
        if self.events.is_none() {
            self.events = claim.open_events().ok();
        }
        let attempt = self.record.attempt().number;
        if let Some(events) = &mut self.events {
            events.append(attempt, what);
        }
    }

    /// Tells the answer to a request, then removes the request.
    pub(super) fn answer(
        &mut self,
        claim: &Claim,
        inbox: &Inbox,
        request: &Delivered,
        result: &str,
        message: Option<String>,
    ) {
        platform::crash_point("request.acted");
        let verb = request.content.as_ref().map_or("unknown", |asked| asked.verb.name());
        let told =
            Happening::Answered { request: request.name.clone(), verb: verb.into(), result: result.into(), message };
        self.tell(claim, told);
        platform::crash_point("request.answered");
        inbox.remove(request).ok();
        platform::crash_point("request.removed");
    }

    /// Sets the state and tells of it, unless it is so already. Does not save. An end is told once it is saved: if it were
    /// told before, a crash in between would make it another one.
    pub(super) fn enter(&mut self, claim: &Claim, state: State) {
        if self.record.state == state {
            return;
        }
        self.record.state = state;
        let attempt = self.record.attempt();
        let outcome = self.record.outcome().filter(|outcome| outcome.state == state);
        let stop = self.record.stop.as_ref().filter(|_| state == State::Stopping);
        let what = Happening::State {
            state,
            error_kind: outcome.and_then(|o| o.error_kind),
            reason: outcome.and_then(|o| o.reason).or(stop.and_then(|s| s.reason)),
            reason_text: outcome.and_then(|o| o.reason_text.clone()).or(stop.and_then(|s| s.reason_text.clone())),
            exit_code: attempt.exit_code.filter(|_| outcome.is_some()),
            signal: attempt.signal.filter(|_| outcome.is_some()),
        };
        if state.is_recorded_end() {
            self.end = Some(what);
        } else {
            self.tell(claim, what);
        }
    }
}
