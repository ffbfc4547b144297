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

/// How often to look at the children again, after a look in which some of them ended.
const SWEEPS: u32 = 16;

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

    /// Reaps every child that has ended but the leader, and looks at the others.
    fn sweep(&self) -> Sweep {
        let mut children = Vec::new();
        let mut is_whole = true;
        for pid in platform::child_pids() {
            if pid == self.leader.pid && !self.reaped {
                continue;
            }
            match platform::reap(pid) {
                Ok(None) => match platform::process_info(pid) {
                    Some(row) => children.push(row),
                    None => is_whole = false,
                },
                // What it had started may have been given to us after the list was read.
                Ok(Some(_)) | Err(_) => is_whole = false,
            }
        }
        // A nested job that somebody stays with ends before we do; a detached one is independent.
        let independent: HashSet<u32> = store::nested_supervisors(&children)
            .iter()
            .filter(|nested| !nested.foreground)
            .map(|nested| nested.supervisor.pid)
            .collect();
        let is_ours = children.iter().any(|row| !independent.contains(&row.pid()));
        Sweep { is_ours, is_whole, is_shared: !independent.is_empty() }
    }

    /// Returns whether it is proven that nothing of this job lives but its leader, which has ended.
    fn is_deserted(&mut self) -> bool {
        // Nearly always the leader was alone, and the kernel says so as soon as it is reaped.
        if !self.reaped && platform::is_only_child(self.leader.pid) {
            platform::reap(self.leader.pid).ok();
            self.reaped = true;
            if platform::look_at_children() == Children::None {
                return true;
            }
        }
        let mut sweep = self.sweep();
        // Somebody who forks and exits all the time is a new child after each of them: then it is not proven, and the end of
        // that child wakes us again.
        for _ in 0..SWEEPS {
            if sweep.is_whole {
                break;
            }
            sweep = self.sweep();
        }
        if sweep.is_ours || !sweep.is_whole {
            return false;
        }
        if !self.reaped {
            // Nothing of its group is left; now its number may go.
            platform::reap(self.leader.pid).ok();
            self.reaped = true;
        }
        // Supervisors of independent jobs are children, too: beside them the list must do, else the kernel's word.
        sweep.is_shared || platform::look_at_children() == Children::None
    }
}

/// What one look at our children has found, the leader aside.
struct Sweep {
    /// Whether one of them lives and is of this job.
    is_ours: bool,
    /// Whether each was found alive, and recognised, so that whatever is below us was, or is below one of them.
    is_whole: bool,
    /// Whether one of them is the supervisor of a job that is independent of this one.
    is_shared: bool,
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
        let empty = if self.status.is_some() {
            self.is_deserted()
        } else {
            self.sweep();
            false
        };
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
        // The leader began a session of its own, and nobody joins a session but by being born into it: whose group is that of
        // somebody below us is below us, too, or below a nested job.
        let table = platform::descendants();
        kill_all(&table, &below_us(&table));
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

/// What is below this process, zombies included, nested jobs aside.
fn below_us(table: &ProcessTable) -> Vec<ProcessInfo> {
    let own = [std::process::id()];
    let walls = walls(table.descendants(&own, &HashSet::new()));
    table.descendants(&own, &walls).into_iter().cloned().collect()
}

/// What lives below this process, nested jobs aside.
fn members_of(table: &ProcessTable) -> Vec<ProcessInfo> {
    below_us(table).into_iter().filter(ProcessInfo::is_live).collect()
}

/// Kills these processes, which one look at the table has found: by whole groups first, because whoever forks and exits all
/// the time is never there any more when a signal is sent to it alone. A zombie is as good as any other member: its group may
/// be all that was seen of such a one.
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
