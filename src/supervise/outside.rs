//! The processes of a job whose supervisor died, seen from outside: recognised by what was recorded, by session, group
//! and cookie, and signalled one by one after their identity was checked. Best effort, and called so.
//!
//! One look at the process table proves nothing: something that forks and exits all the time slips through it. Twenty
//! looks over a quarter of a second, all of them empty, are what measurements found to be enough.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use super::tree::{Look, Processes, is_withheld, kill_all};
use crate::domain::identity::ProcessIdentity;
use crate::domain::record::JobRecord;
use crate::domain::signal::Signal;
use crate::domain::spec::SignalScope;
use crate::domain::tree::{ProcessInfo, ProcessTable};
use crate::platform;
use crate::store::{Cookies, NestedJob, Store, Surroundings, nested_supervisors};

const PASSES: u32 = 20;
const PASS_PAUSE: Duration = Duration::from_millis(13);

/// What is left of a job.
#[derive(Debug)]
pub(super) struct Outside {
    store: Store,
    uid: String,
    record: JobRecord,
    stopped_before: HashSet<ProcessIdentity>,
    cookies: Rc<Cookies>,
}

impl Outside {
    /// Describes the job by what was recorded of it.
    pub(super) fn new(store: Store, uid: String, record: JobRecord, own: ProcessIdentity) -> Self {
        let cookies = Rc::new(Cookies::before(own.start_time));
        Self { store, uid, record, stopped_before: HashSet::new(), cookies }
    }

    /// Returns the group of the leader, which is signalled in one step, unless its number may mean others by now.
    fn leaders_group(&self) -> Option<u32> {
        let leader = self.record.attempt().leader.filter(|leader| leader.pid > 1)?;
        let is_reused = platform::process_info(leader.pid).is_some_and(|row| row.identity != leader);
        (self.record.place == platform::place() && !is_reused).then_some(leader.pid)
    }

    /// Says whether the kernel knows of somebody in the leader's group whom the table does not show, not even as a zombie
    /// that nobody reaps.
    fn somebody_slips_through(&self, table: &ProcessTable) -> bool {
        self.leaders_group()
            .is_some_and(|group| table.rows().iter().all(|row| row.group != group) && platform::group_exists(group))
    }

    /// Returns who has ended in the leader's group or session and was not reaped yet. Where reaping is slow, this is all
    /// that is ever seen of somebody who forks and exits all the time: that they become more.
    fn zombies(&self, table: &ProcessTable) -> HashSet<ProcessIdentity> {
        let Some(number) = self.leaders_group() else { return HashSet::new() };
        let rows = table.rows().iter().filter(|row| row.group == number || row.session == number);
        rows.filter(|row| !row.is_live()).map(|row| row.identity).collect()
    }

    fn members_in(&self, surroundings: &Surroundings) -> Vec<ProcessInfo> {
        self.store.recorded_processes(&self.uid, &self.record, surroundings, true)
    }
}

impl Processes for Outside {
    fn look(&mut self) -> Look {
        let mut known = None;
        for pass in 0..PASSES {
            if pass > 0 {
                platform::pause(PASS_PAUSE);
            }
            let surroundings = Surroundings::knowing(&self.cookies);
            let table = surroundings.table();
            let zombies = self.zombies(table);
            let has_grown = known.is_some_and(|known| !zombies.is_subset(&known));
            known = Some(zombies);
            if has_grown || !self.members_in(&surroundings).is_empty() || self.somebody_slips_through(table) {
                return Look { leader_ended: None, empty: false };
            }
        }
        Look { leader_ended: None, empty: true }
    }

    fn members(&self) -> Vec<ProcessInfo> {
        self.members_in(&Surroundings::knowing(&self.cookies))
    }

    fn signal(&self, signal: Signal, scope: SignalScope, then_continue: bool) -> u32 {
        if is_withheld(signal) {
            return 0;
        }
        let leader = self.record.attempt().leader;
        let is_meant = |row: &ProcessInfo| match (scope, leader) {
            (SignalScope::Tree, _) | (_, None) => true,
            (SignalScope::Group, Some(leader)) => row.group == leader.pid,
            (SignalScope::Leader, Some(leader)) => row.identity == leader,
        };
        let then_continue = then_continue && !matches!(signal, Signal::CONT | Signal::STOP);
        let members = self.members();
        let group = self.leaders_group().filter(|_| scope != SignalScope::Leader);
        if let Some(group) = group {
            platform::signal_group(group, signal).ok();
            if then_continue {
                platform::signal_group(group, Signal::CONT).ok();
            }
        }
        let mut reached = 0;
        for row in members.into_iter().filter(is_meant).filter(|row| Some(row.group) != group) {
            if platform::signal_identity(row.identity, signal).is_ok_and(|d| d == platform::Delivery::Sent) {
                reached += 1;
            }
            if then_continue {
                platform::signal_identity(row.identity, Signal::CONT).ok();
            }
        }
        reached
    }

    fn kill_pass(&self) {
        if let Some(group) = self.leaders_group().filter(|_| !is_withheld(Signal::KILL)) {
            platform::signal_group(group, Signal::KILL).ok();
        }
        let surroundings = Surroundings::knowing(&self.cookies);
        kill_all(surroundings.table(), &self.members_in(&surroundings));
    }

    fn freeze(&mut self) {
        self.stopped_before = self.members().iter().filter(|row| row.state == 'T').map(|row| row.identity).collect();
        self.signal(Signal::STOP, SignalScope::Tree, false);
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
        self.record.attempt().adopted.clone()
    }

    fn poll(&self) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }

    fn nested_foreground(&self) -> Vec<NestedJob> {
        // Their clients are among the processes that are left, or died with the supervisor: then nobody can tell.
        let members = self.members();
        let table = platform::process_table();
        let pids: Vec<u32> = members.iter().map(ProcessInfo::pid).collect();
        let below = table.descendants(&pids, &HashSet::new());
        nested_supervisors(below).into_iter().filter(|nested| nested.foreground).collect()
    }
}
