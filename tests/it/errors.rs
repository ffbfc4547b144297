//! Every bad input: a clear message, the right exit code, and nothing left behind.

#[cfg(unix)]
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::env::with_helper;
use crate::support::{Output, TestEnv};

/// Asserts a refusal of `run` that has made no job.
#[track_caller]
fn assert_refused(env: &TestEnv, output: &Output, says: &str) {
    output.assert_code(125).assert_stdout("").assert_says(says);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output}");
    let jobs = env.state().join("jobs");
    let made = std::fs::read_dir(jobs).map_or(0, Iterator::count);
    assert_eq!(made, 0, "a job was made:\n{output}");
}

#[cfg(unix)]
#[test]
fn wrong_usage_of_run_is_125() {
    let env = TestEnv::new();
    for (words, says) in [
        (&["run", "--no-such-option", "--", "true"][..], "--no-such-option"),
        (&["run"], "COMMAND"),
        (&["run", "--"], "COMMAND"),
        (&["run", "-d"], "COMMAND"),
        (&["run", "--timeout", "soon", "--", "true"], "soon"),
        (&["run", "--timeout", "-5", "--", "true"], "-5"),
        (&["run", "--timeout", "", "--", "true"], "timeout"),
        (&["run", "--grace", "1 parsec", "--", "true"], "parsec"),
        (&["run", "--timeout", "99999999999999999999h", "--", "true"], "timeout"),
        (&["run", "--stop-plan", "HURT:1s", "--", "true"], "HURT"),
        (&["run", "--stop-plan", "", "--", "true"], "stop-plan"),
        (&["run", "--stop-plan", "KILL,TERM", "--", "true"], "KILL"),
        (&["run", "--stop-signal", "SIGHURT", "--", "true"], "SIGHURT"),
        (&["run", "--umask", "999", "--", "true"], "999"),
        (&["run", "--signal-scope", "world", "--", "true"], "world"),
        (&["run", "--leftovers", "eat", "--", "true"], "eat"),
        (&["run", "--early-signal", "USR1@1s", "--", "true"], "--timeout"),
        (&["run", "--stdin", "", "--", "true"], "stdin"),
    ] {
        assert_refused(&env, &env.jobdir(words), says);
    }
}

#[test]
fn wrong_usage_of_other_verbs_is_2() {
    let env = TestEnv::new();
    for words in [
        &["no-such-verb"][..],
        &["--no-such-option"],
        &[],
        &["jobs", "--no-such-option"],
        &["jobs", "-n", "many"],
        &["jobs", "-q", "-n"],
        &["status"],
        &["logs"],
        &["logs", "1", "2"],
        &["kill", "--grace", "soon", "1"],
        &["kill", "-s", "HURT", "1"],
        &["kill", "--all", "1"],
    ] {
        let output = env.jobdir(words);
        output.assert_code(2).assert_stdout("");
        assert!(!output.stderr.is_empty(), "{output}");
    }
    assert!(!env.state().exists(), "wrong usage has made a state directory");
}

#[test]
fn an_error_is_one_document_when_asked_for() {
    let env = TestEnv::new();
    for (words, code) in [
        (&["run", "-d", "--json", "--timeout", "soon", "--", "true"][..], 125),
        (&["run", "--json", "--", "true"], 125),
        (&["jobs", "--json", "--no-such-option"], 2),
        (&["jobs", "--json", "-q"], 2),
        (&["status", "--json", "1"], 3),
        (&["wait", "--json", "1"], 125),
        (&["kill", "--json", "1"], 3),
        (&["logs", "--json", "1"], 3),
    ] {
        let output = env.jobdir(words);
        output.assert_code(code).assert_stderr("");
        let document = output.json();
        assert_eq!(document["schema"], "jobdir/error/1", "{output}");
        let error = &document["error"];
        assert!(error["code"].is_string() && error["message"].is_string(), "{output}");
        assert!(error.get("hint").is_some() && error["candidates"].is_array(), "{output}");
    }
}

#[test]
fn help_and_version_are_data_and_no_error() {
    let env = TestEnv::new();
    for words in [&["--help"][..], &["-h"], &["--version"], &["run", "--help"], &["kill", "-h"]] {
        let output = env.jobdir(words);
        output.assert_code(0).assert_stderr("");
        assert!(!output.stdout.is_empty());
    }
    assert!(!env.state().exists());
}

