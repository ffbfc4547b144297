//! The processes of one attempt, while their supervisor lives: looking at them, signalling them, proving them gone.
//!
//! The supervisor is a subreaper, so whatever the job starts stays below it: when the kernel says that no child is
//! left (but verified supervisors of nested jobs), nothing is left. The leader is reaped last, because as long as it is
//! an unreaped zombie the number of its group cannot belong to a stranger.

use std::collections::HashSet;
use std::time::Duration;

use crate::domain::identity::ProcessIdentity;
use crate::domain::outcome::ExitStatus;
use crate::domain::record::Holdout;
use crate::domain::signal::Signal;
use crate::domain::spec::SignalScope;
use crate::domain::tree::{ProcessInfo, ProcessTable};
use crate::platform::{self, Children, Delivery};
use crate::store::{self, NestedJob};

/// Processes that can be looked at and signalled as one.
pub(super) trait Processes {
    /// Looks for the end of the leader, and whether anything lives.
    fn look(&mut self) -> Look;
    /// Returns the processes that live.
    fn members(&self) -> Vec<ProcessInfo>;
    /// Sends a signal, each followed by CONT when `then_continue` is set. Returns how many processes outside the
    /// leader's group were reached one by one.
    fn signal(&self, signal: Signal, scope: SignalScope, then_continue: bool) -> u32;
    /// Kills everything that lives at the moment. To be repeated until a look finds nothing.
    fn kill_pass(&self);
    /// Stops every process, and remembers which were stopped already.
    fn freeze(&mut self);
    /// Continues what `freeze` stopped.
    fn thaw(&mut self);
    /// Returns processes that have left the leader's session: after our death only their identity tells whose they are.
    fn adopted(&self) -> Vec<ProcessIdentity>;
    /// Returns how often to look, when nothing tells of the end of these processes.
    fn poll(&self) -> Option<Duration> {
        None
    }
    /// Returns the nested jobs whose clients are among these processes, or were.
    fn nested_foreground(&self) -> Vec<NestedJob>;
}

/// The tree of one leader, below this process.
#[derive(Debug)]
pub(super) struct Tree {
    leader: ProcessIdentity,
    status: Option<ExitStatus>,
    reaped: bool,
    /// What the job itself had stopped before `pause` did.
    stopped_before: HashSet<ProcessIdentity>,
}

/// What one look has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    /// The leader's end, at the first look that sees it.
    pub(super) leader_ended: Option<ExitStatus>,
    /// Whether it is proven that nothing lives.
    pub(super) empty: bool,
}

impl Tree {
    /// Takes over a leader that was just created.
    pub(super) fn new(leader: ProcessIdentity) -> Self {
        Self { leader, status: None, reaped: false, stopped_before: HashSet::new() }
    }

    /// Waits for a leader that never came to execute its command, and reaps it. It exits by itself, at once.
    pub(super) fn wait_for_leader(&mut self) {
        platform::reap_blocking(self.leader.pid);
        self.reaped = true;
    }

    /// Reaps every child that has ended but the leader. Returns the others that live and are of this job.
    fn reap_others(&self) -> Vec<ProcessInfo> {
        let mut living = Vec::new();
        for pid in platform::child_pids() {
            if pid == self.leader.pid && !self.reaped {
                continue;
            }
            if !matches!(platform::reap(pid), Ok(Some(_)) | Err(_)) {
                living.extend(platform::process_info(pid));
            }
        }
        // A nested job that somebody stays with ends before we do; a detached one is independent.
        let independent: HashSet<u32> = store::nested_supervisors(&living)
            .iter()
            .filter(|nested| !nested.foreground)
            .map(|nested| nested.supervisor.pid)
            .collect();
        living.retain(|row| !independent.contains(&row.pid()));
        living
    }
}

impl Processes for Tree {
    fn look(&mut self) -> Look {
        let mut leader_ended = None;
        if self.status.is_none()
            && let Ok(Some(status)) = platform::peek(self.leader.pid)
        {
            self.status = Some(status);
            leader_ended = Some(status);
        }
        let others = self.reap_others();
        let mut empty = false;
        if self.status.is_some() && others.is_empty() {
            if !self.reaped {
                // Nothing of its group is left; now its number may go.
                platform::reap(self.leader.pid).ok();
                self.reaped = true;
            }
            empty = match platform::look_at_children() {
                Children::None => true,
                // Something was given to us in between.
                Children::Ended(_) | Children::Living => self.reap_others().is_empty(),
            };
        }
        Look { leader_ended, empty }
    }

    fn members(&self) -> Vec<ProcessInfo> {
        members_of(&platform::descendants())
    }

