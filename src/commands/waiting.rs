//! The line on a terminal that tells what is waited for, once that has lasted for a while.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::state::State;
use crate::platform::{self, Meanwhile};
use crate::present::text;
use crate::present::waiting::{self, Wait};
use crate::store::{Store, Surroundings};

/// Before that nobody wonders; and so often the line is brought up to date.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is waited for.
pub(super) struct Awaited<'a> {
    /// The command that waits, as it was typed.
    pub what: String,
    /// The jobs.
    pub ids: &'a [JobId],
    /// When the waiting ends at the latest.
    pub deadline: Option<Instant>,
    /// Whether a job that is there still has to be waited for.
    pub goes_on: fn(&Job) -> bool,
}

impl<'a> Awaited<'a> {
    /// The end of these jobs.
    pub(super) fn end(context: &Context, ids: &'a [JobId], deadline: Option<Instant>) -> Self {
        let goes_on = |job: &Job| !job.state().is_terminal() || job.has_survivors();
        Self { what: context.verb().into(), ids, deadline, goes_on }
    }

    /// The start of a job.
    pub(super) fn start(context: &Context, id: &'a JobId, deadline: Option<Instant>) -> Self {
        let goes_on = |job: &Job| matches!(job.state(), State::Queued | State::Starting);
        Self { what: context.verb().into(), ids: std::slice::from_ref(id), deadline, goes_on }
    }

    /// From now on a person is told of it, until what is returned is dropped.
    pub(super) fn tell(self, context: &Context, store: &Store) -> Option<Meanwhile> {
        let Self { what, ids, deadline, goes_on } = self;
        let (store, jobs, mut ids) = (store.clone(), ids.len(), ids.to_vec());
        keep_telling(context, move |since, now| {
            let surroundings = Surroundings::new();
            let mut left: Vec<Job> = ids.iter().filter_map(|id| store.load(*id, &surroundings).ok()).collect();
            left.retain(goes_on);
            ids = left.iter().map(|job| job.id).collect();
            let until = deadline.map(|deadline| now + deadline.saturating_duration_since(Instant::now()));
            (!left.is_empty()).then(|| waiting::line(&Wait { what: &what, since, until, jobs, left: &left }, now))
        })
    }
}

/// From now on a person is told how many jobs are done, until what is returned is dropped.
pub(super) fn count(context: &Context, done: Rc<Cell<usize>>, jobs: usize) -> Option<Meanwhile> {
    let what = context.verb();
    keep_telling(context, move |since, now| Some(waiting::count(what, since, (done.get(), jobs), now)))
}

type Moment = chrono::DateTime<chrono::Utc>;

/// Shows what `line` says, given since when it is waited and what time it is; nothing while there is nothing to say. Where
/// nobody reads it, nobody is woken for it.
fn keep_telling(
    context: &Context,
    mut line: impl FnMut(Moment, Moment) -> Option<String> + 'static,
) -> Option<Meanwhile> {
    let (json, began) = (context.wants_json(), Instant::now());
    Context::status_columns(json)?;
    let told = Meanwhile::new(PATIENCE, move || {
        let Some(columns) = Context::status_columns(json) else { return false };
        let now = platform::now();
        match line(now - began.elapsed(), now) {
            Some(line) => platform::show_status(&text::fit(&line, columns)),
            None => platform::clear_status(),
        }
        true
    });
    Some(told)
}