#[test]
fn a_state_directory_that_is_a_file_is_refused() {
    let env = TestEnv::new();
    env.damage();
    std::fs::write(env.state(), "precious").expect("writes");
    let output = env.jobdir(&["run", "--", "true"]);
    output.assert_code(125).assert_stdout("").assert_says("is not a directory").assert_says("--state-dir");
    env.jobdir(&["jobs"]).assert_code(1).assert_stdout("").assert_says("is not a directory");
    assert_eq!(std::fs::read_to_string(env.state()).expect("reads"), "precious");
}

#[test]
fn a_state_directory_below_a_file_is_refused() {
    let env = TestEnv::new();
    std::fs::write(env.work().join("file"), "").expect("writes");
    let output =
        env.prepare(&["run", "--", "true"]).env("JOBDIR_STATE_DIR", env.work().join("file").join("state")).run();
    output.assert_code(125).assert_stdout("").assert_says(&format!("file{}state", std::path::MAIN_SEPARATOR));
}

#[cfg(unix)]
#[test]
fn a_state_directory_that_others_may_write_is_refused_for_writing() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "hello"]).assert_code(0);
    env.damage();
    let before = crate::support::invariants::listing(&env.state());
    for mode in [0o777, 0o770, 0o1777] {
        std::fs::set_permissions(env.state(), PermissionsExt::from_mode(mode)).expect("changes");
        let output = env.jobdir(&["run", "--", "true"]);
        output.assert_code(125).assert_stdout("").assert_says("other users").assert_says("chmod 700");
        env.jobdir(&["kill", "1"]).assert_code(1).assert_stdout("").assert_says("other users");
    }
    assert_eq!(before, crate::support::invariants::listing(&env.state()));
    std::fs::set_permissions(env.state(), PermissionsExt::from_mode(0o755)).expect("changes");
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
}

#[cfg(unix)]
#[test]
fn a_state_directory_that_cannot_be_written_is_refused() {
    let env = TestEnv::new();
    let locked = env.root().join("locked");
    std::fs::create_dir(&locked).expect("makes");
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).expect("changes");
    let state = locked.join("state").to_string_lossy().into_owned();
    if nix::unistd::geteuid().is_root() {
        // Nothing is read-only for root: somebody else tries.
        if !std::path::Path::new("/usr/bin/setpriv").exists() {
            return;
        }
        let program = env.root().join("jobdir");
        std::fs::copy(crate::support::env::jobdir(), &program).expect("copies");
        std::fs::set_permissions(env.root(), PermissionsExt::from_mode(0o755)).expect("changes");
        let program = program.to_string_lossy().into_owned();
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups", &program, "--state-dir", &state];
        let output = env.program("setpriv", &[&user[..], &["run", "--", "true"]].concat()).run();
        output.assert_code(125).assert_stdout("").assert_says("locked").assert_says("--state-dir");
    } else {
        let output = env.jobdir(&["--state-dir", &state, "run", "--", "true"]);
        output.assert_code(125).assert_stdout("").assert_says("locked").assert_says("--state-dir");
    }
    assert_eq!(std::fs::read_dir(&locked).expect("lists").count(), 0);
}

#[cfg(unix)]
#[test]
fn a_state_directory_of_somebody_else_is_refused_for_writing() {
    let env = TestEnv::new();
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    env.damage();
    std::fs::create_dir(env.state()).expect("makes");
    std::fs::set_permissions(env.state(), PermissionsExt::from_mode(0o700)).expect("changes");
    std::os::unix::fs::chown(env.state(), Some(65534), Some(65534)).expect("gives away");
    env.jobdir(&["run", "--", "true"]).assert_code(125).assert_stdout("").assert_says("belongs to");
    assert_eq!(std::fs::read_dir(env.state()).expect("lists").count(), 0);
}

#[test]
fn a_newer_format_is_read_and_never_written() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "3"]).assert_code(3);
    env.damage();
    std::fs::write(env.state().join("FORMAT"), "jobdir-state 2\n").expect("writes");
    let before = crate::support::invariants::listing(&env.state());
    env.jobdir(&["jobs", "-q"]).assert_code(0).assert_stdout("1\n");
    env.jobdir(&["run", "--", "true"]).assert_code(125).assert_stdout("").assert_says("later version");
    assert_eq!(before, crate::support::invariants::listing(&env.state()));
}

#[test]
fn an_id_file_that_cannot_be_written_stops_the_start() {
    let env = TestEnv::new();
    for bad in ["no/such/dir/id", ".", ""] {
        let output = env.jobdir(&["run", "--id-file", bad, "--", "true"]);
        output.assert_code(125).assert_stdout("");
        assert_eq!(std::fs::read_dir(env.state().join("jobs")).map_or(0, Iterator::count), 0, "{output}");
    }
}

