//! Starting a job: everything is prepared, a supervisor is started, and it publishes and runs what was prepared.
//!
//! The supervisor process starts while its order is being prepared, and the spec is flushed while the command is being
//! started. If this process dies before the order is given, the supervisor sees the end of the connection and goes.

use std::io::ErrorKind;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::ask::KillResult;
use super::pump::Limited;
use super::supervisor::order;
use crate::domain::identity::ProcessIdentity;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::notice::{Notice, Refusal, STAGED, Task};
use crate::domain::record::{Attempt, JobRecord, RECORD_FORMAT, RECORD_SCHEMA};
use crate::domain::request::Verb;
use crate::domain::retention::Keep;
use crate::domain::spec::{JobSpec, Stdin, Variables};
use crate::domain::state::{Reason, State};
use crate::platform::{self, Connection, WakeQueue};
use crate::store::{NewJob, StagedJob, Store, StoreError, Surroundings};

/// Far more than a loaded machine needs to start a process and write some files.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How long a dead supervisor may seem to hold its claim.
const DYING_LIMIT: Duration = Duration::from_secs(1);

/// A job whose command executes, or which has to wait.
#[derive(Debug)]
pub struct Launched {
    /// Its id.
    pub id: JobId,
    /// Its attempt.
    pub attempt: u32,
    /// Whether it has to wait.
    pub queued: bool,
    /// Whether its supervisor died at once, and nothing of it lives.
    pub is_lost: bool,
    /// The line to its supervisor: its closing is the end of the run.
    pub connection: Connection,
    /// The size limit of its logs, for a client that stays; set by whoever launches it.
    pub limited: Option<Limited>,
    /// Whether the job has a terminal; set by whoever launches it.
    pub pty: bool,
}

/// Why there is no such job.
#[derive(Debug)]
pub enum LaunchError {
    /// The store refused.
    Store(StoreError),
    /// An active job bears the name.
    NameTaken(JobId),
    /// The command could not be started; this is recorded under the id.
    NotStarted {
        /// The job.
        id: JobId,
        /// Which step failed.
        reason: Reason,
        /// A sentence for people.
        message: String,
    },
    /// The supervisor said no, or nothing at all.
    Supervisor {
        /// The id it was to have.
        id: JobId,
        /// A sentence for people.
        message: String,
    },
}

impl From<StoreError> for LaunchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What to launch.
#[derive(Debug)]
pub struct Launching {
    /// The id and uid that the spec bears.
    pub job: NewJob,
    /// The spec.
    pub spec: JobSpec,
    /// The environment, when the spec does not hold it.
    pub variables: Option<Variables>,
    /// How long other jobs are kept once they have ended.
    pub keep: Keep,
}

/// Launches a job. `before_start` is called once everything is prepared and before anything can execute; `held` is
/// kept until the command executes (the client's end of a typed stdin).
///
/// # Errors
/// See [`LaunchError`]. Unless it says that the failure is recorded, nothing of the job is left.
pub fn launch(
    store: &Store,
    launching: Launching,
    before_start: impl FnOnce(&StagedJob) -> Result<(), StoreError>,
) -> Result<Launched, LaunchError> {
    let Launching { job, spec, variables, keep } = launching;
    let spec = ManuallyDrop::new(spec);
    let id = job.id;
    let broken = |error: std::io::Error| LaunchError::Supervisor {
        id,
        message: format!("the supervisor could not be started: {error}"),
    };
    let keep_stdin = spec.stdin == Stdin::Inherit;
    let (name, record) = (store.staging_name(id)?, first_record(id, spec.pty));
    let task = Task::Start {
        staging: name.clone(),
        spec: Box::new((*spec).clone()),
        record: Box::new(record.clone()),
        variables,
        keep: Some(keep),
    };
    let mut staged = store.stage(name, id);
    // While it prepares itself for this job, we prepare the job.
    let mut connection = order(store, id, keep_stdin, task).map_err(broken)?;
    platform::crash_point("create.ordered");
    staged.fill(&spec, &record)?;
    before_start(&staged)?;
    platform::crash_point("create.prepared");
    connection.send(STAGED).map_err(broken)?;
    platform::crash_point("create.handed_over");
    // From here on the supervisor may publish it at any moment; what it does not publish is swept one day.
    staged.handed_over();
    staged.flush()?;
    let attempt = match receive(&mut connection, id)? {
        Notice::Published { attempt } => attempt,
        Notice::Refused(refusal) => {
            staged.take_back();
            return Err(refused(id, refusal));
        }
        other => return Err(unexpected(id, &other)),
    };
    staged.flush_place()?;
    platform::crash_point("create.flushed");
    if keep_stdin {
        // The job has it now; a copy of ours would hide from its writer that the job reads no more.
        platform::release_stdin().ok();
    }
    begun(store, id, attempt, connection)
}

