//! The loop: looks at every source, reports to the machine, performs what it says.

use std::fs::File;
use std::time::{Duration, Instant};

use super::activity::Activity;
use super::journal::Journal;
use super::machine::{Action, Event, Machine, Phase, Reply};
use super::nested::NestedStop;
use super::terminal::JobTerminal;
use super::tree::{Processes, holdouts, is_withheld};
use super::trim::Trimmer;
use super::watch::InboxWatch;
use crate::domain::event::Happening;
use crate::domain::request::{Kill, Verb};
use crate::domain::signal::Signal;
use crate::domain::spec::SignalScope;
use crate::domain::state::Reason;
use crate::domain::tree::ProcessInfo;
use crate::platform::{self, Wake, WakeQueue};
use crate::store::{Claim, Delivered, Flush, Inbox};

/// The verbs that a supervisor of this version understands.
pub const CAPABILITIES: &[&str] = &["kill", "abandon", "signal", "pause", "unpause", "close_input"];

/// Between two passes of killing, growing up to the second value.
const KILL_PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));
/// What ends sooner gets no watch of its own: setting one up and closing it takes longer.
const SHORT: Duration = Duration::from_millis(20);
/// How soon a record that could not be written is tried again.
const SAVE_AGAIN: Duration = Duration::from_secs(1);

/// Whose processes are being driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Drive {
    /// The command's: requests reach it, the record follows it.
    Command,
    /// A finally step's: only `--abort` reaches it.
    Step,
    /// What is left of an attempt that has ended: requests reach it, its record stays as it is.
    Survivors,
}

/// Everything that the loop works with.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) claim: Claim,
    pub(super) journal: Journal,
    pub(super) inbox: Inbox,
    pub(super) queue: WakeQueue,
    pub(super) watch: InboxWatch,
    /// How many processes the kernel had killed for want of memory when this attempt had gone on for a moment.
    pub(super) memory_kills: Option<u64>,
    pub(super) epoch: Instant,
    /// Whether finally steps were called off.
    pub(super) aborted: bool,
    /// The writing end of the job's FIFO, as long as `send` may still come.
    pub(super) input: Option<File>,
    /// The terminal of the command, if it has one.
    pub(super) terminal: Option<JobTerminal>,
    /// Whether the command ended of what was typed: of ^C, before anybody had asked for its end.
    pub(super) was_interrupted: bool,
    /// The nested jobs that are waited for before KILL.
    pub(super) nested: Option<NestedStop>,
    /// When the record is written at the latest that tells of a stop.
    pub(super) record_at: Option<Duration>,
    /// Who keeps the logs below their limit, while the command runs.
    pub(super) trimmer: Option<Trimmer>,
    /// The one that has done its work. To take its bell down takes the kernel as long as ten other things of an end.
    pub(super) trimmed: Option<Trimmer>,
}

