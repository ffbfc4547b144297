//! Supervisors that die: what is true then is seen at once, and can still be stopped.

use nix::sys::signal::Signal;

use crate::support::env::with_helper;
use crate::support::{TestEnv, Witness, eventually, proc};

#[test]
fn a_job_whose_supervisor_was_killed_is_orphaned_at_once() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    env.kill_supervisor(&id);
    let job = env.status(&id);
    assert_eq!(job["state"], "orphaned");
    assert_eq!((&job["supervised"], &job["alive"]), (&false.into(), &true.into()));
    assert_eq!(job["survivors"][0]["pid"], process.pid);
    assert_eq!(job["survivors"][0]["start_time"], process.start_time);
    assert_eq!(job["resumable"], false);
    process.assert_alive();
    assert_eq!(env.record(&id)["state"], "running", "looking has repaired nothing");
    proc::signal(process.pid, Signal::SIGKILL);
}

#[test]
fn when_nothing_of_an_orphan_is_left_it_is_lost() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let mut process = witness.accept();
    env.kill_supervisor(&id);
    proc::signal(process.pid, Signal::SIGKILL);
    process.wait_for_death();
    let job = eventually("the loss", || Some(env.status(&id)).filter(|job| job["state"] == "lost"));
    assert_eq!((&job["error_kind"], &job["alive"]), (&"lost".into(), &false.into()));
    assert!(job["exit_code"].is_null() && job["signal"].is_null(), "{job}");
    env.jobdir(&["wait", &id]).assert_code(121);
}

#[test]
fn a_daemon_of_the_job_that_left_its_session_keeps_it_orphaned() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["spawn", "1", "[", "setsid", "witness", &witness.address, "block", "]", "block"];
    let id = env.start(&[], &actions);
    let mut daemon = witness.accept();
    let leader = u32::try_from(env.status(&id)["pid"].as_u64().expect("a pid")).expect("small");
    env.kill_supervisor(&id);
    proc::signal(leader, Signal::SIGKILL);
    eventually("the death of the leader", || (!proc::is_alive(leader)).then_some(()));
    let job = env.status(&id);
    assert_eq!(job["state"], "orphaned");
    assert_eq!(job["survivors"][0]["pid"], daemon.pid);
    proc::signal(daemon.pid, Signal::SIGKILL);
    daemon.wait_for_death();
}

#[test]
fn an_orphan_can_be_stopped_and_is_then_interrupted() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    env.kill_supervisor(&id);
    let output = env.jobdir(&["kill", "--json", &id]);
    output.assert_code(0);
    assert_eq!(output.json()["results"][0]["result"], "stopped");
    process.assert_dead();
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["error_kind"]), (&"interrupted".into(), &"cancelled".into()));
    assert!(job["exit_code"].is_null() && job["signal"].is_null(), "{job}");
    assert_eq!(env.record(&id)["state"], "interrupted");
    env.jobdir(&["wait", &id]).assert_code(130);
}

#[test]
fn an_orphan_that_ignores_the_polite_signal_is_killed() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "ignore", "TERM", "tell", "deaf", "block"];
    let id = env.start(&["--grace", "100ms"], &actions);
    let mut process = witness.accept();
    assert_eq!(process.line(), "deaf");
    env.kill_supervisor(&id);
    env.jobdir(&["kill", &id]).assert_code(0);
    process.assert_dead();
    assert_eq!(env.job_state(&id), "interrupted");
}

#[test]
fn the_whole_tree_of_an_orphan_is_stopped() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let leaf = ["witness", witness.address.as_str(), "block"];
    let mut actions = vec!["spawn", "1", "["];
    actions.extend(leaf);
    actions.extend(["]", "spawn", "1", "[", "setsid"]);
    actions.extend(leaf);
    actions.push("]");
    actions.extend(leaf);
    let id = env.start(&[], &actions);
    let processes: Vec<_> = (0..3).map(|_| witness.accept()).collect();
    env.kill_supervisor(&id);
    env.jobdir(&["kill", &id]).assert_code(0);
    processes.iter().for_each(|process| process.assert_dead());
    assert_eq!(env.job_state(&id), "interrupted");
}

#[test]
fn finally_steps_of_an_orphan_run_before_its_kill_is_done() {
    let env = TestEnv::new();
    let done = env.work().join("done");
    let id = env.start(&["--finally", &format!("echo ran >> {}", done.display())], &["block"]);
    env.kill_supervisor(&id);
    env.jobdir(&["kill", &id]).assert_code(0);
    assert_eq!(std::fs::read_to_string(done).expect("it ran"), "ran\n");
}

