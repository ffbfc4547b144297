//! The subcommands, a file each: an `Args` whose doc comments are the help, and a `run` that returns the exit code.
//!
//! Command files do not import each other; what several need is in `shared`, `client`, `store` or `present`.

pub mod jobs;
pub mod kill;
pub mod logs;
pub mod run;
pub mod shared;
pub mod status;
pub mod wait;
