//! Acting in place of a supervisor that died: under its job's claim, from outside, best effort.
//!
//! Stops what is left, runs the finally steps that are pending, and records an outcome if none was. A crash in here
//! leaves what was found: the next recovery begins anew.

use super::driver::{Drive, Driver};
use super::entry::Beginning;
use super::journal::Journal;
use super::machine::{End, Event, Machine, Phase};
use super::outside::Outside;
use super::run::Run;
use super::tree::Processes;
use super::watch::InboxWatch;
use crate::domain::event::Happening;
use crate::domain::identity::{PidFile, Place, Whereabouts};
use crate::domain::notice::{Notice, Refusal};
use crate::domain::outcome::conclude;
use crate::domain::record::FinallyState;
use crate::domain::request::Verb;
use crate::domain::state::State;
use crate::platform;
use crate::store::Inbox;

/// Does what a supervisor would have done.
pub(super) fn recover(beginning: Beginning, verb: &Verb) {
    let Beginning { store, id, mut client, queue, epoch, keep: _ } = beginning;
    let mut refuse = |message: String| client.tell(&Notice::Refused(Refusal::Failed { message }));
    let claim = match store.claim(id) {
        Ok(claim) => claim,
        Err(error) => return client.refuse(&error),
    };
    platform::crash_point("recover.claimed");
    let files = claim.load_record().and_then(|record| Ok((claim.load_attempt_spec(record.attempt().number)?, record)));
    let (spec, record) = match files {
        Ok(files) => files,
        Err(error) => return refuse(error.to_string()),
    };
    let here = platform::place();
    if record.place.seen_from(&here) == Whereabouts::Elsewhere {
        let Place { host, pid_namespace, .. } = &record.place;
        return refuse(format!("it was started on host '{host}', pid namespace '{pid_namespace}': kill it from there"));
    }
    let own = match platform::own_identity() {
        Ok(own) => own,
        Err(error) => return refuse(error.to_string()),
    };
    let had_ended = record.state.is_recorded_end();
    let before = record.clone();
    let inbox = Inbox::new(claim.paths().kill_signals());
    let watch = InboxWatch::new(inbox.dir(), queue.waker());
    let mut journal = Journal::new(&claim, record);
    journal.tell(&claim, Happening::Note { message: "a recovery took over: the supervisor had died".into() });
    journal.change().supervisor = Some(own);
    let mut driver = Driver {
        claim,
        journal,
        inbox,
        queue,
        watch,
        memory_kills: None,
        epoch,
        aborted: false,
        nested: None,
        input: None,
        record_at: None,
        trimmer: None,
        trimmed: None,
        terminal: None,
        was_interrupted: false,
    };
    let mut outside = Outside::new(store.clone(), spec.uid.clone(), before.clone(), own);
    let mut stop = spec.stop.clone();
    if had_ended {
        // It cannot be given up once more: what is left has all the time that there is for killing.
        stop.abandon_after_ms = None;
    }
    let mut machine = Machine::new(stop, driver.now());
    let event = match verb {
        Verb::Abandon { kill, reason_text } => {
            if *kill {
                outside.kill_pass();
            }
            Event::Abandon { reason_text: reason_text.clone() }
        }
        Verb::Kill(kill) => Event::Kill(kill.clone()),
        Verb::Signal { .. } | Verb::Pause | Verb::Unpause | Verb::CloseInput | Verb::Unknown => {
            return refuse(format!("{} needs a supervisor, and this job has lost its own", verb.name()));
        }
    };
    // From now on this process is found by its PID file, as every supervisor is.
    let pid_file = PidFile {
        schema: "jobdir/pid/1".into(),
        id: Some(spec.id),
        attempt: before.attempt().number,
        supervisor: own,
        leader: before.attempt().leader.or_else(|| driver.claim.load_pid_file()?.leader),
        place: here,
    };
    driver.claim.save_pid_file(&pid_file).ok();
    platform::crash_point("recover.identified");
    refuse_what_was_asked_of_the_dead(&mut driver);
    // What the command came to is known: only finally steps may still run, and their end changes nothing of it.
    let is_concluded = had_ended || before.attempt().outcome.is_some();
    driver.aborted |= is_concluded && matches!(verb, Verb::Abandon { .. });
    let drive = if is_concluded { Drive::Survivors } else { Drive::Command };
    driver.begin_with(&mut outside, &mut machine, event, drive);
    driver.drive(&mut outside, &mut machine, drive);
    platform::crash_point("recover.stopped");
    let left = if *machine.phase() == Phase::Ended(End::Empty) { Vec::new() } else { outside.members() };
    let attempt = driver.journal.attempt();
    let is_empty = left.is_empty();
    attempt.adopted = left.iter().map(|row| row.identity).collect();
    if !had_ended {
        let now = platform::now();
        attempt.ended_at = Some(now);
        // By the wall clock: nobody else has watched.
        attempt.duration_ms =
            attempt.started_at.map(|started| u64::try_from((now - started).num_milliseconds()).unwrap_or(0));
        // Finally steps had begun: what the command itself came to was recorded before them.
        if attempt.outcome.is_none() {
            attempt.outcome = Some(conclude(machine.cause(), None, None));
            attempt.message = Some("its supervisor died; it was stopped from outside".into());
        }
    }
    let pending = attempt
        .finally
        .as_ref()
        .is_some_and(|finally| matches!(finally.state, FinallyState::Pending | FinallyState::Running));
    let abandoned = attempt.outcome.as_ref().is_some_and(|outcome| outcome.state == State::Abandoned);
    // After a stop that has failed they stay pending: they run when nothing lives any more.
    let started = (pending && is_empty) || (abandoned && !had_ended);
    let variables = spec.environment.variables.clone();
    let mut run = Run { store, client, driver, spec, variables, own, keep: None, stocking: None };
    if started {
        run.run_finally_steps();
    }
    run.finish();
}

/// Answers requests that the dead supervisor did not come to answer. Kills are left: this is one. Anything else would
/// undo it, an abandonment above all, and whoever asked has seen the claim become free.
fn refuse_what_was_asked_of_the_dead(driver: &mut Driver) {
    for request in driver.inbox.look().unwrap_or_default() {
        if !matches!(&request.content, Ok(asked) if matches!(asked.verb, Verb::Kill(_))) {
            driver.answer(&request, "refused", Some("the supervisor that it was meant for had died".into()));
        }
    }
}
