//! `jobdir kill`: everything stops, and the truth about it is recorded before it returns.

#[cfg(unix)]
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::env::{helper, jobdir};
#[cfg(unix)]
use crate::support::proc;
use crate::support::{TestEnv, Witness, eventually, hears_signals};

/// Returns the signals that were sent, in order, each with its time.
fn sent(env: &TestEnv, id: &str) -> Vec<(String, chrono::DateTime<chrono::Utc>)> {
    env.events(id)
        .iter()
        .filter(|event| event["event"] == "signal_sent")
        .map(|event| {
            let time = event["time"].as_str().expect("a time").parse().expect("a time");
            (event["signal"].as_str().expect("a signal").to_owned(), time)
        })
        .collect()
}

fn names(sent: &[(String, chrono::DateTime<chrono::Utc>)]) -> Vec<&str> {
    sent.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_killed_job_is_interrupted_and_resumable() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    env.jobdir(&["kill", &id]).assert_code(0).assert_stdout("").assert_stderr("");
    let job = env.status(&id);
    assert_eq!(job["state"], "interrupted");
    assert_eq!((&job["error_kind"], &job["reason"]), (&"cancelled".into(), &"kill".into()));
    assert_eq!((&job["signal"], &job["exit_code"]), (&"SIGTERM".into(), &Value::Null));
    assert_eq!((&job["resumable"], &job["alive"]), (&true.into(), &false.into()));
    assert_eq!(env.record(&id)["state"], "interrupted", "it is recorded, not only concluded");
    env.jobdir(&["wait", &id]).assert_code(143);
}

#[test]
fn a_command_that_answers_with_exit_0_is_interrupted_all_the_same() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "trap", "TERM", "TERM", "exit", "0"]);
    assert_eq!(witness.accept().line(), "ready");
    env.jobdir(&["kill", &id]).assert_code(0);
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["exit_code"]), (&"interrupted".into(), &0.into()));
    env.jobdir(&["wait", &id]).assert_code(130);
}

#[test]
fn a_command_that_answers_with_a_code_of_its_own_keeps_it() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "trap", "TERM", "TERM", "exit", "42"]);
    assert_eq!(witness.accept().line(), "ready");
    env.jobdir(&["kill", &id]).assert_code(0);
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["exit_code"]), (&"interrupted".into(), &42.into()));
    env.jobdir(&["wait", &id]).assert_code(42);
}

#[test]
fn what_ignores_the_polite_signal_is_killed_after_the_grace_and_not_before() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id =
        env.start(&["--grace", "300ms"], &["witness", &witness.address, "ignore", "TERM", "tell", "deaf", "block"]);
    let mut process = witness.accept();
    assert_eq!(process.line(), "deaf");
    env.jobdir(&["kill", &id]).assert_code(0);
    process.assert_dead();
    assert_eq!(env.status(&id)["signal"], "SIGKILL");
    let sent = sent(&env, &id);
    assert_eq!(names(&sent), ["SIGTERM", "SIGKILL"]);
    let waited = (sent[1].1 - sent[0].1).num_milliseconds();
    assert!(waited >= 299, "only {waited} ms between TERM and KILL");
    env.jobdir(&["wait", &id]).assert_code(137);
}

#[cfg(unix)]
#[test]
fn the_rungs_of_a_plan_come_in_order() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "trap", "INT,TERM,USR1", "-"];
    let id = env.start(&["--stop-plan", "USR1:20ms,INT:20ms,TERM:20ms,KILL"], &actions);
    assert_eq!(witness.accept().line(), "ready");
    env.jobdir(&["kill", &id]).assert_code(0);
    assert_eq!(names(&sent(&env, &id)), ["SIGUSR1", "SIGINT", "SIGTERM", "SIGKILL"]);
    assert_eq!(env.captured(&id), b"ready\ngot USR1\ngot INT\ngot TERM\n");
}

#[test]
fn force_kills_at_once() {
    let env = TestEnv::new();
    let id = env.start(&["--stop-plan", "TERM:1h,KILL"], &["ignore", "TERM", "block"]);
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
    assert_eq!(names(&sent(&env, &id)), ["SIGKILL"]);
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["signal"]), (&"interrupted".into(), &"SIGKILL".into()));
}

#[cfg(unix)]
#[test]
fn a_signal_of_the_callers_choice_comes_first() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "trap", "INT,TERM", "INT", "exit", "1"]);
    assert_eq!(witness.accept().line(), "ready");
    env.jobdir(&["kill", "-s", "int", &id]).assert_code(0);
    assert_eq!(env.captured(&id), b"ready\ngot INT\n");
}

