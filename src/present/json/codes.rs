//! The words of the documents that no type of the domain owns: what can be wrong, and what verbs can have done.

/// Every code of an error, and what it says. `docs/json.md` shows the table to people, the schema to programs.
pub const ERROR_CODES: &[(&str, &str)] = &[
    ("busy", "somebody else is at work on the job, or it is active"),
    ("changed", "what is to be replaced has been changed by somebody"),
    ("config", "the configuration file cannot be used"),
    ("corrupt", "the job's files cannot be read"),
    ("cwd", "the working directory cannot be used"),
    ("damaged", "a file of the state directory cannot be read"),
    ("env_file", "an environment file cannot be used"),
    ("id_file", "the file for the id cannot be written"),
    ("internal", "a fault of jobdir, or of the system below it"),
    ("io", "reading or writing failed"),
    ("job_deleted", "the job was deleted before its outcome was seen"),
    ("job_not_found", "no such job in this state directory"),
    ("lost", "the supervisor died while it started"),
    ("name_taken", "an active job bears the name"),
    ("newer_format", "the state directory or the job was written by a newer version"),
    ("no_answer", "the supervisor has not answered in time"),
    ("no_input", "the job takes no input"),
    ("no_such_attempt", "the job has no such attempt"),
    ("not_executable", "the command was found but cannot be executed"),
    ("not_found", "the command was not found"),
    ("not_running", "the job does not run"),
    ("not_stopped", "what is left of the job could not be stopped"),
    ("setup", "a limit, priority, input or other preparation of the process was refused"),
    ("state_dir", "the state directory is no directory"),
    ("state_dir_not_ours", "the state directory belongs to somebody else"),
    ("state_dir_unsafe", "others may write to the state directory"),
    ("survivors", "processes of an earlier attempt live"),
    ("template", "the --resume-with command cannot be filled in"),
    ("unknown_field", "a job has no such field"),
    ("usage", "wrong usage"),
];

/// What a verb can have done to a job.
pub(super) const RESULTS: &[&str] = &[
    "abandoned",
    "already_ended",
    "deleted",
    "failed",
    "found",
    "never_started",
    "no_change",
    "not_found",
    "not_stopped",
    "paused",
    "refused",
    "requested",
    "sent",
    "stopped",
    "survivors_stopped",
    "unpaused",
];

/// Returns the codes alone.
pub(super) fn words() -> Vec<&'static str> {
    ERROR_CODES.iter().map(|(code, _)| *code).collect()
}
