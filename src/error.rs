//! What commands refuse and fail with, and the only place that prints it.

use crate::client::{LaunchError, Mistake, Unresolved};
use crate::context::Context;
use crate::domain::job_id::JobId;
use crate::exit_code;
use crate::present::json::{self, ErrorBody, ErrorDocument};
use crate::present::text::escape;
use crate::settings::SettingsError;
use crate::store::StoreError;

/// A refusal or failure, with what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandError {
    /// A stable word for programs.
    pub code: &'static str,
    /// The exit code.
    pub exit: u8,
    /// A fragment that reads after "error: ".
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
    /// Jobs that may have been meant.
    pub candidates: Vec<String>,
    /// The job that it is about.
    pub id: Option<String>,
}

impl CommandError {
    /// Makes a failure with the ordinary exit code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, exit: exit_code::FAILED, message, hint: None, candidates: Vec::new(), id: None }
    }

    /// Sets the exit code.
    #[must_use]
    pub fn exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says which job it is about.
    #[must_use]
    pub fn about(mut self, id: JobId) -> Self {
        self.id = Some(id.to_string());
        self
    }

    /// Gives an error the exit code of `run`, `resume` and `wait`, whose low codes belong to the job.
    #[must_use]
    pub fn of_run(self) -> Self {
        match self.exit {
            exit_code::FAILED | exit_code::USAGE | exit_code::NO_SUCH_JOB => self.exit(exit_code::JOBDIR_FAILED),
            _ => self,
        }
    }

    /// Refuses for wrong usage that clap cannot see.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", message).exit(exit_code::USAGE)
    }

    /// Refuses because there is no such job.
    pub fn no_such_job(unresolved: &Unresolved, context: &Context) -> Self {
        let root = context.state_dir().display();
        let given = escape(&unresolved.given);
        let mut error = Self::new("job_not_found", format!("no job '{given}' in state directory '{root}'"));
        error.exit = exit_code::NO_SUCH_JOB;
        error.candidates.clone_from(&unresolved.candidates);
        error.hint = Some(if unresolved.candidates.is_empty() {
            "there are no jobs here; use --state-dir or JOBDIR_STATE_DIR to look elsewhere".into()
        } else {
            "'jobdir jobs --all' lists every job".into()
        });
        let verb = context.verb();
        error.hint = match unresolved.mistake {
            Some(Mistake::ProcessOf(id)) => Some(format!("{given} is a process of job {id}: 'jobdir {verb} {id}'")),
            Some(Mistake::Process) => Some(format!(
                "{given} is a process that belongs to no job here; ids are jobdir's own numbers, 'jobdir jobs' shows them"
            )),
            Some(Mistake::Gone) => error.hint.map(|hint| format!("job {given} is gone, it was deleted; {hint}")),
            None if given.parse::<u64>().is_ok() => {
                error.hint.map(|hint| format!("{hint}; ids are jobdir's own numbers, not process ids"))
            }
            None => error.hint,
        };
        error
    }

    /// Prints it: one document on stdout for programs, sentences on stderr for people.
    pub fn report(&self, context: &Context) {
        if context.wants_json() {
            let document = ErrorDocument {
                schema: "jobdir/error/1",
                error: ErrorBody {
                    code: self.code,
                    message: &self.message,
                    hint: self.hint.as_deref(),
                    candidates: &self.candidates,
                    id: self.id.as_deref(),
                },
            };
            context.out(&json::render(&document));
            return;
        }
        context.talk(&format!("error: {}", self.message));
        if !self.candidates.is_empty() {
            context.talk(&format!("candidates: {}", self.candidates.join(", ")));
        }
        if let Some(hint) = &self.hint {
            context.talk(&format!("hint: {hint}"));
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::NotADirectory { .. } => {
                Self::new("state_dir", message).hint("choose another one with --state-dir DIR or JOBDIR_STATE_DIR")
            }
            StoreError::NotOurs { .. } => Self::new("state_dir_not_ours", message)
                .hint("choose another one with --state-dir DIR or JOBDIR_STATE_DIR"),
            StoreError::WritableByOthers { remedy, .. } => {
                Self::new("state_dir_unsafe", message).hint(format!("if it is meant for you alone: {remedy}"))
            }
            StoreError::NewerFormat { .. } => {
                Self::new("newer_format", message).hint("use the newer version of jobdir to change it")
            }
            StoreError::Damaged { .. } => Self::new("damaged", message).hint("'jobdir doctor' says what to do"),
            StoreError::Busy => Self::new("busy", message).hint("try again; 'jobdir status JOB' says who is at work"),
            StoreError::NoSuchJob => Self::new("job_not_found", message).exit(exit_code::NO_SUCH_JOB),
            StoreError::Io { source, .. } => {
                use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
                let error = Self::new("io", message);
                match source.kind() {
                    PermissionDenied | ReadOnlyFilesystem => error
                        .hint("choose a state directory that you can write with --state-dir DIR or JOBDIR_STATE_DIR"),
                    StorageFull => {
                        error.hint("free some space, or choose another state directory with --state-dir DIR")
                    }
                    _ => error,
                }
            }
        }
    }
}

impl From<LaunchError> for CommandError {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::Store(error) => Self::from(error).exit(exit_code::JOBDIR_FAILED),
            LaunchError::NameTaken(by) => {
                let mut error = Self::new("name_taken", format!("job {by} bears this name and is still active"));
                error.candidates = vec![by.to_string()];
                error.about(by).exit(exit_code::JOBDIR_FAILED).hint(format!(
                    "choose another name, wait for it with 'jobdir wait {by}', or stop it with 'jobdir kill {by}'"
                ))
            }
            LaunchError::NotStarted { id, reason, message } => {
                let error = Self::new(reason.as_str(), format!("job {id} could not be started: {message}")).about(id);
                error.exit(exit_code::of_spawn_failure(reason)).hint(format!(
                    "mend that and start it again, or with 'jobdir resume {id}'; 'jobdir status {id}' says what was tried"
                ))
            }
            LaunchError::Supervisor { id, message } => {
                let error = Self::new("internal", format!("job {id}: {message}")).about(id);
                error.exit(exit_code::JOBDIR_FAILED)
            }
        }
    }
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        Self::new("config", escape(&error.message)).hint(escape(&error.hint))
    }
}

impl From<anyhow::Error> for CommandError {
    fn from(error: anyhow::Error) -> Self {
        Self::new("internal", format!("{error:#}"))
    }
}
