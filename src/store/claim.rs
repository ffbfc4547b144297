//! The claim: the exclusive right to act on a job, as a type.
//!
//! Every write to a job's record is a method of [`Claim`], and a claim exists only while its lock is held, so "forgot
//! to lock" does not compile. Supervisors take it; `delete` and `prune` take it for the moments that they need.

use std::fs::File;

use super::error::{Context, StoreError};
use super::layout::{JobPaths, Layout};
use super::names::NameLock;
use super::{EventLog, Flush, Store, atomic, format, lock};
use crate::domain::identity::{PidFile, ProcessIdentity};
use crate::domain::job_id::JobId;
use crate::domain::record::{JobRecord, Traces};
use crate::domain::spec::JobSpec;
use crate::platform::{self, Announcement, OpenMark};

/// The claim of one job, held until it is dropped or [`Claim::release`]d.
#[derive(Debug)]
pub struct Claim {
    lock: File,
    /// So that it is recognised by it, see [`super::nested_supervisors`].
    _mark: OpenMark,
    id: JobId,
    paths: JobPaths,
}

impl Store {
    /// Takes the claim of a job that is visible, to work in its directory.
    ///
    /// # Errors
    /// `Busy` when somebody else holds it, `NoSuchJob` when the job is gone, `Damaged` when its directories are not.
    pub fn claim(&self, id: JobId) -> Result<Claim, StoreError> {
        let claim = self.claim_for_removal(id)?;
        claim.paths.check_directories()?;
        Ok(claim)
    }

    /// Takes the claim of a job, whatever is in its place.
    ///
    /// # Errors
    /// `Busy` when somebody else holds it, `NoSuchJob` when the job is gone.
    pub fn claim_for_removal(&self, id: JobId) -> Result<Claim, StoreError> {
        let paths = self.layout.job(id);
        let exists = || platform::facts(paths.dir()).is_ok();
        // Look first, so that asking for a job that does not exist leaves no lock file behind.
        if !exists() {
            return Err(StoreError::NoSuchJob);
        }
        let lock = lock::try_exclusive(&self.layout.claim(id))?.ok_or(StoreError::Busy)?;
        if !exists() {
            return Err(StoreError::NoSuchJob);
        }
        Ok(Claim::new(lock, &self.layout, id))
    }

    /// Reads the whole spec of a job, environment included.
    ///
    /// # Errors
    /// `Damaged`, or what the system says.
    pub fn load_spec(&self, id: JobId) -> Result<JobSpec, StoreError> {
        let path = self.layout.job(id).spec();
        let spec = format::read(&path)?;
        format::check_spec(&path, &spec)?;
        Ok(spec)
    }

    /// Takes the claim of a job that is not visible yet, and is prepared under this name in `staging/`: nobody can act on it in
    /// between.
    ///
    /// # Errors
    /// `Busy` when its id is used already, or what the system says.
    pub fn reserve(&self, id: JobId, staging: &str) -> Result<Reserved, StoreError> {
        let prepared = JobPaths::at(self.layout.staged(staging)).claim();
        let lock = match lock::exclusive_of(&prepared, &self.layout.claim(id)) {
            Some(lock) => lock,
            None => {
                atomic::remove_any(&prepared)?;
                lock::try_exclusive(&self.layout.claim(id))?.ok_or(StoreError::Busy)?
            }
        };
        platform::crash_point("create.claimed");
        Ok(Reserved { layout: self.layout.clone(), lock: Some(lock), id })
    }
}

/// The claim of a job that is not visible. Dropping it leaves nothing of it.
#[derive(Debug)]
pub struct Reserved {
    layout: Layout,
    lock: Option<File>,
    id: JobId,
}

impl Reserved {
    /// Makes the job visible that was prepared in `staging/`.
    ///
    /// # Errors
    /// What the system says. Nothing is visible then.
    pub fn publish(mut self, staging: &str, names: Option<&NameLock>) -> Result<Claim, StoreError> {
        if let Some(names) = names {
            names.add(self.id)?;
            platform::crash_point("create.named");
        }
        let paths = self.layout.job(self.id);
        atomic::rename(&self.layout.staged(staging), paths.dir())?;
        platform::crash_point("create.published");
        let lock = self.lock.take().expect("it is taken by this method alone");
        Ok(Claim::new(lock, &self.layout, self.id))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // What cannot be removed is found to lead nowhere.
            atomic::remove_any(&self.layout.claim(self.id)).ok();
        }
    }
}

impl JobPaths {
    /// Refuses links and other things in the place of the directories of a job: whoever writes and removes in them would
    /// do so outside.
    pub(super) fn check_directories(&self) -> Result<(), StoreError> {
        for directory in [self.dir().to_owned(), self.kill_signals(), self.attempts()] {
            match platform::facts(&directory) {
                Ok(facts) if facts.is_directory => {}
                Ok(_) => return Err(StoreError::Damaged { path: directory, why: "it is not a directory".into() }),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && directory == self.dir() => {
                    return Err(StoreError::NoSuchJob);
                }
                Err(error) => return Err(error).context("look at", &directory),
            }
        }
        Ok(())
    }
}

impl Claim {
    fn new(lock: File, layout: &Layout, id: JobId) -> Self {
        Self { lock, _mark: platform::mark_open(&layout.claim(id)), id, paths: layout.job(id) }
    }

    /// Returns the job's id.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Returns the job's paths.
    pub fn paths(&self) -> &JobPaths {
        &self.paths
    }

