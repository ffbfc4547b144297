//! The narrative of a job: one line for everything that happened, in order.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job_id::JobId;
use super::record::Holdout;
use super::signal::Signal;
use super::state::{ErrorKind, Reason, State};

/// The value of an event's `schema` field.
pub const EVENT_SCHEMA: &str = "jobdir/event/1";

/// One line of `events.ndjson`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// [`EVENT_SCHEMA`].
    pub schema: String,
    /// Counted from 1 within the job, without gaps.
    pub seq: u64,
    /// When it was written down.
    pub time: DateTime<Utc>,
    /// The job.
    pub id: JobId,
    /// The attempt under way.
    pub attempt: u32,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

/// What happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// The job came into another state.
    State {
        /// The new one.
        state: State,
        /// The kind of failure, for an end.
        error_kind: Option<ErrorKind>,
        /// The cause, for `stopping` and for an end.
        reason: Option<Reason>,
        /// The text given with it.
        reason_text: Option<String>,
        /// The leader's exit code, for an end.
        exit_code: Option<i32>,
        /// The leader's signal, for an end.
        signal: Option<Signal>,
    },
    /// The command executes.
    Started {
        /// The leader.
        pid: u32,
    },
    /// The leader ended.
    LeaderEnded {
        /// Its exit code.
        exit_code: Option<i32>,
        /// The signal that it died of.
        signal: Option<Signal>,
    },
    /// A signal was sent.
    SignalSent {
        /// Which.
        signal: Signal,
        /// To `tree`, `group` or `leader`.
        scope: String,
        /// How many processes outside the leader's group got it one by one.
        strays: u32,
    },
    /// A request was acted on, or not.
    Answered {
        /// The name of the request's file.
        request: String,
        /// What was asked.
        verb: String,
        /// `accepted`, `already_ended`, `no_change` or `refused`.
        result: String,
        /// A sentence for people.
        message: Option<String>,
    },
    /// Processes outlived their leader, or KILL.
    Leftovers {
        /// Which.
        processes: Vec<Holdout>,
    },
    /// The tree was stopped by `pause`.
    Paused,
    /// The tree was continued by `unpause` or by a stop.
    Unpaused,
    /// A second cause of the end; the first one stands.
    LaterCause {
        /// Which.
        reason: Reason,
    },
    /// A finally step began.
    StepStarted {
        /// Its place, counted from 1.
        step: usize,
        /// Its shell text.
        command: String,
    },
    /// A finally step ended.
    StepEnded {
        /// Its place, counted from 1.
        step: usize,
        /// Its exit code.
        exit_code: Option<i32>,
        /// The signal that it died of.
        signal: Option<Signal>,
    },
    /// Something that people should know.
    Note {
        /// What.
        message: String,
    },
    /// Processes that have left the session of the leader were found: strays, which are stopped with the others.
    Strays {
        /// Which.
        processes: Vec<Holdout>,
    },
    /// Something is missing here. Never written down: readers say so instead of passing it over.
    Gap {
        /// How many numbers are missing, up to the one of this event; 0 when what cannot be read had none.
        missing: u64,
        /// Why.
        message: String,
    },
    /// An event of a later version.
    #[serde(other)]
    Unknown,
}
