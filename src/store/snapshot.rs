//! Reading jobs: lenient, without a lock, without writing anything. One bad job is one `corrupt` row.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::error::Context;
use super::layout::JobPaths;
use super::log::Log;
use super::waiting::Queue;
use super::{Store, StoreError, format};
use crate::domain::identity::{Place, ProcessIdentity};
use crate::domain::job::{Job, Output, Progress, parse_meta};
use crate::domain::job_id::JobId;
use crate::domain::observe::{Observation, observe};
use crate::domain::record::{JobRecord, Traces};
use crate::domain::spec::SpecHead;
use crate::domain::state::State;
use crate::domain::tree::{ProcessInfo, ProcessTable};
use crate::platform;

/// The most that is read of a file that the job itself writes.
const MAX_FOREIGN: u64 = 64 << 10;

/// How long a claim is believed to be held by a process that is dead already: some other one may have taken it.
const DYING_LOOKS: u32 = 50;
const DYING_PAUSE: Duration = Duration::from_millis(2);

/// What is around us, looked at once and only when it is needed.
#[derive(Debug, Default)]
pub struct Surroundings {
    place: OnceCell<Place>,
    table: OnceCell<ProcessTable>,
    cookies: OnceCell<HashMap<String, HashSet<u32>>>,
    known: Option<Rc<Cookies>>,
    queue: OnceCell<Option<Queue>>,
    states: RefCell<HashMap<JobId, Option<State>>>,
}

/// The cookies of processes, for whoever looks again and again: to read the environment of each costs far more than a look at
/// the table does.
///
/// A fork keeps the cookie, and what a process carries changes only when it executes something. So what was once seen is
/// remembered, but only of processes that are older than the looking: a younger one may not have executed its command yet.
#[derive(Debug)]
pub struct Cookies {
    before: u64,
    known: RefCell<HashMap<ProcessIdentity, Option<String>>>,
}

impl Cookies {
    /// Remembers those of processes that started before this time.
    pub fn before(start_time: u64) -> Self {
        Self { before: start_time, known: RefCell::default() }
    }

    fn of(&self, process: ProcessIdentity) -> Option<String> {
        if let Some(known) = self.known.borrow().get(&process) {
            return known.clone();
        }
        let cookie = read_cookie(process);
        if process.start_time < self.before {
            self.known.borrow_mut().insert(process, cookie.clone());
        }
        cookie
    }
}

fn read_cookie(process: ProcessIdentity) -> Option<String> {
    platform::environment_value(process.pid, "JOBDIR_JOB_UID")
}

impl Surroundings {
    /// Has looked at nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has looked at nothing yet, but knows cookies from earlier looks.
    pub fn knowing(cookies: &Rc<Cookies>) -> Self {
        Self { known: Some(cookies.clone()), ..Self::default() }
    }

    /// Returns where pids mean something now.
    pub fn place(&self) -> &Place {
        self.place.get_or_init(platform::place)
    }

    /// Returns one look at the process table.
    pub fn table(&self) -> &ProcessTable {
        self.table.get_or_init(platform::process_table)
    }

    /// Returns one look at the queue.
    pub(super) fn queue(&self, store: &Store) -> Option<&Queue> {
        self.queue.get_or_init(|| Queue::read(store).ok()).as_ref()
    }

    /// Returns the state of a job, looked at once; `None` when there is no such job.
    pub(super) fn state(&self, store: &Store, id: JobId) -> Option<State> {
        if let Some(known) = self.states.borrow().get(&id) {
            return *known;
        }
        // Whoever holds something is not queued, but what is read twice may have changed: never ask in a circle.
        self.states.borrow_mut().insert(id, None);
        let state = store.load(id, self).ok().map(|job| job.state());
        self.states.borrow_mut().insert(id, state);
        state
    }

    /// Returns the processes that carry this cookie in their environment, or are in what is named by it.
    pub fn processes_with_cookie(&self, uid: &str) -> HashSet<u32> {
        let cookies = self.cookies.get_or_init(|| {
            let mut cookies: HashMap<String, HashSet<u32>> = HashMap::new();
            for row in self.table().rows().iter().filter(|row| row.is_live()) {
                let known = self.known.as_ref();
                if let Some(uid) = known.map_or_else(|| read_cookie(row.identity), |known| known.of(row.identity)) {
                    cookies.entry(uid).or_default().insert(row.pid());
                }
            }
            cookies
        });
        let mut found = cookies.get(uid).filter(|_| !uid.is_empty()).cloned().unwrap_or_default();
        found.extend(platform::contained(uid));
        found
    }
}

impl Store {
    /// Reads one job and concludes what it is.
    ///
    /// # Errors
    /// `NoSuchJob` alone: files that cannot be read make the job `corrupt`.
    pub fn load(&self, id: JobId, surroundings: &Surroundings) -> Result<Job, StoreError> {
        self.load_knowing(id, None, surroundings)
    }

