//! The client's side of the protocol: starting a supervisor, asking it for something, waiting for it, showing what its
//! job prints. Everything but the start goes through the state directory.
//!
//! May use `domain`, `platform` and `store`. Says nothing to the user: it returns values and calls back.

mod ask;
mod chain;
mod condition;
mod end;
mod filter;
mod follow;
mod foreground;
mod grep;
mod keys;
mod launch;
mod list;
mod processes;
mod pump;
mod reading;
mod screen;
mod select;
mod supervisor;
mod tail;
mod typing;

pub use ask::{Answer, KillOptions, KillResult, abandon, kill, request, settle, stop_unreadable};
pub use chain::chain;
pub use condition::{Condition, Progress, Seen, wait_for};
pub use end::{EndWatch, Woken, wait_for_ends};
pub use filter::{Filter, NameGlob};
pub use follow::{FollowEnd, Following};
pub use foreground::{Foreground, ForegroundEnd, Leave, Told, copy_typed};
pub use grep::{Cleaning, Grep, MOST_CONTEXT};
pub use launch::{LaunchError, Launched, Launching, Resuming, launch, relaunch};
pub use list::{Change, LiveList};
pub use processes::processes;
pub use pump::{Limited, Sink};
pub use reading::{Piece, Wanted, read_piece};
pub use select::{Mistake, Unresolved, resolve};
pub use supervisor::{call_ahead, dismiss};

use crate::domain::outcome::ExitStatus;
use crate::domain::signal::Signal;

/// Parses a signal by name or by this system's number.
///
/// # Errors
/// A sentence for the user.
pub fn parse_signal(text: &str) -> Result<Signal, String> {
    Signal::parse(text, crate::platform::signal_by_number).and_then(known)
}

/// Parses a stop plan or the name of a preset.
///
/// # Errors
/// A sentence for the user.
pub fn parse_plan(text: &str) -> Result<crate::domain::stop_plan::StopPlan, String> {
    let plan = crate::domain::stop_plan::StopPlan::parse(text, crate::platform::signal_by_number)?;
    plan.rungs().iter().try_for_each(|rung| known(rung.signal).map(drop))?;
    Ok(plan)
}

/// What this system has no equivalent of would be sent to nobody, in silence.
fn known(signal: Signal) -> Result<Signal, String> {
    if crate::platform::can_signal(signal) {
        Ok(signal)
    } else {
        Err(format!("this system has no {signal}; use {}", crate::platform::SIGNALS_HERE))
    }
}

/// Returns what a shell shows for an end: the code, or 128 plus the signal's number.
pub fn shell_code(status: ExitStatus) -> u8 {
    let code = match status {
        ExitStatus::Exited(code) => code,
        ExitStatus::Signaled(signal) => 128 + crate::platform::signal_number(signal).unwrap_or(0),
    };
    u8::try_from(code & 0xff).unwrap_or(u8::MAX)
}
