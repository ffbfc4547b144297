//! Whole job directories: an input is cut into files at a byte that no text has, and the job is read and printed.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use jobdir::domain::job::Job;
use jobdir::present::json::{self, JobDocument};
use jobdir::store::{PublicForms, Store, Surroundings};

const FILES: [&str; 7] =
    ["job.json", "spec.json", "pid", "events.ndjson", "meta", "attempts/1/progress", "kill-signals/kill-1"];
const END: u8 = 0xff;

static STATE: LazyLock<(PathBuf, Store)> = LazyLock::new(|| {
    let root = tempfile::tempdir().expect("a directory").keep().join("state");
    let store = Store::open_for_writing(&root).expect("opens");
    for folder in ["kill-signals", "attempts/1"] {
        std::fs::create_dir_all(root.join("jobs/1").join(folder)).expect("makes");
    }
    (root, store)
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (root, store) = &*STATE;
    let mut parts = bytes.split(|byte| *byte == END);
    for file in FILES {
        let path = root.join("jobs/1").join(file);
        match parts.next() {
            Some(content) => std::fs::write(path, content).expect("writes"),
            None => drop(std::fs::remove_file(path)),
        }
    }
    let (id, surroundings) = ("1".parse().expect("an id"), Surroundings::new());
    let job: Job = store.load(id, &surroundings).expect("a job is there, whatever is in it");
    let text = json::render(&JobDocument::new(&job, true));
    serde_json::from_str::<serde_json::Value>(&text).expect("what is printed is JSON");
    PublicForms::new(store, "2026-11-21T14:27:13.728Z").load(id, &surroundings).expect("it is listed");
});
