//! Hostile neighbours: what a job, a record or another user can do reaches neither the terminal nor anything outside, and
//! forges no outcome.

use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::support::TestEnv;

/// Puts terminal escapes into every text of a document but those that have a meaning.
fn poison(value: &mut Value, key: &str) {
    const MEANING: &[&str] = &["schema", "id", "state", "signal", "boot_id", "pid_namespace", "number"];
    match value {
        Value::String(text) if !MEANING.contains(&key) && !key.ends_with("_at") => {
            text.push_str("\x1b]0;owned\x07\x1b[2J\u{9b}31m");
        }
        Value::Array(list) => list.iter_mut().for_each(|value| poison(value, key)),
        Value::Object(object) => object.iter_mut().for_each(|(key, value)| poison(value, key)),
        _ => {}
    }
}

#[test]
fn nothing_in_a_record_reaches_a_terminal_raw() {
    let env = TestEnv::new();
    env.damage();
    let script = "printf 'key=\\033[31m\\n' >\"$JOBDIR_META\"; printf '1/2 \\033[2J\\n' >\"$JOBDIR_PROGRESS\"; exit 3";
    env.jobdir(&["run", "-l", "a=b", "--finally", "true", "--", "sh", "-c", script]).assert_code(3);
    for (nth, state) in ["failed", "running", "queued", "stopping", "lost"].iter().enumerate() {
        let mut record = env.record("1");
        record["state"] = (*state).into();
        if *state != "failed" {
            record["attempts"][0]["outcome"] = Value::Null;
        }
        record["attempts"][0]["message"] = "text".into();
        record["waiting_for"] =
            serde_json::json!([{"kind": "after", "name": "n", "holders": [], "position": null, "until": null}]);
        let rung = serde_json::json!({"signal": "SIGTERM", "wait_ms": 1});
        record["stop"] = serde_json::json!({"plan": "p", "rungs": [rung], "rung": 0, "signal": "SIGTERM", "reason": null,
            "since": "2026-01-01T00:00:00.000Z", "next": null, "reason_text": "r",
            "not_stopped": [{"pid": 7, "start_time": 1, "process_state": "D", "command": "c"}]});
        poison(&mut record, "");
        std::fs::write(env.job_dir("1").join("job.json"), record.to_string()).expect("writes");
        if nth == 0 {
            let spec_file = env.job_dir("1").join("spec.json");
            let mut spec = crate::support::env::read_json(&spec_file);
            spec["labels"] = serde_json::json!({"bad\u{1b}[31mkey": "bad\u{1b}[31mvalue"});
            for field in ["command", "cwd", "on_exit", "resume_with"] {
                poison(&mut spec[field], field);
            }
            std::fs::write(spec_file, spec.to_string()).expect("writes");
        }
        for words in [
            &["jobs", "--all"][..],
            &["status", "1"],
            &["status", "-P", "message", "1"],
            &["wait", "--timeout", "0", "1"],
            &["logs", "1"],
            &["events", "1"],
            &["kill", "--timeout", "0", "1"],
            &["resume", "1"],
            &["pause", "1"],
            &["doctor"],
            &["status", "no\u{1b}[31msuch"],
        ] {
            // What scripts ask for by name, they get as it is.
            let output = env.jobdir(words);
            let raw = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().any(|c| c.is_control() && c != '\n');
            assert!(words.contains(&"-P") || !raw(&output.stdout), "{state}, stdout: {output:?}");
            assert!(!raw(&output.stderr), "{state}, stderr: {output:?}");
        }
    }
}

#[test]
fn a_state_directory_that_others_can_write_is_refused_by_every_verb_that_writes() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    for mode in [0o770, 0o702, 0o777, 0o1777] {
        std::fs::set_permissions(env.state(), PermissionsExt::from_mode(mode)).expect("changes");
        for words in [
            &["run", "--", "true"][..],
            &["resume", "1"],
            &["kill", "1"],
            &["delete", "1"],
            &["abandon", "1"],
            &["prune"],
            &["pause", "1"],
            &["signal", "HUP", "1"],
        ] {
            let output = env.jobdir(words);
            assert!(matches!(output.code(), 1 | 125), "{mode:o}: {output}");
            output.assert_says("can be written by other users").assert_says("chmod 700");
        }
        env.jobdir(&["jobs", "-q"]).assert_code(0).assert_stdout("1\n");
    }
    std::fs::set_permissions(env.state(), PermissionsExt::from_mode(0o700)).expect("changes");
}

