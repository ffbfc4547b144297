//! Pausing, single signals, and processes that try to get away.

#[cfg(unix)]
use nix::sys::signal::Signal;

use crate::support::env::jobdir;
#[cfg(unix)]
use crate::support::proc;
use crate::support::{TestEnv, eventually, hears_signals};

#[cfg(unix)]
fn pid(env: &TestEnv, id: &str) -> u32 {
    env.status(id)["pid"].as_u64().expect("a pid") as u32
}

#[cfg(unix)]
fn is_stopped(pid: u32) -> bool {
    proc::stat(pid).is_some_and(|stat| stat.state == 'T')
}

#[cfg(unix)]
#[test]
fn a_paused_job_stands_still_and_its_time_limit_too() {
    let env = TestEnv::new();
    let id = env.start(&["--timeout", "1s"], &["block"]);
    env.jobdir(&["pause", &id]).assert_code(0).assert_stdout("");
    assert!(is_stopped(pid(&env, &id)));
    let job = env.status(&id);
    assert_eq!((&job["paused"], &job["state"]), (&true.into(), &"running".into()));
    env.jobdir(&["pause", &id]).assert_code(0).assert_says("nothing had to be changed");
    // Longer than the limit: it is not running out.
    env.jobdir(&["wait", "--timeout", "1500ms", &id]).assert_code(122);
    env.jobdir(&["unpause", &id]).assert_code(0);
    assert!(!is_stopped(pid(&env, &id)));
    env.jobdir(&["wait", &id]).assert_code(124);
}

#[test]
fn a_paused_job_can_be_killed_and_that_is_said() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    env.jobdir(&["pause", &id]).assert_code(0);
    env.jobdir(&["kill", &id]).assert_code(0).assert_says("was paused");
    let job = env.status(&id);
    let signal = if hears_signals() { "SIGTERM" } else { "SIGKILL" };
    assert_eq!((&job["state"], &job["signal"], &job["paused"]), (&"interrupted".into(), &signal.into(), &false.into()));
}

#[test]
fn what_has_ended_cannot_be_paused() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    env.jobdir(&["pause", "1"]).assert_code(1).assert_says("cannot be paused");
    env.jobdir(&["signal", "HUP", "1"]).assert_code(1).assert_says("nothing to send");
    env.jobdir(&["pause", "99"]).assert_code(3);
}

#[cfg(unix)]
#[test]
fn a_single_signal_is_no_stop_and_what_dies_of_it_has_failed() {
    let env = TestEnv::new();
    let id = env.jobdir(&["run", "-d", "--", "sh", "-c", "trap 'echo heard' USR1; while :; do sleep 0.05; done"]).id();
    env.jobdir(&["wait", "--for", "running", &id]).assert_code(0);
    eventually("the trap", || {
        env.jobdir(&["signal", "CONT", &id]).assert_code(0);
        // The shell has its trap once the signal is in its mask of caught ones.
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid(&env, &id))).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
        (caught & (1 << (Signal::SIGUSR1 as u64 - 1)) != 0).then_some(())
    });
    env.jobdir(&["signal", "usr1", &id]).assert_code(0);
    env.jobdir(&["wait", "--for", "output=heard", &id]).assert_code(0);
    env.jobdir(&["signal", "HUP", &id]).assert_code(0);
    env.jobdir(&["wait", &id]).assert_code(129);
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["reason"]), (&"failed".into(), &"signal".into()));
    assert_eq!((&job["error_kind"], &job["signal"]), (&"job_failure".into(), &"SIGHUP".into()));
}

#[cfg(unix)]
#[test]
fn what_forks_and_leaves_its_session_again_and_again_is_stopped() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    let hopper = env.root().join("hopper");
    std::fs::write(&hopper, "#!/bin/sh\nsetsid \"$0\" &\n").expect("writes");
    std::fs::set_permissions(&hopper, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let script = format!("'{0}' & '{0}' & sleep 600", hopper.display());
    let id = env.jobdir(&["run", "-d", "--", "sh", "-c", &script]).id();
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
    assert_eq!(env.job_state(&id), "interrupted");
    let text = hopper.display().to_string();
    let left: Vec<u32> = proc::all().iter().map(|s| s.pid).filter(|pid| proc::mentions(*pid, &text)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[cfg(unix)]
#[test]
fn three_levels_of_jobs_stop_from_the_outside_in_order() {
    let env = TestEnv::new();
    let me = jobdir().display().to_string();
    let order = env.root().join("order");
    let tell = |who: &str| format!("echo {who} >>{}", order.display());
    let inner = format!("'{me}' run --finally '{}' -- sleep 600", tell("inner"));
    let middle = format!("'{me}' run --finally '{}' -- sh -c \"{inner}\"", tell("middle"));
    let outer = env.jobdir(&["run", "-d", "--finally", &tell("outer"), "--", "sh", "-c", &middle]).id();
    eventually("three jobs", || {
        (env.jobdir(&["jobs", "-q", "--state", "running"]).text().lines().count() == 3).then_some(())
    });
    env.jobdir(&["kill", &outer]).assert_code(0);
    for id in ["1", "2", "3"] {
        assert_eq!(env.job_state(id), "interrupted", "job {id}");
    }
    assert_eq!(std::fs::read_to_string(order).expect("written"), "inner\nmiddle\nouter\n");
}
