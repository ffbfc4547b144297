//! The options that select jobs instead of naming them, the same for every verb that takes them.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use clap::Args;

use crate::client::{Filter, NameGlob};
use crate::context::Context;
use crate::domain::moment::Moment;
use crate::domain::name::parse_wanted_label;
use crate::domain::state::State;
use crate::error::CommandError;
use crate::platform;

/// The filters. Different ones must all match.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "filters", multiple = true)]
pub struct FilterArgs {
    /// Only jobs in this state (can be repeated)
    ///
    /// Or several, separated by commas: queued, starting, running, stopping, finalizing, succeeded, failed, interrupted,
    /// timed_out, abandoned, skipped, orphaned, lost, corrupt.
    #[arg(long, value_name = "STATE", value_delimiter = ',', help_heading = "Filters")]
    state: Vec<State>,
    /// Only jobs with such a name (can be repeated)
    ///
    /// A pattern such as 'web-*', '?', '[a-c]' or '{api,web}'; upper and lower case are the same.
    #[arg(long, value_name = "PATTERN", help_heading = "Filters")]
    name: Vec<NameGlob>,
    /// Only jobs with this label (can be repeated)
    ///
    /// KEY alone means whatever value. All must match.
    #[arg(short, long, value_name = "KEY[=VALUE]", value_parser = parse_wanted_label, help_heading = "Filters")]
    label: Vec<(String, Option<String>)>,
    /// Only what is active, orphaned or has survivors
    #[arg(long, help_heading = "Filters")]
    active: bool,
    /// Only what ended badly
    ///
    /// What failed, timed out, was skipped, is lost or corrupt; not what was stopped on request.
    #[arg(long, help_heading = "Filters")]
    failed: bool,
    /// Only jobs started in this directory or below it
    #[arg(long, help_heading = "Filters")]
    here: bool,
    /// Only jobs started in DIR or below it
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "here", help_heading = "Filters")]
    cwd: Option<PathBuf>,
    /// Only jobs started since then
    ///
    /// How long ago (2h, 1d), or a time: 2026-03-01T12:00:00Z, or 2026-03-01 12:00 by the clock here. What counts is when
    /// the job was started first.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, help_heading = "Filters")]
    since: Option<Moment>,
}

impl FilterArgs {
    /// Makes the filter.
    ///
    /// # Errors
    /// When the current directory is gone and was asked for.
    pub(super) fn filter(&self, context: &Context) -> Result<Filter, CommandError> {
        let since = |moment: &Moment| match *moment {
            Moment::Ago(ago) => context.now() - TimeDelta::from_std(ago).unwrap_or(TimeDelta::zero()),
            Moment::At(time) => time,
            Moment::Local(time) => platform::local_time(time),
        };
        let dir = if self.here { Some(Path::new(".")) } else { self.cwd.as_deref() };
        Ok(Filter {
            states: self.state.clone(),
            names: self.name.clone(),
            labels: self.label.clone(),
            below: dir.map_or(Ok(Vec::new()), |dir| spellings(dir, context))?,
            since: self.since.as_ref().map(since),
            active: self.active,
            failed: self.failed,
        })
    }

    /// Says whether any was given.
    pub(super) fn is_empty(&self) -> bool {
        let lists = self.state.is_empty() && self.name.is_empty() && self.label.is_empty();
        lists && !self.active && !self.failed && !self.here && self.cwd.is_none() && self.since.is_none()
    }

    /// Says whether jobs whose files cannot be read are asked for by their state.
    pub(super) fn wants_corrupt(&self) -> bool {
        self.state.contains(&State::Corrupt)
    }
}

/// A directory as it was written and as it is without links: a job remembers what it was given.
fn spellings(dir: &Path, context: &Context) -> Result<Vec<PathBuf>, CommandError> {
    let current = || {
        context.current_dir().map_err(|error| {
            CommandError::new("cwd", format!("the current directory cannot be used: {error}"))
                .hint("change to a directory that exists, or name one with --cwd DIR")
        })
    };
    let written = if dir.is_absolute() { dir.to_owned() } else { current()?.join(dir) };
    let real = std::fs::canonicalize(&written).ok().filter(|real| *real != written);
    Ok(std::iter::once(written).chain(real).collect())
}
