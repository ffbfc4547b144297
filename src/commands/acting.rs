//! What verbs that act on several jobs have in common: choosing them, and telling what was done to each.

use std::time::Instant;

use clap::Args;

use super::filters::FilterArgs;
use super::shared::{choose, choose_by_filter};
use super::waiting::Awaited;
use crate::client::{Answer, Unresolved, request};
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::request::Verb;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::{self, WakeQueue};
use crate::present::json::{self, JobDocument, ResultDocument, ResultsDocument};
use crate::store::{Store, StoreError, Surroundings};

/// The jobs that a verb acts on.
#[derive(Debug, Clone, Args)]
pub struct TargetArgs {
    /// The jobs: ids, names or @last
    #[arg(value_name = "JOB", required_unless_present_any = ["all", "filters"], conflicts_with = "filters")]
    pub jobs: Vec<String>,
    /// All jobs to which the verb applies
    #[arg(long, conflicts_with = "jobs")]
    pub all: bool,
    /// Which of all jobs, when none is named.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// What was done to one job.
#[derive(Debug)]
pub(super) struct Deed {
    /// The word for programs.
    pub result: &'static str,
    /// The sentence for people; nothing when all went as asked.
    pub message: Option<String>,
    /// Whether it counts as a failure.
    pub failed: bool,
    /// The job afterwards.
    pub job: Option<Job>,
}

impl Deed {
    /// Something that went as asked.
    pub(super) fn done(result: &'static str, job: Option<Job>) -> Self {
        Self { result, message: None, failed: false, job }
    }

    /// Something that is refused.
    pub(super) fn refused(message: String, job: Job) -> Self {
        Self { result: "refused", message: Some(message), failed: true, job: Some(job) }
    }

    /// Adds a sentence.
    pub(super) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

/// Acts on each job that was chosen, until `deadline` if there is one, and tells what was done. `applies` narrows what
/// `--all` and the filters admit.
pub(super) fn act_on_each(
    target: &TargetArgs,
    deadline: Option<Instant>,
    context: &Context,
    applies: impl Fn(&Job) -> bool,
    before: impl FnOnce(&Store, &WakeQueue, &[JobId]),
    mut act: impl FnMut(&Store, &WakeQueue, JobId) -> Result<Deed, StoreError>,
) -> Result<u8, CommandError> {
    let verb = context.verb();
    let store = context.reading()?;
    let chosen = if target.jobs.is_empty() {
        let surroundings = Surroundings::new();
        let mut chosen = choose_by_filter(&store, &target.filter.filter(context)?)?;
        chosen.ids.retain(|id| store.load(*id, &surroundings).is_ok_and(|job| applies(&job)));
        chosen
    } else {
        choose(&store, &target.jobs)?
    };
    if let (Some(unresolved), true) = (chosen.unresolved.first(), chosen.ids.is_empty()) {
        return Err(CommandError::no_such_job(unresolved, context));
    }
    if chosen.ids.is_empty() && !target.json {
        context.talk(&format!("no job is there to {verb}; nothing was done"));
    }
    let store = if chosen.ids.is_empty() { store } else { context.writing()? };
    let queue = context.queue().map_err(anyhow::Error::from)?;
    let mut code = exit_code::DONE;
    let mut deeds: Vec<(String, Deed)> =
        chosen.unresolved.iter().map(|unresolved| (unresolved.given.clone(), missing(unresolved, context))).collect();
    before(&store, &queue, &chosen.ids);
    let mut awaited = Awaited::end(context, &chosen.ids, deadline);
    if verb == "delete" {
        awaited.goes_on = |_| true;
    }
    let waiting = awaited.tell(context, &store);
    for id in chosen.ids {
        platform::meanwhile();
        let deed = match act(&store, &queue, id) {
            Ok(deed) => deed,
            Err(StoreError::NoSuchJob) => not_found(format!("job {id} was deleted meanwhile")),
            Err(error) => {
                let error = CommandError::from(error);
                let job = store.load(id, &Surroundings::new()).ok();
                let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                Deed {
                    result: "failed",
                    message: Some(format!("job {id}: {}{hint}", error.message)),
                    failed: true,
                    job,
                }
            }
        };
        deeds.push((id.to_string(), deed));
    }
    drop(waiting);
    for (_, deed) in &deeds {
        if deed.result == "not_found" {
            code = exit_code::NO_SUCH_JOB;
        } else if deed.failed {
            code = code.max(exit_code::FAILED);
        }
        if let (false, Some(message)) = (target.json, &deed.message) {
            context.talk(message);
        }
    }
    if target.json {
        let results = deeds
            .iter()
            .map(|(id, deed)| ResultDocument {
                id: id.clone(),
                result: deed.result,
                message: deed.message.clone(),
                job: deed.job.as_ref().map(|job| JobDocument::new(job, false)),
            })
            .collect();
        context.out(&json::render(&ResultsDocument { schema: format!("jobdir/{verb}/1"), results }));
    }
    Ok(code)
}

fn missing(unresolved: &Unresolved, context: &Context) -> Deed {
    let error = CommandError::no_such_job(unresolved, context);
    let candidates = if error.candidates.is_empty() {
        String::new()
    } else {
        format!("; candidates: {}", error.candidates.join(", "))
    };
    let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    not_found(format!("error: {}{candidates}{hint}", error.message))
}

fn not_found(message: String) -> Deed {
    Deed { result: "not_found", message: Some(message), failed: true, job: None }
}

/// Asks the supervisors of several jobs for the same. `done` is the result, `cannot` says why nothing can be asked of a job
/// that nobody supervises.
pub(super) fn ask_each(
    target: &TargetArgs,
    verb: Verb,
    done: &'static str,
    cannot: &str,
    context: &Context,
) -> Result<u8, CommandError> {
    act_on_each(
        target,
        None,
        context,
        |job| job.state().is_active(),
        |_, _, _| {},
        |store, queue, id| {
            let job = store.load(id, &Surroundings::new())?;
            if job.observation.supervised != Some(true) {
                return Ok(Deed::refused(format!("job {id} is {}: {cannot}", job.state()), job));
            }
            let answer = request(store, queue, &job, verb.clone(), None)?;
            deed_of_answer(store, id, answer, done)
        },
    )
}

/// Tells what an answer means for a job.
fn deed_of_answer(store: &Store, id: JobId, answer: Answer, done: &'static str) -> Result<Deed, StoreError> {
    let job = store.load(id, &Surroundings::new())?;
    Ok(match answer {
        Answer::Accepted => Deed::done(done, Some(job)),
        Answer::NoChange => Deed::done("no_change", Some(job)).saying(format!("job {id}: nothing had to be changed")),
        Answer::AlreadyEnded => Deed::refused(format!("job {id} has ended meanwhile"), job),
        Answer::Refused(why) => Deed::refused(format!("job {id}: refused: {why}"), job),
        Answer::None => Deed {
            result: "requested",
            message: Some(format!(
                "the supervisor of job {id} has not answered yet; the request lies there until it does"
            )),
            failed: true,
            job: Some(job),
        },
    })
}
