//! What a supervisor does about the processes of one attempt (or of one finally step): a pure state machine.
//!
//! Time is a [`Duration`] since the supervisor began, on a clock that does not jump. The driver reports what happened,
//! performs the [`Action`]s in their order, and comes back at [`Machine::deadline`] at the latest. Every phase answers
//! every event; there is no wildcard, so a new event does not compile until each phase has its answer.

use std::time::Duration;

use crate::domain::outcome::{Cause, ExitStatus};
use crate::domain::request::Kill;
use crate::domain::signal::Signal;
use crate::domain::spec::{EarlySignal, Leftovers, SignalScope, StopSpec};
use crate::domain::state::Reason;
use crate::domain::stop_plan::StopPlan;

/// How long leftovers have between TERM and KILL.
const LEFTOVERS_GRACE: Duration = Duration::from_secs(2);
/// How long killing and reaping goes on before those who are left are named.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Event {
    /// The leader has ended; whether it was proven that nothing else lives.
    LeaderEnded { status: ExitStatus, alone: bool },
    /// It was proven that nothing lives.
    TreeEmpty,
    /// The nested jobs that stand before KILL have ended, or had their time.
    NestedGone,
    /// Somebody asks for the end.
    Kill(Kill),
    /// Somebody asks to give the job up.
    Abandon { reason_text: Option<String> },
    /// Somebody asks to stop every process for a while.
    Pause,
    /// Somebody asks to go on.
    Unpause,
    /// Somebody sent a signal that is no stop.
    SignalSent(Signal),
    /// The job wrote output or used CPU time.
    Active,
    /// Time has passed.
    Tick,
}

/// Something to do, in the order given.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Action {
    /// Send a rung's signal, followed by CONT.
    Signal { signal: Signal, scope: SignalScope },
    /// Send a signal ahead of the deadline, and nothing more.
    EarlySignal { signal: Signal, scope: SignalScope },
    /// Ask nested jobs with a client to stop; answered by [`Event::NestedGone`], at once if there is none.
    StopNested { force: bool },
    /// Kill and reap, again and again, until it is proven that nothing lives.
    KillEverything,
    /// Stop every process of the tree.
    Freeze,
    /// Continue what Freeze stopped.
    Thaw,
    /// Write down that the phase has changed.
    Record,
    /// Write down a cause that came too late.
    LaterCause(Reason),
    /// Name those whom KILL did not end.
    NameHoldouts,
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reply {
    /// It changed something.
    Accepted,
    /// It changed nothing; what it asks for is so already, or is under way.
    NoChange,
}

/// Where the attempt is.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Phase {
    /// The leader lives, and nobody has asked for the end.
    Running,
    /// The leader ended by itself, others live: they are killed at that time, or waited for.
    Leftovers { kill_at: Option<Duration> },
    /// A plan is under way, before its KILL.
    Stopping { plan: StopPlan, rung: usize, since: Duration, until: Duration },
    /// Before KILL: nested jobs stop by their own plans.
    Nested { plan: Option<StopPlan>, since: Duration },
    /// KILL: the plan that led here (none for leftovers), since when, and until when before holdouts are named.
    Killing { plan: Option<StopPlan>, since: Duration, until: Duration },
    /// KILL did not end everything in time.
    NotStopped { plan: Option<StopPlan>, since: Duration },
    /// It is over.
    Ended(End),
}

/// In which way it is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// Nothing lives; proven.
    Empty,
    /// The leader has ended, others were left alone on request.
    Left,
    /// It was given up.
    Abandoned,
}

/// The machine.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    stop: StopSpec,
    phase: Phase,
    cause: Option<Cause>,
    leader: Option<ExitStatus>,
    sent: Option<Signal>,
    abort: bool,
    paused_since: Option<Duration>,
    timeout_at: Option<Duration>,
    early_at: Option<(Duration, Signal)>,
    idle_at: Option<Duration>,
    abandon_at: Option<Duration>,
    pub(super) kill_limit: Duration,
}

