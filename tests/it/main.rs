//! Everything that is tested from outside the modules, in one binary: one link step, one place for helpers.

#![expect(clippy::disallowed_methods, reason = "tests set their scenes by hand and start what they please")]

mod architecture;
#[cfg(unix)]
mod compatibility;
mod examples;
mod generated;
#[cfg(unix)]
mod readme;