impl Driver {
    /// Returns the time on the clock of machines.
    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// Drives a tree to its end.
    pub(super) fn drive(&mut self, tree: &mut dyn Processes, machine: &mut Machine, drive: Drive) {
        self.warn_of_the_unkillable(machine, drive);
        let mut kill_pause = KILL_PAUSE.0;
        let (mut is_short, settle_at) = (true, self.now() + SHORT);
        let mut activity = (drive == Drive::Command).then(|| Activity::new(self, machine)).flatten();
        loop {
            if is_short && self.now() >= settle_at {
                is_short = false;
                self.settle();
            }
            let look = tree.look();
            if let Some(status) = look.leader_ended {
                if drive == Drive::Command {
                    let attempt = self.journal.attempt();
                    (attempt.exit_code, attempt.signal) = (status.exit_code(), status.signal());
                    self.was_interrupted =
                        machine.cause().is_none() && self.terminal.as_ref().is_some_and(JobTerminal::was_interrupted);
                    let told = Happening::LeaderEnded { exit_code: status.exit_code(), signal: status.signal() };
                    self.journal.tell(&self.claim, told);
                    platform::crash_point("run.leader_ended");
                }
                self.report(tree, machine, Event::LeaderEnded { status, alone: look.empty }, drive);
            } else if look.empty {
                self.report(tree, machine, Event::TreeEmpty, drive);
            }
            if !matches!(machine.phase(), Phase::Ended(_)) {
                self.answer_requests(tree, machine, drive);
            }
            if let Some(terminal) = &mut self.terminal {
                terminal.follow_size();
            }
            if activity.as_mut().is_some_and(|activity| activity.is_seen(self, tree)) {
                self.report(tree, machine, Event::Active, drive);
            }
            self.report(tree, machine, Event::Tick, drive);
            if self.nested.as_ref().is_some_and(|nested| nested.is_over(self.now())) {
                self.nested = None;
                self.report(tree, machine, Event::NestedGone, drive);
            }
            match machine.phase() {
                Phase::Ended(_) => {
                    self.record_at = None;
                    return;
                }
                // Of an attempt that has ended nothing is stopping: whoever asked is told, and may ask again.
                Phase::NotStopped { .. } if drive == Drive::Survivors => return,
                Phase::Killing { .. } => {
                    tree.kill_pass();
                    kill_pause = (kill_pause * 2).min(KILL_PAUSE.1);
                }
                Phase::Running
                | Phase::Leftovers { .. }
                | Phase::Stopping { .. }
                | Phase::Nested { .. }
                | Phase::NotStopped { .. } => {
                    kill_pause = KILL_PAUSE.0;
                }
            }
            if self.record_at.is_some_and(|at| self.now() >= at) {
                self.record();
            } else if self.journal.is_unsaved() {
                self.journal.save(&self.claim, Flush::No).ok();
            }
            if drive == Drive::Command {
                self.note_adopted(tree);
            }
            let timeout = self.timeout(machine, kill_pause, activity.as_ref());
            let timeout = tree.poll().map_or(timeout, |poll| timeout.min(poll));
            let timeout = if is_short { timeout.min(settle_at.saturating_sub(self.now())) } else { timeout };
            self.sleep(tree, machine, timeout, drive);
        }
    }

    /// Prepares for a job that goes on: what a short one does not need. Whoever calls this looks into the inbox next.
    fn settle(&mut self) {
        self.memory_kills = platform::out_of_memory_kills();
        if self.watch.is_settled() {
            return;
        }
        self.watch.settle();
        let watch = self.watch.name();
        if watch != "notify" {
            let message = format!("no inotify instance was left; kill-signals is watched by {watch}");
            self.journal.tell(&self.claim, Happening::Note { message });
        }
    }

    /// Reports what the driving is about, before it begins.
    pub(super) fn begin_with(&mut self, tree: &mut dyn Processes, machine: &mut Machine, event: Event, drive: Drive) {
        self.report(tree, machine, event, drive);
        self.aborted |= machine.is_aborted();
    }

    fn timeout(&self, machine: &Machine, kill_pause: Duration, activity: Option<&Activity>) -> Duration {
        let until_deadline = machine.deadline().map(|at| at.saturating_sub(self.now()));
        let killing = matches!(machine.phase(), Phase::Killing { .. }).then_some(kill_pause);
        let again = self.journal.is_unsaved().then_some(SAVE_AGAIN);
        let sample = activity.map(|a| a.every);
        let nested = self.nested.as_ref().map(|_| NestedStop::POLL);
        let record = self.record_at.map(|at| at.saturating_sub(self.now()));
        let sources = [until_deadline, killing, again, sample, nested, record, Some(self.watch.poll())];
        sources.into_iter().flatten().min().unwrap_or(SAVE_AGAIN)
    }

