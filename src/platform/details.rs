//! What people want to see of a process: its command, memory and CPU use. For display only, never for decisions.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// A process as it is shown.
#[derive(Clone, PartialEq, Debug)]
pub struct ProcessDetails {
    /// Its pid.
    pub pid: u32,
    /// Its command line, or its name in brackets when that is empty.
    pub command: String,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// CPU time since it started, in milliseconds.
    pub cpu_ms: u64,
}

/// Looks the given processes up. Those that are gone are missing in the answer.
pub fn process_details(pids: &[u32]) -> Vec<ProcessDetails> {
    let wanted: Vec<Pid> = pids.iter().map(|pid| Pid::from_u32(*pid)).collect();
    let Ok(mut system) = System::new() else { return Vec::new() };
    let what = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always).with_memory().with_cpu().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&wanted), false, what);
    wanted
        .iter()
        .filter_map(|pid| system.process(*pid))
        .map(|process| {
            let words: Vec<_> = process.cmd().iter().map(|word| word.to_string_lossy()).collect();
            ProcessDetails {
                pid: process.pid().as_u32(),
                command: if words.is_empty() {
                    format!("[{}]", process.name().to_string_lossy())
                } else {
                    words.join(" ")
                },
                memory_bytes: process.memory(),
                cpu_ms: process.accumulated_cpu_time(),
            }
        })
        .collect()
}