    /// Reads again what may have changed of a job, and concludes what it is now. Its spec never changes.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub fn load_again(&self, job: Job, surroundings: &Surroundings) -> Result<Job, StoreError> {
        self.load_knowing(job.id, job.files.map(|(spec, _)| spec), surroundings)
    }

    /// Reads the record of a job for nothing, so that all which is needed for that is in memory when it counts.
    pub fn rehearse(&self, id: JobId) {
        read_record(&self.layout().job(id)).ok();
    }

    fn load_knowing(&self, id: JobId, spec: Option<SpecHead>, surroundings: &Surroundings) -> Result<Job, StoreError> {
        let paths = self.layout().job(id);
        match self.read_and_observe(id, &paths, spec, surroundings) {
            Ok((spec, record, observation)) => {
                let attempt = record.attempt();
                // Files that nobody writes any more are as they were at the end.
                let settled = record.state.is_recorded_end() && attempt.adopted.is_empty();
                let limit = attempt.log_limit.map(|limit| limit.max_bytes);
                let traces =
                    attempt.traces.filter(|_| settled).unwrap_or_else(|| traces(&paths, attempt.number, limit));
                let mut job = assemble(&paths, spec, record, observation, traces);
                if job.state() == State::Queued {
                    job.waiting_for = self.waiting_now(&job, surroundings);
                }
                Ok(job)
            }
            Err(error) => {
                // Deleted while we read it, perhaps.
                if platform::facts(paths.dir()).is_err() {
                    return Err(StoreError::NoSuchJob);
                }
                Ok(Job::unreadable(id, error.to_string(), platform::now()))
            }
        }
    }

    /// Reads many jobs, in the order given; those that are gone are left out.
    pub fn load_all(&self, ids: &[JobId]) -> Vec<Job> {
        let mut jobs = Vec::with_capacity(ids.len());
        let load = |ids: &[JobId], surroundings: &Surroundings, loaded: &mut Vec<Job>| {
            loaded.extend(ids.iter().filter_map(|id| self.load(*id, surroundings).ok()));
        };
        in_portions(ids, load, |loaded| {
            jobs.append(loaded);
            true
        });
        jobs
    }

    fn read_and_observe(
        &self,
        id: JobId,
        paths: &JobPaths,
        spec: Option<SpecHead>,
        surroundings: &Surroundings,
    ) -> Result<(SpecHead, JobRecord, Observation), StoreError> {
        let spec = spec.map_or_else(|| read_spec(paths), Ok)?;
        let mut record = read_record(paths)?;
        for (file, found) in [(paths.spec(), spec.id), (paths.record(), record.id)] {
            if found != id {
                return Err(StoreError::Damaged { path: file, why: format!("it is of job {found}") });
            }
        }
        let (mut claim_held, mut supervisor) = (None, None);
        if !record.state.is_recorded_end() {
            claim_held = self.is_claimed(id).ok();
            // The kernel lets go of a dead process's lock when the last of its threads has gone, a moment after it has
            // become a zombie. Whoever has seen it die shall not be told that it supervises.
            for _ in 0..DYING_LOOKS {
                if claim_held != Some(true) {
                    break;
                }
                supervisor = supervisor_of(&record, surroundings);
                if !is_dead(&record, supervisor.as_ref(), surroundings) {
                    break;
                }
                platform::pause(DYING_PAUSE);
                claim_held = self.is_claimed(id).ok();
                record = read_record(paths)?;
            }
            if claim_held != Some(true) {
                // It may have ended between the two looks; a claim is given up only after the outcome is recorded.
                record = read_record(paths)?;
            }
        }
        let evidence = self.gather(&spec.uid, &record, claim_held, supervisor.as_ref(), surroundings);
        let observation = observe(&record, evidence);
        Ok((spec, record, observation))
    }
}

/// Hands what `read` makes of each portion of the jobs to `take`, in the order given, until `take` says `false`. Several
/// threads read when it is worth it, and none of them runs far ahead of `take`: memory does not grow with the number of jobs.
/// What `take` leaves is filled again, so that buffers are made once and not for each portion.
pub fn in_portions<T: Default + Send>(
    ids: &[JobId],
    read: impl Fn(&[JobId], &Surroundings, &mut T) + Sync,
    mut take: impl FnMut(&mut T) -> bool,
) {
    const PORTION: usize = 64;
    const AHEAD: usize = 2;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    if threads == 1 || ids.len() <= 2 * PORTION {
        let (surroundings, mut buffer) = (Surroundings::new(), T::default());
        for portion in ids.chunks(PORTION) {
            read(portion, &surroundings, &mut buffer);
            if !take(&mut buffer) {
                return;
            }
        }
        return;
    }
    std::thread::scope(|scope| {
        // Each thread takes every n-th portion and has a short line of its own, so the order needs no sorting; and another one
        // on which buffers come back.
        let lines: Vec<_> = (0..threads)
            .map(|nth| {
                let (sender, receiver) = sync_channel(AHEAD);
                let (giver, returned) = sync_channel::<T>(AHEAD + 1);
                let read = &read;
                scope.spawn(move || {
                    let surroundings = Surroundings::new();
                    for portion in ids.chunks(PORTION).skip(nth).step_by(threads) {
                        let mut buffer = returned.try_recv().unwrap_or_default();
                        read(portion, &surroundings, &mut buffer);
                        // An error means that nobody wants more.
                        if sender.send(buffer).is_err() {
                            return;
                        }
                    }
                });
                (receiver, giver)
            })
            .collect();
        for (receiver, giver) in lines.iter().cycle() {
            let Ok(mut buffer) = receiver.recv() else { return };
            if !take(&mut buffer) {
                return;
            }
            // Whoever has read its last portion wants none.
            giver.try_send(buffer).ok();
        }
    });
}

