//! The options by which jobs share things and follow each other.

use clap::Args;

use super::shared::{choose_one, parse_limit};
use crate::context::Context;
use crate::domain::duration::{Limit, to_ms};
use crate::domain::name::Name;
use crate::domain::queue::{MutexWant, SlotWant};
use crate::domain::spec::{After, CoordinationSpec, RequiredEnd};
use crate::error::CommandError;
use crate::store::Store;

/// What a job waits for before each attempt.
#[derive(Debug, Clone, Args)]
pub struct CoordinationArgs {
    /// Hold this mutex while it runs (can be repeated)
    ///
    /// One job at a time holds it, in the order in which they came; NAME:shared is held together with others that want it
    /// so.
    #[arg(long, value_name = "NAME[:shared]", value_parser = parse_mutex, help_heading = "Coordination")]
    mutex: Vec<MutexWant>,
    /// Run at most N jobs of a group at once (can be repeated)
    #[arg(long, value_name = "GROUP=N", value_parser = parse_slots, help_heading = "Coordination")]
    slots: Vec<SlotWant>,
    /// Start when this job has ended well (can be repeated)
    ///
    /// JOB:failed waits for a bad end, JOB:any for any. When it ends otherwise this job is skipped.
    #[arg(long, value_name = "JOB[:END]", help_heading = "Coordination")]
    after: Vec<String>,
    /// Give up when it has to wait longer for all this
    #[arg(long, value_name = "DURATION", value_parser = parse_limit, help_heading = "Coordination")]
    queue_timeout: Option<Limit>,
}

fn parse_mutex(text: &str) -> Result<MutexWant, String> {
    let (name, shared) = match text.split_once(':') {
        None => (text, false),
        Some((name, "shared")) => (name, true),
        Some((_, mode)) => return Err(format!("unknown mode '{mode}'; write NAME or NAME:shared")),
    };
    Ok(MutexWant { name: name.parse::<Name>().map_err(|e| e.to_string())?.key(), shared })
}

fn parse_slots(text: &str) -> Result<SlotWant, String> {
    let (group, limit) = text.split_once('=').ok_or("write it as GROUP=N, such as gpu=2")?;
    let limit = limit.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("'{limit}' is not a number of slots"))?;
    Ok(SlotWant { group: group.parse::<Name>().map_err(|e| e.to_string())?.key(), limit })
}

impl CoordinationArgs {
    /// Changes what a job waits for to what was asked for, and leaves the rest as it is.
    ///
    /// # Errors
    /// When a job that it is to follow is not there.
    pub(super) fn apply(
        &self,
        coordination: &mut CoordinationSpec,
        store: &Store,
        context: &Context,
    ) -> Result<(), CommandError> {
        if !self.mutex.is_empty() {
            coordination.wants.mutexes = strongest(&self.mutex);
        }
        if !self.slots.is_empty() {
            coordination.wants.slots.clone_from(&self.slots);
        }
        if !self.after.is_empty() {
            coordination.after = self.after.iter().map(|text| after(text, store, context)).collect::<Result<_, _>>()?;
        }
        if let Some(limit) = self.queue_timeout {
            coordination.queue_timeout_ms = limit.0.map(to_ms);
        }
        Ok(())
    }
}

/// A mutex that is asked for twice is asked for once, exclusively if one of them says so.
fn strongest(given: &[MutexWant]) -> Vec<MutexWant> {
    let mut wants: Vec<MutexWant> = Vec::new();
    for want in given {
        match wants.iter_mut().find(|known| known.name == want.name) {
            Some(known) => known.shared &= want.shared,
            None => wants.push(want.clone()),
        }
    }
    wants
}

/// Resolves `JOB[:ok|failed|any]` now: what it means must not change while the job waits.
fn after(text: &str, store: &Store, context: &Context) -> Result<After, CommandError> {
    let (job, end) = match text.rsplit_once(':') {
        None | Some((_, "ok")) => (text.strip_suffix(":ok").unwrap_or(text), RequiredEnd::Ok),
        Some((job, "failed")) => (job, RequiredEnd::Failed),
        Some((job, "any")) => (job, RequiredEnd::Any),
        Some((_, other)) => {
            return Err(CommandError::usage(format!("--after {text}: '{other}' is none of ok, failed, any")));
        }
    };
    Ok(After { id: choose_one(store, job, context)?, end })
}
