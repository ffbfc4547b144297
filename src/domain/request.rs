//! Requests: what others ask of a job's supervisor by moving a file into `kill-signals/`.

use serde::{Deserialize, Serialize};

use super::signal::Signal;
use super::state::Reason;

/// The value of a request's `schema` field.
pub const REQUEST_SCHEMA: &str = "jobdir/request/1";
/// The name of the file that asks for a plain kill, and needs no content.
pub const BARE_KILL: &str = "kill";

/// One request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// [`REQUEST_SCHEMA`].
    pub schema: String,
    /// The attempt that it is meant for; another one never acts on it.
    pub attempt: u32,
    /// What is asked.
    #[serde(flatten)]
    pub verb: Verb,
}

/// What can be asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// Run the stop plan.
    Kill(Kill),
    /// Send one signal to the tree and nothing more.
    Signal {
        /// What to send.
        signal: Signal,
    },
    /// Stop every process of the tree.
    Pause,
    /// Continue what `pause` stopped.
    Unpause,
    /// Let the job see the end of its input, once everything that was sent has been read.
    CloseInput,
    /// Stop supervising at once.
    Abandon {
        /// Whether to make one best-effort kill.
        kill: bool,
        /// The caller's text.
        reason_text: Option<String>,
    },
    /// A verb of a later version.
    #[serde(other)]
    Unknown,
}

impl Verb {
    /// Returns the verb's name, as in capabilities and file names.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Kill(_) => "kill",
            Verb::Signal { .. } => "signal",
            Verb::Pause => "pause",
            Verb::Unpause => "unpause",
            Verb::CloseInput => "close_input",
            Verb::Abandon { .. } => "abandon",
            Verb::Unknown => "unknown",
        }
    }
}

/// The details of a kill.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kill {
    /// Replaces the first rung's signal.
    pub signal: Option<Signal>,
    /// Is put in front of the plan, with the first rung's wait.
    pub front: Option<Signal>,
    /// Bounds the waits before KILL; the shorter of this and the job's counts.
    pub grace_ms: Option<u64>,
    /// Go to the next rung at once.
    pub now: bool,
    /// Go to KILL at once.
    pub force: bool,
    /// Skip finally steps.
    pub abort: bool,
    /// What the record will say.
    pub reason: Option<Reason>,
    /// The caller's text.
    pub reason_text: Option<String>,
}

impl Request {
    /// Makes a request for one attempt.
    pub fn new(attempt: u32, verb: Verb) -> Self {
        Self { schema: REQUEST_SCHEMA.into(), attempt, verb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_stable() {
        let request = Request::new(2, Verb::Kill(Kill { signal: Some(Signal::INT), ..Kill::default() }));
        let json = serde_json::to_value(&request).expect("serialises");
        assert_eq!(json["schema"], "jobdir/request/1");
        assert_eq!(json["verb"], "kill");
        assert_eq!(json["attempt"], 2);
        assert_eq!(json["signal"], "SIGINT");
        let minimal = r#"{"schema":"jobdir/request/1","attempt":2,"verb":"kill"}"#;
        let parsed: Request = serde_json::from_str(minimal).expect("parses");
        assert_eq!(parsed, Request::new(2, Verb::Kill(Kill::default())));
        let later = r#"{"schema":"jobdir/request/1","attempt":2,"verb":"levitate"}"#;
        assert_eq!(serde_json::from_str::<Request>(later).expect("parses").verb, Verb::Unknown);
    }
}