#[test]
fn an_input_that_cannot_be_opened_is_told_by_the_same_call() {
    let env = TestEnv::new();
    for options in [&["run"][..], &["run", "-d"]] {
        let output = env.jobdir(&[options, &["--stdin", "no-such-file", "--", "cat"]].concat());
        output.assert_code(125).assert_stdout("").assert_says("no-such-file");
    }
}

#[cfg(unix)]
#[test]
fn a_current_directory_that_is_gone_is_told() {
    let env = TestEnv::new();
    let gone = env.work().join("gone");
    std::fs::create_dir(&gone).expect("makes");
    let script = r#"rmdir "$PWD"; exec "$0" run -- true"#;
    let jobdir = crate::support::env::jobdir().to_string_lossy().into_owned();
    let output = env.program("sh", &["-c", script, &jobdir]).cwd(&gone).run();
    output.assert_code(125).assert_stdout("").assert_says("current directory").assert_says("--cwd");
    std::fs::create_dir(&gone).expect("makes");
    let script = r#"rmdir "$PWD"; exec "$0" run -C / -- pwd"#;
    env.program("sh", &["-c", script, &jobdir]).cwd(&gone).run().assert_code(0).assert_stdout("/\n");
}

#[cfg(unix)]
#[test]
fn a_state_directory_behind_a_link_of_ours_works() {
    let env = TestEnv::new();
    let real = env.root().join("real");
    std::fs::create_dir(&real).expect("makes");
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o700)).expect("changes");
    symlink(&real, env.state()).expect("links");
    env.run_helper(&["run"], &["exit", "4"]).assert_code(4);
    assert!(real.join("jobs/1/job.json").exists());
}

#[test]
fn a_relative_state_directory_is_made_absolute() {
    let env = TestEnv::new();
    let output = env.prepare(&with_helper(&["--state-dir", "here/and there", "run"], &["env"])).run();
    output.assert_code(0);
    let expected = std::path::absolute(env.work().join("here/and there")).expect("has a place");
    assert_eq!(output.json()["JOBDIR_STATE_DIR"], expected.to_string_lossy().as_ref());
}

#[test]
fn every_id_is_only_a_number_and_never_a_path() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    for odd in ["../jobs/1", "1/", "./1", "01", "+1", "1 ", "1\n", "0x1", "18446744073709551616", "@first", "１"] {
        env.jobdir(&["status", "--", odd]).assert_code(3).assert_stdout("");
    }
}

#[test]
fn the_number_of_a_process_is_explained() {
    let env = TestEnv::new();
    let witness = crate::support::Witness::new();
    let id = env.start(&[], &["spawn", "1", "[", "witness", &witness.address, "block", "]", "block"]);
    let child = witness.accept().pid;
    let leader = env.status(&id)["pid"].as_u64().expect("a pid");
    let (supervisor, _) = env.supervisor(&id);
    for pid in [u64::from(child), leader, u64::from(supervisor)] {
        let says = format!("hint: {pid} is a process of job {id}: 'jobdir kill {id}'");
        env.jobdir(&["kill", &pid.to_string()]).assert_code(3).assert_stdout("").assert_says(&says);
    }
    let error = env.jobdir(&["status", "--json", &leader.to_string()]);
    error.assert_code(3);
    let hint = error.json()["error"]["hint"].as_str().expect("a hint").to_owned();
    assert!(hint.ends_with(&format!("'jobdir status {id}'")), "{hint}");
    let own = std::process::id().to_string();
    env.jobdir(&["kill", &own]).assert_code(3).assert_says("a process that belongs to no job here");
    env.stop_all();
    env.jobdir(&["delete", &id]).assert_code(0);
    env.jobdir(&["logs", &id]).assert_code(3).assert_says("is gone");
}

#[test]
fn what_was_mistyped_is_suggested() {
    let env = TestEnv::new();
    env.jobdir(&["kil", "1"]).assert_code(2).assert_stdout("").assert_says("'kill'");
    env.jobdir(&["jobs", "--actve"]).assert_code(2).assert_stdout("").assert_says("'--active'");
    env.jobdir(&["run", "--detatch", "--", "true"]).assert_code(125).assert_stdout("").assert_says("'--detach'");
    env.jobdir(&["jobs", "--state", "runing"]).assert_code(2).assert_says("did you mean 'running'?");
    env.jobdir(&["wait", "--for", "redy", "1"]).assert_code(125).assert_says("did you mean 'ready'?");
    env.jobdir(&["kill"]).assert_code(2).assert_says("'jobdir jobs' lists the jobs");
}
