//! Asking a supervisor to stop its job, and waiting until that has happened.

use std::time::{Duration, Instant};

use super::end::EndWatch;
use super::launch::{Patience, recover, tell_events};
use crate::domain::event::Happening;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::request::{Kill, Request, Verb};
use crate::domain::signal::Signal;
use crate::domain::state::State;
use crate::platform::{self, Wake, WakeQueue};
use crate::store::{Store, StoreError, Surroundings, deliver, withdraw};

/// How often the record is looked at while waiting: for the news that a stop has failed, which frees no claim.
const LOOK: Duration = Duration::from_millis(250);

/// What is asked, and how long to wait for it.
#[derive(Clone, Debug, Default)]
pub struct KillOptions {
    /// The details.
    pub kill: Kill,
    /// Only wait: somebody has delivered the request already.
    pub is_asked: bool,
    /// Return as soon as the request is delivered.
    pub no_wait: bool,
    /// When to stop waiting; the stop goes on.
    pub deadline: Option<Instant>,
}

/// What really happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KillResult {
    /// The attempt was stopped.
    Stopped,
    /// It had ended by itself before.
    AlreadyEnded,
    /// It was stopped before its command executed.
    NeverStarted,
    /// What was left of an ended attempt was stopped.
    SurvivorsStopped,
    /// The request is delivered; the end was not waited for, or has not come in time.
    Requested,
    /// KILL did not end everything.
    NotStopped,
    /// Its supervisor and all its processes were gone; now an outcome is recorded.
    Settled,
    /// It cannot be done; the message says why.
    Refused,
}

impl KillResult {
    /// The word for JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::AlreadyEnded | Self::Settled => "already_ended",
            Self::NeverStarted => "never_started",
            Self::SurvivorsStopped => "survivors_stopped",
            Self::Requested => "requested",
            Self::NotStopped => "not_stopped",
            Self::Refused => "refused",
        }
    }
}

/// Stops a job, which was so `before`. Returns what happened, what it is then, and whether a suspended supervisor was
/// continued for it.
///
/// # Errors
/// `NoSuchJob` when it is deleted meanwhile, or what the system says.
pub fn kill(
    store: &Store,
    queue: &WakeQueue,
    before: Job,
    options: &KillOptions,
) -> Result<(KillResult, Job, bool), StoreError> {
    let id = before.id;
    if before.state() == State::Corrupt {
        return Ok((KillResult::Refused, before, false));
    }
    if before.state().is_recorded_end() && !before.has_survivors() {
        // Asked before, among others, it may have been stopped by that already.
        let result = if options.is_asked { classify(&before, true) } else { KillResult::AlreadyEnded };
        return Ok((result, before, false));
    }
    let patience = Patience {
        queue: Some(queue),
        deadline: if options.no_wait { Some(Instant::now()) } else { options.deadline },
    };
    if before.observation.supervised != Some(true) {
        return recover(store, id, Verb::Kill(options.kill.clone()), before, &patience);
    }
    let mut attempt = before.attempt().map_or(1, |attempt| attempt.number);
    let since = platform::now();
    let load = || store.load_again(before.clone(), &Surroundings::new());
    let ask = |attempt| deliver(store, id, &Request::new(attempt, Verb::Kill(options.kill.clone())));
    let mut request = if options.is_asked { None } else { Some(ask(attempt)?) };
    let continued = continue_supervisor(&before);
    if options.no_wait {
        return Ok((KillResult::Requested, load()?, continued));
    }
    let mut watch = EndWatch::alone(store, id);
    let asked_at = Instant::now();
    loop {
        // First of all: nothing has happened yet, and a look at a job that is about to end, its leader dead and its
        // claim still held, means a look at every process of this host.
        let left = options.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(LOOK, |left| left.min(LOOK));
        let wakes = watch.wait(queue, Some(timeout))?;
        if wakes.iter().any(|wake| matches!(wake, Wake::Signal(_))) {
            return Ok((KillResult::Requested, load()?, continued));
        }
        let is_free = watch.is_free();
        let job = load()?;
        let current = job.attempt().map_or(0, |a| a.number);
        let same_run = job.record().is_some_and(|record| record.run_started_with <= attempt);
        if current != attempt && same_run && job.observation.supervised == Some(true) {
            // A retry began meanwhile. What was asked for was meant for the run.
            log::info!("job {id}: attempt {current} has begun meanwhile and is asked, too");
            attempt = current;
            request = Some(ask(attempt)?);
            continue;
        }
        // A job that is `lost` was found so before it was stopped: the recovery below looks harder.
        if job.state().is_recorded_end() || job.state() == State::Corrupt || (current != attempt && !same_run) {
            if !is_free {
                super::end::until_released(store, id);
            }
            tell_events(store, id, since);
            if let Some(request) = &request {
                withdraw(store, id, request);
            }
            if job.has_survivors() && current == attempt {
                // Somebody has abandoned it. If that came before this kill, it is an ended job with survivors.
                let answer = request.map(|request| answer_to(store, id, &request)).transpose()?.flatten();
                let is_accepted = answer.is_some_and(|(result, _)| result == "accepted");
                return match options.is_asked || is_accepted {
                    true => Ok((KillResult::NotStopped, job, continued)),
                    false => recover(store, id, Verb::Kill(options.kill.clone()), job, &patience),
                };
            }
            return Ok((classify(&job, current == attempt), job, continued));
        }
        if is_free {
            // The supervisor died under the stop: what it left is stopped from outside.
            log::info!("job {id}: its supervisor died under the stop");
            return recover(store, id, Verb::Kill(options.kill.clone()), job, &patience);
        }
        let stop = job.record().and_then(|record| record.stop.as_ref());
        if stop.is_some_and(|stop| !stop.not_stopped.is_empty()) && asked_at.elapsed() > LOOK {
            return Ok((KillResult::NotStopped, job, continued));
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Ok((KillResult::Requested, job, continued));
        }
    }
}

