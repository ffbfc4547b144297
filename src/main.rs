//! The `jobdir` binary; everything is in the library.

fn main() {
    jobdir::exit(jobdir::run(std::env::args_os().collect()));
}
