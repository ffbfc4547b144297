//! What a client and the supervisor that it starts say to each other over their one connection, a JSON value a line.
//!
//! Only the client that starts a supervisor has this connection. It carries the order to begin and the news of how
//! beginning went; the end of the run is seen as its closing. Everything else goes through the state directory.
//!
//! A supervisor is started before it is known what for, so the order says everything.

use serde::{Deserialize, Serialize};

use super::job_id::JobId;
use super::os_text::OsText;
use super::record::JobRecord;
use super::request::Verb;
use super::retention::Keep;
use super::spec::{JobSpec, Variables};
use super::state::Reason;

/// The order, sent once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The state directory, absolute.
    pub state_dir: OsText,
    /// The job.
    pub id: JobId,
    /// Whether the stdin that the supervisor was started with becomes the job's.
    pub keep_stdin: bool,
    /// What is to be done.
    pub task: Task,
}

/// What a supervisor is to do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Publish what is being prepared under this name in `staging/`, once the client has said [`STAGED`], and run it.
    Start {
        /// The name of the directory in `staging/`.
        staging: String,
        /// What its `spec.json` says.
        spec: Box<JobSpec>,
        /// What its `job.json` says.
        record: Box<JobRecord>,
        /// The environment, when the spec does not hold it.
        variables: Option<Variables>,
        /// How long ended jobs are kept, whichever they are; when nothing, none is removed.
        #[serde(default)]
        keep: Option<Keep>,
    },
    /// Begin the next attempt of a job.
    Resume {
        /// What the attempt runs with, when that is not the spec of the job.
        spec: Option<Box<JobSpec>>,
        /// A FIFO in `staging/` that becomes the job's input.
        fifo: Option<String>,
        /// The environment, when the spec does not hold it.
        variables: Option<Variables>,
        /// As in `Start`.
        #[serde(default)]
        keep: Option<Keep>,
    },
    /// Act in place of a supervisor that died.
    Recover {
        /// What is asked of it.
        verb: Verb,
    },
}

/// The line with which the client says that a new job is complete in `staging/`.
pub const STAGED: &str = "staged";

/// News of the beginning.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The job is visible and claimed.
    Published {
        /// The attempt that is about to begin.
        attempt: u32,
    },
    /// It has to wait; its place is fixed.
    Queued,
    /// The command executes. Told again for each retry.
    Running {
        /// Which attempt this is.
        attempt: u32,
    },
    /// The command could not be started; recorded.
    NotStarted {
        /// Why.
        reason: Reason,
        /// A sentence for people.
        message: String,
    },
    /// Nothing was done.
    Refused(Refusal),
    /// The run has ended, and its outcome cannot be recorded yet.
    Unrecorded {
        /// A sentence for people.
        message: String,
    },
    /// The run has ended, its outcome is recorded and the claim is free.
    Ended,
}

/// Why nothing was done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// An active job bears the name already.
    NameTaken {
        /// That job.
        by: JobId,
    },
    /// Somebody else holds the claim.
    Busy,
    /// The state of the job does not allow it, or a fault of jobdir or its surroundings.
    Failed {
        /// A sentence for people.
        message: String,
    },
}
