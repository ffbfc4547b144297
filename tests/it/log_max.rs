//! `--log-max`: the first part and the newest stay, the middle goes, and everybody says so.

use std::io::Read;

use serde_json::Value;

use crate::support::env::with_helper;
use crate::support::{TestEnv, Witness, can_make_holes, eventually, proc};

const LIMIT: u64 = 1 << 20;

/// The space that a log takes on the disk.
fn space(env: &TestEnv, id: &str, log: &str) -> u64 {
    proc::space_of(&env.job_dir(id).join("attempts/1").join(log))
}

/// Checks that every line of a stream is one that `stdout N` prints, that it begins at the beginning and ends at the end,
/// and returns how many bytes are missing.
fn missing(text: &[u8], size: u64) -> u64 {
    let line = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<u64>().ok());
    assert_eq!(line(&text[..15]), Some(0));
    let last = &text[text.len() - 16..];
    assert_eq!(line(&last[..15]), Some(size / 16 - 1), "{last:?}");
    assert!(!text.contains(&0), "a hole was read as zeros");
    size - text.len() as u64
}

#[test]
fn the_first_part_and_the_newest_stay() {
    if !can_make_holes() {
        return;
    }
    let env = TestEnv::new();
    let size = 8 * LIMIT;
    let id = env.start(&["--log-max", "1M"], &["stdout", &size.to_string(), "exit", "0"]);
    env.jobdir(&["wait", &id]).assert_code(0);
    assert!(space(&env, &id, "stdout.log") <= LIMIT, "{}", space(&env, &id, "stdout.log"));
    let output = env.jobdir(&["logs", &id]);
    let gone = missing(&output.assert_code(0).stdout, size);
    assert!(gone >= size - LIMIT, "{gone}");
    output.assert_says(&format!("{gone} bytes of stdout are missing here"));
    let document = env.jobdir(&["logs", "--json", &id]).json();
    let stdout = &document["stdout"];
    assert_eq!((&stdout["dropped_bytes"], &stdout["total"]), (&gone.into(), &size.into()));
    assert_eq!((&stdout["start"], &stdout["end"], &stdout["truncated"]), (&0.into(), &size.into(), &true.into()));
    assert_eq!(stdout["gaps"].as_array().map(Vec::len), Some(1), "{}", stdout["gaps"]);
    let status = env.status(&id);
    assert_eq!(status["output"]["dropped_bytes"], gone);
    assert_eq!((&status["output"]["stdout_bytes"], &status["output"]["log_max_bytes"]), (&size.into(), &LIMIT.into()));
    assert_eq!(status["output"]["log_max_kept"], Value::Null);
    assert!(env.jobdir(&["status", &id]).text().contains("dropped from the middle"));
}

#[test]
fn cursors_stay_true_and_lead_past_what_was_dropped() {
    if !can_make_holes() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(
        &["--log-max", "1M"],
        &["out", "begin", "witness", &witness.address, "await", "stdout", "8388608", "out", "end", "exit", "0"],
    );
    let mut process = witness.accept();
    let before = env.jobdir(&["logs", "--json", &id]).json();
    assert_eq!((&before["stdout"]["text"], &before["cursor"]), (&"begin\n".into(), &"1:6:0".into()));
    process.go();
    env.jobdir(&["wait", &id]).assert_code(0);
    let after = env.jobdir(&["logs", "--json", "--since", "1:6:0", &id]).json();
    let text = after["stdout"]["text"].as_str().expect("text");
    assert!(text.starts_with("000000000000000\n") && text.ends_with("end\n"));
    // A cursor that leads into what was dropped goes on behind it, and that is seen.
    let gap = &after["stdout"]["gaps"][0];
    let inside = gap["start"].as_u64().expect("an offset") + 5;
    let rest = env.jobdir(&["logs", "--json", "--since", &format!("1:{inside}:0"), &id]).json();
    assert_eq!((&rest["stdout"]["start"], &rest["stdout"]["truncated"]), (&gap["end"], &true.into()));
    assert_eq!(rest["stdout"]["end"], 8_388_608 + 10);
    assert!(rest["stdout"]["text"].as_str().is_some_and(|text| text.ends_with("end\n") && !text.contains('\0')));
    // Backwards, too: more lines than are left behind the hole.
    let output = env.jobdir(&["logs", "--tail", "1000000", &id]);
    output.assert_code(0);
    assert!(!output.stdout.contains(&0) && output.stdout.starts_with(b"begin\n") && output.stdout.ends_with(b"end\n"));
}