#[test]
fn a_lost_job_can_be_killed_which_records_what_is_known() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let mut process = witness.accept();
    env.kill_supervisor(&id);
    proc::signal(process.pid, Signal::SIGKILL);
    process.wait_for_death();
    eventually("the loss", || (env.job_state(&id) == "lost").then_some(()));
    env.jobdir(&["kill", &id]).assert_code(0);
}

#[test]
fn waiting_for_an_orphan_says_so_and_lasts_as_long_as_it() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    let waiter = env.prepare(&["wait", &id]).spawn();
    env.kill_supervisor(&id);
    env.jobdir(&["wait", "--timeout", "0", &id]).assert_code(122);
    proc::signal(process.pid, Signal::SIGKILL);
    waiter.wait().assert_code(121).assert_says("lost");
}

#[test]
fn a_foreground_client_tells_that_the_supervisor_died() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "out", "before", "tell", "printed", "await", "exit", "0"];
    let client = env.prepare(&with_helper(&["run"], &actions)).spawn();
    let mut process = witness.accept();
    assert_eq!(process.line(), "printed");
    env.kill_supervisor("1");
    process.go();
    process.wait_for_death();
    client.wait().assert_code(121).assert_stdout("before\n").assert_says("lost");
}

#[test]
fn bystanders_are_not_orphans() {
    let env = TestEnv::new();
    let first = env.start(&[], &["block"]);
    let second = env.start(&[], &["block"]);
    env.kill_supervisor(&first);
    assert_eq!((env.job_state(&first), env.job_state(&second)), ("orphaned".into(), "running".into()));
    env.jobdir(&["kill", "--all"]).assert_code(0);
    assert_eq!((env.job_state(&first), env.job_state(&second)), ("interrupted".into(), "interrupted".into()));
}

#[test]
fn an_orphan_keeps_its_name() {
    let env = TestEnv::new();
    let id = env.start(&["--name", "web"], &["block"]);
    env.kill_supervisor(&id);
    env.run_helper(&["run", "-d", "--name", "web"], &["block"]).assert_code(125).assert_stdout("");
    env.jobdir(&["kill", "web"]).assert_code(0);
    let again = env.start(&["--name", "web"], &["exit", "0"]);
    env.jobdir(&["wait", &again]).assert_code(0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_orphan_whose_first_thread_has_ended_is_not_lost() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "thread-only"]);
    let mut process = witness.accept();
    eventually("the end of the first thread", || {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", process.pid)).ok()?;
        text.contains(") Z ").then_some(())
    });
    assert_eq!(env.job_state(&id), "running");
    env.kill_supervisor(&id);
    assert_eq!(env.job_state(&id), "orphaned");
    env.jobdir(&["kill", &id]).assert_code(0);
    process.wait_for_death();
}

#[test]
fn whoever_forks_and_exits_all_the_time_is_caught() {
    let env = TestEnv::new();
    let options = ["--leftovers", "wait", "--stop-plan", "KILL"];
    for orphaned in [true, false] {
        let witness = Witness::new();
        let flees = ["witness", &witness.address, "flee", "30000"];
        // Out of the leader's group in the second case, where its supervisor can signal that group by itself.
        let actions = match orphaned {
            true => flees.to_vec(),
            false => [&["spawn", "1", "[", "setsid"], &flees[..], &["]", "block"]].concat(),
        };
        let id = env.start(&options, &actions);
        let mut process = witness.accept();
        eventually("the first escape", || (!proc::is_alive(process.pid)).then_some(()));
        if orphaned {
            env.kill_supervisor(&id);
        }
        env.jobdir(&["kill", &id]).assert_code(0);
        process.wait_for_death();
    }
}

#[test]
fn the_waiting_for_a_recovery_is_bounded_like_any_other() {
    let env = TestEnv::new();
    for (options, code) in [(&["--no-wait"][..], 0), (&["--timeout", "200ms"], 1)] {
        let witness = Witness::new();
        let id =
            env.start(&["--grace", "1s"], &["witness", &witness.address, "ignore", "TERM", "tell", "deaf", "block"]);
        let mut process = witness.accept();
        assert_eq!(process.line(), "deaf");
        env.kill_supervisor(&id);
        let output = env.jobdir(&[&["kill", "--json", &id], options].concat());
        assert_eq!(output.assert_code(code).json()["results"][0]["result"], "requested", "{output}");
        process.assert_alive();
        process.wait_for_death();
        env.jobdir(&["wait", &id]).assert_code(130);
    }
}
