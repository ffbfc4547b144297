//! `--on-exit`: who it is for gets the whole job at its stdin.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::env::read_json;
use crate::support::{TestEnv, documents, eventually};

/// A hook that copies its stdin to a file, once it is told to go on when there is a gate.
fn hook(told: &Path, gate: Option<&Path>) -> String {
    let wait = gate.map(|gate| format!("read go <'{}'; ", gate.display())).unwrap_or_default();
    format!("{wait}cat >'{0}.new' && mv '{0}.new' '{0}'", told.display())
}

fn gate(env: &TestEnv) -> PathBuf {
    let gate = env.root().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).expect("a gate");
    gate
}

fn what_was_told(told: &Path) -> Value {
    eventually("what the hook was told", || told.exists().then_some(()));
    let document = read_json(told);
    documents::check(&document).expect("a document of the schema");
    document
}

#[test]
fn a_hook_reads_the_job_as_status_prints_it() {
    let env = TestEnv::new();
    let told = env.root().join("told");
    let options = ["run", "--name", "web", "--retries", "1", "--on-exit", &hook(&told, None)];
    env.jobdir(&[&options[..], &["--", "sh", "-c", "exit 7"]].concat()).assert_code(7);
    let mut document = what_was_told(&told);
    let mut status = env.status("1");
    assert_eq!(document["attempts"].as_array().map(Vec::len), Some(2), "once for a run, with all its attempts");
    for document in [&mut document, &mut status] {
        document["observed_at"] = Value::Null;
    }
    assert_eq!(document, status);
}

#[test]
fn a_hook_is_told_of_its_own_end_even_when_the_job_is_gone_by_then() {
    let env = TestEnv::new();
    let (gone, resumed, gate) = (env.root().join("gone"), env.root().join("resumed"), gate(&env));
    let open = || std::fs::write(&gate, "go\n").expect("opens the gate");

    env.jobdir(&["run", "--on-exit", &hook(&gone, Some(&gate)), "--", "true"]).assert_code(0);
    env.jobdir(&["delete", "1"]).assert_code(0);
    open();
    assert_eq!((&what_was_told(&gone)["id"], &what_was_told(&gone)["state"]), (&"1".into(), &"succeeded".into()));

    env.jobdir(&["run", "--on-exit", &hook(&resumed, Some(&gate)), "--", "sh", "-c", "exit 7"]).assert_code(7);
    env.jobdir(&["resume", "2", "-d", "--on-exit", "true", "--", "sleep", "600"]).assert_code(0);
    open();
    assert_eq!((&what_was_told(&resumed)["attempt"], &what_was_told(&resumed)["exit_code"]), (&1.into(), &7.into()));
    env.jobdir(&["kill", "--all"]).assert_code(0);
}

#[test]
fn a_hook_need_not_read_and_the_job_of_rm_is_told_too() {
    let env = TestEnv::new();
    let told = env.root().join("told");
    // More than a pipe holds.
    let large = "x".repeat(100_000);
    let hook_text = format!("head -c 30 >'{0}.new'; mv '{0}.new' '{0}'", told.display());
    env.jobdir(&["run", "--on-exit", &hook_text, "--", "true", &large]).assert_code(0);
    eventually("the hook", || told.exists().then_some(()));
    assert_eq!(std::fs::read_to_string(&told).expect("reads"), "{\"schema\":\"jobdir/job/1\",\"id\":");

    let told = env.root().join("all");
    env.jobdir(&["run", "--rm", "--on-exit", &hook(&told, None), "--", "true", &large]).assert_code(0);
    assert_eq!(what_was_told(&told)["command"][1].as_str().map(str::len), Some(100_000));
    eventually("the deletion", || (!env.job_dir("2").exists()).then_some(()));
}
