//! The process that a command gets: everything by default, nothing inherited, whatever jobdir itself was given.

use serde_json::Value;

use crate::support::TestEnv;
use crate::support::env::{helper, jobdir};

/// Runs `jobdir run OPTIONS -- COMMAND` from a process that ignores signals, blocks others and leaks descriptors.
fn from_a_dirty_process(env: &TestEnv, options: &[&str], command: &[&str]) -> crate::support::Output {
    let jobdir = jobdir().to_string_lossy().into_owned();
    let dirt = ["leak", "7", "leak", "40", "ignore", "INT,QUIT,HUP,USR1,CHLD,TSTP", "mask", "TERM,USR2,ALRM,CHLD"];
    let mut actions = dirt.to_vec();
    actions.extend(["exec", &jobdir, "run"]);
    actions.extend(options);
    actions.push("--");
    actions.extend(command);
    env.program(helper(), &actions).run()
}

#[test]
fn dispositions_are_default_and_the_mask_is_empty() {
    let env = TestEnv::new();
    for options in [&[][..], &["-d"]] {
        let output = from_a_dirty_process(&env, options, &["cat", "/proc/self/status"]);
        output.assert_code(0);
        env.jobdir(&["wait", "@last"]).assert_code(0);
        let id = env.status("@last")["id"].as_str().expect("an id").to_owned();
        let status = String::from_utf8(env.captured(&id)).expect("UTF-8");
        for field in ["SigIgn", "SigBlk", "SigPnd", "SigCgt"] {
            let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
            assert_eq!(line, format!("{field}:\t0000000000000000"));
        }
    }
}

#[test]
fn only_the_three_standard_descriptors_are_open() {
    let env = TestEnv::new();
    for options in [&[][..], &["-d"], &["--merge-output"], &["--stdin", "fifo"], &["--mutex", "m", "--name", "n"]] {
        from_a_dirty_process(&env, options, &["sh", "-c", "ls /proc/$$/fd"]).assert_code(0);
        env.jobdir(&["wait", "@last"]).assert_code(0);
        let id = env.status("@last")["id"].as_str().expect("an id").to_owned();
        assert_eq!(String::from_utf8_lossy(&env.captured(&id)), "0\n1\n2\n", "with {options:?}");
    }
}

#[test]
fn the_command_leads_a_session_and_a_group_of_its_own() {
    let env = TestEnv::new();
    let output = env.run_helper(&["run"], &["report"]);
    output.assert_code(0);
    let report = output.json();
    assert_eq!(report["sid"], report["pid"]);
    assert_eq!(report["pgid"], report["pid"]);
    assert_eq!(report["pid"], env.status("1")["pid"]);
}

#[test]
fn a_job_from_a_background_shell_can_be_interrupted() {
    let env = TestEnv::new();
    let witness = crate::support::Witness::new();
    let jobdir = jobdir().to_string_lossy().into_owned();
    // A non-interactive shell ignores INT for what it starts with '&'.
    let script = r#""$0" run -d --stop-plan INT:1h,KILL -- "$1" witness "$2" block & wait"#;
    env.program("sh", &["-c", script, &jobdir, &helper(), &witness.address]).run().assert_code(0);
    let process = witness.accept();
    env.jobdir(&["kill", "1"]).assert_code(0);
    process.assert_dead();
    assert_eq!(env.status("1")["signal"], "SIGINT");
}

fn assert_not_started(env: &TestEnv, output: &crate::support::Output, code: i32, reason: &str) {
    output.assert_code(code).assert_stdout("");
    let job = env.status("@last");
    let id = job["id"].as_str().expect("an id");
    output.assert_says(&format!("job {id}"));
    assert_eq!((&job["state"], &job["error_kind"]), (&"failed".into(), &"spawn_failure".into()));
    assert_eq!(job["reason"], reason);
    assert!(job["started_at"].is_null() && job["ended_at"].is_string() && job["exit_code"].is_null(), "{job}");
    env.jobdir(&["wait", id]).assert_code(code);
}