/// Brings a job to rest that nobody supervises: stops what is left, runs the finally steps that are pending, and records an
/// outcome if there is none. Never acts on a run that somebody has begun meanwhile.
///
/// # Errors
/// `Busy` when it is supervised, or what the system or the recovery says.
pub fn settle(store: &Store, id: JobId, kill: Kill) -> Result<Job, StoreError> {
    let job = store.load(id, &Surroundings::new())?;
    if job.observation.supervised == Some(true) {
        return Err(StoreError::Busy);
    }
    recover(store, id, Verb::Kill(kill), job, &Patience::default()).map(|(_, job, _)| job)
}

fn classify(job: &Job, same_attempt: bool) -> KillResult {
    let started = job.attempt().is_some_and(|a| a.started_at.is_some());
    match job.state() {
        State::Interrupted if same_attempt && !started => KillResult::NeverStarted,
        State::Interrupted | State::TimedOut | State::Abandoned if same_attempt => KillResult::Stopped,
        _ => KillResult::AlreadyEnded,
    }
}

/// A supervisor that is suspended by a signal cannot hear requests: continues it, and says whether it did.
fn continue_supervisor(job: &Job) -> bool {
    let supervisor = job.record().and_then(|record| record.supervisor);
    let suspended = supervisor.filter(|identity| {
        platform::process_info(identity.pid)
            .is_some_and(|info| info.identity == *identity && matches!(info.state, 'T' | 't'))
    });
    let continued = suspended.is_some_and(|identity| platform::signal_identity(identity, Signal::CONT).is_ok());
    if continued {
        log::info!("job {}: its supervisor was suspended, and was continued", job.id);
        platform::crash_point("kill.continued");
    }
    continued
}

/// How long an answer is waited for: a supervisor that lives answers within milliseconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// What a supervisor said to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It changed something.
    Accepted,
    /// It is so already.
    NoChange,
    /// The attempt has ended.
    AlreadyEnded,
    /// It cannot or will not; why.
    Refused(String),
    /// It has not answered in time; the request lies there.
    None,
}

/// Returns how a request was answered, if it was: the result and the message.
fn answer_to(store: &Store, id: JobId, name: &str) -> Result<Option<(String, Option<String>)>, StoreError> {
    Ok(store.events(id, 0)?.into_iter().rev().find_map(|event| match event.what {
        Happening::Answered { request, result, message, .. } if request == name => Some((result, message)),
        _ => None,
    }))
}