    fn sleep(&mut self, tree: &mut dyn Processes, machine: &mut Machine, timeout: Duration, drive: Drive) {
        if timeout.is_zero() {
            return;
        }
        for wake in self.sleep_and_trim(timeout) {
            if let Wake::Signal(Signal::INT | Signal::TERM | Signal::HUP | Signal::QUIT) = wake
                && drive == Drive::Command
            {
                // Whoever signals the supervisor wants the job to stop; a second signal wants it sooner.
                let again = machine.cause().is_some_and(|cause| cause.reason == Reason::SupervisorSignal);
                let kill = Kill { reason: Some(Reason::SupervisorSignal), now: again, ..Kill::default() };
                self.report(tree, machine, Event::Kill(kill), drive);
            }
        }
    }

    /// Tells the machine and performs what it says.
    fn report(&mut self, tree: &mut dyn Processes, machine: &mut Machine, event: Event, drive: Drive) -> Reply {
        let (actions, reply) = machine.on(event, self.now());
        for action in actions {
            self.perform(tree, machine, action, drive);
        }
        reply
    }

    fn perform(&mut self, tree: &mut dyn Processes, machine: &Machine, action: Action, drive: Drive) {
        let recorded = drive == Drive::Command;
        match action {
            Action::Signal { signal, scope } => self.send(tree, signal, scope, true),
            Action::EarlySignal { signal, scope } => self.send(tree, signal, scope, false),
            Action::StopNested { force } => {
                let nested = NestedStop::ask(tree.nested_foreground(), force, self.now());
                for told in nested.told() {
                    self.journal.tell(&self.claim, told);
                }
                platform::crash_point("stop.nested");
                self.nested = Some(nested);
            }
            Action::KillEverything => {
                tree.kill_pass();
                self.tell_of_signal(Signal::KILL, SignalScope::Tree, 0);
                platform::crash_point("stop.killed");
            }
            Action::Freeze => {
                tree.freeze();
                self.journal.tell(&self.claim, Happening::Paused);
                platform::crash_point("run.paused");
            }
            Action::Thaw => {
                tree.thaw();
                self.journal.tell(&self.claim, Happening::Unpaused);
                platform::crash_point("run.unpaused");
            }
            Action::Record if recorded => self.record_phase(tree, machine),
            Action::LaterCause(reason) if recorded => {
                self.journal.tell(&self.claim, Happening::LaterCause { reason });
            }
            Action::NameHoldouts if recorded => self.name_holdouts(tree, machine),
            Action::Record | Action::LaterCause(_) | Action::NameHoldouts => {}
        }
    }

    fn send(&mut self, tree: &dyn Processes, signal: Signal, scope: SignalScope, then_continue: bool) {
        let strays = tree.signal(signal, scope, then_continue);
        self.tell_of_signal(signal, scope, strays);
        platform::crash_point("stop.signalled");
    }

    fn tell_of_signal(&mut self, signal: Signal, scope: SignalScope, strays: u32) {
        if is_withheld(signal) {
            return;
        }
        let scope = match scope {
            SignalScope::Tree => "tree",
            SignalScope::Group => "group",
            SignalScope::Leader => "leader",
        };
        self.journal.tell(&self.claim, Happening::SignalSent { signal, scope: scope.into(), strays });
        if let Some(name) = platform::sent_as(signal) {
            let message = format!("{signal} is {name} on this system");
            self.journal.tell(&self.claim, Happening::Note { message });
        }
    }

    fn name_holdouts(&mut self, tree: &dyn Processes, machine: &Machine) {
        let mut members = tree.members();
        if let Phase::NotStopped { .. } = machine.phase() {
            let nested = tree.nested_foreground();
            members.extend(nested.iter().filter_map(|nested| platform::process_info(nested.supervisor.pid)));
        }
        let named = holdouts(&members);
        self.journal.tell(&self.claim, Happening::Leftovers { processes: named.clone() });
        if let Phase::NotStopped { .. } = machine.phase() {
            if self.journal.record().stop.is_none() {
                self.record_phase(tree, machine);
            }
            if let Some(stop) = &mut self.journal.change().stop {
                stop.not_stopped = named;
            }
        } else {
            let list: Vec<String> = named.iter().map(|h| format!("{} ({})", h.identity.pid, h.command)).collect();
            self.journal.attempt().message =
                Some(format!("processes outlived the command and were stopped: {}", list.join(", ")));
        }
        self.journal.save(&self.claim, Flush::No).ok();
        platform::crash_point("run.leftovers");
    }

