//! The subcommands, a file each: an `Args` whose doc comments are the help, and a `run` that returns the exit code.
//!
//! Command files do not import each other; what several need is in `shared`, `acting`, `client`, `store` or `present`.

pub mod abandon;
pub mod acting;
pub mod capabilities;
pub mod events;
pub mod jobs;
pub mod kill;
pub mod logs;
pub mod pause;
pub mod run;
pub mod shared;
pub mod signal;
pub mod status;
pub mod unpause;
pub mod wait;

/// The names of all subcommands, in the order in which help shows them; `cli` is checked against it.
pub const NAMES: &[&str] = &[
    "run",
    "jobs",
    "status",
    "logs",
    "wait",
    "kill",
    "abandon",
    "signal",
    "pause",
    "unpause",
    "events",
    "capabilities",
];
