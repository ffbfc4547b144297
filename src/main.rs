//! The `jobdir` binary; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(jobdir::run(std::env::args_os().collect()))
}
