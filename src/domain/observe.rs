//! What a job's files and the evidence beside them let us conclude now. Nothing is repaired while reading.

use super::identity::{ProcessIdentity, Whereabouts};
use super::record::{FinallyState, JobRecord};
use super::state::{ErrorKind, Reason, State};

/// What was found beside the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Whether the claim is held; `None` when locks do not work here.
    pub claim_held: Option<bool>,
    /// Where the record was written, seen from here.
    pub whereabouts: Whereabouts,
    /// The processes of the job that live now, as far as they can be recognised from outside.
    pub processes: Vec<Survivor>,
    /// Whether the supervisor itself is suspended by a signal.
    pub supervisor_suspended: bool,
}

/// A live process of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survivor {
    /// Which one.
    pub identity: ProcessIdentity,
    /// Its command, for people.
    pub command: String,
}

/// The conclusion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observation {
    /// Where the job is.
    pub state: State,
    /// The kind of failure, if it ended in one.
    pub error_kind: Option<ErrorKind>,
    /// The cause of the end.
    pub reason: Option<Reason>,
    /// Whether the claim is held; `None` when that cannot be known.
    pub supervised: Option<bool>,
    /// Whether any process of the job lives; `None` when that cannot be known.
    pub alive: Option<bool>,
    /// The processes of an ended, abandoned or orphaned attempt that live.
    pub survivors: Vec<Survivor>,
    /// A sentence for people.
    pub message: Option<String>,
}

impl Observation {
    /// Concludes that the job's files cannot be read.
    pub fn corrupt(why: String) -> Self {
        Self {
            state: State::Corrupt,
            error_kind: None,
            reason: None,
            supervised: None,
            alive: None,
            survivors: Vec::new(),
            message: Some(why),
        }
    }
}

/// Concludes from a record and the evidence. Total: never fails, never panics.
///
/// The caller must have read the record *after* it found the claim free; otherwise an end between the two
/// readings would look like a loss.
pub fn observe(record: &JobRecord, evidence: Evidence) -> Observation {
    let attempt = record.attempt();
    let outcome = record.outcome();
    let mut conclusion = Observation {
        state: record.state,
        error_kind: outcome.and_then(|o| o.error_kind),
        reason: outcome.and_then(|o| o.reason),
        supervised: evidence.claim_held,
        alive: Some(!evidence.processes.is_empty()),
        survivors: Vec::new(),
        message: attempt.message.clone(),
    };
    if record.state.is_recorded_end() {
        conclusion.supervised = Some(false);
        if evidence.whereabouts == Whereabouts::Here {
            conclusion.survivors = evidence.processes;
        } else {
            conclusion.alive = Some(false);
        }
        if attempt.finally.as_ref().is_some_and(|f| f.state == FinallyState::Pending) {
            conclusion.message = Some("finally steps are pending: its supervisor died before they ran".into());
        }
        return conclusion;
    }
    match (evidence.whereabouts, evidence.claim_held) {
        (whereabouts, None) if whereabouts != Whereabouts::Elsewhere => {
            conclusion.supervised = None;
            conclusion.alive = None;
            conclusion.message =
                Some("locks cannot be tested here, so it is not known whether it is supervised".into());
            conclusion
        }
        (Whereabouts::Elsewhere, _) | (_, None) => {
            conclusion.supervised = None;
            conclusion.alive = None;
            conclusion.message = Some(format!(
                "recorded on host '{}', pid namespace '{}', boot '{}': what lives there cannot be seen from here",
                record.place.host, record.place.pid_namespace, record.place.boot_id
            ));
            conclusion
        }
        (_, Some(true)) => {
            if evidence.supervisor_suspended {
                conclusion.message = Some("its supervisor is suspended by a signal; 'jobdir kill' continues it".into());
            }
            conclusion
        }
        (whereabouts, Some(false)) => {
            if whereabouts == Whereabouts::Here && !evidence.processes.is_empty() {
                conclusion.state = State::Orphaned;
                conclusion.message = Some("its supervisor died; the processes go on unsupervised".into());
                conclusion.survivors = evidence.processes;
            } else {
                conclusion.state = State::Lost;
                conclusion.error_kind = Some(ErrorKind::Lost);
                conclusion.alive = Some(false);
                conclusion.message = Some(match whereabouts {
                    Whereabouts::EarlierBoot => "the host was restarted while it ran; no outcome is known".into(),
                    _ => "its supervisor died and no process of it was found; no outcome is known".into(),
                });
            }
            conclusion
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Attempt, Outcome, RECORD_SCHEMA};
    use super::*;
    use proptest::prelude::*;

    fn record(state: State) -> JobRecord {
        let outcome =
            state.is_recorded_end().then_some(Outcome { state, error_kind: None, reason: None, reason_text: None });
        JobRecord {
            schema: RECORD_SCHEMA.into(),
            format: 1,
            id: "1".parse().expect("an id"),
            state,
            paused: false,
            stop: None,
            waiting_for: None,
            place: super::super::identity::Place::default(),
            supervisor: None,
            containment: vec![],
            capabilities: vec![],
            run_started_with: 1,
            run_outcome: None,
            attempts: vec![Attempt { number: 1, outcome, ..Attempt::default() }],
        }
    }

    fn somebody() -> Vec<Survivor> {
        vec![Survivor { identity: ProcessIdentity { pid: 7, start_time: 1 }, command: "sleep".into() }]
    }

    fn evidence(claim_held: Option<bool>, whereabouts: Whereabouts, processes: Vec<Survivor>) -> Evidence {
        Evidence { claim_held, whereabouts, processes, supervisor_suspended: false }
    }

    #[test]
    fn the_table() {
        use Whereabouts::{EarlierBoot, Elsewhere, Here};
        for (held, whereabouts, processes, state, supervised, alive) in [
            (Some(true), Here, somebody(), State::Running, Some(true), Some(true)),
            (Some(true), Here, vec![], State::Running, Some(true), Some(false)),
            (Some(false), Here, somebody(), State::Orphaned, Some(false), Some(true)),
            (Some(false), Here, vec![], State::Lost, Some(false), Some(false)),
            (Some(false), EarlierBoot, somebody(), State::Lost, Some(false), Some(false)),
            (Some(false), Elsewhere, vec![], State::Running, None, None),
            (None, Here, vec![], State::Running, None, None),
        ] {
            let seen = observe(&record(State::Running), evidence(held, whereabouts, processes));
            assert_eq!(
                (seen.state, seen.supervised, seen.alive),
                (state, supervised, alive),
                "{held:?} {whereabouts:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_recorded_end_is_never_changed_by_evidence(
            state in proptest::sample::select(State::ALL),
            held: Option<bool>,
            live: bool,
        ) {
            for whereabouts in [Whereabouts::Here, Whereabouts::EarlierBoot, Whereabouts::Elsewhere] {
                let processes = if live { somebody() } else { vec![] };
                let seen = observe(&record(state), evidence(held, whereabouts, processes));
                if state.is_recorded_end() {
                    prop_assert_eq!(seen.state, state);
                }
                // Live processes are never declared lost.
                if live && whereabouts == Whereabouts::Here && state != State::Lost {
                    prop_assert_ne!(seen.state, State::Lost);
                }
            }
        }
    }
}
