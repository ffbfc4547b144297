//! `jobdir wait`: block until runs have ended, and mirror how.

#[cfg(unix)]
use nix::sys::signal::Signal;

use crate::support::{TestEnv, Witness};
#[cfg(unix)]
use crate::support::{eventually, proc};

#[cfg(unix)]
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

#[cfg(unix)]
fn catches(pid: u32, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask >> (signal as u32 - 1) & 1 == 1)
}

#[cfg(unix)]
#[test]
fn an_interrupted_waiter_leaves_the_job_alone() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let waiter = env.prepare(&["wait", &id]).spawn();
        // It takes signals as soon as it waits for the lock of the claim.
        eventually("a waiter that waits", || catches(waiter.pid(), signal).then_some(()));
        waiter.signal(signal);
        waiter.wait().assert_code(122);
    }
    assert_eq!(env.job_state(&id), "running");
    env.stop_all();
}

#[cfg(target_os = "linux")]
#[test]
fn an_alarm_that_is_not_its_own_ends_a_waiter() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let waiter = env.prepare(&["wait", &id]).spawn();
    eventually("a waiter that waits", || catches(waiter.pid(), Signal::SIGALRM).then_some(()));
    waiter.signal(Signal::SIGALRM);
    let status = waiter.wait().status;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(Signal::SIGALRM as i32));
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn a_lock_that_cannot_be_waited_for_does_not_end_the_waiting() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let (lock, kept) = (env.state().join("locks").join(&id), env.state().join("kept"));
    std::fs::rename(&lock, &kept).expect("moves");
    std::fs::create_dir(&lock).expect("creates");
    env.jobdir(&["wait", "--timeout", "0.2s", &id]).assert_code(122);
    std::fs::remove_dir(&lock).expect("removes");
    std::fs::rename(&kept, &lock).expect("moves back");
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

#[cfg(unix)]
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

#[test]
fn each_condition_comes_true() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions =
        ["witness", &witness.address, "await", "write", "$JOBDIR_READY", "", "await", "err", "listening on 80"];
    let id = env.start(&[], &[&actions[..], &["await", "exit", "0"]].concat());
    let mut process = witness.accept();
    let waiting = |condition: &str| env.prepare(&["wait", "--for", condition, &id]).spawn();
    let (ready, output, succeeded, deleted) =
        (waiting("ready"), waiting("output=listening on [0-9]+"), waiting("succeeded"), waiting("deleted"));
    env.jobdir(&["wait", "--for", "running", &id]).assert_code(0).assert_stdout("").assert_stderr("");
    env.jobdir(&["wait", "--for", "ready", "--timeout", "0", &id]).assert_code(122);
    process.go();
    ready.wait().assert_code(0).assert_stderr("");
    let paused = waiting("paused");
    env.jobdir(&["pause", &id]).assert_code(0);
    paused.wait().assert_code(0);
    env.jobdir(&["unpause", &id]).assert_code(0);
    process.go();
    output.wait().assert_code(0).assert_stderr("");
    process.go();
    succeeded.wait().assert_code(0).assert_stderr("");
    env.jobdir(&["delete", &id]).assert_code(0);
    deleted.wait().assert_code(0).assert_stderr("");
    // Whoever asks a moment later asks for something that is so already.
    for any in [&[][..], &["--any"]] {
        env.jobdir(&[&["wait", "--for", "deleted", &id], any].concat()).assert_code(0).assert_stderr("");
    }
    env.jobdir(&["wait", "--for", "deleted", "999"]).assert_code(125);
    env.run_helper(&["run"], &["exit", "1"]).assert_code(1);
    env.jobdir(&["wait", "--for", "failed", "@last"]).assert_code(0);
}

#[test]
fn what_cannot_come_true_any_more_ends_the_waiting_at_once_and_is_explained() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "out", "half a line", "await", "exit", "1"]);
    let wanted = ["output=whole", "ready", "paused", "succeeded"];
    let waiters = wanted.map(|condition| env.prepare(&["wait", "--for", condition, &id]).spawn());
    witness.accept().go();
    let why = ["without printing it", "without being ready", "without being paused", "without being succeeded"];
    for (waiter, why) in waiters.into_iter().zip(why) {
        waiter.wait().assert_code(1).assert_stdout("").assert_says(&format!("job {id} is failed: it ended {why}"));
    }
    let document = env.jobdir(&["wait", "--json", "--for", "running", &id]);
    document.assert_code(1).assert_stderr("");
    let document = document.json();
    assert_eq!((&document["satisfied"], &document["timed_out"]), (&false.into(), &false.into()));
    // A job that is deleted meanwhile will not print anything either.
    let id = env.start(&[], &["block"]);
    let waiter = env.prepare(&["wait", "--for", "output=x", &id]).spawn();
    env.jobdir(&["delete", &id]).assert_code(0);
    let output = waiter.wait();
    output.assert_code(1);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("it was deleted") || said.contains("without printing it"), "{said}");
    env.jobdir(&["wait", "--for", "output=[", "1"]).assert_code(125).assert_says("not a regular expression");
    env.jobdir(&["wait", "--for", "asleep", "1"]).assert_code(125).assert_says("none of ready");
}

