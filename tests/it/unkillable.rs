//! Processes that KILL does not end, as `JOBDIR_TEST_UNKILLABLE` plays them. What is played can be killed by whoever has not
//! that variable; so each test ends.

use std::time::Instant;

use serde_json::Value;

use crate::support::env::with_helper;
use crate::support::witness::Witnessed;
use crate::support::{Output, TestEnv, Witness, eventually, patience};

/// Killing is given up after so many milliseconds.
const LIMIT: &str = "400";

/// Runs jobdir in such a way that neither its supervisors nor its recoveries can kill anything.
fn powerless(env: &TestEnv, words: &[impl AsRef<std::ffi::OsStr>]) -> Output {
    env.prepare(words).env("JOBDIR_TEST_UNKILLABLE", LIMIT).run()
}

/// Starts a job that cannot be killed.
fn start(env: &TestEnv, options: &[&str], actions: &[&str]) -> (String, Witnessed) {
    let witness = Witness::new();
    let options = [&["run", "-d", "--stop-plan", "KILL"], options].concat();
    let actions = [&["witness", &witness.address], actions].concat();
    let output = powerless(env, &with_helper(&options, &actions));
    output.assert_code(0);
    (output.id(), witness.accept())
}

/// Kills what is left of an abandoned job, now for good.
fn end(env: &TestEnv, id: &str, mut process: Witnessed) {
    env.jobdir(&["kill", id]).assert_code(0);
    process.wait_for_death();
}

fn result(output: &Output) -> Value {
    output.json()["results"][0]["result"].clone()
}

fn times(env: &TestEnv, id: &str, event: &str) -> usize {
    env.events(id).iter().filter(|told| told["event"] == event).count()
}

#[test]
fn who_survives_kill_is_named_again_and_again_and_never_deleted() {
    let env = TestEnv::new();
    let (id, process) = start(&env, &[], &["block"]);
    for pass in 1..=2 {
        let output = env.jobdir(&["kill", "--json", &id]);
        assert_eq!(result(output.assert_code(1)), "not_stopped", "{output}");
        let job = env.status(&id);
        assert_eq!((&job["state"], &job["stop"]["not_stopped"][0]["pid"]), (&"stopping".into(), &process.pid.into()));
        assert_eq!(times(&env, &id, "leftovers"), pass, "each kill makes a pass of its own");
    }
    env.jobdir(&["kill", &id]).assert_code(1).assert_says("'jobdir abandon");
    assert!(env.status(&id)["message"].as_str().is_some_and(|message| message.starts_with("THIS IS A TEST")));
    assert!(
        env.events(&id).iter().any(|told| told["message"].as_str().is_some_and(|m| m.contains("KILL is withheld")))
    );
    assert_eq!(times(&env, &id, "signal_sent"), 0, "what was withheld was not sent");
    let refused = env.jobdir(&["delete", "--json", &id]);
    assert_eq!(result(refused.assert_code(1)), "not_stopped", "{refused}");
    assert!(env.job_dir(&id).join("job.json").exists(), "nothing is removed");
    process.assert_alive();
    env.jobdir(&["abandon", &id]).assert_code(0);
    end(&env, &id, process);
}

#[test]
fn abandoning_frees_the_mutex_at_once_and_leaves_the_process_alone() {
    let env = TestEnv::new();
    let (id, mut process) = start(&env, &["--mutex", "m"], &["await", "out", "later", "tell", "said", "block"]);
    let next = Witness::new();
    let waiting = env.start(&["--mutex", "m"], &["witness", &next.address, "await"]);
    env.jobdir(&["kill", &id]).assert_code(1);
    assert_eq!(env.job_state(&waiting), "queued", "who cannot be killed still holds it");
    let began = Instant::now();
    env.jobdir(&["abandon", &id])
        .assert_code(0)
        .assert_says(&format!("may still be running on this host: {}", process.pid));
    assert!(began.elapsed() < patience() / 10, "it took {:?}", began.elapsed());
    let mut second = next.accept();
    process.assert_alive();
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["survivors"][0]["pid"]), (&"abandoned".into(), &process.pid.into()));
    env.jobdir(&["wait", &id]).assert_code(120);
    process.go();
    assert_eq!(process.line(), "said");
    assert_eq!(env.captured(&id), b"later\n", "its output still lands in the log");
    second.go();
    env.jobdir(&["wait", &waiting]).assert_code(0);
    end(&env, &id, process);
}

#[test]
fn a_stop_without_success_abandons_by_itself_when_it_was_told_to() {
    let env = TestEnv::new();
    let (id, process) = start(&env, &["--abandon-after", "600ms", "--mutex", "m"], &["block"]);
    env.jobdir(&["kill", &id]).assert_code(1);
    eventually("the abandonment", || (env.job_state(&id) == "abandoned").then_some(()));
    process.assert_alive();
    env.jobdir(&["run", "--mutex", "m", "--", "true"]).assert_code(0);
    end(&env, &id, process);
}

#[test]
fn a_recovery_that_cannot_kill_says_so_and_can_be_given_up() {
    let env = TestEnv::new();
    let (id, process) = start(&env, &[], &["block"]);
    env.kill_supervisor(&id);
    let output = powerless(&env, &["kill", "--json", &id]);
    assert_eq!(result(output.assert_code(1)), "not_stopped", "{output}");
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["stop"]["not_stopped"][0]["pid"]), (&"stopping".into(), &process.pid.into()));
    process.assert_alive();
    env.jobdir(&["abandon", &id]).assert_code(0);
    assert_eq!(env.job_state(&id), "abandoned");
    // Of an ended job the same: what lives is named, the outcome stays, and nobody waits for ever.
    let output = powerless(&env, &["kill", "--json", &id]);
    assert_eq!(result(output.assert_code(1)), "not_stopped", "{output}");
    assert_eq!(output.json()["results"][0]["job"]["survivors"][0]["pid"], process.pid);
    end(&env, &id, process);
}