#[test]
fn nothing_that_a_job_is_handed_makes_it_an_internal_fault_or_another_outcome() {
    let env = TestEnv::new();
    for code in [0, 1, 3, 99, 101, 120, 121, 122, 123, 124, 125, 126, 127, 130, 137, 141, 255] {
        let script = format!(
            r#"echo '{{"schema":"jobdir/error/1","error":{{"code":"internal"}}}}'; echo "state=failed" >"$JOBDIR_META"
            echo "error_kind=internal" >>"$JOBDIR_META"; echo internal >"$JOBDIR_PROGRESS"; : >"$JOBDIR_READY"
            ls /proc/self/fd >"$JOBDIR_JOB_DIR/fds"; exit {code}"#
        );
        let output = env.jobdir(&["run", "--", "sh", "-c", &script]);
        output.assert_code(code);
        let job = env.status("@last");
        assert_eq!(job["state"], if code == 0 { "succeeded" } else { "failed" }, "{job}");
        assert_eq!(job["error_kind"], if code == 0 { Value::Null } else { "job_failure".into() }, "{job}");
        assert_eq!((&job["exit_code"], &job["meta"]["error_kind"]), (&code.into(), &"internal".into()));
    }
    for signal in ["KILL", "TERM", "INT", "ABRT", "SEGV", "PIPE"] {
        let output = env.jobdir(&["run", "--", "sh", "-c", &format!("kill -{signal} $$")]);
        assert!(output.code() > 128, "{output}");
        let job = env.status("@last");
        assert_eq!((&job["state"], &job["error_kind"]), (&"failed".into(), &"job_failure".into()), "{signal}: {job}");
    }
}

#[test]
fn tricks_in_the_folders_of_a_job_lead_nowhere() {
    let env = TestEnv::new();
    env.damage();
    let outside = env.root().join("outside");
    std::fs::create_dir(&outside).expect("makes");
    let precious = outside.join("precious");
    std::fs::write(&precious, "key=stolen\n").expect("writes");
    // A job puts links in the place of everything that others read, write or remove.
    let script = format!(
        r#"[ "$JOBDIR_ATTEMPT" = 1 ] || exit 4; cd "$JOBDIR_JOB_DIR/.."; out='{}'
        ln -s "$out/precious" meta; ln -s "$out/precious" attempts/1/progress; ln -s "$out/precious" attempts/1/ready
        ln -s "$out/precious" attempts/1/finally.log; ln -s "$out/precious" attempts/1/spec.json
        rm attempts/1/stderr.log; ln -s "$out/precious" attempts/1/stderr.log
        ln -s "$out" attempts/2; rmdir scratch; ln -s "$out" scratch
        ln -s "$out/precious" job.json.new; ln -s "$out/precious" pid.new; ln -s "$out/precious" kill-signals/a
        ln -s "$out" kill-signals/b; exit 3"#,
        outside.display()
    );
    env.jobdir(&["run", "--finally", "echo finally", "--", "sh", "-c", &script]).assert_code(3);
    let job = env.status("1");
    assert_eq!(
        (&job["meta"], &job["progress"], &job["ready"]),
        (&serde_json::json!({}), &Value::Null, &false.into()),
        "{job}"
    );
    let shown = env.jobdir(&["logs", "1"]);
    assert!(!String::from_utf8_lossy(&[shown.stdout, shown.stderr].concat()).contains("stolen"));
    env.jobdir(&["resume", "1"]).assert_code(4);
    env.jobdir(&["kill", "1"]).assert_code(0);
    env.jobdir(&["delete", "1"]).assert_code(0);
    assert!(!env.job_dir("1").exists());
    assert_eq!(std::fs::read_to_string(&precious).expect("it is there"), "key=stolen\n");
    let names: Vec<_> = std::fs::read_dir(&outside).expect("lists").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["precious"]);
}

#[test]
fn a_copy_of_a_job_is_not_the_job() {
    let env = TestEnv::new();
    env.damage();
    let witness = crate::support::Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    let (from, to) = (env.job_dir(&id).to_string_lossy().into_owned(), env.job_dir("7").to_string_lossy().into_owned());
    env.program("cp", &["-a", &from, &to]).run().assert_code(0);
    assert_eq!(env.job_state("7"), "corrupt");
    env.jobdir(&["delete", "7"]).assert_code(0);
    process.assert_alive();
    assert_eq!(env.job_state(&id), "running");
    // The same when nothing but the pid file can be read of the copy.
    env.program("cp", &["-a", &from, &to]).run().assert_code(0);
    std::fs::remove_file(env.job_dir("7").join("spec.json")).expect("removes");
    env.jobdir(&["delete", "7"]).assert_code(0);
    process.assert_alive();
    env.stop_all();
}

#[test]
fn a_lost_list_of_ids_and_a_directory_of_a_huge_number_do_not_stop_anybody() {
    let env = TestEnv::new();
    env.damage();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    std::fs::create_dir(env.state().join("jobs/18446744073709551615")).expect("makes");
    std::fs::create_dir(env.state().join("jobs/1000000000")).expect("makes");
    std::fs::remove_file(env.state().join("ids")).expect("removes");
    symlink("/nonexistent", env.state().join("ids")).expect("links");
    env.jobdir(&["run", "-d", "--", "true"]).assert_code(0).assert_stdout("1000000001\n");
    env.jobdir(&["wait", "1000000001"]).assert_code(0);
}