/// Puts together what is known of a job; what it writes itself is read now, if there is any.
pub(super) fn assemble(
    paths: &JobPaths,
    spec: SpecHead,
    record: JobRecord,
    observation: Observation,
    traces: Traces,
) -> Job {
    let number = record.attempt().number;
    let limit = record.attempt().log_limit;
    let may_grow = !observation.state.is_terminal() || !observation.survivors.is_empty();
    let is_supervised = observation.supervised != Some(false) && !observation.state.is_terminal();
    let foreign = |path: PathBuf, is_there: bool| is_there.then(|| read_foreign(&path)).flatten();
    Job {
        id: record.id,
        observation,
        observed_at: platform::now(),
        output: Some(Output {
            stdout_path: paths.stdout(number),
            stderr_path: traces.stderr_bytes.map(|_| paths.stderr(number)),
            stdout_bytes: traces.stdout_bytes,
            stderr_bytes: traces.stderr_bytes.unwrap_or(0),
            dropped_bytes: traces.dropped_bytes,
            limit_bytes: limit.map(|limit| limit.max_bytes),
            limit_kept: limit.filter(|_| may_grow).map(|limit| is_supervised && limit.kept),
        }),
        meta: foreign(paths.meta(), traces.meta).map(|text| parse_meta(&text)).unwrap_or_default(),
        progress: foreign(paths.progress(number), traces.progress).and_then(|text| Progress::parse(&text)),
        ready: traces.ready,
        files: Some((spec, record)),
        waiting_for: None,
        chain: None,
        processes: None,
    }
}

/// Returns the supervisor that wrote a record, if it is here and not reaped.
fn supervisor_of(record: &JobRecord, surroundings: &Surroundings) -> Option<ProcessInfo> {
    let identity = record.supervisor.filter(|_| record.place == *surroundings.place())?;
    platform::process_info(identity.pid).filter(|info| info.identity == identity)
}

/// Says whether the supervisor that wrote a record is dead, as far as pids here tell.
fn is_dead(record: &JobRecord, supervisor: Option<&ProcessInfo>, surroundings: &Surroundings) -> bool {
    let is_told = record.supervisor.is_some() && record.place == *surroundings.place();
    is_told && !supervisor.is_some_and(ProcessInfo::is_live)
}

fn read_spec(paths: &JobPaths) -> Result<SpecHead, StoreError> {
    if !platform::facts(paths.dir()).context("look at", paths.dir())?.is_directory {
        return Err(StoreError::Damaged { path: paths.dir().to_owned(), why: "it is not a directory".into() });
    }
    let spec = format::read(&paths.spec())?;
    format::check_spec(&paths.spec(), &spec)?;
    Ok(spec)
}

fn read_record(paths: &JobPaths) -> Result<JobRecord, StoreError> {
    let record = format::read(&paths.record())?;
    format::check_record(&paths.record(), &record)?;
    Ok(record)
}

/// Looks at the files of an attempt, of which the logs have this limit.
pub(super) fn traces(paths: &JobPaths, attempt: u32, limit: Option<u64>) -> Traces {
    let length = |path: &Path| platform::facts(path).ok().map(|facts| facts.length);
    let (stdout_bytes, stderr_bytes) = (length(&paths.stdout(attempt)).unwrap_or(0), length(&paths.stderr(attempt)));
    let dropped = |path: &Path, bytes: u64| {
        // Most logs are far below their limit, and are not opened for this.
        let log = limit.filter(|limit| bytes > *limit).and_then(|limit| Log::open(path, Some(limit)).ok());
        log.and_then(|log| log.dropped(0).ok()).unwrap_or(0)
    };
    Traces {
        stdout_bytes,
        stderr_bytes,
        dropped_bytes: dropped(&paths.stdout(attempt), stdout_bytes)
            + dropped(&paths.stderr(attempt), stderr_bytes.unwrap_or(0)),
        meta: length(&paths.meta()).is_some(),
        progress: length(&paths.progress(attempt)).is_some(),
        ready: platform::facts(&paths.ready(attempt)).is_ok_and(|facts| facts.is_regular),
    }
}

/// Reads a file that the job itself writes: foreign data, so no links, no waiting, and not too much of it.
fn read_foreign(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut content = Vec::new();
    platform::open_regular(path).ok()?.take(MAX_FOREIGN).read_to_end(&mut content).ok()?;
    Some(String::from_utf8_lossy(&content).into_owned())
}
