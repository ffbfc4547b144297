//! The processes of a job as people want to see them: as a tree, with what each uses. For showing, never for decisions.

use std::collections::{HashMap, HashSet};

use crate::domain::job::{Job, JobProcess};
use crate::domain::tree::ProcessInfo;
use crate::platform::{self, ProcessDetails};
use crate::store::{Store, Surroundings, nested_supervisors};

/// More are not told: nobody reads them, and each costs a look.
const MOST: usize = 256;

/// Returns the live processes of a job, each behind its parent; nested jobs are not part of it.
pub fn processes(store: &Store, job: &Job, surroundings: &Surroundings) -> Vec<JobProcess> {
    let Some((spec, record)) = &job.files else { return Vec::new() };
    if record.place != *surroundings.place() || job.observation.alive == Some(false) && !job.has_survivors() {
        return Vec::new();
    }
    let table = surroundings.table();
    let supervisor =
        record.supervisor.filter(|own| job.observation.supervised == Some(true) && table.find(*own).is_some());
    let mut rows: Vec<ProcessInfo> = match supervisor {
        // All that is below its supervisor, to which the kernel gives every process whose parent has gone.
        Some(own) if platform::has_subreaper() => {
            let found = table.descendants(&[own.pid], &HashSet::new());
            let walls = nested_supervisors(found).iter().map(|nested| nested.supervisor.pid).collect();
            table.descendants(&[own.pid], &walls).into_iter().cloned().collect()
        }
        _ => store.recorded_processes(&spec.uid, record, surroundings, true),
    };
    rows.retain(ProcessInfo::is_live);
    rows.sort_by_key(|row| row.identity.start_time);
    rows.truncate(MOST);
    let details = platform::process_details(&rows.iter().map(ProcessInfo::pid).collect::<Vec<_>>());
    as_tree(&rows, &details.into_iter().map(|one| (one.pid, one)).collect())
}

/// Orders rows so that each follows its parent, and says how deep each is. Those whose parent is not among them come first.
fn as_tree(rows: &[ProcessInfo], details: &HashMap<u32, ProcessDetails>) -> Vec<JobProcess> {
    let known: HashSet<u32> = rows.iter().map(ProcessInfo::pid).collect();
    let is_root = |row: &&ProcessInfo| !known.contains(&row.parent) || row.parent == row.pid();
    let mut left: Vec<(u32, &ProcessInfo)> = rows.iter().rev().filter(is_root).map(|row| (0, row)).collect();
    let mut tree: Vec<JobProcess> = Vec::new();
    while let Some((depth, row)) = left.pop() {
        // A table that was read while processes came and went may lead in a circle.
        if tree.len() == rows.len() {
            break;
        }
        let details = details.get(&row.pid());
        tree.push(JobProcess {
            pid: row.pid(),
            parent_pid: row.parent,
            depth,
            state: row.state.to_string(),
            command: details.map(|one| one.command.clone()).unwrap_or_default(),
            memory_bytes: details.map(|one| one.memory_bytes),
            cpu_ms: details.map(|one| one.cpu_ms),
        });
        let children = rows.iter().rev().filter(|child| child.parent == row.pid() && child.pid() != row.pid());
        left.extend(children.map(|child| (depth + 1, child)));
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::ProcessIdentity;

    #[test]
    fn each_follows_its_parent() {
        let row = |pid, parent| ProcessInfo {
            identity: ProcessIdentity { pid, start_time: u64::from(pid) },
            parent,
            group: 1,
            session: 1,
            state: 'S',
        };
        let rows = [row(2, 1), row(3, 1), row(4, 2), row(5, 3), row(6, 4), row(7, 2)];
        let tree = as_tree(&rows, &HashMap::new());
        let told: Vec<(u32, u32)> = tree.iter().map(|one| (one.pid, one.depth)).collect();
        assert_eq!(told, [(2, 0), (4, 1), (6, 2), (7, 1), (3, 0), (5, 1)]);
        // In a circle nobody is first.
        assert!(as_tree(&[row(8, 9), row(9, 8)], &HashMap::new()).is_empty());
    }
}