#[test]
fn of_two_graces_the_shorter_counts() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "ignore", "TERM", "tell", "deaf", "block"];
    for (job, killer) in [("1h", "50ms"), ("50ms", "1h")] {
        let id = env.start(&["--grace", job], &actions);
        assert_eq!(witness.accept().line(), "deaf");
        env.jobdir(&["kill", "--grace", killer, &id]).assert_code(0);
        assert_eq!(env.status(&id)["signal"], "SIGKILL");
    }
}

#[cfg(unix)]
#[test]
fn now_goes_to_the_next_rung() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(
        &["--stop-plan", "INT:1h,TERM:1h,KILL"],
        &["witness", &witness.address, "trap", "INT,TERM", "TERM", "exit", "1"],
    );
    let mut process = witness.accept();
    assert_eq!(process.line(), "ready");
    env.jobdir(&["kill", "--no-wait", &id]).assert_code(0);
    assert_eq!(process.line(), "got INT");
    env.jobdir(&["kill", "--now", &id]).assert_code(0);
    assert_eq!(names(&sent(&env, &id)), ["SIGINT", "SIGTERM"]);
}

#[cfg(unix)]
#[test]
fn a_second_kill_while_stopping_changes_nothing() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "trap", "TERM", "TERM", "await", "exit", "1"];
    let id = env.start(&["--grace", "1h"], &actions);
    let mut process = witness.accept();
    assert_eq!(process.line(), "ready");
    env.jobdir(&["kill", "--no-wait", &id]).assert_code(0);
    assert_eq!(process.line(), "got TERM");
    env.jobdir(&["kill", "--no-wait", &id]).assert_code(0);
    eventually("an answer to the second request", || {
        let answers = env.events(&id).iter().filter(|event| event["event"] == "answered").count();
        (answers == 2).then_some(())
    });
    let job = env.status(&id);
    assert_eq!(job["state"], "stopping");
    assert_eq!(job["stop"]["signal"], "SIGTERM");
    assert_eq!(job["stop"]["next"]["signal"], "SIGKILL");
    process.go();
    env.jobdir(&["wait", &id]).assert_code(1);
    assert_eq!(names(&sent(&env, &id)), ["SIGTERM"]);
}

#[test]
fn killing_what_has_ended_is_done_and_says_how_it_ended() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "3"]).assert_code(3);
    env.jobdir(&["kill", "1"]).assert_code(0).assert_stdout("").assert_says("already ended: failed with exit code 3");
    let result = env.jobdir(&["kill", "--json", "1"]);
    result.assert_code(0).assert_stderr("");
    assert_eq!(result.json()["results"][0]["result"], "already_ended");
    assert_eq!(env.job_state("1"), "failed");
}

#[test]
fn an_unknown_job_is_never_success() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "web"], &["exit", "0"]).assert_code(0);
    let state = env.state();
    for unknown in ["99", "wob", "0", "", "../1", "-1x"] {
        let output = env.jobdir(&["kill", "--", unknown]);
        output.assert_code(3).assert_stdout("").assert_says(&state.to_string_lossy()).assert_says("1 (web)");
    }
    let output = env.jobdir(&["kill", "--json", "99"]);
    output.assert_code(3).assert_stderr("");
    let error = output.json();
    assert_eq!((&error["schema"], &error["error"]["code"]), (&"jobdir/error/1".into(), &"job_not_found".into()));
    assert_eq!(error["error"]["candidates"][0], "1 (web)");
}

#[test]
fn of_several_the_known_ones_are_still_stopped() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let output = env.jobdir(&["kill", "--json", "99", &id]);
    output.assert_code(3);
    let results = output.json();
    assert_eq!(results["schema"], "jobdir/kill/1");
    assert_eq!((&results["results"][0]["id"], &results["results"][0]["result"]), (&"99".into(), &"not_found".into()));
    assert_eq!(results["results"][1]["result"], "stopped");
    assert_eq!(results["results"][1]["job"]["state"], "interrupted");
}

#[cfg(unix)]
#[test]
fn the_waiting_can_be_bounded_and_the_stop_goes_on() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "trap", "TERM", "TERM", "await", "exit", "1"];
    let id = env.start(&["--grace", "1h"], &actions);
    let mut process = witness.accept();
    assert_eq!(process.line(), "ready");
    let output = env.jobdir(&["kill", "--timeout", "50ms", "--json", &id]);
    output.assert_code(1);
    assert_eq!(output.json()["results"][0]["result"], "requested");
    assert_eq!(process.line(), "got TERM");
    process.go();
    env.jobdir(&["wait", &id]).assert_code(1);
    assert_eq!(env.job_state(&id), "interrupted");
}

#[test]
fn without_waiting_the_request_is_all() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let output = env.jobdir(&["kill", "--no-wait", "--json", &id]);
    output.assert_code(0);
    assert_eq!(output.json()["results"][0]["result"], "requested");
    env.jobdir(&["wait", &id]).assert_code(143);
}

