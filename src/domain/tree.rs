//! Which processes belong to a job, decided from one look at the process table.

use std::collections::{HashMap, HashSet};

use super::identity::ProcessIdentity;

/// One row of the process table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessInfo {
    /// Pid and start time.
    pub identity: ProcessIdentity,
    /// The parent's pid.
    pub parent: u32,
    /// The process group.
    pub group: u32,
    /// The session.
    pub session: u32,
    /// The state as the kernel abbreviates it: `R`, `S`, `D`, `T`, `Z`, …
    pub state: char,
}

impl ProcessInfo {
    /// Says whether it can still run; a zombie cannot.
    pub fn is_live(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// Returns the pid.
    pub fn pid(&self) -> u32 {
        self.identity.pid
    }
}

/// One look at the process table. Never a proof that nothing else exists.
#[derive(Clone, Debug, Default)]
pub struct ProcessTable {
    rows: Vec<ProcessInfo>,
}

impl ProcessTable {
    /// Takes the rows of one look.
    pub fn new(rows: Vec<ProcessInfo>) -> Self {
        Self { rows }
    }

    /// Returns every row.
    pub fn rows(&self) -> &[ProcessInfo] {
        &self.rows
    }

    /// Returns the row of exactly this process, if it is still there; it may be a zombie.
    pub fn find(&self, identity: ProcessIdentity) -> Option<&ProcessInfo> {
        self.rows.iter().find(|row| row.identity == identity)
    }

    /// Returns the descendants of `roots` (without these), not looking below any pid in `walls` nor returning it.
    ///
    /// Zombies are returned too: they may still have to be reaped.
    pub fn descendants(&self, roots: &[u32], walls: &HashSet<u32>) -> Vec<&ProcessInfo> {
        let mut children: HashMap<u32, Vec<&ProcessInfo>> = HashMap::new();
        for row in &self.rows {
            children.entry(row.parent).or_default().push(row);
        }
        let mut found = Vec::new();
        let mut seen: HashSet<u32> = roots.iter().copied().collect();
        let mut queue: Vec<u32> = roots.to_vec();
        while let Some(pid) = queue.pop() {
            for child in children.get(&pid).into_iter().flatten() {
                // A table read while processes come and go can contain a loop; `seen` ends it.
                if !walls.contains(&child.pid()) && seen.insert(child.pid()) {
                    queue.push(child.pid());
                    found.push(*child);
                }
            }
        }
        found
    }

    /// Returns the groups of these processes to which, at this look, no other live process belonged, and whose number no
    /// other one bears. To signal a group is one step: nobody in it escapes by forking meanwhile.
    pub fn groups_of(&self, members: &[ProcessInfo]) -> Vec<u32> {
        let ours: HashSet<u32> = members.iter().map(ProcessInfo::pid).collect();
        let others = self.rows.iter().filter(|row| row.is_live() && !ours.contains(&row.pid()));
        let theirs: HashSet<u32> = others.flat_map(|row| [row.pid(), row.group]).collect();
        let groups: HashSet<u32> = members.iter().map(|row| row.group).collect();
        groups.into_iter().filter(|group| *group > 1 && !theirs.contains(group)).collect()
    }

