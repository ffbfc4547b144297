//! Gathering what is known beside a record: is the claim held, and who of the job lives?

use std::collections::HashSet;

use super::snapshot::Surroundings;
use super::{Store, format, nested_supervisors};
use crate::domain::identity::{PidFile, ProcessIdentity, Whereabouts};
use crate::domain::job_id::JobId;
use crate::domain::observe::{Evidence, Survivor};
use crate::domain::record::JobRecord;
use crate::domain::spec::SpecHead;
use crate::domain::state::State;
use crate::domain::tree::ProcessInfo;
use crate::platform;

impl Store {
    pub(super) fn gather(
        &self,
        uid: &str,
        record: &JobRecord,
        claim_held: Option<bool>,
        supervisor: Option<&ProcessInfo>,
        surroundings: &Surroundings,
    ) -> Evidence {
        let whereabouts = record.place.seen_from(surroundings.place());
        let mut evidence = Evidence { claim_held, whereabouts, processes: Vec::new(), supervisor_suspended: false };
        if whereabouts != Whereabouts::Here {
            return evidence;
        }
        let attempt = record.attempt();
        let held = claim_held == Some(true);
        if record.state.is_recorded_end() {
            // Most ended jobs have nothing that could live, and cost nothing here.
            if record.state == State::Abandoned || !attempt.adopted.is_empty() {
                evidence.processes = survivors(&self.recorded_processes(uid, record, surroundings, false));
            }
            return evidence;
        }
        if held {
            evidence.supervisor_suspended = supervisor.is_some_and(|info| matches!(info.state, 'T' | 't'));
            let leader = attempt.leader.and_then(|l| platform::process_info(l.pid).filter(|i| i.identity == l));
            evidence.processes = match leader.filter(ProcessInfo::is_live) {
                Some(leader) => vec![Survivor { identity: leader.identity, command: String::new() }],
                None if attempt.leader.is_some() => {
                    survivors(&self.recorded_processes(uid, record, surroundings, true))
                }
                None => Vec::new(),
            };
            return evidence;
        }
        evidence.processes = survivors(&self.recorded_processes(uid, record, surroundings, true));
        evidence
    }

    /// Returns the live processes of a job as far as they can be recognised from outside.
    ///
    /// A leader that the PID file knows and the record does not yet counts, too: its supervisor died in between.
    pub fn recorded_processes(
        &self,
        uid: &str,
        record: &JobRecord,
        surroundings: &Surroundings,
        with_cookie: bool,
    ) -> Vec<ProcessInfo> {
        if record.place.seen_from(surroundings.place()) != Whereabouts::Here {
            // Numbers and start times of another boot mean others now.
            return Vec::new();
        }
        let attempt = record.attempt();
        let leader = attempt.leader.or_else(|| self.leader_in_pid_file(record));
        let table = surroundings.table();
        let cookies = if with_cookie { surroundings.processes_with_cookie(uid) } else { HashSet::new() };
        let found = table.recorded_members(leader, &attempt.adopted, &HashSet::new(), |pid| cookies.contains(&pid));
        if found.is_empty() {
            return Vec::new();
        }
        // Again, now without the supervisors of nested jobs and what is below them.
        let walls: HashSet<u32> = nested_supervisors(found).iter().map(|nested| nested.supervisor.pid).collect();
        table
            .recorded_members(leader, &attempt.adopted, &walls, |pid| cookies.contains(&pid))
            .into_iter()
            .cloned()
            .collect()
    }

    /// Returns the live processes of a job whose record cannot be read, as far as its PID file and its spec tell.
    pub fn processes_of_unreadable(&self, id: JobId) -> Vec<ProcessInfo> {
        let paths = self.layout().job(id);
        let surroundings = Surroundings::new();
        let leader = format::read::<PidFile>(&paths.pid())
            .ok()
            .filter(|pid| pid.place == *surroundings.place() && pid.id.is_none_or(|of| of == id))
            .and_then(|pid| pid.leader);
        // In a copy of another job's directory everything is about that job, which is not to be touched.
        let spec = format::read::<SpecHead>(&paths.spec()).ok().filter(|spec| spec.id == id);
        let uid = spec.map(|spec| spec.uid).unwrap_or_default();
        let cookies = surroundings.processes_with_cookie(&uid);
        let table = surroundings.table();
        let members = |walls: &HashSet<u32>| table.recorded_members(leader, &[], walls, |pid| cookies.contains(&pid));
        let walls = nested_supervisors(members(&HashSet::new())).iter().map(|nested| nested.supervisor.pid).collect();
        members(&walls).into_iter().cloned().collect()
    }

    fn leader_in_pid_file(&self, record: &JobRecord) -> Option<ProcessIdentity> {
        let pid: PidFile = format::read(&self.layout().job(record.id).pid()).ok()?;
        let same_job = pid.id.is_none_or(|id| id == record.id);
        pid.leader.filter(|_| same_job && pid.attempt == record.attempt().number && pid.place == record.place)
    }
}

fn survivors(rows: &[ProcessInfo]) -> Vec<Survivor> {
    if rows.is_empty() {
        return Vec::new();
    }
    let pids: Vec<u32> = rows.iter().map(ProcessInfo::pid).collect();
    let details = platform::process_details(&pids);
    let command = |pid: u32| details.iter().find(|d| d.pid == pid).map_or_else(String::new, |d| d.command.clone());
    rows.iter().map(|row| Survivor { identity: row.identity, command: command(row.pid()) }).collect()
}