/// The next attempt of a job.
#[derive(Debug)]
pub struct Resuming {
    /// The job.
    pub id: JobId,
    /// What the attempt runs with, when that is not the spec of the job.
    pub spec: Option<JobSpec>,
    /// A FIFO in `staging/` that becomes its input.
    pub fifo: Option<String>,
    /// The environment, when the spec does not hold it.
    pub variables: Option<Variables>,
    /// Whether our stdin becomes its input.
    pub keep_stdin: bool,
    /// How long other jobs are kept once they have ended.
    pub keep: Keep,
}

/// Launches the next attempt of a job.
///
/// # Errors
/// See [`LaunchError`].
pub fn relaunch(store: &Store, resuming: Resuming) -> Result<Launched, LaunchError> {
    let Resuming { id, spec, fifo, variables, keep_stdin, keep } = resuming;
    let broken = |error: std::io::Error| LaunchError::Supervisor {
        id,
        message: format!("the supervisor could not be started: {error}"),
    };
    let task = Task::Resume { spec: spec.map(Box::new), fifo, variables, keep: Some(keep) };
    let mut connection = order(store, id, keep_stdin, task).map_err(broken)?;
    platform::crash_point("resume.ordered");
    let attempt = match receive(&mut connection, id)? {
        Notice::Published { attempt } => attempt,
        Notice::Refused(refusal) => return Err(refused(id, refusal)),
        other => return Err(unexpected(id, &other)),
    };
    if keep_stdin {
        // The job has it now; a copy of ours would hide from its writer that the job reads no more.
        platform::release_stdin().ok();
    }
    begun(store, id, attempt, connection)
}

/// Waits until the command executes, or the supervisor says why not.
fn begun(store: &Store, id: JobId, attempt: u32, mut connection: Connection) -> Result<Launched, LaunchError> {
    log::info!("job {id}: a supervisor was started, and has taken attempt {attempt}");
    let notice = match receive(&mut connection, id) {
        // The supervisor died, perhaps after it let the command execute and before it could say so.
        Err(error) => {
            // Its claim may be held for a moment longer than its end of the connection.
            let deadline = Instant::now() + DYING_LIMIT;
            while store.is_claimed(id).unwrap_or(false) && Instant::now() < deadline {
                platform::pause(Duration::from_millis(2));
            }
            // The command may have executed, and even ended: the job's state tells what is known.
            return match store.load(id, &Surroundings::new()) {
                Ok(job) if matches!(job.state(), State::Orphaned | State::Lost) => Ok(Launched {
                    id,
                    attempt,
                    queued: false,
                    is_lost: job.state() == State::Lost,
                    connection,
                    limited: None,
                    pty: false,
                }),
                Ok(_) | Err(_) => Err(error),
            };
        }
        Ok(notice) => notice,
    };
    log::info!("job {id}: its supervisor says {notice:?}");
    tell_processes(store, id);
    match notice {
        Notice::Running { attempt } => {
            Ok(Launched { id, attempt, queued: false, is_lost: false, connection, limited: None, pty: false })
        }
        Notice::Queued => {
            Ok(Launched { id, attempt, queued: true, is_lost: false, connection, limited: None, pty: false })
        }
        Notice::NotStarted { reason, message } => {
            // Its record is complete when the supervisor is done.
            while !matches!(receive(&mut connection, id)?, Notice::Ended | Notice::Unrecorded { .. }) {}
            Err(LaunchError::NotStarted { id, reason, message })
        }
        // Stopped before it began; the record says so.
        Notice::Ended => {
            Ok(Launched { id, attempt, queued: false, is_lost: false, connection, limited: None, pty: false })
        }
        Notice::Refused(refusal) => Err(refused(id, refusal)),
        Notice::Unrecorded { message } => {
            let message = format!("it has ended, but how cannot be recorded yet: {message}");
            Err(LaunchError::Supervisor { id, message })
        }
        other @ Notice::Published { .. } => Err(unexpected(id, &other)),
    }
}

/// Tells what has happened to a job since then, to whoever wants to know what is done.
pub(super) fn tell_events(store: &Store, id: JobId, since: DateTime<Utc>) {
    if log::log_enabled!(log::Level::Info) {
        let events = store.events(id, 0).unwrap_or_default();
        for event in events.iter().filter(|event| event.time >= since) {
            let what = serde_json::to_string(&event.what).unwrap_or_default();
            log::info!("job {id}: event {} of attempt {}: {what}", event.seq, event.attempt);
        }
    }
}

/// Tells which processes a job has, to whoever wants to know what is done.
fn tell_processes(store: &Store, id: JobId) {
    if log::log_enabled!(log::Level::Info)
        && let Ok(job) = store.load(id, &Surroundings::new())
    {
        let pid = |identity: Option<ProcessIdentity>| identity.map_or("none".into(), |one| one.pid.to_string());
        let (supervisor, leader) =
            (job.record().and_then(|record| record.supervisor), job.attempt().and_then(|a| a.leader));
        log::info!("job {id}: it is {}; supervisor {}, command {}", job.state(), pid(supervisor), pid(leader));
    }
}

