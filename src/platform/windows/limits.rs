//! What the options for niceness and resource limits mean to a job object.

use windows_sys::Win32::System::JobObjects::{
    JOB_OBJECT_LIMIT_ACTIVE_PROCESS, JOB_OBJECT_LIMIT_PRIORITY_CLASS, JOB_OBJECT_LIMIT_PROCESS_MEMORY,
    JOB_OBJECT_LIMIT_PROCESS_TIME, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
};
use windows_sys::Win32::System::Threading::{
    ABOVE_NORMAL_PRIORITY_CLASS, BELOW_NORMAL_PRIORITY_CLASS, HIGH_PRIORITY_CLASS, IDLE_PRIORITY_CLASS,
    NORMAL_PRIORITY_CLASS,
};

/// The resources that [`resource_limit`] knows, for whoever named another one.
pub const RESOURCES_HERE: &str = "AS, CPU, DATA or NPROC";

/// One resource limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResourceLimit {
    /// The memory that one process may commit.
    Memory(u64),
    /// The processor time that one process may use, in seconds.
    Seconds(u64),
    /// The processes that there may be in the job at a time.
    Processes(u64),
    /// As much as there is.
    Unlimited,
}

/// Describes a resource limit; `None` when there is no such resource. There is one limit here, which nobody can raise: the soft
/// one.
pub fn resource_limit(name: &str, soft: Option<u64>, _hard: Option<u64>) -> Option<ResourceLimit> {
    let upper = name.to_ascii_uppercase();
    let limit = match upper.strip_prefix("RLIMIT_").unwrap_or(&upper) {
        "AS" | "DATA" => ResourceLimit::Memory,
        "CPU" => ResourceLimit::Seconds,
        "NPROC" => ResourceLimit::Processes,
        _ => return None,
    };
    Some(soft.map_or(ResourceLimit::Unlimited, limit))
}

/// What is asked of the job object of an attempt, beyond holding it together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Limits {
    priority_class: Option<u32>,
    memory: Option<u64>,
    seconds: Option<u64>,
    processes: Option<u64>,
}

/// Keeps the lower one.
fn lower(known: &mut Option<u64>, limit: u64) {
    *known = Some(known.map_or(limit, |known| known.min(limit)));
}

impl Limits {
    /// Gathers what an attempt is to have.
    pub(super) fn of(nice: Option<i32>, limits: &[ResourceLimit]) -> Self {
        let priority_class = nice.map(|nice| match nice {
            ..=-11 => HIGH_PRIORITY_CLASS,
            -10..=-1 => ABOVE_NORMAL_PRIORITY_CLASS,
            0 => NORMAL_PRIORITY_CLASS,
            1..=9 => BELOW_NORMAL_PRIORITY_CLASS,
            10.. => IDLE_PRIORITY_CLASS,
        });
        let mut all = Self { priority_class, ..Self::default() };
        for limit in limits {
            match *limit {
                ResourceLimit::Memory(bytes) => lower(&mut all.memory, bytes),
                ResourceLimit::Seconds(seconds) => lower(&mut all.seconds, seconds),
                ResourceLimit::Processes(number) => lower(&mut all.processes, number),
                ResourceLimit::Unlimited => {}
            }
        }
        all
    }

    /// Says whether anything is asked.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns them as a job object takes them, with these flags.
    pub(super) fn with(&self, flags: u32) -> JOBOBJECT_EXTENDED_LIMIT_INFORMATION {
        /// In a second.
        const TICKS: u64 = 10_000_000;
        let mut all = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        let basic = &mut all.BasicLimitInformation;
        basic.LimitFlags = flags;
        if let Some(class) = self.priority_class {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_PRIORITY_CLASS;
            basic.PriorityClass = class;
        }
        if let Some(seconds) = self.seconds {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_PROCESS_TIME;
            basic.PerProcessUserTimeLimit = i64::try_from(seconds.saturating_mul(TICKS)).unwrap_or(i64::MAX);
        }
        if let Some(number) = self.processes {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
            basic.ActiveProcessLimit = u32::try_from(number).unwrap_or(u32::MAX);
        }
        if let Some(bytes) = self.memory {
            basic.LimitFlags |= JOB_OBJECT_LIMIT_PROCESS_MEMORY;
            all.ProcessMemoryLimit = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_what_a_job_object_is_told() {
        let limit = |name, soft| resource_limit(name, soft, None);
        assert_eq!(limit("nofile", Some(1)), None);
        assert_eq!(limit("as", None), Some(ResourceLimit::Unlimited));
        assert!(Limits::of(None, &[ResourceLimit::Unlimited]).is_none());
        let asked = [("AS", 3 << 30), ("DATA", 1 << 30), ("CPU", 5), ("NPROC", 1 << 40)];
        let asked: Vec<ResourceLimit> = asked.into_iter().filter_map(|(name, soft)| limit(name, Some(soft))).collect();
        let told = Limits::of(Some(19), &asked).with(1 << 31);
        assert_eq!(told.ProcessMemoryLimit, 1 << 30, "the lower one");
        let basic = told.BasicLimitInformation;
        assert_eq!((basic.PriorityClass, basic.ActiveProcessLimit), (IDLE_PRIORITY_CLASS, u32::MAX));
        assert_eq!(basic.PerProcessUserTimeLimit, 50_000_000);
        let flags = JOB_OBJECT_LIMIT_PRIORITY_CLASS
            | JOB_OBJECT_LIMIT_PROCESS_TIME
            | JOB_OBJECT_LIMIT_ACTIVE_PROCESS
            | JOB_OBJECT_LIMIT_PROCESS_MEMORY;
        assert_eq!(basic.LimitFlags, flags | 1 << 31);
        assert_eq!(Limits::default().with(7).BasicLimitInformation.LimitFlags, 7);
        let class = |nice| Limits::of(Some(nice), &[]).with(0).BasicLimitInformation.PriorityClass;
        assert_eq!(
            [-20, -1, 0, 1].map(class),
            [HIGH_PRIORITY_CLASS, ABOVE_NORMAL_PRIORITY_CLASS, NORMAL_PRIORITY_CLASS, BELOW_NORMAL_PRIORITY_CLASS]
        );
    }
}
