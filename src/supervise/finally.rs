//! Finally steps: run in order after the tree is proven empty, each in a session of its own, none reached by kills.

use super::driver::Drive;
use super::environment;
use super::machine::Machine;
use super::run::Run;
use super::tree::Tree;
use crate::domain::event::Happening;
use crate::domain::outcome::ExitStatus;
use crate::domain::record::{Finally, FinallyState};
use crate::domain::spec::{Leftovers, SignalScope, StopSpec};
use crate::domain::state::State;
use crate::platform::{self, ExecPlan, JobInput};
use crate::store::Flush;

impl Run {
    /// Runs the steps that are pending. The outcome of the attempt must be in the record already: after a crash in a
    /// step it is what the recovery concludes from.
    pub(super) fn run_finally_steps(&mut self) {
        let Some(mut finally) = self.driver.journal.record().attempt().finally.clone() else { return };
        let abandoned =
            self.driver.journal.record().attempt().outcome.as_ref().map(|o| o.state) == Some(State::Abandoned);
        if abandoned || self.driver.aborted {
            finally.state = if abandoned { FinallyState::Skipped } else { FinallyState::Aborted };
            self.driver.journal.attempt().finally = Some(finally);
            return;
        }
        let began = self.driver.now();
        let limit = self.spec.finally.timeout_ms;
        finally.state = FinallyState::Running;
        self.driver.journal.change().stop = None;
        self.note(&finally);
        self.driver.journal.enter(&self.driver.claim, State::Finalizing);
        // Flushed: what the command's outcome was must survive whatever a step does to this machine.
        self.driver.journal.save(&self.driver.claim, Flush::Yes).ok();
        platform::crash_point("finally.recorded");
        let mut timed_out = false;
        for index in 0..finally.steps.len() {
            let spent = crate::domain::duration::to_ms(self.driver.now().saturating_sub(began));
            let left = limit.map(|limit| limit.saturating_sub(spent));
            if left == Some(0) {
                timed_out = true;
                break;
            }
            finally.steps[index].started_at = Some(platform::now());
            self.note(&finally);
            self.driver.journal.save(&self.driver.claim, Flush::No).ok();
            platform::crash_point("finally.step");
            let (status, stopped_by_limit) = self.run_step(index, &finally.steps[index].command, left);
            let step = &mut finally.steps[index];
            step.ended_at = Some(platform::now());
            step.exit_code = status.and_then(ExitStatus::exit_code);
            step.signal = status.and_then(ExitStatus::signal);
            let told = Happening::StepEnded { step: index + 1, exit_code: step.exit_code, signal: step.signal };
            self.driver.journal.tell(&self.driver.claim, told);
            platform::crash_point("finally.ended");
            if self.driver.aborted || stopped_by_limit {
                timed_out = stopped_by_limit;
                break;
            }
        }
        finally.state = match (self.driver.aborted, timed_out) {
            (true, _) => FinallyState::Aborted,
            (false, true) => FinallyState::TimedOut,
            (false, false) if finally.steps.iter().all(|step| step.exit_code == Some(0)) => FinallyState::Done,
            (false, false) => FinallyState::Failed,
        };
        self.note(&finally);
    }

    fn note(&mut self, finally: &Finally) {
        self.driver.journal.attempt().finally = Some(finally.clone());
    }

    /// Runs one step. Returns how it ended, and whether the limit stopped it.
    fn run_step(&mut self, index: usize, command: &str, limit_ms: Option<u64>) -> (Option<ExitStatus>, bool) {
        let told = Happening::StepStarted { step: index + 1, command: command.to_owned() };
        self.driver.journal.tell(&self.driver.claim, told);
        let attempt = self.driver.journal.record().attempt().clone();
        let paths = self.driver.claim.paths().clone();
        let Ok(log) = self.driver.claim.open_log(&paths.finally_log(attempt.number)) else { return (None, false) };
        let mut variables =
            environment::of_command(&self.spec, &self.variables, self.store.layout(), &paths, attempt.number);
        environment::add_outcome(&mut variables, &self.spec, &paths, &attempt);
        let plan = ExecPlan {
            command: vec!["/bin/sh".into(), "-c".into(), command.into()],
            variables,
            cwd: self.spec.cwd.clone(),
            umask: self.spec.umask,
            nice: None,
            limits: Vec::new(),
        };
        let Ok(leader) = platform::execute(&plan, &JobInput::Null, &log, &log, None) else { return (None, false) };
        let mut tree = Tree::new(leader);
        platform::crash_point("finally.released");
        let stop = StopSpec {
            plan: self.spec.stop.plan.clone(),
            scope: SignalScope::Tree,
            leftovers: Leftovers::Kill,
            timeout_ms: limit_ms,
            ..StopSpec::default()
        };
        let mut machine = Machine::new(stop, self.driver.now());
        self.driver.drive(&mut tree, &mut machine, Drive::Step);
        let by_limit = machine.cause().is_some_and(|c| c.reason == crate::domain::state::Reason::Timeout);
        (machine.leader(), by_limit)
    }
}
