//! Following what a job prints without being its client: signals end the following, never the job.

use std::time::Duration;

use super::end::EndWatch;
use super::pump::{Pump, Sink};
use crate::domain::job_id::JobId;
use crate::platform::{Wake, WakeQueue};
use crate::store::{Store, StoreError, Surroundings, Watch};

const SLOW_POLL: Duration = Duration::from_secs(1);
const BLIND_POLL: Duration = Duration::from_millis(100);

/// Copies the output of an attempt from its beginning until the run has ended. Returns `false` when a signal or a
/// closed reader ended it before.
///
/// # Errors
/// When waiting fails.
pub fn follow(store: &Store, id: JobId, attempt: u32, merged: bool, queue: &WakeQueue) -> Result<bool, StoreError> {
    let paths = store.layout().job(id);
    let mut pump = Pump::new(queue.waker());
    pump.add(&paths.stdout(attempt), Sink::Stdout, 0);
    if !merged {
        pump.add(&paths.stderr(attempt), Sink::Stderr, 0);
    }
    let end = EndWatch::new(store, id, queue.waker());
    let watch = Watch::of(&paths.attempt(attempt), queue.waker());
    let mut over = false;
    loop {
        if over {
            pump.finish();
        } else {
            pump.look();
        }
        if pump.take_failure().is_some() {
            return Ok(false);
        }
        if over && pump.is_done() {
            return Ok(true);
        }
        let timeout = if watch.is_some() || over { SLOW_POLL } else { BLIND_POLL };
        let (wakes, _) = queue.wait(Some(timeout), None).map_err(|source| StoreError::Io {
            action: "follow",
            path: paths.dir().to_owned(),
            source,
        })?;
        if wakes.iter().any(|wake| matches!(wake, Wake::Signal(_))) {
            return Ok(false);
        }
        over |= end.is_free() && store.load(id, &Surroundings::new()).map_or(true, |job| job.state().is_terminal());
    }
}
