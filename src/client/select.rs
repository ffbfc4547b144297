//! From what a user writes to the jobs that are meant.

use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::selector::Selector;
use crate::platform;
use crate::store::{Store, StoreError, Surroundings};

/// How many candidates a refusal lists.
const CANDIDATES: usize = 5;
/// How many of the newest jobs are looked at for what may have been meant.
const LOOKED_AT: usize = 200;

/// A JOB argument that leads to no job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unresolved {
    /// What was written.
    pub given: String,
    /// Jobs that may have been meant: an id, and the name if there is one.
    pub candidates: Vec<String>,
    /// What was probably mistaken for a job.
    pub mistake: Option<Mistake>,
}

/// What a number that is no job's id is instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// A process of this job, or its supervisor.
    ProcessOf(JobId),
    /// A process that belongs to no job here.
    Process,
    /// The id of a job that is gone.
    Gone,
}

/// Finds the job that an argument means.
///
/// # Errors
/// What the system says of the list of jobs. That there is no such job is the inner result.
pub fn resolve(store: &Store, given: &str) -> Result<Result<JobId, Unresolved>, StoreError> {
    let found = match Selector::parse(given) {
        Selector::Id(id) => platform::facts(store.layout().job(id).dir()).is_ok().then_some(id),
        Selector::Name(name) => store.newest_bearer(&name)?,
        Selector::Last => store.job_ids()?.last().copied(),
        Selector::Impossible => None,
    };
    match found {
        Some(id) => Ok(Ok(id)),
        None => {
            let mistake = given.parse().ok().and_then(|number| mistake(store, number));
            Ok(Err(Unresolved { given: given.to_owned(), candidates: candidates(store, given)?, mistake }))
        }
    }
}

/// Finds what a number is that is no job's id: `kill` elsewhere takes numbers of processes.
fn mistake(store: &Store, number: JobId) -> Option<Mistake> {
    // Where ids have come so far, it is no coincidence.
    if store.was_given_out(number) {
        return Some(Mistake::Gone);
    }
    let pid = u32::try_from(number.number()).ok()?;
    let process = platform::process_info(pid).filter(|info| info.is_live())?;
    let surroundings = Surroundings::new();
    let ids = store.job_ids().unwrap_or_default();
    let is_of = |job: &Job| {
        let (Some(record), Some(spec)) = (job.record(), job.spec()) else { return false };
        let known = [record.supervisor, record.attempt().leader];
        known.contains(&Some(process.identity)) || surroundings.processes_with_cookie(&spec.uid).contains(&pid)
    };
    let newest = ids.iter().rev().take(LOOKED_AT).filter_map(|id| store.load(*id, &surroundings).ok());
    let owner = newest.filter(Job::is_stoppable).find(is_of);
    Some(owner.map_or(Mistake::Process, |job| Mistake::ProcessOf(job.id)))
}

/// Jobs whose name resembles what was written, else the newest ones.
fn candidates(store: &Store, given: &str) -> Result<Vec<String>, StoreError> {
    let surroundings = Surroundings::new();
    let given = given.to_ascii_lowercase();
    let newest: Vec<(String, bool)> = store
        .job_ids()?
        .iter()
        .rev()
        .take(LOOKED_AT)
        .filter_map(|id| store.load(*id, &surroundings).ok())
        .map(|job| match job.spec().and_then(|spec| spec.name.as_ref()) {
            Some(name) => {
                let key = name.key();
                let resembles = given.len() > 1 && (key.contains(&given) || given.contains(&key));
                (format!("{} ({name})", job.id), resembles)
            }
            None => (job.id.to_string(), false),
        })
        .collect();
    let resembling = newest.iter().any(|(_, resembles)| *resembles);
    Ok(newest.into_iter().filter(|(_, r)| *r || !resembling).map(|(text, _)| text).take(CANDIDATES).collect())
}
