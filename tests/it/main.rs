//! Everything that is tested from outside the modules, in one binary: one link step, one place for helpers.
//!
//! Most of it tests the program as its users see it: real processes, a state directory for each test, and no sleeps.
//! What a test waits for is told to it by a `Witness`, or looked for with `eventually`. Every `TestEnv` checks at its
//! end that nothing is left running and that the state directory keeps its invariants.

#![expect(clippy::disallowed_methods, reason = "tests set their scenes by hand and start what they please")]
#![cfg_attr(
    windows,
    expect(dead_code, unused_imports, reason = "some of what is here is for tests that are for Unix alone")
)]

mod architecture;
#[cfg(unix)]
mod client;
mod compatibility;
mod completion;
#[cfg(unix)]
mod config;
mod coordination;
#[cfg(target_os = "linux")]
mod counts;
#[cfg(all(unix, debug_assertions))]
mod crash;
#[cfg(target_os = "linux")]
mod damage;
mod detach;
#[cfg(target_os = "linux")]
mod doctor;
mod environment;
#[cfg(unix)]
mod error_codes;
mod errors;
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
mod input;
mod jobs;
mod kill;
#[cfg(unix)]
mod limits;
mod log_max;
mod logs;
mod logs_machine;
mod names;
#[cfg(unix)]
mod observe;
#[cfg(unix)]
mod orphans;
#[cfg(target_os = "linux")]
mod parsers;
mod pause;
#[cfg(target_os = "linux")]
mod pictures;
mod protocol;
#[cfg(target_os = "linux")]
mod pty;
mod public_form;
#[cfg(unix)]
mod readme;
#[cfg(unix)]
mod recipes;
mod run;
mod schema;
#[cfg(unix)]
mod skill;
#[cfg(unix)]
mod spawn;
mod status;
#[cfg(target_os = "linux")]
mod storage;
#[cfg(all(unix, debug_assertions))]
mod storm;
mod support;
mod threads;
#[cfg(all(target_os = "linux", debug_assertions))]
mod unkillable;
#[cfg(target_os = "linux")]
mod view;
mod wait;
#[cfg(target_os = "linux")]
mod waiting;
#[cfg(unix)]
mod watch;
#[cfg(unix)]
mod who_dies;
#[cfg(windows)]
mod windows;