fn receive(connection: &mut Connection, id: JobId) -> Result<Notice, LaunchError> {
    let failed = |message: String| LaunchError::Supervisor { id, message };
    match connection.receive(Some(START_LIMIT)) {
        Ok(Some(line)) => serde_json::from_str(&line)
            .map_err(|error| failed(format!("the supervisor said something unknown: {error}"))),
        Ok(None) => Err(failed(format!(
            "the supervisor died while it started the command; 'jobdir status {id}' says what is left"
        ))),
        Err(error) => Err(failed(format!("the supervisor does not answer: {error}"))),
    }
}

fn refused(id: JobId, refusal: Refusal) -> LaunchError {
    match refusal {
        Refusal::NameTaken { by } => LaunchError::NameTaken(by),
        Refusal::Busy => LaunchError::Store(StoreError::Busy),
        Refusal::Failed { message } => LaunchError::Supervisor { id, message },
    }
}

fn unexpected(id: JobId, notice: &Notice) -> LaunchError {
    LaunchError::Supervisor { id, message: format!("the supervisor said {notice:?} out of turn") }
}

fn first_record(id: JobId, pty: bool) -> JobRecord {
    JobRecord {
        schema: RECORD_SCHEMA.into(),
        format: RECORD_FORMAT,
        id,
        state: State::Starting,
        paused: false,
        stop: None,
        waiting_for: None,
        place: platform::place(),
        supervisor: None,
        containment: Vec::new(),
        capabilities: Vec::new(),
        run_started_with: 1,
        run_outcome: None,
        attempts: vec![Attempt { number: 1, pty, ..Attempt::default() }],
    }
}

/// How long a recovery is waited for, which bounds itself but may be given a long plan. Nothing of this ends the recovery.
#[derive(Debug, Default)]
pub(super) struct Patience<'a> {
    /// Where signals arrive that end the waiting.
    pub(super) queue: Option<&'a WakeQueue>,
    /// When the waiting ends at the latest.
    pub(super) deadline: Option<Instant>,
}

/// How often the record is looked at meanwhile: for the news that a stop has failed, after which the recovery stays.
const LOOK: Duration = Duration::from_millis(250);

/// Starts a supervisor that acts in place of one that died, and waits for what it does.
///
/// # Errors
/// What the system or the recovery says.
pub(super) fn recover(
    store: &Store,
    id: JobId,
    verb: Verb,
    before: Job,
    patience: &Patience<'_>,
) -> Result<(KillResult, Job, bool), StoreError> {
    let began = platform::now();
    let had_processes = !before.observation.survivors.is_empty();
    let had_ended = before.state().is_recorded_end();
    let broken =
        |source| StoreError::Io { action: "start a supervisor for", path: store.layout().root().into(), source };
    let mut connection = order(store, id, false, Task::Recover { verb }).map_err(broken)?;
    platform::crash_point("recover.ordered");
    log::info!("job {id}: it is {} and nobody supervises it; a supervisor was started to recover it", before.state());
    loop {
        let left = patience.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let line = match connection.receive(Some(left.map_or(LOOK, |left| left.min(LOOK)))) {
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                let job = store.load(id, &Surroundings::new())?;
                let is_new = |record: &&JobRecord| record.supervisor != before.record().and_then(|old| old.supervisor);
                let stop = job.record().filter(is_new).and_then(|record| record.stop.as_ref());
                if stop.is_some_and(|stop| !stop.not_stopped.is_empty()) {
                    return Ok((KillResult::NotStopped, job, false));
                }
                let is_signalled =
                    || patience.queue.is_some_and(|queue| queue.take().iter().any(|w| w.signal().is_some()));
                if left.is_some_and(|left| left.is_zero()) || is_signalled() {
                    return Ok((KillResult::Requested, job, false));
                }
                platform::meanwhile();
                continue;
            }
            line => line.map_err(broken)?,
        };
        match line.as_deref().map(serde_json::from_str::<Notice>) {
            Some(Ok(Notice::Refused(Refusal::Busy))) => return Err(StoreError::Busy),
            Some(Ok(Notice::Refused(Refusal::Failed { message }))) => {
                return Err(StoreError::Damaged { path: store.layout().job(id).dir().into(), why: message });
            }
            Some(Ok(Notice::Ended)) | None => break,
            Some(_) => {}
        }
    }
    let job = store.load(id, &Surroundings::new())?;
    log::info!("job {id}: recovered: it is {}, {} of its processes live", job.state(), job.observation.survivors.len());
    tell_events(store, id, began);
    let result = match (had_ended, had_processes) {
        _ if job.has_survivors() || job.state() == State::Orphaned => KillResult::NotStopped,
        (true, _) => KillResult::SurvivorsStopped,
        (false, true) => KillResult::Stopped,
        (false, false) => KillResult::Settled,
    };
    Ok((result, job, false))
}