#[test]
fn the_callers_reason_is_kept() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    env.jobdir(&["kill", "--reason", "too \x1b[31mloud", &id]).assert_code(0);
    assert_eq!(env.status(&id)["reason_text"], "too \x1b[31mloud");
    let card = env.jobdir(&["status", &id]);
    assert!(card.text().contains("too \\u{1b}[31mloud"), "{card}");
}

#[test]
fn nothing_of_the_tree_lives_when_kill_returns() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let address = witness.address.as_str();
    let leaf = ["witness", address, "ignore", "TERM,HUP", "tell", "deaf", "block"];
    let mut actions = vec!["witness", address, "tell", "leader"];
    // A child, one in a session of its own, a daemon without our environment whose parent is gone.
    actions.extend(["spawn", "2", "["].iter().chain(&leaf).chain(&["]"]));
    actions.extend(["spawn", "1", "[", "setsid"].iter().chain(&leaf).chain(&["]"]));
    actions.extend(["spawn-clean", "1", "[", "setsid", "spawn-clean", "1", "["].iter().chain(&leaf));
    actions.extend(["]", "exit", "0", "]", "block"]);
    let id = env.start(&["--grace", "100ms"], &actions);
    let mut processes: Vec<_> = (0..5).map(|_| witness.accept()).collect();
    processes.iter_mut().for_each(|process| assert!(!process.line().is_empty()));
    env.jobdir(&["kill", &id]).assert_code(0);
    processes.iter().for_each(|process| process.assert_dead());
    assert_eq!(env.status(&id)["survivors"], serde_json::json!([]));
}

#[cfg(unix)]
#[test]
fn a_stopped_process_is_continued_so_that_it_can_answer() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--grace", "1h"], &["witness", &witness.address, "stop-self", "block"]);
    let process = witness.accept();
    eventually("a stopped process", || proc::stat(process.pid).filter(|stat| stat.state == 'T'));
    env.jobdir(&["kill", &id]).assert_code(0);
    assert_eq!(env.status(&id)["signal"], "SIGTERM");
}

#[cfg(unix)]
#[test]
fn a_suspended_supervisor_is_continued_and_that_is_said() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let (supervisor, _) = env.supervisor(&id);
    proc::signal(supervisor, Signal::SIGSTOP);
    eventually("a stopped supervisor", || proc::stat(supervisor).filter(|stat| stat.state == 'T'));
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["supervised"]), (&"running".into(), &true.into()));
    assert!(job["message"].as_str().is_some_and(|message| message.contains("suspended")), "{job}");
    env.jobdir(&["kill", &id]).assert_code(0).assert_says("was suspended and has been continued");
    assert_eq!(env.job_state(&id), "interrupted");
}

#[test]
fn all_means_all_that_are_active() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    let ids: Vec<String> = (0..3).map(|_| env.start(&[], &["block"])).collect();
    let output = env.jobdir(&["kill", "--all", "--json"]);
    output.assert_code(0);
    assert_eq!(output.json()["results"].as_array().map(Vec::len), Some(3));
    for id in &ids {
        assert_eq!(env.job_state(id), "interrupted");
    }
    assert_eq!(env.job_state("1"), "succeeded");
    env.jobdir(&["kill", "--all"]).assert_code(0).assert_stdout("");
}

#[test]
fn filters_choose_what_is_stopped() {
    let env = TestEnv::new();
    let first = env.start(&["-l", "team=a"], &["block"]);
    let second = env.start(&["-l", "team=b"], &["block"]);
    env.jobdir(&["kill", "--label", "team=b"]).assert_code(0);
    assert_eq!((env.job_state(&first), env.job_state(&second)), ("running".into(), "interrupted".into()));
    env.jobdir(&["kill", "--state", "running"]).assert_code(0);
    assert_eq!(env.job_state(&first), "interrupted");
}

#[test]
fn nothing_chosen_is_wrong_usage() {
    let env = TestEnv::new();
    env.jobdir(&["kill"]).assert_code(2).assert_stdout("");
}

#[test]
fn ten_killers_at_once_all_see_the_end() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let killers: Vec<_> = (0..10).map(|_| env.prepare(&["kill", "--json", &id]).spawn()).collect();
    for killer in killers {
        let output = killer.wait();
        output.assert_code(0);
        let result = output.json()["results"][0]["result"].clone();
        assert!(result == "stopped" || result == "already_ended", "{output}");
    }
    assert_eq!(names(&sent(&env, &id)), ["SIGTERM"]);
}

#[cfg(unix)]
#[test]
fn finally_steps_are_done_when_kill_returns() {
    let env = TestEnv::new();
    let done = env.work().join("done");
    let step = format!("echo \"$JOBDIR_STATE $JOBDIR_SIGNAL $JOBDIR_CANCELLED\" > {}", done.display());
    let id = env.start(&["--finally", &step], &["block"]);
    env.jobdir(&["kill", &id]).assert_code(0);
    assert_eq!(std::fs::read_to_string(done).expect("the step ran"), "interrupted SIGTERM 1\n");
}

