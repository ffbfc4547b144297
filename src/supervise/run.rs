//! One run of a job: its attempts from claim to outcome.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use super::driver::{CAPABILITIES, Drive, Driver};
use super::entry::Client;
use super::environment;
use super::hook::Hook;
use super::machine::{End, Machine, Phase};
use super::tree::{Processes, Tree, holdouts};
use crate::domain::event::Happening;
use crate::domain::identity::{PidFile, ProcessIdentity};
use crate::domain::job_id::JobId;
use crate::domain::notice::Notice;
use crate::domain::outcome::{Cause, SpawnFailure, conclude, could_not_start};
use crate::domain::record::{Finally, FinallyState, Step, Usage};
use crate::domain::request::Verb;
use crate::domain::retention::Keep;
use crate::domain::signal::Signal;
use crate::domain::spec::{JobSpec, Stdin, Variables};
use crate::domain::state::{Reason, State};
use crate::platform::{self, ExecPlan, JobInput};
use crate::present::json::{self, JobDocument};
use crate::store::Store;

/// How long a job that is to be deleted stays for the client that shows its output.
const SHOWING_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// How long those who wait for the end have the processor to themselves.
const BREATH: Duration = Duration::from_millis(1);
/// One job in so many sweeps up after others when it has ended.
const SWEEP_EVERY: u64 = 64;

/// Deletes a job that has succeeded, unless somebody has resumed it meanwhile.
fn delete_if_untouched(store: &Store, id: JobId, attempt: u32) {
    // Whoever waited for the claim gets the outcome first.
    platform::pause(Duration::from_millis(100));
    let Ok(claim) = store.claim(id) else { return };
    let unchanged = claim.load_record().is_ok_and(|record| {
        record.attempt().number == attempt && record.state == State::Succeeded && record.attempt().adopted.is_empty()
    });
    if unchanged {
        store.delete(claim).ok();
    }
}

/// What a run needs besides the driver.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) store: Store,
    pub(super) client: Client,
    pub(super) driver: Driver,
    pub(super) spec: JobSpec,
    /// What the user gave the job.
    pub(super) variables: Variables,
    pub(super) own: ProcessIdentity,
    /// How long other jobs are kept once they have ended; when nothing, none is removed.
    pub(super) keep: Option<Keep>,
    /// How the thread that makes a spare is told to make haste, and how it tells that it is done: both by hanging up.
    pub(super) stocking: Option<(Sender<()>, Receiver<()>)>,
}

impl Run {
    /// Runs one attempt up to its outcome in the record, not yet saved. Says whether the command executed.
    pub(super) fn attempt(&mut self) -> bool {
        let driver = &mut self.driver;
        let record = driver.journal.change();
        record.supervisor = Some(self.own);
        record.containment = platform::containment().into_iter().map(str::to_owned).collect();
        record.capabilities = CAPABILITIES.iter().map(|verb| (*verb).to_owned()).collect();
        record.attempt_mut().pty = self.spec.pty;
        driver.was_interrupted = false;
        if let Some((cause, message)) = self.wait_for_turn() {
            let attempt = self.driver.journal.attempt();
            (attempt.ended_at, attempt.outcome) = (Some(platform::now()), Some(conclude(Some(&cause), None, None)));
            attempt.message = message;
            return false;
        }
        self.driver.journal.change().waiting_for = None;
        self.driver.journal.enter(&self.driver.claim, State::Starting);
        self.driver.memory_kills = None;
        let used_before = platform::children_usage();
        let mut tree = match self.spawn() {
            Ok(tree) => tree,
            Err(failure) => {
                self.driver.end_terminal();
                let attempt = self.driver.journal.attempt();
                (attempt.ended_at, attempt.outcome) = (Some(platform::now()), Some(could_not_start(&failure)));
                attempt.message = Some(failure.message.clone());
                attempt.leader = None;
                self.client.tell(&Notice::NotStarted { reason: failure.reason, message: failure.message });
                return false;
            }
        };
        let began = self.driver.now();
        let mut machine = Machine::new(self.spec.stop.clone(), began);
        self.driver.drive(&mut tree, &mut machine, Drive::Command);
        self.driver.end_terminal();
        self.driver.end_trimming();
        self.conclude(&tree, &machine, used_before, began);
        true
    }

