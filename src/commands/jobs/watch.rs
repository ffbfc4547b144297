//! The list as it changes, a line for each change: for programs.

use super::{Args, Format, line};
use crate::client::{Change, Filter, LiveList, shell_code};
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::outcome::ExitStatus;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::WakeQueue;
use crate::present::json::JobDocument;
use crate::store::Store;

/// Shows the list, and goes on until a signal comes or nobody reads it any more.
pub(super) fn run(
    args: &Args,
    format: &Format,
    filter: &Filter,
    store: &Store,
    context: &Context,
) -> Result<u8, CommandError> {
    let queue = context.queue().map_err(anyhow::Error::from)?;
    let mut list = LiveList::new(store, &queue);
    let mut is_first = true;
    loop {
        let changes = list.look()?;
        let text: String = if std::mem::take(&mut is_first) {
            let admitted = list.jobs().filter(|job| filter.admits(job)).cloned().collect();
            let (jobs, _) = args.arrange(admitted, false);
            jobs.iter().map(|job| line(format, &JobDocument::new(job, false))).collect()
        } else {
            changes.iter().filter_map(|change| changed_line(format, filter, change)).collect()
        };
        if (!text.is_empty() && !context.out(&text)) || WakeQueue::is_stdout_abandoned() {
            return Ok(exit_code::DONE);
        }
        if let Some(signal) = list.wait().map_err(anyhow::Error::from)? {
            return Ok(shell_code(ExitStatus::Signaled(signal)));
        }
    }
}

/// Renders a change, if the filter admits the job or did so before: who follows it is told that it has left.
fn changed_line(format: &Format, filter: &Filter, change: &Change) -> Option<String> {
    let is_admitted = |job: &Option<Job>| job.as_ref().is_some_and(|job| filter.admits(job));
    if !is_admitted(&change.before) && !is_admitted(&change.now) {
        return None;
    }
    let document = match (&change.now, &change.before) {
        (Some(job), _) => JobDocument::new(job, false),
        (None, Some(job)) => JobDocument::new(job, false).deleted(),
        (None, None) => return None,
    };
    Some(line(format, &document))
}
