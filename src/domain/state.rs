//! Where a job is, and why it ended: the closed vocabularies of the contract.

use super::likeness::meant;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $text)] $variant,)+
            /// A word of a later version of the format.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl $name {
            /// Every word of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the word as it is written to files and shown.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown => "unknown",
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|v| v.as_str()).collect();
                    match meant(text, words.iter().copied()) {
                        Some(guess) => format!("'{text}' is none of these; did you mean '{guess}'?"),
                        None => format!("'{text}' is none of {}", words.join(", ")),
                    }
                })
            }
        }
    };
}

vocabulary! {
    /// Where a job is.
    State {
        /// Waits for a mutex, a slot, another job or a retry delay.
        Queued = "queued",
        /// Claimed, the command does not execute yet.
        Starting = "starting",
        /// The leader or another process of the tree lives.
        Running = "running",
        /// A stop plan is under way.
        Stopping = "stopping",
        /// Finally steps run.
        Finalizing = "finalizing",
        /// Exit code 0, and nobody asked it to stop.
        Succeeded = "succeeded",
        /// Non-zero exit, a signal that was not ours, or it could not be started.
        Failed = "failed",
        /// Stopped on request.
        Interrupted = "interrupted",
        /// Stopped by its own limit.
        TimedOut = "timed_out",
        /// Given up; processes may live.
        Abandoned = "abandoned",
        /// Never started because of another job.
        Skipped = "skipped",
        /// Observed: the supervisor is dead, the tree is not.
        Orphaned = "orphaned",
        /// Observed: the supervisor is dead, no process was found, no outcome was recorded.
        Lost = "lost",
        /// Observed: its files cannot be read.
        Corrupt = "corrupt",
    }
}

impl State {
    /// Says whether an attempt in this *recorded* state has ended for good.
    pub fn is_recorded_end(self) -> bool {
        use State::{Abandoned, Failed, Interrupted, Skipped, Succeeded, TimedOut};
        matches!(self, Succeeded | Failed | Interrupted | TimedOut | Abandoned | Skipped)
    }

    /// Says whether the contract calls this state terminal; `lost` and `corrupt` are.
    pub fn is_terminal(self) -> bool {
        self.is_recorded_end() || matches!(self, State::Lost | State::Corrupt)
    }

    /// Says whether it ended otherwise than well, and otherwise than on request.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Skipped | Self::Lost | Self::Corrupt)
    }

    /// Says whether the job occupies its name: it is queued, runs, or still has processes.
    pub fn is_active(self) -> bool {
        use State::{Finalizing, Orphaned, Queued, Running, Starting, Stopping};
        matches!(self, Queued | Starting | Running | Stopping | Finalizing | Orphaned)
    }
}

vocabulary! {
    /// What kind of failure ended an attempt.
    ErrorKind {
        /// The command failed by itself.
        JobFailure = "job_failure",
        /// The command could not be started.
        SpawnFailure = "spawn_failure",
        /// Somebody asked it to stop.
        Cancelled = "cancelled",
        /// Its own time limit.
        Timeout = "timeout",
        /// A job that it depends on.
        Dependency = "dependency",
        /// It was given up.
        Abandoned = "abandoned",
        /// Nobody knows how it ended.
        Lost = "lost",
        /// A fault of jobdir itself.
        Internal = "internal",
    }
}

vocabulary! {
    /// What caused the end of an attempt.
    Reason {
        /// `kill`, or a bare `kill` file.
        Kill = "kill",
        /// `delete` of an active job.
        Delete = "delete",
        /// The job that this one was started from was stopped.
        Parent = "parent",
        /// A signal to the foreground client.
        ClientSignal = "client_signal",
        /// `--timeout`.
        Timeout = "timeout",
        /// `--idle-timeout`.
        IdleTimeout = "idle_timeout",
        /// `--queue-timeout`.
        QueueTimeout = "queue_timeout",
        /// `abandon` or `--abandon-after`.
        Abandon = "abandon",
        /// The `signal` verb.
        Signal = "signal",
        /// `run --if-running replace`.
        Replaced = "replaced",
        /// The command was not found.
        NotFound = "not_found",
        /// The command is not executable.
        NotExecutable = "not_executable",
        /// The working directory could not be entered.
        Cwd = "cwd",
        /// A limit, priority, stdin or other preparation of the process was refused.
        Setup = "setup",
        /// A signal to the supervisor.
        SupervisorSignal = "supervisor_signal",
        /// A job that it depends on did not end as required.
        Dependency = "dependency",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_disk_and_new_ones_are_readable() {
        for state in State::ALL {
            let json = serde_json::to_string(state).expect("serialises");
            assert_eq!(json, format!("\"{state}\""));
            assert_eq!(serde_json::from_str::<State>(&json).expect("parses"), *state);
        }
        assert_eq!(serde_json::from_str::<State>("\"levitating\"").expect("parses"), State::Unknown);
        assert_eq!(serde_json::from_str::<Reason>("\"whim\"").expect("parses"), Reason::Unknown);
    }

    #[test]
    fn no_state_is_both_active_and_terminal() {
        for state in State::ALL {
            assert!(state.is_active() != state.is_terminal(), "{state}");
        }
    }
}
