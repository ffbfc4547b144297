//! `jobdir wait`: block until runs have ended, and mirror how.

use nix::sys::signal::Signal;

use crate::support::{TestEnv, Witness, eventually, proc};

#[test]
fn the_code_of_the_job_is_mirrored_before_and_after_its_end() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "exit", "7"]);
    let mut process = witness.accept();
    let waiter = env.prepare(&["wait", &id]).spawn();
    process.go();
    waiter.wait().assert_code(7).assert_stdout("").assert_stderr("");
    env.jobdir(&["wait", &id]).assert_code(7);
    env.run_helper(&["run"], &["die", "KILL"]).assert_code(137);
    env.jobdir(&["wait", "@last"]).assert_code(137);
    env.run_helper(&["run", "--timeout", "50ms"], &["block"]).assert_code(124);
    env.jobdir(&["wait", "@last"]).assert_code(124);
}

#[test]
fn when_the_time_is_over_the_job_goes_on() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    for limit in ["0", "50ms"] {
        env.jobdir(&["wait", "--timeout", limit, &id]).assert_code(122).assert_stdout("").assert_says("still running");
    }
    let output = env.jobdir(&["wait", "--timeout", "0", "--json", &id]);
    output.assert_code(122).assert_stderr("");
    let document = output.json();
    assert_eq!(document["schema"], "jobdir/wait/1");
    assert_eq!((&document["satisfied"], &document["timed_out"]), (&false.into(), &true.into()));
    assert_eq!(document["jobs"][0]["state"], "running");
    env.stop_all();
}

#[test]
fn of_several_jobs_the_highest_code_counts() {
    let env = TestEnv::new();
    for code in ["3", "9", "0"] {
        let id = env.start(&[], &["exit", code]);
        assert!(!id.is_empty());
    }
    env.jobdir(&["wait", "1", "2", "3"]).assert_code(9);
    let output = env.jobdir(&["wait", "--json", "1", "2", "3"]);
    output.assert_code(9);
    assert_eq!(output.json()["satisfied"], true);
    assert_eq!(output.json()["jobs"].as_array().map(Vec::len), Some(3));
}

#[test]
fn any_is_the_first_that_ends() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let first = env.start(&[], &["block"]);
    let second = env.start(&[], &["witness", &witness.address, "await", "exit", "5"]);
    let waiter = env.prepare(&["wait", "--any", &first, &second]).spawn();
    witness.accept().go();
    waiter.wait().assert_code(5);
    assert_eq!(env.job_state(&first), "running");
    env.stop_all();
}

#[test]
fn an_unknown_job_is_125() {
    let env = TestEnv::new();
    env.jobdir(&["wait", "5"]).assert_code(125).assert_stdout("").assert_says("no job '5'");
    env.jobdir(&["wait"]).assert_code(125).assert_stdout("");
    env.jobdir(&["wait", "--timeout", "soon", "1"]).assert_code(125).assert_stdout("").assert_says("soon");
}

#[test]
fn an_interrupted_waiter_leaves_the_job_alone() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let waiter = env.prepare(&["wait", &id]).spawn();
        // It takes signals as soon as it waits for the lock of the claim.
        eventually("a waiter that waits", || {
            let caught = std::fs::read_to_string(format!("/proc/{}/status", waiter.pid())).ok()?;
            let mask = caught.lines().find_map(|line| line.strip_prefix("SigCgt:"))?.trim().to_owned();
            let mask = u64::from_str_radix(&mask, 16).ok()?;
            (mask >> (signal as u32 - 1) & 1 == 1).then_some(())
        });
        waiter.signal(signal);
        waiter.wait().assert_code(122);
    }
    assert_eq!(env.job_state(&id), "running");
    env.stop_all();
}

#[test]
fn twenty_waiters_all_see_the_end() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "exit", "6"]);
    let waiters: Vec<_> = (0..20).map(|_| env.prepare(&["wait", &id]).spawn()).collect();
    witness.accept().go();
    for waiter in waiters {
        waiter.wait().assert_code(6);
    }
}

#[test]
fn a_waiter_uses_no_time() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let waiter = env.prepare(&["wait", "--timeout", "700ms", &id]).spawn();
    let pid = waiter.pid();
    let waits = || {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
        let states = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.path().join("status")).ok()?;
            text.lines()
                .find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))
                .map(|n| n.trim().parse::<u64>().ok())?
        });
        Some(states.sum::<u64>())
    };
    eventually("a sleeping waiter", || proc::stat(pid).filter(|stat| stat.state == 'S'));
    let mut last = 0;
    while let Some(switches) = waits().filter(|switches| *switches > 0) {
        last = switches;
        if !proc::is_alive(pid) {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    waiter.wait().assert_code(122);
    assert!(last < 60, "it woke up {last} times");
    env.stop_all();
}
