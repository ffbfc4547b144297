//! `doctor`: each condition is found, explained, told apart by severity, and mended by `--fix` where that is safe.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::env::{jobdir, read_json};
use crate::support::{TestEnv, Witness, eventually, proc, skip};

/// Returns what one check says.
#[track_caller]
fn finding(env: &TestEnv, words: &[&str], check: &str) -> (i32, Value) {
    let output = env.jobdir(&[&["doctor", "--json"], words].concat());
    let document = output.json();
    assert_eq!(document["schema"], "jobdir/doctor/1");
    assert_eq!(document["state_dir"], env.state().to_string_lossy().as_ref());
    let found = document["checks"].as_array().expect("checks").iter().find(|found| found["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no check '{check}': {document}")).clone();
    assert!(found["severity"] == "ok" || found["hint"].is_string(), "nothing says how to mend it: {found}");
    (output.code(), found)
}

#[test]
fn all_is_well_in_a_new_directory_and_nothing_is_made() {
    let env = TestEnv::new();
    let output = env.jobdir(&["doctor"]);
    output.assert_code(0).assert_stderr("");
    assert!(!env.state().exists(), "looking has made the directory");
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    let output = env.jobdir(&["doctor"]);
    output.assert_code(0);
    assert!(output.text().lines().all(|line| !line.starts_with("problem")), "{output}");
    assert_eq!(finding(&env, &[], "locks").1["message"], "locks work");
}

#[test]
fn a_directory_that_others_may_write_is_a_problem() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    std::fs::set_permissions(env.state(), PermissionsExt::from_mode(0o777)).expect("changes");
    let (code, found) = finding(&env, &[], "directory");
    assert_eq!((code, &found["severity"]), (1, &"problem".into()));
    assert!(found["hint"].as_str().is_some_and(|hint| hint.contains("chmod 700")), "{found}");
    std::fs::set_permissions(env.state(), PermissionsExt::from_mode(0o700)).expect("changes");
    assert_eq!(finding(&env, &[], "directory").0, 0);
    std::fs::write(env.state().join("FORMAT"), "").expect("writes");
    let (code, found) = finding(&env, &[], "directory");
    assert_eq!((code, &found["severity"]), (1, &"problem".into()));
    // The hint works as it is typed.
    let hint = found["hint"].as_str().expect("a hint").split_once(": ").expect("a command").1.to_owned();
    env.program("sh", &["-c", &hint]).run().assert_code(0);
    assert_eq!(finding(&env, &[], "directory").0, 0);
}

#[test]
fn lost_and_orphaned_jobs_are_found_and_the_lost_are_recorded() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let lost = env.start(&[], &["witness", &witness.address, "block"]);
    let mut gone = witness.accept();
    let orphaned = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    env.kill_supervisor(&lost);
    env.kill_supervisor(&orphaned);
    proc::signal(gone.pid, Signal::SIGKILL);
    gone.wait_for_death();
    eventually("the loss", || (env.job_state(&lost) == "lost").then_some(()));
    let (code, found) = finding(&env, &[], "lost");
    assert_eq!((code, &found["severity"], &found["fixed"]), (1, &"problem".into(), &false.into()));
    assert!(found["hint"].as_str().is_some_and(|hint| hint.contains(&format!("jobdir kill {lost}"))), "{found}");
    let (code, found) = finding(&env, &["--fix"], "lost");
    assert_eq!((code, &found["severity"], &found["fixed"]), (1, &"ok".into(), &true.into()));
    assert_eq!(env.record(&lost)["state"], "interrupted");
    // Of what lives nothing is touched.
    process.assert_alive();
    assert_eq!(finding(&env, &[], "orphaned").1["severity"], "problem");
    assert_eq!(env.job_state(&orphaned), "orphaned");
    env.jobdir(&["kill", &orphaned]).assert_code(0);
    assert_eq!(finding(&env, &[], "orphaned").0, 0);
}

#[test]
fn strays_are_noted_and_removed_but_not_those_of_a_supervised_job() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    let running = env.start(&[], &["block"]);
    let (half, used) = (env.job_dir("1").join("job.json.new"), env.job_dir(&running).join("pid.new"));
    let (trash, old, new) =
        (env.state().join("trash/3-x"), env.state().join("staging/old"), env.state().join("staging/new"));
    for path in [&half, &used, &trash, &old, &new] {
        std::fs::write(path, "half").expect("writes");
    }
    std::fs::File::options()
        .write(true)
        .open(&old)
        .and_then(|file| file.set_modified(std::time::UNIX_EPOCH))
        .expect("ages");
    let (code, found) = finding(&env, &[], "strays");
    assert_eq!((code, &found["severity"]), (0, &"note".into()), "{found}");
    assert!(found["message"].as_str().is_some_and(|text| text.starts_with("3 files")), "{found}");
    assert_eq!(finding(&env, &["--fix"], "strays").1["fixed"], true);
    assert!(!half.exists() && !trash.exists() && !old.exists(), "strays are left");
    assert!(used.exists() && new.exists(), "what somebody may be using is gone");
    std::fs::remove_file(new).and_then(|()| std::fs::remove_file(used)).expect("removes");
    env.stop_all();
}