#[test]
fn a_running_job_is_kept_below_its_limit_on_both_streams() {
    if !can_make_holes() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env
        .start(&["--log-max", "1M"], &["stdout", "8388608", "stderr", "8388608", "witness", &witness.address, "block"]);
    let _process = witness.accept();
    eventually("both logs are trimmed", || {
        (space(&env, &id, "stdout.log") <= LIMIT && space(&env, &id, "stderr.log") <= LIMIT).then_some(())
    });
    let output = &env.status(&id)["output"];
    assert!(output["dropped_bytes"].as_u64() > Some(14 << 20), "{output}");
    assert_eq!(output["log_max_kept"], true);
    env.stop_all();
}

#[test]
fn detached_jobs_have_a_limit_and_others_do_not() {
    let env = TestEnv::new();
    let limit = |options: &[&str]| {
        let options: Vec<&str> = ["run"].into_iter().chain(options.iter().copied()).collect();
        env.run_helper(&options, &["exit", "0"]).assert_code(0);
        env.jobdir(&["wait", "@last"]).assert_code(0);
        env.status("@last")["output"]["log_max_bytes"].clone()
    };
    assert_eq!(limit(&["-d"]), 1u64 << 30);
    assert_eq!(limit(&[]), Value::Null);
    assert_eq!(limit(&["-d", "--log-max", "0"]), Value::Null);
    assert_eq!(limit(&["-d", "--log-max", "off"]), Value::Null);
    assert_eq!(limit(&["--log-max", "20M"]), 20 << 20);
    // A resumption keeps what was said, and can say something else.
    env.jobdir(&["resume", "@last"]).assert_code(0);
    assert_eq!(env.status("@last")["output"]["log_max_bytes"], 20 << 20);
    env.jobdir(&["resume", "--log-max", "3M", "@last"]).assert_code(0);
    assert_eq!(env.status("@last")["output"]["log_max_bytes"], 3 << 20);
    env.run_helper(&["run", "--log-max", "x"], &["exit", "0"]).assert_code(125).assert_says("not a size");
}

#[test]
fn nothing_is_dropped_that_an_attached_client_has_not_shown() {
    if !can_make_holes() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let size = 8 * LIMIT;
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let actions = ["stdout", &size.to_string(), "witness", &witness.address, "block"];
    let arguments = with_helper(&["run", "--log-max", "1M"], &actions);
    let client = env.prepare(&arguments).spawn_with(None, writer.into(), None);
    // The job has printed everything, and nobody has read it: all of it must be there.
    let _process = witness.accept();
    let mut text = vec![0; usize::try_from(size).expect("a size")];
    assert_eq!(env.status("1")["output"]["dropped_bytes"], 0);
    reader.read_exact(&mut text).expect("reads");
    assert_eq!(missing(&text, size), 0);
    // Now that it has been shown it goes.
    eventually("the log is trimmed", || (space(&env, "1", "stdout.log") <= LIMIT).then_some(()));
    env.stop_all();
    client.wait().assert_code(137);
}

#[test]
fn a_client_that_dies_holds_nothing_back() {
    if !can_make_holes() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let (_reader, writer) = std::io::pipe().expect("a pipe");
    let actions = ["stdout", "8388608", "witness", &witness.address, "block"];
    let arguments = with_helper(&["run", "--log-max", "1M"], &actions);
    let client = env.prepare(&arguments).spawn_with(None, writer.into(), None);
    let _process = witness.accept();
    assert_eq!(env.status("1")["output"]["dropped_bytes"], 0);
    proc::kill(client.pid());
    assert_ne!(client.wait().code(), 0);
    eventually("the log is trimmed", || (space(&env, "1", "stdout.log") <= LIMIT).then_some(()));
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn when_nobody_supervises_nobody_trims_and_status_says_so() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(
        &["--log-max", "1M"],
        &["witness", &witness.address, "await", "stdout", "8388608", "tell", "printed", "block"],
    );
    let mut process = witness.accept();
    env.kill_supervisor(&id);
    process.go();
    assert_eq!(process.line(), "printed");
    assert_eq!(env.job_state(&id), "orphaned");
    let output = &env.status(&id)["output"];
    assert_eq!((&output["dropped_bytes"], &output["log_max_kept"]), (&0.into(), &false.into()));
    assert!(env.jobdir(&["status", &id]).text().contains("nobody keeps it"));
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
}

#[test]
fn following_tells_what_it_has_missed() {
    if !can_make_holes() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let size = 8 * LIMIT;
    let id = env
        .start(&["--log-max", "1M"], &["stdout", &size.to_string(), "witness", &witness.address, "await", "exit", "0"]);
    let mut process = witness.accept();
    eventually("the log is trimmed", || (space(&env, &id, "stdout.log") <= LIMIT).then_some(()));
    let follower = env.prepare(&["logs", "-f", &id]).spawn();
    process.go();
    let output = follower.wait();
    let gone = missing(&output.assert_code(0).stdout, size);
    output.assert_says(&format!("{gone} bytes of stdout are missing here"));
}
