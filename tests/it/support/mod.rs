//! What all tests share.

pub(crate) mod documents;
pub(crate) mod env;
pub(crate) mod invariants;
#[cfg_attr(windows, path = "proc_windows.rs")]
pub(crate) mod proc;
#[cfg(target_os = "linux")]
pub(crate) mod terminal;
pub(crate) mod witness;

use std::time::{Duration, Instant};

pub(crate) use env::{Output, TestEnv};
pub(crate) use witness::Witness;

/// How long anything may take that takes milliseconds on an idle machine; in the deep tests, where it may be done ten
/// thousand times, ten times as long.
pub(crate) fn patience() -> Duration {
    let scale = std::env::var("TEST_TIME_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1.0);
    Duration::from_secs(if is_deep() { 200 } else { 20 }).mul_f64(scale)
}

/// Says whether tests shall take the time that they need to look everywhere: `JOBDIR_TEST_DEEP=1`.
pub(crate) fn is_deep() -> bool {
    std::env::var_os("JOBDIR_TEST_DEEP").is_some_and(|value| value == "1")
}

/// Says whether the tests run as root, who may do things that others may not and has to try some as somebody else.
#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Says why a test cannot be made here. Shown with `--nocapture`, and in the log of CI.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// Says whether the polite signals of a plan reach a job here. Under wine they do not: it sends no CTRL_BREAK.
pub(crate) fn hears_signals() -> bool {
    let hears = std::env::var_os("JOBDIR_TEST_WINE").is_none();
    if !hears {
        skip("wine sends no CTRL_BREAK");
    }
    hears
}

/// Says whether files can have holes here. Under wine they cannot.
pub(crate) fn can_make_holes() -> bool {
    let can = std::env::var_os("JOBDIR_TEST_WINE").is_none();
    if !can {
        skip("wine makes no holes in files");
    }
    can
}

/// Says whether strace is here and may trace.
pub(crate) fn can_trace() -> bool {
    let works = std::process::Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    let works = works.is_ok_and(|output| output.status.success());
    if !works {
        skip("no strace, or no permission to trace");
    }
    works
}

/// Looks again and again until there is an answer.
///
/// # Panics
/// When there is none in time; `what` says what was looked for.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    eventually_within(patience(), &mut look).unwrap_or_else(|| panic!("in vain: {what}"))
}

/// Looks again and again until there is an answer or the time is over.
pub(crate) fn eventually_within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Borrows words, for lists that are partly made on the spot.
pub(crate) fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Says whether somebody holds a lock exclusively.
pub(crate) fn is_held(path: &std::path::Path) -> bool {
    std::fs::File::open(path).is_ok_and(|file| file.try_lock_shared().is_err())
}