#[test]
fn what_leads_to_no_job_is_removed_and_what_somebody_is_about_to_use_is_not() {
    for words in [&["doctor", "--fix"][..], &["prune", "--older-than", "1d"]] {
        let env = TestEnv::new();
        env.run_helper(&["run", "--name", "kept"], &["exit", "0"]).assert_code(0);
        env.start(&["--name", "used", "--mutex", "m"], &["block"]);
        let state = env.state();
        // A place in the queue whose owner has ended, beside one that is held.
        let held = state.join("queue/00000000000000000001-2");
        let mut entry = read_json(&held);
        (entry["id"], entry["ticket"]) = ("1".into(), 9.into());
        let left = state.join("queue/00000000000000000009-1");
        std::fs::write(&left, entry.to_string()).expect("writes");
        let (names, locks) = (state.join("names"), state.join("locks"));
        for (path, content) in [
            (names.join("gone"), "7\n8\n"),
            (names.join("kept"), "7\n1\n"),
            (locks.join("7"), ""),
            // A job that is about to become visible.
            (locks.join("9"), ""),
        ] {
            std::fs::write(path, content).expect("writes");
        }
        let about_to = std::fs::File::open(locks.join("9")).expect("opens");
        about_to.lock().expect("locks");
        let (_, found) = finding(&env, &[], "strays");
        assert!(found["message"].as_str().is_some_and(|text| text.starts_with("4 files")), "{found}");
        env.jobdir(words).assert_code(0);
        assert!(!names.join("gone").exists() && !locks.join("7").exists(), "{words:?} leaves what leads nowhere");
        assert!(!left.exists() && held.exists(), "{words:?} leaves a place in the queue, or takes one that is held");
        assert_eq!(std::fs::read_to_string(names.join("kept")).expect("a list"), "1\n");
        assert_eq!(std::fs::read_to_string(names.join("used")).expect("a list"), "2\n");
        assert!(locks.join("9").exists() && locks.join("2").exists(), "{words:?} removes a claim that is held");
        let (_, found) = finding(&env, &[], "strays");
        assert_eq!(found["severity"], "ok", "{found}");
        // That lock leads nowhere, too, once nobody holds it.
        drop(about_to);
        env.jobdir(words).assert_code(0);
        assert!(!locks.join("9").exists());
        env.stop_all();
    }
}

#[test]
fn corrupt_and_foreign_jobs_and_a_clock_that_was_set_back_are_told() {
    let env = TestEnv::new();
    env.damage();
    for _ in 0..3 {
        env.jobdir(&["run", "--", "true"]).assert_code(0);
    }
    std::fs::write(env.job_dir("1").join("job.json"), "\x1b[31m{").expect("writes");
    let foreign = env.job_dir("2").join("job.json");
    let mut record = env.record("2");
    (record["place"]["host"], record["state"]) = ("\x1b[31melsewhere".into(), "running".into());
    record["attempts"][0]["outcome"] = Value::Null;
    std::fs::write(&foreign, record.to_string()).expect("writes");
    let (code, found) = finding(&env, &[], "corrupt");
    assert_eq!((code, &found["severity"]), (1, &"problem".into()));
    assert_eq!(finding(&env, &[], "elsewhere").1["severity"], "note");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(7200);
    std::fs::File::options()
        .append(true)
        .open(env.state().join("ids"))
        .and_then(|file| file.set_modified(later))
        .expect("ages");
    assert_eq!(finding(&env, &[], "clock").1["severity"], "note");
    let output = env.jobdir(&["doctor"]);
    assert!(!output.stdout.contains(&0x1b), "{output}");
}

#[test]
fn too_little_space_is_a_problem() {
    let env = TestEnv::new();
    env.damage();
    std::fs::create_dir(env.state()).expect("makes");
    let script = r#"mount -t tmpfs -o mode=700,size=1m none "$1" || exit 77; "$0" run -- true; "$0" doctor"#;
    let state = env.state();
    let output = env
        .program(
            "unshare",
            &["-rm".as_ref(), "sh".as_ref(), "-c".as_ref(), script.as_ref(), jobdir().as_os_str(), state.as_os_str()],
        )
        .run();
    if output.code() == 77
        || Command::new("unshare").args(["-rm", "true"]).status().map_or(true, |status| !status.success())
    {
        return skip("no mount namespace of our own");
    }
    output.assert_code(1);
    assert!(output.text().lines().any(|line| line.starts_with("problem") && line.contains("free")), "{output}");
}
