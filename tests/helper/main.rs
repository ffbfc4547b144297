//! The helper program of the tests; it does nothing yet.

fn main() {}
