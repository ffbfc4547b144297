//! `--on-exit`: a shell command that is told of the end of a run, after everything is recorded and released. It gets ten
//! seconds, nobody waits for it, and nothing depends on it. At its stdin is the JOB, as `status --json` prints it.

use std::time::{Duration, Instant};

use super::environment;
use super::machine::{Event, Machine, Phase};
use super::tree::{Processes, Tree};
use crate::domain::record::Attempt;
use crate::domain::spec::{JobSpec, Leftovers, StopSpec, Variables};
use crate::platform::{self, ExecPlan, JobInput, WakeQueue};
use crate::present::json;
use crate::store::{Claim, Store, Surroundings};

const LIMIT_MS: u64 = 10_000;
const POLL: Duration = Duration::from_millis(50);

/// A hook that is ready to run.
#[derive(Debug)]
pub(super) struct Hook {
    plan: ExecPlan,
    /// What it can read.
    job: Option<String>,
}

impl Hook {
    /// Prepares the hook, if the job has one. The outcome is on disk.
    pub(super) fn prepare(
        spec: &JobSpec,
        given: &Variables,
        store: &Store,
        claim: &Claim,
        attempt: &Attempt,
    ) -> Option<Self> {
        let command = spec.on_exit.as_deref()?;
        let mut variables = environment::of_command(spec, given, store.layout(), claim.paths(), attempt.number);
        environment::add_outcome(&mut variables, spec, claim.paths(), attempt);
        let plan = ExecPlan {
            command: vec!["/bin/sh".into(), "-c".into(), command.into()],
            variables,
            cwd: spec.cwd.clone(),
            umask: spec.umask,
            nice: None,
            limits: Vec::new(),
        };
        // What everybody concludes from a recorded end does not depend on the claim.
        let job = store.load(spec.id, &Surroundings::new()).ok().map(|job| json::render_job(&job));
        Some(Self { plan, job })
    }

    /// Runs it to its end or to its limit. Its output goes nowhere, and its failure changes nothing.
    pub(super) fn run(self, queue: &WakeQueue, epoch: Instant) {
        let Ok(null) = platform::open_null() else { return };
        let input = self.job.and_then(|job| platform::input_with(job.into_bytes()).ok());
        let input = input.map_or(JobInput::Null, JobInput::File);
        let executed = platform::execute(&self.plan, &input, &null, &null, None);
        // Its end of the pipe is now the only one.
        drop(input);
        let Ok(leader) = executed else { return };
        let mut tree = Tree::new(leader);
        platform::crash_point("hook.released");
        let stop = StopSpec { leftovers: Leftovers::Leave, timeout_ms: Some(LIMIT_MS), ..StopSpec::default() };
        let mut machine = Machine::new(stop, epoch.elapsed());
        loop {
            let look = tree.look();
            let event = match look.leader_ended {
                Some(status) => Event::LeaderEnded { status, alone: look.empty },
                None if look.empty => Event::TreeEmpty,
                None => Event::Tick,
            };
            // Past its limit there is no plan to go through: nobody waits for it, and nobody is to.
            machine.on(event, epoch.elapsed());
            match machine.phase() {
                Phase::Ended(_) => return,
                Phase::Running | Phase::Leftovers { .. } => {}
                Phase::Stopping { .. } | Phase::Nested { .. } | Phase::Killing { .. } | Phase::NotStopped { .. } => {
                    return tree.kill_pass();
                }
            }
            queue.wait(Some(POLL), None).ok();
        }
    }
}
