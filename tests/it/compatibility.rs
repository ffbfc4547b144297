//! State directories that were written once must be understood for ever: `tests/data/` holds them as they were.

use std::path::Path;

use serde_json::Value;

use crate::support::TestEnv;

/// Copies a frozen state directory into the place of the test.
fn thaw(env: &TestEnv, version: &str) {
    fn copy(from: &Path, to: &Path) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir(to).expect("makes");
        std::fs::set_permissions(to, PermissionsExt::from_mode(0o700)).expect("changes");
        for entry in std::fs::read_dir(from).expect("lists").flatten() {
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &target);
            } else if entry.file_name() != ".keep" {
                std::fs::copy(entry.path(), &target).expect("copies");
                std::fs::set_permissions(&target, PermissionsExt::from_mode(0o600)).expect("changes");
            }
        }
    }
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(version), &env.state());
}

#[test]
fn jobs_of_version_1_are_listed_as_they_ended() {
    let env = TestEnv::new();
    thaw(&env, "v1");
    let document = env.jobdir(&["jobs", "--json"]).json();
    let facts: Vec<Value> = document["jobs"]
        .as_array()
        .expect("jobs")
        .iter()
        .map(|job| {
            let fields =
                ["id", "name", "state", "error_kind", "reason", "exit_code", "signal", "started_at", "resumable"];
            fields.iter().map(|field| job[*field].clone()).collect()
        })
        .collect();
    let expected = serde_json::json!([
        ["1", null, "succeeded", null, null, 0, null, "2026-01-02T03:04:05.678Z", true],
        ["2", "build", "failed", "job_failure", null, 3, null, "2026-01-02T03:05:05.678Z", true],
        ["3", null, "interrupted", "cancelled", "kill", null, "SIGTERM", "2026-01-02T03:06:05.678Z", true],
    ]);
    assert_eq!(Value::Array(facts), expected);
}

#[test]
fn jobs_of_version_1_can_be_named_read_and_waited_for() {
    let env = TestEnv::new();
    thaw(&env, "v1");
    env.jobdir(&["status", "-P", "exit_code", "build"]).assert_code(0).assert_stdout("3\n");
    env.jobdir(&["logs", "1"]).assert_code(0).assert_stdout("hello\n");
    for (id, code) in [("1", 0), ("2", 3), ("3", 143)] {
        env.jobdir(&["wait", id]).assert_code(code);
    }
    env.jobdir(&["kill", "2"]).assert_code(0).assert_says("already ended");
}

#[test]
fn new_jobs_go_on_where_version_1_ended() {
    let env = TestEnv::new();
    thaw(&env, "v1");
    let id = env.start(&["--name", "build"], &["exit", "0"]);
    assert_eq!(id, "4");
    env.jobdir(&["wait", "build"]).assert_code(0);
}
