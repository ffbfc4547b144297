//! The subcommands, a file each: an `Args` whose doc comments are the help, and a `run` that returns the exit code.
//!
//! Command files do not import each other; what several need is in `shared`, `filters`, `acting`, `defaults`, `observing`,
//! `options`, `staying`, `streams` and `waiting`, in `client`, `store` or `present`.

pub mod abandon;
pub mod acting;
pub mod attach;
pub mod capabilities;
pub mod complete;
pub mod config;
pub mod coordination;
pub mod defaults;
pub mod delete;
pub mod doctor;
pub mod events;
pub mod filters;
pub mod help;
pub mod jobs;
pub mod kill;
pub mod logs;
pub mod observing;
pub mod options;
pub mod pause;
pub mod prune;
pub mod resume;
pub mod run;
pub mod schema;
pub mod send;
pub mod shared;
pub mod signal;
pub mod skill;
pub mod status;
pub mod staying;
pub mod streams;
pub mod terminal;
pub mod unpause;
pub mod wait;
pub mod waiting;

/// The names of all subcommands for people, in the order in which help shows them; `cli` is checked against it.
pub const NAMES: &[&str] = &[
    "run",
    "resume",
    "jobs",
    "status",
    "logs",
    "attach",
    "wait",
    "kill",
    "delete",
    "abandon",
    "signal",
    "pause",
    "unpause",
    "send",
    "events",
    "prune",
    "doctor",
    "capabilities",
    "schema",
    "config",
    "help",
    "skill",
];

/// Returns the options of `run`, which are the keys of the configuration.
pub fn run_options() -> clap::Command {
    <run::Args as clap::Args>::augment_args(clap::Command::new("run"))
}