#[test]
fn a_command_that_is_not_found_gives_127_in_the_same_call() {
    let env = TestEnv::new();
    for options in [&["run"][..], &["run", "-d"]] {
        for command in ["no-such-command-anywhere", "./not-here", "/not/here/either", ""] {
            let words = [options, &["--", command]].concat();
            let output = env.jobdir(&words);
            if command.is_empty() {
                // Whether that is found wanting before or after the start is not said; success it is not.
                assert!([125, 127].contains(&output.code()), "{output}");
                output.assert_stdout("");
            } else {
                assert_not_started(&env, &output, 127, "not_found");
                output.assert_says(command);
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_executed_gives_126() {
    let env = TestEnv::new();
    let file = env.work().join("data");
    std::fs::write(&file, "just data\n").expect("writes");
    for options in [&["run"][..], &["run", "-d"]] {
        for command in ["./data", "."] {
            let output = env.jobdir(&[options, &["--", command]].concat());
            assert_not_started(&env, &output, 126, "not_executable");
        }
    }
}

#[test]
fn a_directory_that_cannot_be_entered_gives_125() {
    let env = TestEnv::new();
    std::fs::write(env.work().join("file"), "").expect("writes");
    for options in [&["run"][..], &["run", "-d"]] {
        for dir in ["/no/such/dir", "file"] {
            let output = env.jobdir(&[options, &["-C", dir, "--", "true"]].concat());
            assert_not_started(&env, &output, 125, "cwd");
            output.assert_says(dir);
        }
    }
}

#[test]
fn a_failure_to_start_is_one_error_document_when_asked_for() {
    let env = TestEnv::new();
    let output = env.jobdir(&["run", "-d", "--json", "--", "no-such-command-anywhere"]);
    output.assert_code(127).assert_stderr("");
    let error: Value = output.json();
    assert_eq!(error["schema"], "jobdir/error/1");
    assert_eq!((&error["error"]["code"], &error["error"]["id"]), (&"not_found".into(), &"1".into()));
}

#[test]
fn the_working_directory_is_the_callers_or_the_one_given() {
    let env = TestEnv::new();
    let other = env.work().join("other dir");
    std::fs::create_dir(&other).expect("makes");
    assert_eq!(env.run_helper(&["run"], &["report"]).json()["cwd"], env.work().to_string_lossy().as_ref());
    let relative = env.run_helper(&["run", "-C", "other dir"], &["report"]);
    assert_eq!(relative.json()["cwd"], other.to_string_lossy().as_ref());
}

#[test]
fn arguments_that_are_no_utf8_arrive_unchanged() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let env = TestEnv::new();
    let odd = OsStr::from_bytes(b"\xff\xfe x");
    let words = [OsStr::new("run"), OsStr::new("--"), OsStr::new("printf"), OsStr::new("%s"), odd];
    let output = env.jobdir(&words);
    output.assert_code(0);
    assert_eq!(output.stdout, b"\xff\xfe x");
    env.jobdir(&["jobs"]).assert_code(0);
}

#[test]
fn a_huge_command_line_arrives_whole() {
    let env = TestEnv::new();
    let long = "x".repeat(100_000);
    let words: Vec<&str> =
        ["run", "--", "printf", "%s"].into_iter().chain(std::iter::repeat_n(long.as_str(), 10)).collect();
    let output = env.jobdir(&words);
    output.assert_code(0);
    assert_eq!(output.stdout.len(), 1_000_000);
}

#[test]
fn the_supervisors_environment_has_no_cookie_of_another_job() {
    let env = TestEnv::new();
    let helper = helper();
    let jobdir = jobdir().to_string_lossy().into_owned();
    env.jobdir(&["run", "--", &jobdir, "run", "-d", "--", &helper, "block"]).assert_code(0).assert_stdout("2\n");
    let (supervisor, _) = env.supervisor("2");
    let environment = std::fs::read(format!("/proc/{supervisor}/environ")).expect("reads");
    let uid = env.status("1")["uid"].as_str().expect("a uid").to_owned();
    assert!(!String::from_utf8_lossy(&environment).contains(&uid), "the supervisor carries the cookie of job 1");
    let own = env.status("2")["uid"].as_str().expect("a uid").to_owned();
    let pid = env.status("2")["pid"].as_u64().expect("a pid");
    let environment =
        String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/environ")).expect("reads")).into_owned();
    assert!(environment.contains(&own) && !environment.contains(&uid), "{environment}");
    env.stop_all();
}