#[test]
fn of_several_jobs_all_or_any_meet_the_condition() {
    let env = TestEnv::new();
    let first = env.start(&[], &["out", "up", "block"]);
    let second = env.start(&[], &["block"]);
    let wait = |words: &[&str]| env.jobdir(&[&["wait", "--for", "output=up"], words, &[&first, &second]].concat());
    wait(&["--any"]).assert_code(0).assert_stderr("");
    wait(&["--timeout", "100ms"]).assert_code(122).assert_says(&format!("job {second} is running"));
    env.jobdir(&["kill", "--force", &second]).assert_code(0);
    wait(&[]).assert_code(1).assert_says(&format!("job {second} is interrupted: it ended without printing it"));
    wait(&["--any"]).assert_code(0);
    env.stop_all();
    env.jobdir(&["wait", "--any", "--for", "output=down", &first, &second]).assert_code(1);
}

#[cfg(unix)]
#[test]
fn output_counts_whichever_attempt_of_the_run_printed_it() {
    let env = TestEnv::new();
    let script = "echo attempt $JOBDIR_ATTEMPT; test $JOBDIR_ATTEMPT = 3";
    env.jobdir(&["run", "--retries", "2", "--retry-delay", "0", "--", "sh", "-c", script]).assert_code(0);
    env.jobdir(&["wait", "--for", "output=attempt 1", "1"]).assert_code(0);
    env.jobdir(&["wait", "--for", "output=attempt 4", "1"]).assert_code(1);
}

/// Waits until this waiter waits for so many claims.
#[cfg(unix)]
fn waits_for(waiter: u32, claims: usize) {
    let (mark, pid) = ("-> FLOCK", format!(" {waiter} "));
    eventually("a waiter that waits", || {
        let locks = std::fs::read_to_string("/proc/locks").ok()?;
        let waiting = locks.lines().filter(|line| line.contains(mark) && line.contains(&pid)).count();
        (waiting == claims).then_some(())
    });
}

#[cfg(unix)]
#[test]
fn a_job_that_is_deleted_meanwhile_is_told_as_deleted() {
    let env = TestEnv::new();
    let start = || (env.start(&[], &["block"]), env.start(&[], &["block"]));
    let (first, second) = start();
    let waiter = env.prepare(&["wait", "--json", &first, &second]).spawn();
    waits_for(waiter.pid(), 2);
    // It shall not see the end before the deletion.
    proc::signal(waiter.pid(), Signal::SIGSTOP);
    env.jobdir(&["delete", &first]).assert_code(0);
    proc::signal(waiter.pid(), Signal::SIGCONT);
    env.jobdir(&["kill", &second]).assert_code(0);
    let told = waiter.wait().assert_code(125).json();
    assert_eq!((&told["satisfied"], &told["timed_out"]), (&false.into(), &false.into()), "no end of it was seen");
    assert_eq!((&told["jobs"][0]["id"], &told["jobs"][0]["deleted"]), (&first.into(), &true.into()));
    assert_eq!((&told["jobs"][1]["id"], &told["jobs"][1]["deleted"]), (&second.into(), &false.into()));

    let (third, fourth) = start();
    let waiters =
        [&["wait", "--any", "--json"][..], &["wait", "--any"], &["wait", "--for", "deleted", "--any", "--json"]];
    let [json, text, deleted] = waiters.map(|words| {
        let waiter = env.prepare(&[words, &[&third, &fourth]].concat()).spawn();
        waits_for(waiter.pid(), 2);
        proc::signal(waiter.pid(), Signal::SIGSTOP);
        waiter
    });
    env.jobdir(&["delete", &third]).assert_code(0);
    for waiter in [&json, &text, &deleted] {
        proc::signal(waiter.pid(), Signal::SIGCONT);
    }
    let told = json.wait().assert_code(125).json();
    assert_eq!((&told["satisfied"], &told["jobs"][0]["deleted"]), (&false.into(), &true.into()));
    text.wait().assert_code(125).assert_says(&format!("job {third} was deleted before its outcome was seen"));
    let told = deleted.wait().assert_code(0).json();
    assert_eq!((&told["satisfied"], &told["jobs"][0]["deleted"]), (&true.into(), &true.into()));
    env.stop_all();
}