    /// Writes down who has left the leader's session, so that they are still known if this process dies.
    fn note_adopted(&mut self, tree: &dyn Processes) {
        let adopted = tree.adopted();
        if adopted != self.journal.record().attempt().adopted {
            let known = self.journal.record().attempt().adopted.clone();
            let new = adopted.iter().filter(|identity| !known.contains(identity));
            let new: Vec<ProcessInfo> = new
                .filter_map(|identity| platform::process_info(identity.pid).filter(|info| info.identity == *identity))
                .collect();
            if !new.is_empty() {
                self.journal.tell(&self.claim, Happening::Strays { processes: holdouts(&new) });
            }
            self.journal.attempt().adopted = adopted;
            self.journal.save(&self.claim, Flush::No).ok();
            platform::crash_point("run.adopted");
        }
    }

    /// Looks into the inbox and answers what lies there: acts, tells, then removes. A look that fails is repeated at
    /// the next wake-up, for ever.
    fn answer_requests(&mut self, tree: &mut dyn Processes, machine: &mut Machine, drive: Drive) {
        let Ok(delivered) = self.inbox.look() else { return };
        for request in delivered {
            let attempt = self.journal.record().attempt().number;
            let (result, message) = match &request.content {
                Err(why) => ("refused", Some(why.clone())),
                Ok(asked) if asked.attempt.is_some_and(|meant| meant != attempt) => ("already_ended", None),
                Ok(asked) => self.act(tree, machine, &asked.verb, drive),
            };
            self.answer(&request, result, message);
        }
    }

    fn act(
        &mut self,
        tree: &mut dyn Processes,
        machine: &mut Machine,
        verb: &Verb,
        drive: Drive,
    ) -> (&'static str, Option<String>) {
        if drive == Drive::Step {
            return match verb {
                Verb::Kill(kill) if kill.abort => {
                    self.aborted = true;
                    self.report(tree, machine, Event::Kill(Kill { force: true, ..kill.clone() }), drive);
                    ("accepted", None)
                }
                Verb::Abandon { reason_text, .. } => {
                    // What the command came to is known; only the rest of the steps is given up.
                    self.aborted = true;
                    self.report(tree, machine, Event::Abandon { reason_text: reason_text.clone() }, drive);
                    ("accepted", None)
                }
                _ => ("no_change", Some("the job has ended; its finally steps run".into())),
            };
        }
        let event = match verb {
            Verb::Kill(kill) => Event::Kill(kill.clone()),
            Verb::Abandon { kill, reason_text } => {
                if *kill {
                    tree.kill_pass();
                }
                Event::Abandon { reason_text: reason_text.clone() }
            }
            Verb::CloseInput => {
                if let Some(terminal) = &self.terminal {
                    terminal.type_end();
                    return ("accepted", None);
                }
                let result = if self.input.take().is_some() { "accepted" } else { "no_change" };
                return (result, None);
            }
            Verb::Pause => Event::Pause,
            Verb::Unpause => Event::Unpause,
            Verb::Signal { signal } => {
                self.send(tree, *signal, SignalScope::Tree, false);
                Event::SignalSent(*signal)
            }
            Verb::Unknown => return ("refused", Some("this supervisor does not know the verb".into())),
        };
        let reply = self.report(tree, machine, event, drive);
        self.aborted |= machine.is_aborted();
        (if reply == Reply::Accepted { "accepted" } else { "no_change" }, None)
    }

    /// Tells the answer, then removes the request.
    pub(super) fn answer(&mut self, request: &Delivered, result: &str, message: Option<String>) {
        self.journal.answer(&self.claim, &self.inbox, request, result, message);
    }

    /// Answers everything that still lies in the inbox as being too late.
    pub(super) fn answer_the_late(&mut self) {
        for request in self.inbox.look().unwrap_or_default() {
            self.answer(&request, "already_ended", None);
        }
    }
}
