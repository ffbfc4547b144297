//! How far a stop is, in the record.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::driver::Driver;
use super::machine::{Machine, Phase};
use super::tree::Processes;
use crate::domain::record::{NextRung, StopProgress};
use crate::domain::state::State;
use crate::domain::stop_plan::StopPlan;
use crate::platform;
use crate::store::Flush;

/// How long the record of a stop may wait, in case the job has ended by then.
const MOMENT: Duration = Duration::from_millis(2);

impl Driver {
    /// Writes down how far the stop is, if there is one, and whether the job is paused.
    pub(super) fn record_phase(&mut self, tree: &dyn Processes, machine: &Machine) {
        let cause = machine.cause().cloned();
        let progress = match machine.phase() {
            Phase::Stopping { plan, rung, since, until } => Some((plan.clone(), *rung, *since, Some(*until))),
            Phase::Nested { plan: Some(plan), since }
            | Phase::Killing { plan: Some(plan), since, .. }
            | Phase::NotStopped { plan: Some(plan), since } => {
                Some((plan.clone(), plan.rungs().len() - 1, *since, None))
            }
            // Leftovers are being killed; only a stop that somebody asked for is a stop.
            Phase::Nested { plan: None, since }
            | Phase::Killing { plan: None, since, .. }
            | Phase::NotStopped { plan: None, since } => {
                cause.is_some().then(|| (StopPlan::kill_only(), 0, *since, None))
            }
            Phase::Running | Phase::Leftovers { .. } | Phase::Ended(_) => None,
        };
        let stop = progress.map(|(plan, rung, since, until)| StopProgress {
            plan: plan.to_string(),
            rung,
            signal: plan.rungs()[rung].signal,
            since: self.wall_clock(since),
            next: plan
                .rungs()
                .get(rung + 1)
                .zip(until)
                .map(|(next, at)| NextRung { signal: next.signal, at: self.wall_clock(at) }),
            rungs: plan.into(),
            reason: cause.as_ref().map(|c| c.reason),
            reason_text: cause.and_then(|c| c.reason_text),
            not_stopped: Vec::new(),
        });
        let state = if stop.is_some() { State::Stopping } else { State::Running };
        let record = self.journal.change();
        record.stop = stop;
        record.paused = machine.is_paused();
        self.journal.enter(&self.claim, state);
        // What ends of the first signal ends within a moment: then its end is all that has to be written. Only children tell of it.
        match self.journal.record().stop {
            Some(_) if tree.poll().is_none() => self.record_at = self.record_at.or(Some(self.now() + MOMENT)),
            _ => self.record(),
        }
    }

    /// Writes the record that tells of a stop.
    pub(super) fn record(&mut self) {
        self.record_at = None;
        self.journal.save(&self.claim, Flush::No).ok();
        platform::crash_point("stop.recorded");
    }

    fn wall_clock(&self, at: Duration) -> DateTime<Utc> {
        let now = self.now();
        let delta = |d: Duration| TimeDelta::from_std(d).unwrap_or(TimeDelta::MAX);
        let wall = platform::now();
        // A spec that was tampered with may ask for more time than a calendar has.
        match at.checked_sub(now) {
            Some(ahead) => wall.checked_add_signed(delta(ahead)).unwrap_or(DateTime::<Utc>::MAX_UTC),
            None => wall.checked_sub_signed(delta(now - at)).unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}
