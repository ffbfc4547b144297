//! The form of an ended job that its record holds: the same as what is made anew, and never taken when it may be stale.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::TestEnv;

/// One job that has ended, and its record.
fn ended() -> (TestEnv, PathBuf) {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "x", "-l", "k=ü\""], &["out", "out", "err", "err", "exit", "3"]).assert_code(3);
    let record = env.state().join("jobs/1/job.json");
    (env, record)
}

/// The only job of the list, without what differs from one look to the next.
fn listed(env: &TestEnv) -> Value {
    let mut job = env.jobdir(&["jobs", "--json"]).json()["jobs"][0].clone();
    assert!(job["observed_at"].as_str().is_some_and(|time| time.len() == 24), "{job}");
    job.as_object_mut().expect("an object").remove("observed_at");
    job
}

fn text(record: &PathBuf) -> String {
    std::fs::read_to_string(record).expect("a record")
}

#[test]
fn the_form_says_what_would_be_made_anew() {
    let (env, record) = ended();
    assert!(text(&record).contains("\n\"public\":{"), "the record of an ended job holds its form");
    let form = listed(&env);
    // Another time of the spec, the same content: the form no longer counts.
    let spec = std::fs::File::options().append(true).open(env.state().join("jobs/1/spec.json")).expect("a spec");
    spec.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("can be set");
    assert_eq!(listed(&env), form);
    assert_eq!(form["exit_code"], 3);
    // Filters look at the job itself.
    let mut filtered = env.jobdir(&["jobs", "--json", "--state", "failed"]).json()["jobs"][0].clone();
    filtered.as_object_mut().expect("an object").remove("observed_at");
    assert_eq!(filtered, form);
}

#[test]
fn a_form_is_passed_over_when_anything_beside_it_has_changed() {
    for (what, from, to) in [
        ("the record", "\"exit_code\":3,\"signal\":null,\"adopted\"", "\"exit_code\":4,\"signal\":null,\"adopted\""),
        ("the form's number", "\"public\":{\"form\":", "\"public\":{\"form\":9"),
        ("the form", "\"exit_code\":3,\"signal\":null,\"paused\"", "\"exit_code\":5,\"signal\":null,\"paused\""),
    ] {
        let (env, record) = ended();
        let before = text(&record);
        let after = before.replace(from, to);
        assert_ne!(before, after, "{what}");
        std::fs::write(&record, after).expect("writes");
        let expected = if what == "the record" { 4 } else { 3 };
        assert_eq!(listed(&env)["exit_code"], expected, "{what}");
    }
}

#[test]
fn damage_shows_although_the_form_is_whole() {
    let (env, record) = ended();
    std::fs::write(&record, text(&record).replacen("\"state\":", "\"stats\":", 1)).expect("writes");
    assert_eq!(listed(&env)["state"], "corrupt");
    env.jobdir(&["delete", "1"]).assert_code(0);
    let (env, _) = ended();
    std::fs::write(env.state().join("jobs/1/spec.json"), "{").expect("writes");
    assert_eq!(listed(&env)["state"], "corrupt");
    env.jobdir(&["delete", "1"]).assert_code(0);
    let (env, _) = ended();
    let (right, wrong) = (env.state().join("jobs/1"), env.state().join("jobs/2"));
    std::fs::rename(&right, &wrong).expect("renames");
    assert_eq!(listed(&env)["state"], "corrupt", "its files are of another job");
    std::fs::rename(&wrong, &right).expect("renames");
}

#[test]
fn a_state_directory_that_was_moved_says_where_it_is_now() {
    let (env, _) = ended();
    let moved = env.root().join("moved");
    std::fs::rename(env.state(), &moved).expect("renames");
    let output = env.jobdir(&["--state-dir", moved.to_str().expect("text"), "jobs", "--json"]);
    let path = output.json()["jobs"][0]["output"]["stdout_path"].as_str().expect("a path").to_owned();
    assert!(path.starts_with(moved.to_str().expect("text")), "{path}");
}

#[cfg(unix)]
#[test]
fn what_can_change_after_the_end_has_no_form() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "sh", "-c", "echo a=1 >>\"$JOBDIR_META\""]).assert_code(0);
    assert_eq!(listed(&env)["meta"]["a"], "1");
    std::fs::write(env.state().join("jobs/1/meta"), "a=2\n").expect("writes");
    assert_eq!(listed(&env)["meta"]["a"], "2");
    // A resumed job is listed as it is now.
    env.jobdir(&["run", "--", "sh", "-c", "exit 3"]).assert_code(3);
    env.jobdir(&["resume", "2"]).assert_code(3);
    let jobs = env.jobdir(&["jobs", "--json"]).json();
    assert_eq!(jobs["jobs"][1]["attempt"], 2);
}

#[test]
fn whoever_changes_the_fields_of_a_job_raises_the_number_of_the_form() {
    let schema = TestEnv::new().jobdir(&["schema"]).json();
    let fields: Vec<String> =
        schema["$defs"]["Job"]["properties"].as_object().expect("fields").keys().cloned().collect();
    let known = "alive attempt attempts boot_id capabilities chain command containment created_at cwd deleted duration_ms ended_at \
                 error_kind exit_code finally host id labels message meta name observed_at output parent paused pid \
                 processes progress pty ready reason reason_text resumable schema signal started_at state stop supervised supervisor_pid \
                 survivors tail uid usage waiting_for";
    assert_eq!(fields.join(" "), known, "raise PUBLIC_FORM in src/domain/job.rs, then change this list");
}

#[test]
fn a_job_that_has_settled_leaves_no_lock_and_is_on_the_list() {
    let env = TestEnv::new();
    let lock = |id: &str| env.state().join("locks").join(id);
    let list = || std::fs::read_to_string(env.state().join("ended")).unwrap_or_default();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    assert_eq!((lock("1").exists(), list()), (false, "1\n".to_owned()));
    let running = env.start(&[], &["block"]);
    assert!(lock(&running).exists());
    env.jobdir(&["abandon", &running]).assert_code(0);
    assert_eq!((lock(&running).exists(), list()), (true, "1\n".to_owned()), "processes of it may live");
    env.jobdir(&["kill", &running]).assert_code(0);
    // Resumed, it is claimed again; ended again, it is the last that ended.
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    env.jobdir(&["resume", "1"]).assert_code(0);
    assert!(list().ends_with("3\n1\n") && !lock("1").exists(), "{}", list());
}
