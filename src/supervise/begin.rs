//! How a run begins: a new job is published, or the next attempt of one that has ended is written down. Either way the
//! claim is held before anybody can see it.

use super::driver::Driver;
use super::entry::Beginning;
use super::journal::Journal;
use super::run::Run;
use super::watch::InboxWatch;
use crate::domain::notice::{Notice, Refusal, STAGED};
use crate::domain::record::{Attempt, JobRecord};
use crate::domain::spec::{JobSpec, Variables};
use crate::domain::state::State;
use crate::platform;
use crate::store::{Claim, Flush, Inbox, StoreError, Surroundings};

/// Publishes a new job and runs it.
pub(super) fn start(
    mut beginning: Beginning,
    staging: &str,
    spec: JobSpec,
    record: JobRecord,
    variables: Option<Variables>,
) {
    match publish(&mut beginning, staging, &spec) {
        Ok(claim) => {
            beginning.client.tell(&Notice::Published { attempt: 1 });
            begin(beginning, claim, record, spec, variables);
        }
        Err(Some(error)) => beginning.client.refuse(&error),
        Err(None) => {}
    }
}

fn publish(beginning: &mut Beginning, staging: &str, spec: &JobSpec) -> Result<Claim, Option<StoreError>> {
    let Beginning { store, id, client, .. } = beginning;
    let reserved = store.reserve(*id, staging)?;
    // The client prepares the job meanwhile.
    if client.hear().as_deref() != Some(STAGED) {
        return Err(None);
    }
    platform::crash_point("supervise.staged");
    let names = match &spec.name {
        None => None,
        Some(name) => match store.lock_name(name)? {
            Ok(lock) => Some(lock),
            Err(by) => {
                client.tell(&Notice::Refused(Refusal::NameTaken { by }));
                return Err(None);
            }
        },
    };
    Ok(reserved.publish(staging, names.as_ref())?)
}

/// Begins the next attempt of a job that has ended.
pub(super) fn resume(
    mut beginning: Beginning,
    spec: Option<JobSpec>,
    fifo: Option<String>,
    variables: Option<Variables>,
) {
    match prepare_resume(&mut beginning, spec, fifo) {
        Ok((claim, spec, record)) => {
            beginning.client.tell(&Notice::Published { attempt: record.attempt().number });
            begin(beginning, claim, record, spec, variables);
        }
        Err(Some(error)) => beginning.client.refuse(&error),
        Err(None) => {}
    }
}

/// Takes the claim and writes the new attempt into the record.
fn prepare_resume(
    beginning: &mut Beginning,
    given: Option<JobSpec>,
    fifo: Option<String>,
) -> Result<(Claim, JobSpec, JobRecord), Option<StoreError>> {
    let Beginning { store, id, client, .. } = beginning;
    let claim = store.claim(*id)?;
    platform::crash_point("resume.claimed");
    let (spec, mut record) = (claim.load_spec()?, claim.load_record()?);
    let mut refuse = |message: String| {
        client.tell(&Notice::Refused(Refusal::Failed { message }));
        None
    };
    if !record.state.is_recorded_end() {
        return Err(refuse("its supervisor has died since; try again".into()));
    }
    // An end that was proven needs no second look, which would find the exit hook, for one.
    let proven = record.state != State::Abandoned && record.attempt().adopted.is_empty();
    let left = match proven {
        true => Vec::new(),
        false => store.recorded_processes(&spec.uid, &record, &Surroundings::new(), true),
    };
    if !left.is_empty() {
        return Err(refuse("processes of an earlier attempt still live".into()));
    }
    let _names = match &spec.name {
        None => None,
        Some(name) => match store.lock_name(name)? {
            Ok(lock) => Some(lock),
            Err(by) => {
                client.tell(&Notice::Refused(Refusal::NameTaken { by }));
                return Err(None);
            }
        },
    };
    let number = record.attempt().number + 1;
    claim.make_attempt(number)?;
    platform::crash_point("resume.attempt");
    let pty = given.as_ref().map_or(spec.pty, |given| given.pty);
    let mut attempt = Attempt { number, pty, ..Attempt::default() };
    // What a resume that died left for this attempt is not what this one wants.
    claim.forget_attempt_spec(number)?;
    platform::crash_point("resume.forgotten");
    if let Some(given) = &given {
        claim.save_attempt_spec(number, given)?;
        platform::crash_point("resume.spec");
        attempt.command = (given.command != spec.command).then(|| given.command.clone());
    }
    if let Some(fifo) = fifo {
        claim.adopt_fifo(&store.layout().staged(&fifo))?;
        platform::crash_point("resume.fifo");
    }
    // What lies in the inbox and does not name the new attempt was meant for one that has ended.
    let mut journal = Journal::new(&claim, record.clone());
    let inbox = Inbox::new(claim.paths().kill_signals());
    for request in inbox.look().unwrap_or_default() {
        if !request.content.as_ref().is_ok_and(|asked| asked.attempt == Some(number)) {
            journal.answer(&claim, &inbox, &request, "already_ended", None);
        }
    }
    record.attempts.push(attempt);
    record.run_started_with = number;
    record.supervisor = platform::own_identity().ok();
    (record.run_outcome, record.stop, record.waiting_for, record.paused) = (None, None, None, false);
    record.place = platform::place();
    *journal.change() = record;
    journal.enter(&claim, State::Starting);
    journal.save(&claim, Flush::No)?;
    platform::crash_point("resume.recorded");
    Ok((claim, given.unwrap_or(spec), journal.record().clone()))
}

fn begin(beginning: Beginning, claim: Claim, record: JobRecord, spec: JobSpec, variables: Option<Variables>) {
    let Beginning { store, id: _, mut client, queue, epoch, keep } = beginning;
    let own = match platform::own_identity() {
        Ok(own) => own,
        Err(error) => return client.tell(&Notice::Refused(Refusal::Failed { message: error.to_string() })),
    };
    // Armed before anything is looked at or started: what comes later rings, what came earlier lies there.
    let inbox = Inbox::new(claim.paths().kill_signals());
    let watch = InboxWatch::new(inbox.dir(), queue.waker());
    platform::crash_point("begin.watched");
    let journal = Journal::new(&claim, record);
    let driver = Driver {
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
    let variables = variables.unwrap_or_else(|| spec.environment.variables.clone());
    let mut run = Run { store, client, driver, spec, variables, own, keep, stocking: None };
    run.all_attempts();
    run.finish();
}