impl Machine {
    /// Starts with a leader that executes since `now`.
    pub(super) fn new(stop: StopSpec, now: Duration) -> Self {
        let ms = Duration::from_millis;
        let timeout_at = stop.timeout_ms.map(|t| now + ms(t));
        let early_at = stop
            .early_signal
            .zip(timeout_at)
            .map(|(EarlySignal { signal, before_ms }, at)| (at.saturating_sub(ms(before_ms)).max(now), signal));
        let idle_at = stop.idle_timeout_ms.map(|t| now + ms(t));
        Self {
            stop,
            phase: Phase::Running,
            cause: None,
            leader: None,
            sent: None,
            abort: false,
            paused_since: None,
            timeout_at,
            early_at,
            idle_at,
            abandon_at: None,
            kill_limit: KILL_LIMIT,
        }
    }

    /// Returns where the attempt is.
    pub(super) fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Returns what asked for the end first, if anything did.
    pub(super) fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// Returns how the leader ended, once it has.
    pub(super) fn leader(&self) -> Option<ExitStatus> {
        self.leader
    }

    /// Returns the last signal that the `signal` verb sent.
    pub(super) fn sent(&self) -> Option<Signal> {
        self.sent
    }

    /// Returns the limit of idleness, if there is one.
    pub(super) fn idle_timeout(&self) -> Option<Duration> {
        self.stop.idle_timeout_ms.map(Duration::from_millis)
    }

    /// Says whether finally steps were called off.
    pub(super) fn is_aborted(&self) -> bool {
        self.abort
    }

    /// Says whether the tree is stopped by `pause`.
    pub(super) fn is_paused(&self) -> bool {
        self.paused_since.is_some()
    }