    /// Reads the spec.
    ///
    /// # Errors
    /// `Damaged`, or what the system says.
    pub fn load_spec(&self) -> Result<JobSpec, StoreError> {
        let path = self.paths.spec();
        let spec = format::read(&path)?;
        format::check_spec(&path, &spec)?;
        Ok(spec)
    }

    /// Reads what an attempt runs with.
    ///
    /// # Errors
    /// `Damaged`, or what the system says.
    pub fn load_attempt_spec(&self, number: u32) -> Result<JobSpec, StoreError> {
        let path = self.paths.attempt_spec(number);
        match format::read(&path) {
            Ok(spec) => format::check_spec(&path, &spec).map(|()| spec),
            Err(error) if error.is_not_found() => self.load_spec(),
            Err(error) => Err(error),
        }
    }

    /// Writes what an attempt runs with, before that attempt is in the record.
    ///
    /// # Errors
    /// What the system says.
    pub fn save_attempt_spec(&self, number: u32, spec: &JobSpec) -> Result<(), StoreError> {
        atomic::replace(&self.paths.attempt_spec(number), &format::render(spec), Flush::Yes)
    }

    /// Removes what an attempt that was never recorded was to run with.
    ///
    /// # Errors
    /// What the system says.
    pub fn forget_attempt_spec(&self, number: u32) -> Result<(), StoreError> {
        atomic::remove_any(&self.paths.attempt_spec(number))
    }

    /// Puts a FIFO that was made in `staging/` in the place of the job's input.
    ///
    /// # Errors
    /// What the system says.
    pub fn adopt_fifo(&self, staged: &std::path::Path) -> Result<(), StoreError> {
        atomic::rename(staged, &self.paths.stdin())
    }

    /// Reads the record.
    ///
    /// # Errors
    /// `Damaged`, `NewerFormat` when it may not be written, or what the system says.
    pub fn load_record(&self) -> Result<JobRecord, StoreError> {
        let path = self.paths.record();
        let record = format::read(&path)?;
        format::check_record(&path, &record)?;
        format::may_write(&path, &record)?;
        Ok(record)
    }

    /// Replaces the record.
    ///
    /// # Errors
    /// What the system says; the old record is then still there.
    pub fn save_record(&self, record: &JobRecord, flush: Flush) -> Result<(), StoreError> {
        atomic::exchange(&self.paths.record(), &format::render(record), flush)
    }

    /// Replaces the PID file.
    ///
    /// # Errors
    /// What the system says.
    pub fn save_pid_file(&self, pid: &PidFile) -> Result<(), StoreError> {
        atomic::replace(&self.paths.pid(), &format::render(pid), Flush::No)
    }

    /// Prepares the PID file, which the leader itself completes and puts into its place. What `pid` says of the leader is of no
    /// matter.
    ///
    /// # Errors
    /// What the system says.
    pub fn announce_leader(&self, pid: PidFile) -> Result<Announcement, StoreError> {
        // Numbers that no process has stand for those that are not known yet.
        let unknown = ProcessIdentity { pid: u32::MAX, start_time: u64::MAX };
        let path = self.paths.pid();
        let text = format::render(&PidFile { leader: Some(unknown), ..pid });
        let [number, start] = [unknown.pid.to_string(), unknown.start_time.to_string()];
        let damaged = || StoreError::Damaged { path: path.clone(), why: "it cannot be put together".into() };
        let place = |what: &str| {
            let mut places = text.windows(what.len()).enumerate().filter(|(_, window)| *window == what.as_bytes());
            let at = places.next().map(|(at, _)| (at, at + what.len()));
            at.filter(|_| places.next().is_none()).ok_or_else(damaged)
        };
        let (number, start) = (place(&number)?, place(&start)?);
        atomic::remove_unusable(&path, u64::MAX)?;
        let (file, temporary) = atomic::begin_replacement(&path)?;
        let parts = [&text[..number.0], &text[number.1..start.0], &text[start.1..]];
        Ok(Announcement { file, temporary, path, text: parts.map(<[u8]>::to_vec) })
    }

    /// Reads the PID file, if there is a readable one.
    pub fn load_pid_file(&self) -> Option<PidFile> {
        format::read(&self.paths.pid()).ok()
    }

    /// Makes the directory of an attempt, if it is not there.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_attempt(&self, number: u32) -> Result<(), StoreError> {
        let path = self.paths.attempt(number);
        match platform::facts(&path) {
            Ok(facts) if facts.is_directory => return Ok(()),
            // A link, perhaps, through which logs would be written elsewhere.
            Ok(_) => atomic::remove_any(&path)?,
            Err(_) => {}
        }
        super::ignore_existing(platform::make_private_directory(&path)).context("create", &path)
    }

    /// Looks at what an attempt has left in its files, of which the logs had this limit.
    pub fn traces(&self, number: u32, limit: Option<u64>) -> Traces {
        super::snapshot::traces(&self.paths, number, limit)
    }

    /// Opens one of the job's logs for appending.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_log(&self, path: &std::path::Path) -> Result<File, StoreError> {
        platform::append_private(path).context("open", path)
    }

    /// Opens the narrative.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_events(&self) -> Result<EventLog, StoreError> {
        // A narrative that nobody can read is worth less than one that begins anew.
        atomic::remove_unusable(&self.paths.events(), u64::MAX)?;
        EventLog::open(&self.paths.events(), self.id)
    }

    /// Gives the claim up at once: the lock is free when this returns.
    pub fn release(self) {
        lock::release(&self.lock);
    }
}
