//! What a crash has left, and what a recovery meets: that nobody is misled by it. Each of these was found by the sweep or
//! by the storm, or is a step that no other test looks at by itself.

use std::os::unix::fs::MetadataExt;

use nix::sys::signal::Signal;

use crate::support::env::{read_json, with_helper};
use crate::support::{Output, TestEnv, Witness, eventually, is_held, proc, words};

fn killed_at(env: &TestEnv, point: &str, line: &[&str]) -> Output {
    env.prepare(line).env("JOBDIR_TEST_CRASH", point).run()
}

#[test]
fn a_resumption_does_not_run_with_what_one_that_died_was_asked_for() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["args", "first"]).assert_code(0);
    killed_at(&env, "supervisor/resume.spec", &["resume", "-d", "1", "--", "stale"]).assert_code(125);
    let spec = env.job_dir("1").join("attempts/2/spec.json");
    assert!(spec.exists(), "the crash has left the spec of the attempt");
    env.jobdir(&["resume", "1"]).assert_code(0).assert_stdout("[\"first\"]\n");
    assert!(!spec.exists(), "this attempt runs with the spec of the job");
}

#[test]
fn a_resumption_puts_its_own_fifo_in_the_place_of_any_other() {
    let env = TestEnv::new();
    let first = env.start(&["--stdin", "fifo"], &["line"]);
    env.jobdir(&["send", &first, "one"]).assert_code(0);
    env.jobdir(&["wait", &first]).assert_code(0);
    let fifo = || std::fs::metadata(env.job_dir(&first).join("stdin")).expect("the FIFO").ino();
    let former = fifo();
    killed_at(&env, "supervisor/resume.fifo", &["resume", "-d", "--stdin", "fifo", &first]).assert_code(125);
    let of_the_dead = fifo();
    assert_ne!(former, of_the_dead, "the crash came after the FIFO was in its place");
    env.jobdir(&["resume", "-d", "--stdin", "fifo", &first]).assert_code(0);
    assert_ne!(fifo(), of_the_dead);
    env.jobdir(&["send", &first, "two"]).assert_code(0);
    env.jobdir(&["wait", &first]).assert_code(0);
    let log = std::fs::read_to_string(env.job_dir(&first).join("attempts/2/stdout.log")).expect("a log");
    assert!(log.contains("two") && !log.contains("one"), "{log}");
}

#[test]
fn a_kill_that_comes_too_late_takes_its_request_back() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    // A supervisor that has looked into its inbox for the last time, and has not yet recorded the end.
    let path = env.job_dir("1").join("job.json");
    let ended = std::fs::read(&path).expect("the record");
    let mut record = read_json(&path);
    record["state"] = "running".into();
    record["attempts"][0]["outcome"] = serde_json::Value::Null;
    let claim = std::os::unix::fs::OpenOptionsExt::mode(std::fs::File::options().write(true).create(true), 0o600)
        .open(env.state().join("locks/1"))
        .expect("the claim");
    claim.lock().expect("is free");
    std::fs::write(&path, record.to_string()).expect("writes");
    let kill = env.prepare(&["kill", "1"]).spawn();
    let inbox = env.job_dir("1").join("kill-signals");
    let is_empty = || std::fs::read_dir(&inbox).expect("the inbox").next().is_none();
    eventually("the request", || (!is_empty()).then_some(()));
    std::fs::write(&path, &ended).expect("writes");
    claim.unlock().expect("unlocks");
    kill.wait().assert_code(0).assert_says("had already ended");
    assert!(is_empty(), "the request is taken back");
}

#[test]
fn what_a_record_says_of_the_output_is_true_also_when_more_comes_later() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "hello", "exit", "0"]).assert_code(0);
    assert_eq!(env.record("1")["attempts"][0]["traces"]["stdout_bytes"], 6);
    assert_eq!(env.status("1")["output"]["stdout_bytes"], 6);
    let witness = Witness::new();
    let id = env
        .start(&[], &["ignore", "TERM", "witness", &witness.address, "await", "out", "more", "tell", "done", "block"]);
    let mut process = witness.accept();
    env.jobdir(&["abandon", &id]).assert_code(0);
    assert_eq!(env.status(&id)["output"]["stdout_bytes"], 0);
    process.go();
    assert_eq!(process.line(), "done");
    assert_eq!(env.status(&id)["output"]["stdout_bytes"], 5, "what was abandoned goes on writing");
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
}

#[test]
fn an_end_that_is_told_in_the_events_is_never_another() {
    let env = TestEnv::new();
    // Between the last look into the inbox and the record of the end.
    let line = with_helper(&["run", "-d"], &["exit", "0"]);
    drop(killed_at(&env, "supervisor/end.answered", &words(&line)));
    eventually("the death", || (!is_held(&env.state().join("locks/1"))).then_some(()));
    env.jobdir(&["kill", "1"]).assert_code(0);
    let ends: Vec<_> = env.events("1").into_iter().filter(|event| !event["error_kind"].is_null()).collect();
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0]["state"], env.status("1")["state"]);
}

#[test]
fn a_kill_is_not_undone_by_an_abandonment_that_nobody_came_to_answer() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    let (supervisor, _) = env.supervisor(&id);
    proc::signal(supervisor, Signal::SIGSTOP);
    killed_at(&env, "client/request.delivered", &["abandon", &id]).assert_code(137);
    env.kill_supervisor(&id);
    env.jobdir(&["kill", &id]).assert_code(0);
    process.assert_dead();
    assert_eq!(env.job_state(&id), "interrupted");
    let answers: Vec<_> = env.events(&id).into_iter().filter(|event| event["event"] == "answered").collect();
    assert_eq!((&answers[0]["verb"], &answers[0]["result"]), (&"abandon".into(), &"refused".into()));
}

#[test]
fn a_kill_after_an_abandonment_stops_what_that_has_left() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    let (supervisor, _) = env.supervisor(&id);
    proc::signal(supervisor, Signal::SIGSTOP);
    killed_at(&env, "client/request.delivered", &["abandon", &id]).assert_code(137);
    // The supervisor goes on and meets both.
    let output = env.jobdir(&["kill", "--json", &id]);
    output.assert_code(0);
    assert_eq!(output.json()["results"][0]["result"], "survivors_stopped");
    process.assert_dead();
    assert_eq!(env.job_state(&id), "abandoned");
}

#[test]
fn who_abandons_a_job_whose_supervisor_died_in_a_finally_step_does_not_run_the_steps() {
    let env = TestEnv::new();
    let marker = env.work().join("ran");
    let step = format!("echo x >>'{}'; sleep 1000", marker.display());
    let id = env.start(&["--finally", &step], &["exit", "0"]);
    eventually("the step", || marker.exists().then_some(()));
    env.kill_supervisor(&id);
    assert_eq!(env.job_state(&id), "orphaned");
    env.jobdir(&["abandon", "--kill", &id]).assert_code(0);
    assert_eq!(std::fs::read_to_string(&marker).expect("the marker"), "x\n", "the step has run once");
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["finally"]["state"]), (&"succeeded".into(), &"aborted".into()), "{job}");
    assert_eq!(job["alive"], false, "{job}");
}