    /// Returns when something is due at the latest.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let timers = if self.is_paused() {
            None
        } else {
            let early = self.early_at.map(|(at, _)| at);
            [self.timeout_at, early, self.idle_at].into_iter().flatten().min()
        };
        let phase = match &self.phase {
            Phase::Running | Phase::Nested { .. } | Phase::NotStopped { .. } | Phase::Ended(_) => None,
            Phase::Leftovers { kill_at } => kill_at.filter(|_| !self.is_paused()),
            Phase::Stopping { until, .. } | Phase::Killing { until, .. } => Some(*until),
        };
        let timers = timers.filter(|_| matches!(self.phase, Phase::Running | Phase::Leftovers { .. }));
        [timers, phase, self.abandon_at].into_iter().flatten().min()
    }

    /// Takes notice of an event. Returns what to do, and what becomes of it when it was a request.
    pub(super) fn on(&mut self, event: Event, now: Duration) -> (Vec<Action>, Reply) {
        let mut actions = Vec::new();
        let reply = match event {
            Event::LeaderEnded { status, alone } => {
                self.leader = Some(status);
                self.leader_ended(alone, now, &mut actions);
                Reply::Accepted
            }
            Event::TreeEmpty => {
                self.end(End::Empty, &mut actions);
                Reply::Accepted
            }
            Event::NestedGone => self.nested_gone(now, &mut actions),
            Event::Kill(kill) => self.kill(kill, now, &mut actions),
            Event::Abandon { reason_text } => self.abandon(reason_text, &mut actions),
            Event::Pause => self.pause(now, &mut actions),
            Event::Unpause => self.unpause(now, &mut actions),
            Event::SignalSent(signal) => {
                self.sent = Some(signal);
                Reply::Accepted
            }
            Event::Active => {
                self.idle_at = self.stop.idle_timeout_ms.map(|t| now + Duration::from_millis(t));
                Reply::Accepted
            }
            Event::Tick => Reply::NoChange,
        };
        self.tick(now, &mut actions);
        (actions, reply)
    }

    fn leader_ended(&mut self, alone: bool, now: Duration, actions: &mut Vec<Action>) {
        if alone {
            return self.end(End::Empty, actions);
        }
        match self.phase {
            Phase::Running => match self.stop.leftovers {
                Leftovers::Kill => {
                    self.phase = Phase::Leftovers { kill_at: Some(now + LEFTOVERS_GRACE) };
                    actions.push(Action::NameHoldouts);
                    actions.push(Action::Signal { signal: Signal::TERM, scope: SignalScope::Tree });
                }
                Leftovers::Wait => self.phase = Phase::Leftovers { kill_at: None },
                Leftovers::Leave => self.end(End::Left, actions),
            },
            Phase::Leftovers { .. }
            | Phase::Stopping { .. }
            | Phase::Nested { .. }
            | Phase::Killing { .. }
            | Phase::NotStopped { .. }
            | Phase::Ended(_) => {}
        }
    }

    fn kill(&mut self, kill: Kill, now: Duration, actions: &mut Vec<Action>) -> Reply {
        self.abort |= kill.abort;
        let reason = kill.reason.unwrap_or(Reason::Kill);
        match self.phase.clone() {
            Phase::Running | Phase::Leftovers { .. } => {
                self.cause = Some(Cause { reason, reason_text: kill.reason_text.clone() });
                let plan = if kill.force { StopPlan::kill_only() } else { self.plan_for(&kill) };
                self.unpause(now, actions);
                self.enter_rung(plan, 0, now, actions);
                Reply::Accepted
            }
            Phase::Stopping { plan, rung, .. } if kill.force || kill.now => {
                let next = if kill.force { plan.rungs().len() - 1 } else { rung + 1 };
                self.enter_rung(plan, next, now, actions);
                Reply::Accepted
            }
            Phase::NotStopped { plan, .. } => {
                self.start_killing(plan, now, actions);
                Reply::Accepted
            }
            Phase::Stopping { .. } | Phase::Nested { .. } | Phase::Killing { .. } => {
                if kill.force && matches!(self.phase, Phase::Nested { .. }) {
                    actions.push(Action::StopNested { force: true });
                }
                if self.cause.as_ref().is_some_and(|cause| cause.reason != reason) {
                    actions.push(Action::LaterCause(reason));
                } else if self.cause.is_none() {
                    // Leftovers were being killed already: asked to stop is asked to stop.
                    self.cause = Some(Cause { reason, reason_text: kill.reason_text });
                    actions.push(Action::Record);
                    return Reply::Accepted;
                }
                Reply::NoChange
            }
            Phase::Ended(_) => Reply::NoChange,
        }
    }

    fn plan_for(&self, kill: &Kill) -> StopPlan {
        let mut plan = self.stop.plan.clone();
        if let Some(signal) = kill.signal {
            plan = plan.with_first_signal(signal);
        }
        if let Some(front) = kill.front {
            plan = plan.with_signal_in_front(front);
        }
        match kill.grace_ms {
            Some(grace) => plan.bounded_by(Duration::from_millis(grace)),
            None => plan,
        }
    }

    fn abandon(&mut self, reason_text: Option<String>, actions: &mut Vec<Action>) -> Reply {
        match self.phase {
            Phase::Ended(_) => Reply::NoChange,
            Phase::Running
            | Phase::Leftovers { .. }
            | Phase::Stopping { .. }
            | Phase::Nested { .. }
            | Phase::Killing { .. }
            | Phase::NotStopped { .. } => {
                self.cause = Some(Cause { reason: Reason::Abandon, reason_text });
                self.end(End::Abandoned, actions);
                Reply::Accepted
            }
        }
    }

    fn pause(&mut self, now: Duration, actions: &mut Vec<Action>) -> Reply {
        match self.phase {
            Phase::Running | Phase::Leftovers { .. } if self.paused_since.is_none() => {
                self.paused_since = Some(now);
                actions.extend([Action::Freeze, Action::Record]);
                Reply::Accepted
            }
            Phase::Running
            | Phase::Leftovers { .. }
            | Phase::Stopping { .. }
            | Phase::Nested { .. }
            | Phase::Killing { .. }
            | Phase::NotStopped { .. }
            | Phase::Ended(_) => Reply::NoChange,
        }
    }

    fn unpause(&mut self, now: Duration, actions: &mut Vec<Action>) -> Reply {
        let Some(since) = self.paused_since.take() else { return Reply::NoChange };
        let missed = now.saturating_sub(since);
        let shift = |at: &mut Option<Duration>| *at = at.map(|at| at + missed);
        shift(&mut self.timeout_at);
        shift(&mut self.idle_at);
        self.early_at = self.early_at.map(|(at, signal)| (at + missed, signal));
        if let Phase::Leftovers { kill_at } = &mut self.phase {
            shift(kill_at);
        }
        actions.extend([Action::Thaw, Action::Record]);
        Reply::Accepted
    }

    fn tick(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.abandon_at.is_some_and(|at| now >= at) && !matches!(self.phase, Phase::Ended(_)) {
            self.abandon(None, actions);
        }
        let running = matches!(self.phase, Phase::Running | Phase::Leftovers { .. });
        if running && !self.is_paused() {
            if let Some((at, signal)) = self.early_at
                && now >= at
            {
                self.early_at = None;
                actions.push(Action::EarlySignal { signal, scope: self.stop.scope });
            }
            let due = |at: Option<Duration>| at.is_some_and(|at| now >= at);
            if due(self.timeout_at) {
                self.stop_for(Reason::Timeout, now, actions);
            } else if due(self.idle_at) {
                self.stop_for(Reason::IdleTimeout, now, actions);
            }
        }
        match &self.phase {
            Phase::Leftovers { kill_at: Some(at) } if now >= *at && !self.is_paused() => {
                self.start_killing(None, now, actions);
            }
            Phase::Stopping { plan, rung, until, .. } if now >= *until => {
                let (plan, rung) = (plan.clone(), *rung);
                self.enter_rung(plan, rung + 1, now, actions);
            }
            Phase::Killing { plan, since, until } if now >= *until => {
                self.phase = Phase::NotStopped { plan: plan.clone(), since: *since };
                actions.extend([Action::Record, Action::NameHoldouts]);
            }
            Phase::Running
            | Phase::Leftovers { .. }
            | Phase::Stopping { .. }
            | Phase::Nested { .. }
            | Phase::Killing { .. }
            | Phase::NotStopped { .. }
            | Phase::Ended(_) => {}
        }
    }

    fn stop_for(&mut self, reason: Reason, now: Duration, actions: &mut Vec<Action>) {
        self.cause = Some(Cause { reason, reason_text: None });
        self.enter_rung(self.stop.plan.clone(), 0, now, actions);
    }

    /// Enters a rung, and those after it as long as they have no time at all.
    fn enter_rung(&mut self, plan: StopPlan, mut rung: usize, now: Duration, actions: &mut Vec<Action>) {
        loop {
            let step = plan.rungs()[rung.min(plan.rungs().len() - 1)];
            if step.signal == Signal::KILL {
                return self.start_killing(Some(plan), now, actions);
            }
            actions.push(Action::Signal { signal: step.signal, scope: self.stop.scope });
            if step.wait_ms > 0 {
                let until = now + Duration::from_millis(step.wait_ms);
                self.phase = Phase::Stopping { plan, rung, since: now, until };
                actions.push(Action::Record);
                return;
            }
            rung += 1;
        }
    }

    fn start_killing(&mut self, plan: Option<StopPlan>, now: Duration, actions: &mut Vec<Action>) {
        if self.abandon_at.is_none() && plan.is_some() {
            self.abandon_at = self.stop.abandon_after_ms.map(|ms| now + Duration::from_millis(ms));
        }
        // A plan that is KILL alone leaves nobody time, nested jobs neither.
        let force = plan.as_ref().is_some_and(|plan| plan.rungs().len() == 1);
        self.phase = Phase::Nested { plan, since: now };
        actions.extend([Action::Record, Action::StopNested { force }]);
    }

    fn nested_gone(&mut self, now: Duration, actions: &mut Vec<Action>) -> Reply {
        let Phase::Nested { plan, .. } = &self.phase else { return Reply::NoChange };
        self.phase = Phase::Killing { plan: plan.clone(), since: now, until: now + self.kill_limit };
        actions.extend([Action::Record, Action::KillEverything]);
        Reply::Accepted
    }

    fn end(&mut self, end: End, actions: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Ended(_)) {
            if end == End::Abandoned && self.paused_since.take().is_some() {
                actions.push(Action::Thaw);
            }
            self.phase = Phase::Ended(end);
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
