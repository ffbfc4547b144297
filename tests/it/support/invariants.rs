//! What must be true of a state directory at the end of every test, found out by a reader of its own.

#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

use serde_json::Value;

use super::env::{TestEnv, read_json};

pub(crate) const ENDED: &[&str] = &["succeeded", "failed", "interrupted", "timed_out", "abandoned", "skipped"];

/// Checks everything that is always true, and that looking changes nothing.
///
/// # Panics
/// When something is not.
#[track_caller]
pub(crate) fn assert_store_invariants(env: &TestEnv) {
    let state = env.state();
    if !state.is_dir() {
        return;
    }
    assert_eq!(std::fs::read_to_string(state.join("FORMAT")).expect("has a format"), "jobdir-state 1\n");
    #[cfg(unix)]
    assert_private(&state.canonicalize().expect("is there"));
    for name in ["staging", "trash"] {
        let left = listing(&state.join(name));
        assert!(left.is_empty(), "left in {name}/:\n{}", left.join("\n"));
    }
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(state.join("jobs")).expect("has jobs") {
        let id = entry.expect("can be listed").file_name().into_string().expect("an id");
        assert_job(env, &id);
        ids.push(id);
    }
    assert_looking_agrees_and_changes_nothing(env, &ids);
}

/// Checks what is true of each job at every moment.
#[track_caller]
pub(crate) fn assert_job(env: &TestEnv, id: &str) {
    let dir = env.job_dir(id);
    let (spec, record) = (read_json(&dir.join("spec.json")), read_json(&dir.join("job.json")));
    for (what, document, schema) in [("spec", &spec, "jobdir/spec/1"), ("record", &record, "jobdir/record/1")] {
        assert_eq!(document["schema"], schema, "the {what} of job {id}");
        assert_eq!(document["id"], id, "the {what} of job {id}");
    }
    let attempts = record["attempts"].as_array().expect("attempts");
    let numbers: Vec<u64> = attempts.iter().map(|attempt| attempt["number"].as_u64().expect("a number")).collect();
    assert!(!numbers.is_empty() && numbers.is_sorted_by(|a, b| a < b), "the attempts of job {id}: {numbers:?}");
    let last = attempts.last().expect("an attempt");
    let state = record["state"].as_str().expect("a state");
    if ENDED.contains(&state) {
        // A run that was stopped between two attempts has an outcome of its own.
        let of_the_run = record.get("run_outcome").filter(|outcome| !outcome.is_null());
        assert_eq!(of_the_run.unwrap_or(&last["outcome"])["state"], state, "the outcome of job {id}");
        assert!(last["ended_at"].is_string(), "job {id} ended at no time");
        assert!(record["stop"].is_null(), "job {id} has ended and is still being stopped");
        // One that came too late for the last look is answered by the next claim; it never means a later attempt.
        for entry in std::fs::read_dir(dir.join("kill-signals")).expect("has an inbox").flatten() {
            let content = std::fs::read(entry.path()).expect("can be read");
            let attempt =
                serde_json::from_slice::<Value>(&content).map_or(Some(0), |request| request["attempt"].as_u64());
            assert!(attempt <= last["number"].as_u64(), "job {id} has a request for a later attempt: {attempt:?}");
        }
    } else if !["queued", "finalizing"].contains(&state) {
        assert!(last["outcome"].is_null(), "job {id} is {state} and has an outcome");
    }
    for earlier in &attempts[..attempts.len() - 1] {
        assert!(!earlier["outcome"].is_null(), "an earlier attempt of job {id} has no outcome");
    }
    if dir.join("pid").exists() {
        let pid = read_json(&dir.join("pid"));
        assert_eq!(pid["schema"], "jobdir/pid/1");
        assert!(pid["supervisor"]["pid"].as_u64().is_some_and(|pid| pid > 1), "the pid file of job {id}: {pid}");
        assert!(pid["supervisor"]["start_time"].is_u64(), "the pid file of job {id}: {pid}");
        for field in ["boot_id", "host"] {
            assert!(pid[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {pid}");
        }
    }
    if dir.join("events.ndjson").exists() {
        let events = env.events(id);
        let numbers: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
        assert!(numbers.iter().copied().eq(1..=events.len() as u64), "the events of job {id}: {numbers:?}");
        assert!(events.iter().all(|event| event["id"] == id), "an event of another job in job {id}");
        let ends = events.iter().filter(|event| {
            event["event"] == "state" && event["state"].as_str().is_some_and(|state| ENDED.contains(&state))
        });
        assert!(ends.count() <= attempts.len(), "job {id} has more ends than attempts");
    }
}

/// Everything of ours is for the user alone; what a job itself made is its own business.
#[cfg(unix)]
#[track_caller]
pub(crate) fn assert_private(path: &Path) {
    // A supervisor at work may have replaced it meanwhile.
    let Ok(facts) = path.symlink_metadata() else { return };
    let mode = facts.permissions().mode() & 0o7777;
    let expected = if facts.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, expected, "{} has mode {mode:o}", path.display());
    if !facts.is_dir() {
        assert!(facts.is_file() || facts.file_type().is_fifo(), "{} is neither file nor FIFO", path.display());
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten() {
        let entry = entry.expect("can be listed");
        let of_the_job = ["scratch", "meta", "progress", "ready"].iter().any(|name| entry.file_name() == *name);
        if !of_the_job || entry.file_name() == "scratch" && entry.path().is_dir() && is_empty(&entry.path()) {
            assert_private(&entry.path());
        }
    }
}

#[cfg(unix)]
fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

#[track_caller]
fn assert_looking_agrees_and_changes_nothing(env: &TestEnv, ids: &[String]) {
    let before = listing(&env.state());
    let output = env.jobdir(&["jobs", "--json"]);
    output.assert_code(0).assert_stderr("");
    let document = output.json();
    assert_eq!(document["schema"], "jobdir/jobs/1");
    assert_eq!(document["state_dir"], env.state().to_string_lossy().as_ref());
    let jobs = document["jobs"].as_array().expect("jobs");
    let mut listed: Vec<&str> = jobs.iter().map(|job| job["id"].as_str().expect("an id")).collect();
    let mut present: Vec<&str> = ids.iter().map(String::as_str).collect();
    listed.sort_unstable();
    present.sort_unstable();
    assert_eq!(listed, present, "what 'jobs' lists");
    for job in jobs {
        assert_listed(env, job);
    }
    env.jobdir(&["jobs"]).assert_code(0);
    if let Some(id) = ids.first() {
        env.jobdir(&["status", id]).assert_code(0);
        env.jobdir(&["logs", id]).assert_code(0);
        env.jobdir(&["wait", "--timeout", "0", id]).assert_stdout("");
    }
    let after = listing(&env.state());
    assert_eq!(before, after, "looking has changed something");
}

#[track_caller]
fn assert_listed(env: &TestEnv, job: &Value) {
    let id = job["id"].as_str().expect("an id");
    let record = env.record(id);
    let (state, recorded) = (job["state"].as_str().expect("a state"), record["state"].as_str().expect("a state"));
    let attempt = record["attempts"].as_array().and_then(|attempts| attempts.last()).expect("an attempt");
    if ENDED.contains(&recorded) {
        assert_eq!(state, recorded, "job {id}: a recorded end never changes");
        assert_eq!(job["supervised"], false, "{job}");
    } else {
        assert!(["orphaned", "lost"].contains(&state), "job {id} is left {state}, recorded as {recorded}");
    }
    for field in ["exit_code", "signal", "duration_ms"] {
        assert_eq!(job[field], attempt[field], "{field} of job {id}");
    }
    for field in ["error_kind", "reason", "reason_text"] {
        if ENDED.contains(&recorded) && record.get("run_outcome").is_none_or(Value::is_null) {
            assert_eq!(job[field], attempt["outcome"][field], "{field} of job {id}");
        }
    }
    for field in FIELDS {
        assert!(job.get(field).is_some(), "the JOB has no field '{field}': {job}");
    }
    assert_ne!(job["error_kind"], "internal", "{job}");
}

/// What a JOB has at least, see the chapter on output.
const FIELDS: &[&str] = &[
    "schema",
    "id",
    "uid",
    "name",
    "labels",
    "state",
    "error_kind",
    "reason",
    "reason_text",
    "message",
    "exit_code",
    "signal",
    "paused",
    "attempt",
    "attempts",
    "resumable",
    "parent",
    "command",
    "cwd",
    "created_at",
    "started_at",
    "ended_at",
    "duration_ms",
    "pid",
    "supervisor_pid",
    "supervised",
    "alive",
    "observed_at",
    "survivors",
    "stop",
    "waiting_for",
    "finally",
    "output",
    "usage",
    "progress",
    "meta",
    "boot_id",
    "host",
    "containment",
    "capabilities",
];

#[cfg(unix)]
fn describe(facts: &std::fs::Metadata) -> String {
    let times = (facts.mtime(), facts.mtime_nsec(), facts.ctime(), facts.ctime_nsec());
    format!("{:o} {} {} {}.{:09} {}.{:09}", facts.mode(), facts.len(), facts.ino(), times.0, times.1, times.2, times.3)
}

#[cfg(windows)]
fn describe(facts: &std::fs::Metadata) -> String {
    use std::os::windows::fs::MetadataExt;
    let times = (facts.creation_time(), facts.last_write_time());
    format!("{:x} {} {} {}", facts.file_attributes(), facts.len(), times.0, times.1)
}

/// Lists a directory in full: path, mode, size, inode and time of the last change of everything in it.
pub(crate) fn listing(dir: &Path) -> Vec<String> {
    fn visit(path: &Path, root: &Path, lines: &mut Vec<String>) {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            let Ok(facts) = entry.path().symlink_metadata() else { continue };
            let name = entry.path();
            lines.push(format!("{} {}", name.strip_prefix(root).unwrap_or(&name).display(), describe(&facts)));
            if facts.is_dir() {
                visit(&entry.path(), root, lines);
            }
        }
    }
    let mut lines = Vec::new();
    visit(dir, dir, &mut lines);
    lines.sort_unstable();
    lines
}
