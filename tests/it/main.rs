//! Everything that is tested from outside the modules, in one binary: one link step, one place for helpers.
//!
//! Most of it tests the program as its users see it: real processes, a state directory for each test, and no sleeps.
//! What a test waits for is told to it by a `Witness`, or looked for with `eventually`. Every `TestEnv` checks at its
//! end that nothing is left running and that the state directory keeps its invariants.

#![expect(clippy::disallowed_methods, reason = "tests set their scenes by hand and start what they please")]

mod architecture;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod compatibility;
mod completion;
#[cfg(unix)]
mod config;
#[cfg(unix)]
mod coordination;
#[cfg(target_os = "linux")]
mod counts;
#[cfg(all(unix, debug_assertions))]
mod crash;
#[cfg(target_os = "linux")]
mod damage;
#[cfg(unix)]
mod detach;
#[cfg(target_os = "linux")]
mod doctor;
#[cfg(unix)]
mod environment;
#[cfg(unix)]
mod error_codes;
#[cfg(unix)]
mod errors;
#[cfg(unix)]
mod events;
#[cfg(unix)]
mod examples;
#[cfg(target_os = "linux")]
mod foreign;
mod generated;
#[cfg(unix)]
mod hook;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod jobs;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod limits;
#[cfg(unix)]
mod log_max;
#[cfg(unix)]
mod logs;
#[cfg(unix)]
mod logs_machine;
#[cfg(unix)]
mod names;
#[cfg(unix)]
mod observe;
#[cfg(unix)]
mod orphans;
#[cfg(target_os = "linux")]
mod parsers;
#[cfg(unix)]
mod pause;
#[cfg(target_os = "linux")]
mod pictures;
#[cfg(unix)]
mod protocol;
#[cfg(target_os = "linux")]
mod pty;
mod public_form;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod recipes;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod schema;
#[cfg(unix)]
mod skill;
#[cfg(unix)]
mod spawn;
#[cfg(unix)]
mod status;
#[cfg(target_os = "linux")]
mod storage;
#[cfg(all(unix, debug_assertions))]
mod storm;
#[cfg(unix)]
mod support;
#[cfg(unix)]
mod threads;
#[cfg(all(target_os = "linux", debug_assertions))]
mod unkillable;
#[cfg(target_os = "linux")]
mod view;
#[cfg(unix)]
mod wait;
mod waiting;
#[cfg(unix)]
mod watch;
#[cfg(unix)]
mod who_dies;
