//! From what a user writes to the jobs that are meant.

use crate::domain::job_id::JobId;
use crate::domain::selector::Selector;
use crate::store::{Store, StoreError, Surroundings};

/// How many candidates a refusal lists.
const CANDIDATES: usize = 5;

/// A JOB argument that leads to no job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unresolved {
    /// What was written.
    pub given: String,
    /// Jobs that may have been meant: an id, and the name if there is one.
    pub candidates: Vec<String>,
}

/// Finds the job that an argument means.
///
/// # Errors
/// What the system says of the list of jobs. That there is no such job is the inner result.
pub fn resolve(store: &Store, given: &str) -> Result<Result<JobId, Unresolved>, StoreError> {
    let found = match Selector::parse(given) {
        Selector::Id(id) => crate::platform::facts(store.layout().job(id).dir()).is_ok().then_some(id),
        Selector::Name(name) => store.newest_bearer(&name)?,
        Selector::Last => store.job_ids()?.last().copied(),
        Selector::Impossible => None,
    };
    match found {
        Some(id) => Ok(Ok(id)),
        None => Ok(Err(Unresolved { given: given.to_owned(), candidates: candidates(store, given)? })),
    }
}

/// Jobs whose name resembles what was written, else the newest ones.
fn candidates(store: &Store, given: &str) -> Result<Vec<String>, StoreError> {
    let surroundings = Surroundings::new();
    let given = given.to_ascii_lowercase();
    let newest: Vec<(String, bool)> = store
        .job_ids()?
        .iter()
        .rev()
        .take(200)
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