    /// Returns the live processes that the record of a dead supervisor lets us recognise: its leader, the
    /// processes that it had adopted, what is in the leader's session or group and started after it, those for
    /// which `has_cookie` holds, and the descendants of all these, but nothing at or below a pid in `walls`.
    pub fn recorded_members(
        &self,
        leader: Option<ProcessIdentity>,
        adopted: &[ProcessIdentity],
        walls: &HashSet<u32>,
        has_cookie: impl Fn(u32) -> bool,
    ) -> Vec<&ProcessInfo> {
        // Everything descends from the first process, which no job ever had.
        let leader = leader.filter(|leader| leader.pid > 1);
        // When the leader's number belongs to somebody else now, so may sessions and groups of that number.
        let number_reused =
            |leader: ProcessIdentity| self.rows.iter().any(|r| r.pid() == leader.pid && r.identity != leader);
        let by_session = leader.filter(|l| !number_reused(*l));
        let belongs = |row: &ProcessInfo| {
            Some(row.identity) == leader
                || adopted.contains(&row.identity)
                || by_session.is_some_and(|l| {
                    (row.session == l.pid || row.group == l.pid) && row.identity.start_time >= l.start_time
                })
                || has_cookie(row.pid())
        };
        let roots: Vec<&ProcessInfo> = self
            .rows
            .iter()
            .filter(|row| row.pid() > 1 && row.is_live() && !walls.contains(&row.pid()) && belongs(row))
            .collect();
        let pids: Vec<u32> = roots.iter().map(|row| row.pid()).collect();
        let below = self.descendants(&pids, walls);
        roots.into_iter().chain(below.into_iter().filter(|row| row.is_live())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pid: u32, parent: u32, group: u32, session: u32, start_time: u64, state: char) -> ProcessInfo {
        ProcessInfo { identity: ProcessIdentity { pid, start_time }, parent, group, session, state }
    }

    fn pids(rows: &[&ProcessInfo]) -> Vec<u32> {
        let mut pids: Vec<u32> = rows.iter().map(|r| r.pid()).collect();
        pids.sort_unstable();
        pids
    }

    #[test]
    fn descendants_stop_at_walls() {
        let table = ProcessTable::new(vec![
            row(10, 1, 10, 10, 5, 'S'),
            row(11, 10, 10, 10, 6, 'S'),
            row(12, 10, 12, 12, 6, 'S'),
            row(13, 12, 13, 13, 7, 'S'),
            row(14, 11, 14, 14, 8, 'Z'),
        ]);
        assert_eq!(pids(&table.descendants(&[10], &HashSet::new())), [11, 12, 13, 14]);
        assert_eq!(pids(&table.descendants(&[10], &HashSet::from([12]))), [11, 14]);
    }

    #[test]
    fn a_loop_in_the_table_ends() {
        let table = ProcessTable::new(vec![row(10, 11, 10, 10, 5, 'S'), row(11, 10, 10, 10, 6, 'S')]);
        assert_eq!(pids(&table.descendants(&[10], &HashSet::new())), [11]);
    }

    #[test]
    fn members_are_recognised_by_identity_session_and_cookie() {
        let leader = ProcessIdentity { pid: 10, start_time: 5 };
        let table = ProcessTable::new(vec![
            row(10, 1, 10, 10, 5, 'Z'),
            row(11, 1, 10, 10, 6, 'S'),
            row(12, 1, 12, 12, 7, 'S'),
            row(13, 12, 13, 13, 8, 'S'),
            row(14, 1, 14, 14, 9, 'S'),
            row(15, 1, 15, 10, 4, 'S'),
        ]);
        let none = HashSet::new();
        assert_eq!(pids(&table.recorded_members(Some(leader), &[], &none, |_| false)), [11]);
        assert_eq!(pids(&table.recorded_members(Some(leader), &[], &none, |pid| pid == 12)), [11, 12, 13]);
        let adopted = [ProcessIdentity { pid: 14, start_time: 9 }, ProcessIdentity { pid: 12, start_time: 1 }];
        assert_eq!(pids(&table.recorded_members(Some(leader), &adopted, &none, |_| false)), [11, 14]);
    }

    #[test]
    fn a_group_is_signalled_as_a_whole_only_when_all_of_it_is_ours() {
        let rows = vec![
            row(10, 1, 10, 10, 5, 'S'),
            row(11, 1, 10, 10, 6, 'S'),
            row(12, 1, 7, 10, 7, 'S'),
            row(13, 1, 12, 10, 8, 'Z'),
            row(14, 1, 13, 9, 9, 'S'),
            row(15, 1, 15, 9, 9, 'S'),
        ];
        let table = ProcessTable::new(rows.clone());
        let groups = |ours: &[usize]| {
            let members: Vec<ProcessInfo> = ours.iter().map(|at| rows[*at].clone()).collect();
            let mut groups = table.groups_of(&members);
            groups.sort_unstable();
            groups
        };
        assert_eq!(groups(&[0, 1]), [10]);
        assert!(groups(&[1]).is_empty(), "the other one is not ours");
        assert_eq!(groups(&[0, 1, 2, 4]), [7, 10, 13], "whoever bore its number is dead");
        assert_eq!(groups(&[4, 5]), [13, 15]);
    }

    #[test]
    fn a_stranger_with_the_leaders_number_and_its_session_are_not_ours() {
        let leader = ProcessIdentity { pid: 10, start_time: 5 };
        let table = ProcessTable::new(vec![row(10, 1, 10, 10, 50, 'S'), row(11, 10, 10, 10, 51, 'S')]);
        assert!(table.recorded_members(Some(leader), &[], &HashSet::new(), |_| false).is_empty());
    }
}
