//! The environment of a job: what the user gave, what jobdir adds, and what the job tells through it.

use serde_json::Value;

use crate::support::{Output, TestEnv, Witness};

#[track_caller]
fn variables(output: &Output) -> Value {
    output.assert_code(0);
    output.json()
}

#[test]
fn a_job_knows_who_and_where_it_is() {
    let env = TestEnv::new();
    let given = variables(&env.run_helper(&["run"], &["env"]));
    let job = env.status("1");
    let dir = env.job_dir("1");
    for (name, value) in [
        ("JOBDIR_JOB_ID", "1".to_owned()),
        ("JOBDIR_JOB_UID", job["uid"].as_str().expect("a uid").to_owned()),
        ("JOBDIR_ATTEMPT", "1".to_owned()),
        ("JOBDIR_STATE_DIR", env.state().to_string_lossy().into_owned()),
    ] {
        assert_eq!(given[name], value, "{name}");
    }
    for name in ["JOBDIR_JOB_DIR", "JOBDIR_META", "JOBDIR_PROGRESS", "JOBDIR_READY"] {
        let path = given[name].as_str().expect("a path");
        assert!(std::path::Path::new(path).starts_with(&dir), "{name} is {path}");
    }
    assert!(std::path::Path::new(given["JOBDIR_JOB_DIR"].as_str().expect("a path")).is_dir());
    let ours = given.as_object().expect("variables").keys().filter(|name| name.starts_with("JOBDIR_")).count();
    assert_eq!(ours, 8, "{given}");
}

#[test]
fn the_cookie_is_unguessable_and_differs() {
    let env = TestEnv::new();
    let uids: Vec<String> = (0..2)
        .map(|_| variables(&env.run_helper(&["run"], &["env"]))["JOBDIR_JOB_UID"].as_str().expect("a uid").to_owned())
        .collect();
    assert_ne!(uids[0], uids[1]);
    assert!(uids[0].len() >= 32, "{uids:?}");
}

#[test]
fn variables_come_from_the_caller_options_and_files() {
    let env = TestEnv::new();
    let file = env.work().join("vars");
    std::fs::write(&file, "# a comment\n\nFROM_FILE=1 2\nBOTH=file\nPASSED\n").expect("writes");
    let words = ["run", "--env-file", "vars", "-e", "BOTH=option", "-e", "EMPTY=", "-e", "UNSET_HERE", "-e", "A=b=c"];
    let arguments = crate::support::env::with_helper(&words, &["env"]);
    let given = variables(&env.prepare(&arguments).env("PASSED", "on").env("BOTH", "caller").run());
    for (name, value) in [("FROM_FILE", "1 2"), ("BOTH", "option"), ("PASSED", "on"), ("EMPTY", ""), ("A", "b=c")] {
        assert_eq!(given[name], value, "{name}");
    }
    assert!(given["UNSET_HERE"].is_null());
}

#[cfg(unix)]
#[test]
fn a_cleared_environment_has_only_what_is_named() {
    let env = TestEnv::new();
    let arguments = crate::support::env::with_helper(&["run", "--clear-env", "-e", "KEEP", "-e", "X=1"], &["env"]);
    let given = variables(&env.prepare(&arguments).env("KEEP", "me").env("DROP", "me").run());
    let names: Vec<&String> =
        given.as_object().expect("variables").keys().filter(|name| !name.starts_with("JOBDIR_")).collect();
    assert_eq!(names, ["KEEP", "X"]);
}

#[cfg(unix)]
#[test]
fn an_environment_that_must_not_be_kept_is_nowhere_on_the_disk() {
    let env = TestEnv::new();
    let secret = "hunter2-is-the-secret";
    let given = variables(&env.run_helper(&["run", "--no-save-env", "-e", &format!("TOKEN={secret}")], &["env"]));
    assert_eq!(given["TOKEN"], secret);
    let output = env.program("grep", &["-rl", secret, &env.state().to_string_lossy()]).run();
    // What the job itself printed is its own business.
    let found = output.text();
    let kept: Vec<&str> = found.lines().filter(|path| !path.ends_with("stdout.log")).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn bad_variables_are_refused() {
    let env = TestEnv::new();
    std::fs::write(env.work().join("bad"), "=x\n").expect("writes");
    for words in [&["-e", "=x"][..], &["-e", ""], &["--env-file", "missing"], &["--env-file", "bad"]] {
        env.run_helper(&[&["run"], words].concat(), &["exit", "0"]).assert_code(125).assert_stdout("");
    }
}

#[test]
fn a_job_tells_how_far_it_is_what_it_knows_and_that_it_is_ready() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(
        &[],
        &[
            "witness",
            &witness.address,
            "append",
            "$JOBDIR_META",
            "key=old",
            "append",
            "$JOBDIR_META",
            "key=new",
            "write",
            "$JOBDIR_PROGRESS",
            "42/84 linking",
            "tell",
            "written",
            "await",
            "write",
            "$JOBDIR_READY",
            "",
            "tell",
            "ready",
            "await",
        ],
    );
    let mut process = witness.accept();
    assert_eq!(process.line(), "written");
    let job = env.status(&id);
    assert_eq!(job["meta"], serde_json::json!({"key": "new"}));
    assert_eq!(job["progress"]["fraction"], 0.5);
    assert_eq!(job["progress"]["message"], "linking");
    assert_eq!(job["ready"], false);
    process.go();
    assert_eq!(process.line(), "ready");
    assert_eq!(env.status(&id)["ready"], true);
    process.go();
    env.jobdir(&["wait", &id]).assert_code(0);
}

#[cfg(unix)]
#[test]
fn what_a_job_writes_there_is_foreign_data() {
    let env = TestEnv::new();
    let script = r#"ln -s /etc/passwd "$JOBDIR_META"; mkfifo "$JOBDIR_PROGRESS"; ln -s /etc/passwd "$JOBDIR_READY""#;
    env.jobdir(&["run", "--", "sh", "-c", script]).assert_code(0);
    let job = env.status("1");
    assert_eq!(job["meta"], serde_json::json!({}));
    assert!(job["progress"].is_null(), "{job}");
    assert_eq!(job["ready"], false);
    assert_eq!(job["state"], "succeeded");
}

#[cfg(unix)]
#[test]
fn a_scratch_folder_lives_as_long_as_the_job() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "sh", "-c", r#"echo kept > "$JOBDIR_JOB_DIR/checkpoint""#]).assert_code(0);
    assert_eq!(std::fs::read_to_string(env.job_dir("1").join("scratch/checkpoint")).expect("reads"), "kept\n");
}

#[test]
fn only_state_dir_is_inherited_by_what_a_job_asks() {
    let env = TestEnv::new();
    let jobdir = crate::support::env::jobdir().to_string_lossy().into_owned();
    let output = env.prepare(&["run", "--", &jobdir, "kill"]).run();
    output.assert_code(2);
    let state = env.state().to_string_lossy().into_owned();
    let inner =
        env.prepare(&["--state-dir", &state, "run", "--", &jobdir, "jobs", "-q"]).env_remove("JOBDIR_STATE_DIR");
    inner.run().assert_code(0).assert_stdout("1\n2\n");
}