/// Asks the supervisor of a job for something, and waits for its answer.
///
/// # Errors
/// `NoSuchJob` when the job is deleted meanwhile, or what the system says.
pub fn request(
    store: &Store,
    queue: &WakeQueue,
    job: &Job,
    verb: Verb,
    limit: Option<Duration>,
) -> Result<Answer, StoreError> {
    let knows = |record: &crate::domain::record::JobRecord| record.capabilities.iter().any(|c| c == verb.name());
    if !job.record().is_some_and(knows) {
        let message = format!("its supervisor is of a version that does not know '{}'", verb.name());
        return Ok(Answer::Refused(message));
    }
    let attempt = job.attempt().map_or(1, |attempt| attempt.number);
    let name = deliver(store, job.id, &Request::new(attempt, verb))?;
    let deadline = Instant::now() + limit.unwrap_or(ANSWER_LIMIT);
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some((result, message)) = answer_to(store, job.id, &name)? {
            log::info!("job {}: '{name}' was answered: {result}", job.id);
            return Ok(match result.as_str() {
                "accepted" => Answer::Accepted,
                "no_change" => Answer::NoChange,
                "already_ended" => Answer::AlreadyEnded,
                _ => Answer::Refused(message.unwrap_or_else(|| "the supervisor refused".into())),
            });
        }
        if Instant::now() >= deadline || !store.is_claimed(job.id)? {
            return Ok(Answer::None);
        }
        // The answer comes within a millisecond or two; a watch would take longer to open.
        queue.wait(Some(pause), None).ok();
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Gives a job up: asks its supervisor, and acts in its place when it does not answer within a second. Returns what the job
/// is then, and why the supervisor has refused if it has.
///
/// # Errors
/// `NoSuchJob` when the job is deleted meanwhile, or what the system says.
pub fn abandon(
    store: &Store,
    queue: &WakeQueue,
    job: Job,
    kill: bool,
    reason_text: Option<String>,
) -> Result<(Job, Option<String>), StoreError> {
    let id = job.id;
    let verb = Verb::Abandon { kill, reason_text };
    let load = || store.load(id, &Surroundings::new());
    if job.observation.supervised == Some(true) {
        let mut watch = EndWatch::alone(store, id);
        let answer = request(store, queue, &job, verb.clone(), Some(Duration::from_secs(1)))?;
        if let Answer::Refused(why) = answer {
            return Ok((load()?, Some(why)));
        }
        if answer != Answer::None {
            let deadline = Instant::now() + Duration::from_secs(1);
            while !watch.is_free() && Instant::now() < deadline {
                watch.wait(queue, Some(Duration::from_millis(20))).ok();
            }
            return Ok((load()?, None));
        }
        // It is suspended or stuck. Its end frees the claim; what it supervised is not touched by it.
        if let Some(supervisor) = load()?.record().and_then(|record| record.supervisor) {
            log::info!("job {id}: supervisor {} has not answered and is killed", supervisor.pid);
            platform::signal_identity(supervisor, Signal::KILL).ok();
        }
        platform::crash_point("abandon.supervisor_killed");
        let deadline = Instant::now() + Duration::from_millis(500);
        while !watch.is_free() && Instant::now() < deadline {
            watch.wait(queue, Some(Duration::from_millis(20))).ok();
        }
        let job = load()?;
        if job.state().is_recorded_end() {
            return Ok((job, None));
        }
        return recover(store, id, verb, job, &Patience::default()).map(|(_, job, _)| (job, None));
    }
    recover(store, id, verb, job, &Patience::default()).map(|(_, job, _)| (job, None))
}

/// Kills what lives of a job whose record cannot be read, as far as its other files tell who that is. Says whether
/// nothing is left: twenty looks over a quarter of a second found nothing.
pub fn stop_unreadable(store: &Store, id: JobId) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut clean = 0;
    while clean < 20 {
        let left = store.processes_of_unreadable(id);
        if left.is_empty() {
            clean += 1;
        } else if Instant::now() >= deadline {
            return false;
        } else {
            clean = 0;
            for row in left {
                platform::signal_identity(row.identity, Signal::KILL).ok();
            }
        }
        platform::pause(Duration::from_millis(13));
    }
    true
}
