//! Which process is meant: a pid alone names nobody, since numbers are used again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job_id::JobId;

/// A process for its whole life: its pid and the moment it started, in the platform's own raw unit.
///
/// On Linux the unit is clock ticks since boot (`/proc/<pid>/stat`, field 22), so it means something only
/// together with [`Place::boot_id`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProcessIdentity {
    /// The process id.
    pub pid: u32,
    /// The raw start time, comparable only within one boot.
    pub start_time: u64,
}

/// Where pids mean something: one boot of one host, one pid namespace.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// Changes at every boot.
    pub boot_id: String,
    /// The host's name.
    pub host: String,
    /// The pid namespace, `""` where there are none.
    pub pid_namespace: String,
}

/// How a recorded place relates to the one we are in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whereabouts {
    /// The same boot, host and namespace: pids can be compared.
    Here,
    /// The same host, another boot: every recorded process is gone.
    EarlierBoot,
    /// Another host or pid namespace: nothing can be concluded from here.
    Elsewhere,
}

impl Place {
    /// Compares a recorded place (`self`) with the present one.
    pub fn seen_from(&self, here: &Place) -> Whereabouts {
        if self.host != here.host {
            Whereabouts::Elsewhere
        } else if self.boot_id != here.boot_id {
            Whereabouts::EarlierBoot
        } else if self.pid_namespace != here.pid_namespace {
            Whereabouts::Elsewhere
        } else {
            Whereabouts::Here
        }
    }
}

/// The `pid` file: who supervises the job, and what its leader is. Evidence, never proof.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PidFile {
    /// `jobdir/pid/1`.
    pub schema: String,
    /// The job; missing in what the first versions wrote. Elsewhere, in a copy of the job's directory say, it means nobody.
    #[serde(default)]
    pub id: Option<JobId>,
    /// The attempt that the leader belongs to.
    pub attempt: u32,
    /// The supervisor.
    pub supervisor: ProcessIdentity,
    /// The command itself, once it was created.
    pub leader: Option<ProcessIdentity>,
    /// Where these pids mean something.
    #[serde(flatten)]
    pub place: Place,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whereabouts() {
        let place = |boot: &str, host: &str, ns: &str| Place {
            boot_id: boot.into(),
            host: host.into(),
            pid_namespace: ns.into(),
        };
        let here = place("b", "h", "n");
        assert_eq!(place("b", "h", "n").seen_from(&here), Whereabouts::Here);
        assert_eq!(place("x", "h", "n").seen_from(&here), Whereabouts::EarlierBoot);
        assert_eq!(place("x", "h", "m").seen_from(&here), Whereabouts::EarlierBoot);
        assert_eq!(place("b", "h", "m").seen_from(&here), Whereabouts::Elsewhere);
        assert_eq!(place("b", "x", "n").seen_from(&here), Whereabouts::Elsewhere);
    }
}