    /// Looks for requests that arrived before the command was started.
    pub(super) fn stopped_before_start(&mut self) -> Option<Cause> {
        let attempt = self.driver.journal.record().attempt().number;
        let mut cause = None;
        for request in self.driver.inbox.look().unwrap_or_default() {
            let result = match &request.content {
                Ok(asked) if asked.attempt.unwrap_or(attempt) == attempt => match &asked.verb {
                    Verb::Kill(kill) => {
                        let reason = kill.reason.unwrap_or(Reason::Kill);
                        cause.get_or_insert(Cause { reason, reason_text: kill.reason_text.clone() });
                        "accepted"
                    }
                    Verb::Abandon { reason_text, .. } => {
                        cause.get_or_insert(Cause { reason: Reason::Kill, reason_text: reason_text.clone() });
                        "accepted"
                    }
                    Verb::Signal { .. } | Verb::Pause | Verb::Unpause | Verb::CloseInput | Verb::Unknown => "refused",
                },
                Ok(_) => "already_ended",
                Err(_) => "refused",
            };
            self.driver.answer(&request, result, None);
        }
        cause
    }

    /// Creates the command, records who it is, and lets it execute.
    fn spawn(&mut self) -> Result<Tree, SpawnFailure> {
        let setup = |message: String| SpawnFailure { reason: Reason::Setup, message };
        let number = self.driver.journal.record().attempt().number;
        let paths = self.driver.claim.paths().clone();
        let stdio = self.open_stdio(number).map_err(setup)?;
        platform::crash_point("start.logs");
        self.driver.terminal = stdio.terminal;
        let variables = environment::of_command(&self.spec, &self.variables, self.store.layout(), &paths, number);
        let plan = ExecPlan {
            command: self.spec.command.clone(),
            variables,
            cwd: self.spec.cwd.clone(),
            umask: self.spec.umask,
            nice: self.spec.nice,
            limits: self
                .spec
                .resource_limits
                .iter()
                .filter_map(|limit| platform::resource_limit(&limit.resource, limit.soft, limit.hard))
                .collect(),
        };
        let stderr = stdio.stderr.as_ref().unwrap_or(&stdio.stdout);
        // Between two `send`s nobody else holds it open, and the job would see an end.
        self.driver.input = match (&stdio.input, &self.spec.stdin) {
            (JobInput::File(_), Stdin::Fifo) => platform::open_fifo_writer(&paths.stdin()).ok(),
            _ => None,
        };
        // The bell is armed before the command executes, and so before anything is written.
        self.driver.begin_trimming(self.spec.merge_output, self.spec.log_limit());
        let pid_file = PidFile {
            schema: "jobdir/pid/1".into(),
            id: Some(self.spec.id),
            attempt: number,
            supervisor: self.own,
            leader: None,
            place: self.driver.journal.record().place.clone(),
        };
        let announcement = self.driver.claim.announce_leader(pid_file).map_err(|error| setup(error.to_string()))?;
        let executed = platform::execute(&plan, &stdio.input, &stdio.stdout, stderr, Some(&announcement));
        if matches!(stdio.input, JobInput::Own) {
            platform::release_stdin().ok();
        }
        let leader = executed.map_err(|failure| self.describe(&failure))?;
        let tree = Tree::new(leader);
        platform::crash_point("start.released");
        let finally = self.finally_pending();
        // Not every system can tell before there is a process.
        self.driver.journal.change().containment = platform::containment().into_iter().map(str::to_owned).collect();
        let attempt = self.driver.journal.attempt();
        (attempt.leader, attempt.started_at, attempt.finally) = (Some(leader), Some(platform::now()), finally);
        self.driver.journal.tell(&self.driver.claim, Happening::Started { pid: leader.pid });
        self.driver.journal.enter(&self.driver.claim, State::Running);
        self.driver.journal.save_running(&self.driver.claim).ok();
        platform::crash_point("start.recorded");
        self.client.tell(&Notice::Running { attempt: number });
        if self.stocking.is_none() {
            self.stock();
        }
        Ok(tree)
    }

