//! Tests of the program as its users see it: real processes, a state directory for each test, and no sleeps.
//!
//! What a test waits for is told to it by a [`support::witness::Witness`], or looked for with
//! [`support::eventually`]. Every [`support::env::TestEnv`] checks at its end that nothing is left running and that the
//! state directory keeps its invariants.

#![cfg(unix)]

mod support;

//client
//compatibility
mod detach;
//environment
//errors
//jobs
//kill
//logs
//names
//orphans
//protocol
mod run;
//spawn
//status
//wait
