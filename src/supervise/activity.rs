//! Signs of life of a job with an idle limit.

use std::time::Duration;

use super::driver::Driver;
use super::machine::Machine;
use super::tree::Processes;
use crate::platform;

/// Watches for signs of life: output, and CPU time.
#[derive(Debug)]
pub(super) struct Activity {
    pub(super) every: Duration,
    last: (u64, u64),
}

impl Activity {
    /// Watches when there is an idle limit.
    pub(super) fn new(_driver: &Driver, machine: &Machine) -> Option<Self> {
        let limit = machine.idle_timeout()?;
        let every = (limit / 10).clamp(Duration::from_millis(20), Duration::from_secs(1));
        Some(Self { every, last: (0, 0) })
    }

    /// Says whether there was a sign since the last look.
    pub(super) fn is_seen(&mut self, driver: &Driver, tree: &dyn Processes) -> bool {
        let paths = driver.claim.paths();
        let attempt = driver.journal.record().attempt().number;
        let length = |path| platform::facts(path).map_or(0, |facts| facts.length);
        let written = length(&paths.stdout(attempt)) + length(&paths.stderr(attempt));
        let pids: Vec<u32> = tree.members().iter().map(crate::domain::tree::ProcessInfo::pid).collect();
        let cpu = platform::process_details(&pids).iter().map(|details| details.cpu_ms).sum();
        let seen = (written, cpu);
        // A process that ended takes its CPU time with it, so any difference counts.
        std::mem::replace(&mut self.last, seen) != seen
    }
}
