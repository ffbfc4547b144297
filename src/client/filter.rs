//! Which of all jobs are meant, when none is named: the filters, the same for every verb.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use globset::{GlobBuilder, GlobMatcher};

use crate::domain::job::Job;
use crate::domain::state::State;
use crate::platform;

/// A pattern for names, which are compared without case.
#[derive(Clone, Debug)]
pub struct NameGlob(GlobMatcher);

impl std::str::FromStr for NameGlob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text).case_insensitive(true).build();
        glob.map(|glob| Self(glob.compile_matcher()))
            .map_err(|error| format!("'{text}' is not a pattern: {}", error.kind()))
    }
}

/// Which jobs are admitted. Different kinds must all match; of one kind any, but all labels.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these states.
    pub states: Vec<State>,
    /// With a name that one of these matches.
    pub names: Vec<NameGlob>,
    /// With all of these labels; without a value whatever value.
    pub labels: Vec<(String, Option<String>)>,
    /// Started in one of these directories or below it.
    pub below: Vec<PathBuf>,
    /// Started at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Active, or with survivors.
    pub active: bool,
    /// Ended otherwise than well, and otherwise than on request.
    pub failed: bool,
}

impl Filter {
    /// Says whether a job is admitted.
    pub fn admits(&self, job: &Job) -> bool {
        let (state, spec) = (job.state(), job.spec());
        let of_spec = |wanted: &dyn Fn(&crate::domain::spec::SpecHead) -> bool| spec.is_some_and(wanted);
        let name = |glob: &NameGlob| of_spec(&|s| s.name.as_ref().is_some_and(|name| glob.0.is_match(name.as_str())));
        let label = |(key, value): &(String, Option<String>)| {
            of_spec(&|s| s.labels.get(key).is_some_and(|found| value.as_ref().is_none_or(|value| value == found)))
        };
        let below = |dir: &PathBuf| of_spec(&|s| platform::path_of(&s.cwd).starts_with(dir));
        (self.states.is_empty() || self.states.contains(&state))
            && (self.names.is_empty() || self.names.iter().any(name))
            && self.labels.iter().all(label)
            && (self.below.is_empty() || self.below.iter().any(below))
            && self.since.is_none_or(|since| of_spec(&|s| s.created_at >= since))
            && (!self.active || job.is_stoppable())
            && (!self.failed || state.is_failure())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_for_names() {
        let matches = |glob: &str, name: &str| glob.parse::<NameGlob>().expect("a pattern").0.is_match(name);
        assert!(matches("web", "WEB") && matches("Web-*", "web-1") && matches("{a,b}?", "b2") && matches("[x-z]", "y"));
        assert!(!matches("web", "web-1") && !matches("*.log", "log"));
        assert!("[".parse::<NameGlob>().is_err());
    }
}
