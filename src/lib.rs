//! jobdir: a job manager whose whole interface is a directory.
//!
//! This library exists for the `jobdir` binary and its tests; it gives no promise of compatibility.
//!
//! # The house
//!
//! ```text
//! cli → commands → client, view, present  domain is pure and may be used by all
//!                   client    ─┐
//!                   supervise ─┴→ store → platform → domain
//! ```
//!
//! - [`domain`]: what a job is; values and decisions, no effects.
//! - [`platform`]: the operating system; all `unsafe`, all `cfg`.
//! - [`store`]: the state directory and its protocol; all file names, all writes.
//! - [`supervise`]: the process that owns one run of one job.
//! - [`client`]: what other invocations do with jobs: start, ask, wait, follow.
//! - [`present`]: values to text; JSON documents, tables.
//! - [`view`]: the live view of `jobs --watch`; a model, keys, a screen.
//! - [`commands`]: one file for each subcommand.
//! - [`settings`]: the configuration file.
//! - [`context`], [`error`], [`exit_code`], [`cli`]: the edge.
//!
//! `tests/it/architecture.rs` fails when a module uses one that it must not.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "unit tests set their scenes by hand"))]

pub mod cli;
pub mod client;
pub mod commands;
pub mod context;
pub mod domain;
pub mod error;
pub mod exit_code;
pub mod platform;
pub mod present;
pub mod settings;
pub mod store;
pub mod supervise;
pub mod view;

/// Ends this process with this code, when everything is done that has to be: what is left in memory is not taken down first.
pub fn exit(code: u8) -> ! {
    // What the parser of the command line prints goes through a buffer.
    std::io::Write::flush(&mut std::io::stdout()).ok();
    platform::exit(code)
}

/// Runs one process of jobdir, whichever it is. `arguments` includes the program's name.
pub fn run(arguments: Vec<std::ffi::OsString>) -> u8 {
    // A supervisor is started for every job and stays as long as it: it is spared the whole command line.
    if arguments.get(1).is_some_and(|verb| verb == "supervise") {
        return supervise::supervise();
    }
    if arguments.get(1).is_some_and(|verb| verb == "run") {
        client::call_ahead(supervise::supervise);
    }
    cli::run(arguments)
}
