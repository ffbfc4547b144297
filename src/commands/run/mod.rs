//! `jobdir run`: start a job, and stay with it unless told otherwise.

mod args;
mod spec;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

pub use args::Args;

use crate::client::{Foreground, ForegroundEnd, IdFile, Launched, Leave, copy_typed, launch};
use crate::context::Context;
use crate::domain::duration::render;
use crate::domain::job_id::JobId;
use crate::domain::signal::Signal;
use crate::domain::spec::Stdin;
use crate::domain::stop_plan::StopPlan;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform;
use crate::present::json::{self, JobDocument};
use crate::store::{StagedJob, Store, StoreError, Surroundings};

/// Starts the job, and stays with it unless it is detached.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let refuse = |error: CommandError| error.exit(exit_code::JOBDIR_FAILED);
    if args.json && !args.detach {
        return Err(refuse(CommandError::usage("--json needs --detach: in the foreground stdout is the job's")));
    }
    let store = context.writing().map_err(|error| refuse(error.into()))?;
    let id_file = args.id_file.as_deref().map(|path| id_file(path, context)).transpose().map_err(refuse)?;
    let launching = spec::prepare(&args, context, &store).map_err(refuse)?;
    let queue = context.queue().map_err(|error| refuse(anyhow::Error::from(error).into()))?;
    let id = launching.job.id;
    let merged = launching.spec.merge_output;
    let typed = launching.spec.stdin == Stdin::Typed;
    let plan = launching.spec.stop.plan.clone();
    let mut typed_ends = None;
    let launched = launch(&store, launching, |staged| {
        if typed {
            typed_ends = Some(open_typed(staged)?);
        }
        id_file.as_ref().map_or(Ok(()), |file| file.write(id))
    });
    let launched = match launched {
        Ok(launched) => launched,
        Err(error) => {
            let error = CommandError::from(error);
            if let (Some(file), None) = (&id_file, &error.id) {
                file.remove();
            }
            return Err(error);
        }
    };
    if let Some((_reader, writer)) = typed_ends {
        copy_typed(writer);
    }
    if args.detach {
        return detached(&args, context, &store, &launched);
    }
    let Launched { id, connection, .. } = launched;
    let foreground = Foreground { store: &store, id, attempt: 1, merged, queue: &queue, connection };
    let end = foreground.stay(
        |signal, nth| {
            if context.stderr_is_terminal() {
                context.talk(&stop_notice(id, &plan, signal, nth));
            }
        },
        |_, error| {
            let logs = format!("'jobdir logs {id}' has all of it");
            context.talk(&format!("jobdir: cannot pass on the output of job {id}: {error}; the job goes on, {logs}"));
        },
    );
    match end.map_err(|error| refuse(error.into()))? {
        ForegroundEnd::RunEnded => ended(context, &store, &queue, id),
        ForegroundEnd::Left(Leave::ReaderGone) => Ok(exit_code::READER_GONE),
        ForegroundEnd::Left(Leave::ThirdSignal) => {
            context.talk(&format!("jobdir: job {id} is still stopping; 'jobdir status {id}' shows how far it is"));
            Ok(exit_code::STILL_RUNNING)
        }
    }
}

fn stop_notice(id: JobId, plan: &StopPlan, signal: Signal, nth: u32) -> String {
    if nth > 1 {
        return format!("jobdir: going on to the next step of stopping job {id}; once more to leave it alone");
    }
    let mut at = Duration::ZERO;
    let steps: Vec<String> = plan
        .clone()
        .with_signal_in_front(signal)
        .rungs()
        .iter()
        .map(|rung| {
            let when = if at.is_zero() { "now".to_owned() } else { format!("in {}", render(at)) };
            at += Duration::from_millis(rung.wait_ms);
            format!("{} {when}", rung.signal.short_name())
        })
        .collect();
    format!("jobdir: stopping job {id}: {}; once more to go faster", steps.join(", "))
}

fn detached(args: &Args, context: &Context, store: &Store, launched: &Launched) -> Result<u8, CommandError> {
    if args.json {
        let job = store.load(launched.id, &Surroundings::new())?;
        context.out(&json::render(&JobDocument::new(&job, false)));
    } else {
        context.out(&format!("{}\n", launched.id));
    }
    Ok(exit_code::DONE)
}

fn ended(context: &Context, store: &Store, queue: &platform::WakeQueue, id: JobId) -> Result<u8, CommandError> {
    let refuse = |error: StoreError| CommandError::from(error).exit(exit_code::JOBDIR_FAILED);
    let say = |job: &crate::domain::job::Job| context.talk(&super::shared::orphan_notice(job));
    let (_, jobs) = crate::client::wait_for_ends(store, queue, &[id], false, None, say).map_err(refuse)?;
    let Some(Some(job)) = jobs.into_iter().next() else {
        return Err(CommandError::new("job_deleted", format!("job {id} was deleted before its outcome was seen"))
            .exit(exit_code::JOBDIR_FAILED));
    };
    if let Some(note) = super::shared::end_note(&job) {
        context.talk(&note);
    }
    Ok(exit_code::of_job(&job))
}

fn open_typed(staged: &StagedJob) -> Result<(File, File), StoreError> {
    let path = staged.paths().stdin();
    let failed = |source| StoreError::Io { action: "open", path: path.clone(), source };
    // The reader is only there so that the writer can be opened before the job opens its own.
    let reader = platform::open_fifo_reader(&path).map_err(failed)?;
    let writer = platform::open_fifo_writer(&path).map_err(failed)?;
    Ok((reader, writer))
}

fn id_file(path: &Path, context: &Context) -> Result<IdFile, CommandError> {
    IdFile::prepare(path, context.file_mask()).map_err(|error| {
        CommandError::new("id_file", format!("cannot write the id file '{}': {error}", path.display()))
            .hint("name a file in a directory that exists and that you can write")
    })
}