    fn signal(&self, signal: Signal, scope: SignalScope, then_continue: bool) -> u32 {
        if is_withheld(signal) {
            return 0;
        }
        let then_continue = then_continue && !matches!(signal, Signal::CONT | Signal::STOP);
        let send = |send: &dyn Fn(Signal) -> Option<Delivery>| {
            let delivery = send(signal);
            if then_continue {
                send(Signal::CONT);
            }
            delivery
        };
        if scope == SignalScope::Leader {
            send(&|signal| platform::signal_identity(self.leader, signal).ok());
            return 0;
        }
        if !self.reaped {
            send(&|signal| platform::signal_group(self.leader.pid, signal).ok());
        }
        if scope == SignalScope::Group {
            return 0;
        }
        let strays = self.members().into_iter().filter(|row| self.reaped || row.group != self.leader.pid);
        let reached = strays
            .filter(|row| send(&|signal| platform::signal_identity(row.identity, signal).ok()) == Some(Delivery::Sent))
            .count();
        u32::try_from(reached).unwrap_or(u32::MAX)
    }

    fn kill_pass(&self) {
        if !self.reaped && !is_withheld(Signal::KILL) {
            platform::signal_group(self.leader.pid, Signal::KILL).ok();
        }
        let table = platform::process_table();
        kill_all(&table, &members_of(&table));
    }

    fn freeze(&mut self) {
        self.stopped_before = self.members().iter().filter(|row| row.state == 'T').map(|row| row.identity).collect();
        // What was being forked during one pass is stopped by the next; a bounded number of passes, since what
        // cannot be stopped would run on for ever.
        for _ in 0..10 {
            self.signal(Signal::STOP, SignalScope::Tree, false);
            if self.members().iter().all(|row| matches!(row.state, 'T' | 't' | 'D')) {
                break;
            }
        }
    }

    fn thaw(&mut self) {
        for row in self.members() {
            if !self.stopped_before.contains(&row.identity) {
                platform::signal_identity(row.identity, Signal::CONT).ok();
            }
        }
        self.stopped_before.clear();
    }

    fn adopted(&self) -> Vec<ProcessIdentity> {
        let children = platform::child_pids().into_iter().filter_map(platform::process_info);
        let strays: Vec<ProcessInfo> = children.filter(|row| row.is_live() && row.session != self.leader.pid).collect();
        let walls = walls(&strays);
        strays.iter().filter(|row| !walls.contains(&row.pid())).map(|row| row.identity).collect()
    }

    fn nested_foreground(&self) -> Vec<NestedJob> {
        let table = platform::descendants();
        let below = table.descendants(&[std::process::id()], &HashSet::new());
        outermost(store::nested_supervisors(below.iter().copied()), &table)
    }
}

/// What lives below this process, nested jobs aside.
fn members_of(table: &ProcessTable) -> Vec<ProcessInfo> {
    let own = [std::process::id()];
    let walls = walls(table.descendants(&own, &HashSet::new()));
    table.descendants(&own, &walls).into_iter().filter(|row| row.is_live()).cloned().collect()
}

/// Kills these processes, which one look at the table has found: by whole groups first, because whoever forks and exits all
/// the time is never there any more when a signal is sent to it alone.
pub(super) fn kill_all(table: &ProcessTable, members: &[ProcessInfo]) {
    if is_withheld(Signal::KILL) {
        return;
    }
    let mut reached = HashSet::new();
    for group in table.groups_of(members) {
        // As long as somebody is in the group its number goes to nobody else. Should all have ended since that look, then
        // whoever has the number now was not there.
        let bearer = platform::process_info(group);
        if bearer.is_none_or(|row| table.find(row.identity).is_some()) {
            platform::signal_group(group, Signal::KILL).ok();
            reached.insert(group);
        }
    }
    for row in members.iter().filter(|row| !reached.contains(&row.group)) {
        platform::signal_identity(row.identity, Signal::KILL).ok();
    }
}

/// Says whether this signal reaches nobody because a test wants processes that nothing kills.
pub(super) fn is_withheld(signal: Signal) -> bool {
    signal == Signal::KILL && platform::unkillable().is_some()
}

/// Of nested supervisors those that are not below another one, and whose jobs have a client.
fn outermost(nested: Vec<NestedJob>, table: &ProcessTable) -> Vec<NestedJob> {
    let is_below = |one: &NestedJob| {
        let others: Vec<u32> =
            nested.iter().filter(|other| other.supervisor != one.supervisor).map(|o| o.supervisor.pid).collect();
        table.descendants(&others, &HashSet::new()).iter().any(|row| row.identity == one.supervisor)
    };
    nested.iter().filter(|one| one.foreground && !is_below(one)).cloned().collect()
}

/// The supervisors of nested jobs among these: neither they nor what is below them belongs to this job.
pub(super) fn walls<'a>(rows: impl IntoIterator<Item = &'a ProcessInfo>) -> HashSet<u32> {
    store::nested_supervisors(rows).iter().map(|nested| nested.supervisor.pid).collect()
}

/// Describes processes for the record.
pub(super) fn holdouts(rows: &[ProcessInfo]) -> Vec<Holdout> {
    let pids: Vec<u32> = rows.iter().map(ProcessInfo::pid).collect();
    let details = platform::process_details(&pids);
    rows.iter()
        .map(|row| Holdout {
            identity: row.identity,
            process_state: row.state.to_string(),
            command: details.iter().find(|d| d.pid == row.pid()).map_or_else(String::new, |d| d.command.clone()),
        })
        .collect()
}
