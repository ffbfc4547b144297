//! Stopping nested jobs that have a client: asked by a request like any other, and waited for, before KILL.

use std::time::Duration;

use crate::domain::duration::to_ms;
use crate::domain::event::Happening;
use crate::domain::request::{Kill, Request, Verb};
use crate::domain::state::Reason;
use crate::store::{NestedJob, Store, Surroundings, deliver};

/// Beyond what a nested job's plan and finally steps may take.
const RESERVE: Duration = Duration::from_millis(500);
/// The bound for a nested job whose finally steps have none.
const UNLIMITED: Duration = Duration::from_secs(3600);

/// Nested jobs that have been asked to stop.
#[derive(Debug)]
pub(super) struct NestedStop {
    jobs: Vec<(Store, NestedJob)>,
    until: Duration,
}

impl NestedStop {
    /// How often to look whether they have ended.
    pub(super) const POLL: Duration = Duration::from_millis(20);

    /// Asks each of them to stop.
    pub(super) fn ask(nested: Vec<NestedJob>, force: bool, now: Duration) -> Self {
        let mut stop = Self { jobs: Vec::new(), until: now };
        for one in nested {
            let Ok(store) = Store::open_for_writing(&one.state_dir) else { continue };
            let Ok(job) = store.load(one.id, &Surroundings::new()) else { continue };
            let (Some(spec), Some(attempt)) = (job.spec(), job.attempt()) else { continue };
            let kill = Kill { force, reason: Some(Reason::Parent), ..Kill::default() };
            deliver(&store, one.id, &Request::new(attempt.number, Verb::Kill(kill))).ok();
            let plan = if force { Duration::ZERO } else { spec.stop.plan.grace() };
            let steps = match (spec.finally.steps.is_empty(), spec.finally.timeout_ms) {
                (true, _) => Duration::ZERO,
                (false, limit) => limit.map_or(UNLIMITED, Duration::from_millis),
            };
            stop.until = stop.until.max(now + plan + steps + RESERVE);
            stop.jobs.push((store, one));
        }
        stop
    }

    /// Says whether all have ended, or have had their time.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        now >= self.until || self.jobs.iter().all(|(store, one)| !store.is_claimed(one.id).unwrap_or(false))
    }

    /// Returns what there is to tell of it.
    pub(super) fn told(&self) -> Vec<Happening> {
        let wait = to_ms(self.until);
        self.jobs
            .iter()
            .map(|(_, one)| Happening::Note {
                message: format!("nested job {} has been asked to stop, and has until {wait} ms", one.id),
            })
            .collect()
    }
}
