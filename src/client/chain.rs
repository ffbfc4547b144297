//! Who waits for whom, from one queued job to the last that something waits for.

use std::collections::BTreeSet;

use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::store::{Store, Surroundings};

/// Longer chains are cut: nobody reads them.
const LONGEST: usize = 64;

/// Returns the jobs that `job` waits for, those that they wait for, and so on, nearest first. Of something that nobody
/// holds yet the first that waits for it counts as its holder: something else keeps that one.
pub fn chain(store: &Store, job: &Job, surroundings: &Surroundings) -> Vec<Job> {
    let mut known = BTreeSet::from([job.id]);
    let mut chain: Vec<Job> = Vec::new();
    let mut next: Vec<JobId> = waited_for(job);
    while !next.is_empty() && chain.len() < LONGEST {
        let new: Vec<JobId> = next.drain(..).filter(|id| known.insert(*id)).collect();
        for id in new.into_iter().take(LONGEST - chain.len()) {
            if let Ok(job) = store.load(id, surroundings) {
                next.extend(waited_for(&job));
                chain.push(job);
            }
        }
    }
    chain
}

fn waited_for(job: &Job) -> Vec<JobId> {
    let waiting = job.waiting_for.iter().flatten();
    waiting
        .flat_map(|one| match one.holders.is_empty() {
            false => &one.holders[..],
            true => &one.before[..one.before.len().min(1)],
        })
        .copied()
        .collect()
}