#[cfg(unix)]
#[test]
fn an_aborted_job_has_no_finally_steps() {
    let env = TestEnv::new();
    let done = env.work().join("done");
    let id = env.start(&["--finally", &format!("touch {}", done.display())], &["block"]);
    env.jobdir(&["kill", "--abort", &id]).assert_code(0);
    assert!(!done.exists());
    assert_eq!(env.status(&id)["finally"]["state"], "aborted");
}

#[test]
fn leftovers_are_named_and_stopped_when_the_command_ends() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["spawn", "1", "[", "setsid", "witness", &witness.address, "block", "]", "exit", "3"];
    let output = env.run_helper(&["run"], &actions);
    output.assert_code(3).assert_says("outlived the command");
    if witness.is_called() {
        let job = env.status("1");
        assert_eq!((&job["state"], &job["exit_code"]), (&"failed".into(), &3.into()));
    }
}

#[test]
fn leftovers_can_be_waited_for() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["spawn", "1", "[", "witness", &witness.address, "await", "out", "late", "]", "exit", "3"];
    let id = env.start(&["--leftovers", "wait"], &actions);
    let mut process = witness.accept();
    eventually("the end of the leader", || env.events(&id).iter().find(|e| e["event"] == "leader_ended").cloned());
    assert_eq!(env.job_state(&id), "running");
    process.go();
    env.jobdir(&["wait", &id]).assert_code(3);
    assert!(env.captured(&id).ends_with(b"late\n"));
}

#[test]
fn leftovers_can_be_left_and_are_then_survivors_that_kill_stops() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let address = witness.address.as_str();
    let survivor = ["spawn", "1", "[", "setsid", "witness", address, "block", "]"];
    let actions = [&survivor[..], &["witness", address, "await", "exit", "3"]].concat();
    let id = env.start(&["--leftovers", "leave"], &actions);
    let (mut first, mut second) = (witness.accept(), witness.accept());
    first.go();
    second.go();
    env.jobdir(&["wait", &id]).assert_code(3);
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["alive"], &job["supervised"]), (&"failed".into(), &true.into(), &false.into()));
    let survivor = if first.is_alive() { first } else { second };
    survivor.assert_alive();
    assert_eq!(job["survivors"][0]["pid"], survivor.pid);
    assert_eq!(job["resumable"], false);
    let output = env.jobdir(&["kill", "--json", &id]);
    output.assert_code(0);
    assert_eq!(output.json()["results"][0]["result"], "survivors_stopped");
    survivor.assert_dead();
    assert_eq!(env.job_state(&id), "failed", "the outcome stays");
}

#[test]
fn a_nested_detached_job_outlives_the_outer_one() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let jobdir = jobdir().to_string_lossy().into_owned();
    let helper = helper();
    let inner = ["run", "-d", "--", &helper, "witness", &witness.address, "block"];
    let actions = [&["run-command", &jobdir, "["], &inner[..], &["]", "block"]].concat();
    env.start(&[], &actions);
    let process = witness.accept();
    assert_eq!(env.status("2")["parent"], "1");
    env.jobdir(&["kill", "1"]).assert_code(0);
    process.assert_alive();
    assert_eq!((env.job_state("1"), env.job_state("2")), ("interrupted".into(), "running".into()));
    env.stop_all();
    process.assert_dead();
}

#[test]
fn a_nested_foreground_job_is_stopped_with_the_outer_one() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let jobdir = jobdir().to_string_lossy().into_owned();
    let inner = ["run", "--grace", "1s", "--", &helper(), "witness", &witness.address, "block"];
    let outer = ["run", "-d", "--grace", "1s", "--", &jobdir];
    env.jobdir(&[&outer[..], &inner[..]].concat()).assert_code(0);
    let process = witness.accept();
    env.jobdir(&["kill", "1"]).assert_code(0);
    process.assert_dead();
    let nested = env.status("2");
    assert_eq!((&nested["state"], &nested["parent"]), (&"interrupted".into(), &"1".into()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_whose_first_thread_has_ended_is_no_zombie() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions =
        ["spawn", "1", "[", "setsid", "ignore", "TERM", "witness", &witness.address, "thread-only", "]", "block"];
    let id = env.start(&["--grace", "50ms"], &actions);
    let mut process = witness.accept();
    eventually("the end of the first thread", || {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", process.pid)).ok()?;
        text.contains(") Z ").then_some(())
    });
    env.jobdir(&["kill", &id]).assert_code(0);
    process.wait_for_death();
    assert_eq!(env.job_state(&id), "interrupted");
}
