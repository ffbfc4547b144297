//! What a job *is*: pure values and pure decisions.
//!
//! Owns the vocabulary (ids, specs, records, states, signals, stop plans, requests) and every decision that
//! can be taken from values alone: what a job's observed state is, how an attempt ended, which processes
//! belong to it. Nothing here does I/O, reads a clock, draws a random number or prints; `now` and identities
//! come in as arguments. Uses no other module of the crate; every other module may use this one.
//!
//! The types that reach the disk derive serde directly. The price, that renaming a field would change the
//! format, is paid by frozen state directories under `tests/data`, which must keep loading.

pub mod cursor;
pub mod duration;
pub mod event;
pub mod identity;
pub mod job;
pub mod job_id;
pub mod likeness;
pub mod log_limit;
pub mod moment;
pub mod name;
pub mod notice;
pub mod observe;
pub mod os_text;
pub mod outcome;
pub mod queue;
pub mod record;
pub mod request;
pub mod retention;
pub mod selector;
pub mod signal;
pub mod spec;
pub mod state;
pub mod stop_plan;
pub mod template;
pub mod terminal;
pub mod tree;