    /// Makes what a later job will need on disk: beside the loop, which watches the command, and a moment from now, because
    /// somebody may wait for what the command and the client do first. At the latest when the run ends.
    fn stock(&mut self) {
        const MOMENT: Duration = Duration::from_millis(5);
        const STACK: usize = 128 << 10;
        let (store, id) = (self.store.clone(), self.spec.id);
        let (end, ended) = mpsc::channel::<()>();
        let (working, done) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            if ended.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
                store.begin_flush(id);
            }
            store.stock(id);
            drop(working);
        });
        self.stocking = thread.ok().map(|_| (end, done));
    }

    fn finally_pending(&self) -> Option<Finally> {
        let steps: Vec<Step> = self
            .spec
            .finally
            .steps
            .iter()
            .map(|command| Step { command: command.clone(), ..Step::default() })
            .collect();
        (!steps.is_empty()).then_some(Finally { state: FinallyState::Pending, steps })
    }

    fn describe(&self, failure: &platform::ExecFailure) -> SpawnFailure {
        let command = self.spec.command[0].lossy();
        let message = match failure.reason {
            Reason::Cwd => {
                format!("cannot enter the working directory '{}': {}", self.spec.cwd.lossy(), failure.error)
            }
            Reason::NotFound => format!("command not found: '{command}'"),
            Reason::NotExecutable => format!("cannot execute '{command}': {}", failure.error),
            _ => format!("cannot prepare the process for '{command}': {}", failure.error),
        };
        SpawnFailure { reason: failure.reason, message }
    }

    /// Writes down how the attempt ended; not yet saved.
    fn conclude(&mut self, tree: &Tree, machine: &Machine, used_before: Usage, began: Duration) {
        let after = platform::children_usage();
        let duration = self.driver.now().saturating_sub(began);
        let typed = Cause { reason: Reason::ClientSignal, reason_text: None };
        let cause = if self.driver.was_interrupted { Some(&typed) } else { machine.cause() };
        let outcome = conclude(cause, machine.leader(), machine.sent());
        let left = if *machine.phase() == Phase::Ended(End::Empty) {
            Vec::new()
        } else {
            platform::leave_processes();
            tree.members()
        };
        let attempt = self.driver.journal.attempt();
        attempt.ended_at = Some(platform::now());
        attempt.duration_ms = Some(crate::domain::duration::to_ms(duration));
        attempt.usage = Some(Usage {
            user_ms: after.user_ms - used_before.user_ms,
            system_ms: after.system_ms - used_before.system_ms,
            max_rss_bytes: after.max_rss_bytes,
        });
        attempt.adopted = left.iter().map(|row| row.identity).collect();
        if outcome.state == State::Failed && outcome.reason.is_none() && attempt.signal == Some(Signal::KILL) {
            let memory =
                platform::out_of_memory_kills().zip(self.driver.memory_kills).is_some_and(|(now, then)| now > then);
            attempt.message.get_or_insert_with(|| {
                if memory {
                    "killed by a SIGKILL that jobdir did not send; meanwhile the kernel's out-of-memory killer was at work"
                } else {
                    "killed by a SIGKILL that jobdir did not send"
                }
                .into()
            });
        }
        let abandoned = outcome.state == State::Abandoned;
        attempt.outcome = Some(outcome);
        if abandoned || !left.is_empty() {
            let list: Vec<String> =
                holdouts(&left).iter().map(|h| format!("{} ({})", h.identity.pid, h.command)).collect();
            let message = match (abandoned, list.is_empty()) {
                (true, true) => "jobdir has abandoned this job; none of its processes was seen to live on".to_owned(),
                (true, false) => format!(
                    "jobdir has abandoned this job; its processes may still be running on this host: {}",
                    list.join(", ")
                ),
                (false, _) => format!("processes were left running: {}", list.join(", ")),
            };
            attempt.message = Some(message.clone());
            self.driver.journal.tell(&self.driver.claim, Happening::Note { message });
        }
    }

    /// Makes the outcome durable, gives the claim up, and only then tells of the end.
    pub(super) fn finish(mut self) {
        // It makes ten small files, while the outcome is flushed.
        let stocking = self.stocking.take().map(|(_, done)| done);
        self.driver.answer_the_late();
        platform::crash_point("end.answered");
        let attempt = self.driver.journal.record().attempt();
        let traces = self.driver.claim.traces(attempt.number, attempt.log_limit.map(|limit| limit.max_bytes));
        self.driver.journal.attempt().traces = Some(traces);
        let outcome = self.driver.journal.record().outcome().cloned();
        let record = self.driver.journal.change();
        (record.stop, record.paused, record.waiting_for) = (None, false, None);
        if let Some(outcome) = outcome {
            self.driver.journal.enter(&self.driver.claim, outcome.state);
        }
        self.save_outcome();
        platform::crash_point("end.recorded");
        self.leave_queue();
        // After the end all shall be at rest. Joining the thread would mean taking its stack down, too.
        stocking.map(|done| done.recv());
        let Self { store, client: mut connection, driver, spec, variables, keep, .. } = self;
        let Driver { claim, journal, inbox, queue, watch, epoch, .. } = driver;
        // While the claim keeps others from resuming or deleting the job: the hook is told of this end and of no other.
        let hook = Hook::prepare(&spec, &variables, &store, &claim, journal.record().attempt());
        // Before anything else is closed: closing a watch takes milliseconds.
        let former = claim.end(&store, journal.record());
        platform::crash_point("end.released");
        // The last change of the state directory: whoever is told that the job has ended may remove it.
        drop(former);
        connection.tell(&Notice::Ended);
        // Whoever waits for the end has been woken, and comes first: on the same processor it would wait for all of the rest.
        platform::pause(BREATH);
        let succeeded = journal.record().state == State::Succeeded;
        let attempt = journal.record().attempt().number;
        drop((journal, inbox, watch));
        if let Some(hook) = hook {
            hook.run(&queue, epoch);
        }
        if spec.delete_on_success && succeeded {
            // A client that stays still reads the output and the outcome; it hangs up when it has them.
            connection.wait_for_hang_up(SHOWING_LIMIT);
            delete_if_untouched(&store, spec.id, attempt);
        }
        drop(connection);
        platform::crash_point("end.done");
        // Now and then, and never for long.
        if spec.id.number().is_multiple_of(SWEEP_EVERY) {
            store.sweep();
            if let Some(keep) = keep {
                store.retire(platform::now(), keep);
            }
        }
    }

    /// Lets go of mutexes and slots.
    pub(super) fn leave_queue(&self) {
        if !self.spec.coordination.wants.is_empty() {
            // What stays behind is found to be dead by whoever it would block.
            self.store.leave_queue(self.spec.id).ok();
        }
    }

    /// Returns what readers will print of the job, so that they need not make it anew each time.
    fn public_form(&self) -> Option<String> {
        let record = self.driver.journal.record();
        // A resumed run may have a spec of its own; readers see the job's.
        let spec = match record.run_started_with {
            1 => self.spec.head(),
            _ => self.driver.claim.load_spec().ok()?.head(),
        };
        let job = self.store.settled(spec, record)?;
        Some(json::render(&JobDocument::new(&job, false)))
    }

    /// Holds on to the claim until the outcome is on disk: a full disk must not turn an outcome into a loss.
    fn save_outcome(&mut self) {
        const TRIES: u32 = 24 * 3600;
        let form = self.public_form();
        for nth in 0..TRIES {
            match self.driver.journal.save_end(&self.store, &self.driver.claim, form.as_deref()) {
                Ok(()) => return,
                Err(error) if nth == 0 => {
                    self.store.clear_out();
                    self.client.tell(&Notice::Unrecorded { message: error.to_string() });
                }
                Err(_) => {}
            }
            // Signals and requests cannot change the outcome any more, so nothing is lost by not looking at them; and
            // descriptors may be what is scarce.
            self.driver.watch.close();
            self.driver.queue.wait(Some(Duration::from_secs(1)), None).ok();
        }
    }
}
