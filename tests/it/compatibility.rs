//! State directories that were written by released versions, frozen, must be readable for ever. What a later version wrote
//! is read as far as it can be understood, and never written over. Nothing in `tests/data` is ever changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn frozen(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(version)
}

fn jobdir(state: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jobdir"))
        .env("JOBDIR_STATE_DIR", state)
        .args(arguments)
        .output()
        .expect("jobdir starts")
}

fn json(state: &Path, arguments: &[&str]) -> Value {
    let output = jobdir(state, arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
}

/// Copies a directory, since a checkout may be writable by a group, and git keeps no empty directories.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("makes a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else if !path.ends_with(".gitkeep") {
            std::fs::copy(&path, &target).expect("copies");
        }
    }
}

#[test]
fn version_1_can_be_read() {
    let state = frozen("v1");
    let document = json(&state, &["jobs", "--json"]);
    let seen: Vec<(&str, &str)> = document["jobs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|job| (job["id"].as_str().expect("an id"), job["state"].as_str().expect("a state")))
        .collect();
    assert_eq!(seen, [("1", "succeeded"), ("2", "interrupted"), ("3", "corrupt")]);

    let job = json(&state, &["status", "--json", "1"]);
    assert_eq!(job["name"], "Build");
    assert_eq!(job["labels"]["team"], "infra");
    assert_eq!(job["duration_ms"], 1500);
    assert_eq!(job["usage"]["max_rss_bytes"], 2_097_152);
    assert_eq!(job["meta"]["commit"], "abc");

    // Names are compared without case, and the newest bearer is meant.
    let job = json(&state, &["status", "--json", "BUILD"]);
    assert_eq!((&job["id"], &job["attempt"], &job["signal"]), (&"2".into(), &2.into(), &"SIGTERM".into()));
    assert_eq!((&job["reason"], &job["reason_text"]), (&"unknown".into(), &"enough".into()));
    assert_eq!(job["finally"]["state"], "done");
    assert_eq!(job["attempts"][0]["exit_code"], 3);

    let logs = jobdir(&state, &["logs", "--attempt", "1", "2"]);
    assert_eq!(String::from_utf8_lossy(&logs.stdout), "attempt 1\n");
    let events = jobdir(&state, &["events", "1"]);
    assert_eq!(events.stdout.iter().filter(|byte| **byte == b'\n').count(), 5, "unknown events are told, too");
}

#[test]
fn reading_writes_nothing() {
    let state = tempfile::tempdir().expect("a directory");
    copy(&frozen("v1"), state.path());
    let list = || {
        let mut files = Vec::new();
        let mut queue = vec![state.path().to_owned()];
        while let Some(directory) = queue.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory") {
                let entry = entry.expect("an entry");
                let metadata = entry.metadata().expect("metadata");
                if metadata.is_dir() {
                    queue.push(entry.path());
                }
                files.push((entry.path(), metadata.len(), metadata.modified().expect("a time")));
            }
        }
        files.sort();
        files
    };
    let before = list();
    for arguments in [
        &["jobs"][..],
        &["jobs", "--json"],
        &["status", "1", "2", "3"],
        &["logs", "1"],
        &["wait", "1"],
        &["events"],
        &["prune", "--dry-run"],
    ] {
        jobdir(state.path(), arguments);
        assert_eq!(list(), before, "{arguments:?}");
    }
}

#[test]
fn what_a_later_version_wrote_is_read_and_not_written() {
    let state = tempfile::tempdir().expect("a directory");
    copy(&frozen("v1"), state.path());
    std::fs::write(state.path().join("FORMAT"), "jobdir-state 2\n").expect("writes");
    assert_eq!(json(state.path(), &["status", "--json", "1"])["state"], "succeeded");
    let refused = jobdir(state.path(), &["run", "--", "true"]);
    assert_eq!(refused.status.code(), Some(125));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("later version"), "{told}");
    assert!(!state.path().join("jobs/4").exists());
}
