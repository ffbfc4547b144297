//! One process that supervises one run of one job: `jobdir supervise`.
//!
//! It holds the job's claim from before the job is visible until its outcome is on disk, is the subreaper of
//! everything the job starts, and learns what others want from the job's `kill-signals` directory alone.
//!
//! # Order
//!
//! All sources (children, requests, signals, time) are looked at by one loop in one thread, children first: a job
//! that ended by itself before a kill was seen has ended by itself. What to do is decided by `machine`, which is
//! pure; `driver` reports to it and performs its actions. A wake-up, whatever its source, means "look everywhere".
//!
//! # What may be killed when
//!
//! The supervisor may be killed between any two instructions. Before the command executes, its identity is in the PID
//! file; the outcome is flushed before the claim is released. So a free claim beside a record without an end always
//! means a crash, and the processes of the job can then still be recognised.
//!
//! May use `domain`, `platform` and `store`. Prints nothing: it has no terminal.

mod activity;
mod begin;
mod driver;
mod entry;
mod environment;
mod finally;
mod hook;
mod journal;
mod machine;
mod nested;
mod outside;
mod progress;
mod recover;
mod retry;
mod run;
mod stdio;
mod terminal;
mod tree;
mod trim;
mod unkillable;
mod waiting;
mod watch;

pub use driver::CAPABILITIES;
pub use entry::supervise;

pub use crate::platform::containment;
