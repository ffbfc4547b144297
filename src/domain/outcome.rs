//! How an attempt ended: decided by what was asked and by what was seen, in this order.

use super::record::Outcome;
use super::signal::Signal;
use super::state::{ErrorKind, Reason, State};

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExitStatus {
    /// It called exit with this code.
    Exited(i32),
    /// It died of this signal.
    Signaled(Signal),
}

impl ExitStatus {
    /// Returns the exit code, if it exited.
    pub fn exit_code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Signaled(_) => None,
        }
    }

    /// Returns the signal, if it died of one.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Self::Exited(_) => None,
            Self::Signaled(signal) => Some(signal),
        }
    }
}

/// The first thing that made an attempt end, when it did not end by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// What it was.
    pub reason: Reason,
    /// The text that came with it.
    pub reason_text: Option<String>,
}

/// Why a command could not be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpawnFailure {
    /// Which step failed.
    pub reason: Reason,
    /// A sentence for people.
    pub message: String,
}

fn end(state: State, kind: ErrorKind, reason: Reason, reason_text: Option<String>) -> Outcome {
    Outcome { state, error_kind: Some(kind), reason: Some(reason), reason_text }
}

/// Concludes how an attempt ended whose tree is empty.
///
/// `cause` is the first thing that asked it to stop, `status` what was seen of the leader (`None` if nothing), and
/// `sent` the last signal sent by the `signal` verb. Asked to stop means `interrupted`, even after exit 0.
pub fn conclude(cause: Option<&Cause>, status: Option<ExitStatus>, sent: Option<Signal>) -> Outcome {
    if let Some(cause) = cause {
        let text = cause.reason_text.clone();
        return match cause.reason {
            Reason::Timeout | Reason::IdleTimeout | Reason::QueueTimeout => {
                end(State::TimedOut, ErrorKind::Timeout, cause.reason, text)
            }
            Reason::Abandon => end(State::Abandoned, ErrorKind::Abandoned, cause.reason, text),
            Reason::Dependency => end(State::Skipped, ErrorKind::Dependency, cause.reason, text),
            _ => end(State::Interrupted, ErrorKind::Cancelled, cause.reason, text),
        };
    }
    let failed =
        |reason| Outcome { state: State::Failed, error_kind: Some(ErrorKind::JobFailure), reason, reason_text: None };
    match status {
        Some(ExitStatus::Exited(0)) => {
            Outcome { state: State::Succeeded, error_kind: None, reason: None, reason_text: None }
        }
        Some(ExitStatus::Exited(_)) => failed(None),
        Some(ExitStatus::Signaled(signal)) => failed((sent == Some(signal)).then_some(Reason::Signal)),
        None => {
            Outcome { state: State::Failed, error_kind: Some(ErrorKind::Internal), reason: None, reason_text: None }
        }
    }
}

/// Concludes that a command could not be started.
pub fn could_not_start(failure: &SpawnFailure) -> Outcome {
    end(State::Failed, ErrorKind::SpawnFailure, failure.reason, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(reason: Reason) -> Cause {
        Cause { reason, reason_text: None }
    }

    #[test]
    fn what_was_asked_decides() {
        let exit0 = Some(ExitStatus::Exited(0));
        assert_eq!(conclude(Some(&asked(Reason::Kill)), exit0, None).state, State::Interrupted);
        assert_eq!(conclude(Some(&asked(Reason::Timeout)), exit0, None).state, State::TimedOut);
        assert_eq!(conclude(Some(&asked(Reason::Abandon)), None, None).state, State::Abandoned);
    }

    #[test]
    fn a_kill_that_nobody_here_sent_is_a_job_failure() {
        let outcome = conclude(None, Some(ExitStatus::Signaled(Signal::KILL)), None);
        assert_eq!((outcome.state, outcome.error_kind), (State::Failed, Some(ErrorKind::JobFailure)));
        assert_eq!(outcome.reason, None);
    }

    #[test]
    fn no_status_of_the_job_looks_internal() {
        for code in 0..=255 {
            let outcome = conclude(None, Some(ExitStatus::Exited(code)), None);
            assert_eq!(outcome.state == State::Succeeded, code == 0);
            assert_ne!(outcome.error_kind, Some(ErrorKind::Internal));
        }
        for signal in Signal::all() {
            let outcome = conclude(None, Some(ExitStatus::Signaled(signal)), Some(signal));
            assert_eq!(outcome.error_kind, Some(ErrorKind::JobFailure));
            assert_eq!(outcome.reason, Some(Reason::Signal));
        }
    }
}
