//! `jobdir logs`: what was captured, byte for byte.

use std::io::Read;

use crate::support::{TestEnv, Witness};

#[test]
fn each_stream_goes_where_it_came_from() {
    let env = TestEnv::new();
    env.run_helper(&["run", "-d"], &["out", "one", "err", "two", "hex", "ff00"]).assert_code(0);
    env.jobdir(&["wait", "1"]).assert_code(0);
    let output = env.jobdir(&["logs", "1"]);
    output.assert_code(0).assert_stderr("two\n");
    assert_eq!(output.stdout, b"one\n\xff\0");
    assert_eq!(env.jobdir(&["logs", "--stderr", "1"]).assert_stdout("").stderr, b"two\n");
    assert_eq!(env.jobdir(&["logs", "--stdout", "1"]).assert_stderr("").stdout, b"one\n\xff\0");
}

#[test]
fn the_last_lines_can_be_chosen() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["hex", "610a620a630a64"]).assert_code(0);
    for (lines, text) in [("0", ""), ("1", "d"), ("2", "c\nd"), ("9", "a\nb\nc\nd")] {
        env.jobdir(&["logs", "-n", lines, "1"]).assert_code(0).assert_stdout(text);
    }
}

#[test]
fn following_shows_what_comes_and_ends_with_the_job() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "out", "early", "await", "out", "late", "exit", "3"]);
    let mut process = witness.accept();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let follower = env.prepare(&["logs", "-f", &id]).spawn_with(None, writer.into(), None);
    let mut bytes = [0; 6];
    reader.read_exact(&mut bytes).expect("reads");
    assert_eq!(&bytes, b"early\n");
    process.go();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("reads");
    assert_eq!(rest, "late\n");
    follower.wait().assert_code(0);
}

#[test]
fn following_what_has_ended_ends_at_once() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "x"]).assert_code(0);
    env.jobdir(&["logs", "-f", "1"]).assert_code(0).assert_stdout("x\n");
}

#[cfg(unix)]
#[test]
fn following_goes_on_for_an_orphan_until_its_processes_are_gone() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "out", "late", "exit", "0"]);
    let mut process = witness.accept();
    let follower = env.prepare(&["logs", "-f", &id]).spawn();
    env.kill_supervisor(&id);
    process.go();
    process.wait_for_death();
    follower.wait().assert_code(0).assert_stdout("late\n");
}

#[test]
fn the_document_has_byte_ranges_and_says_what_is_no_text() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["hex", "61ff62", "err", "é"]).assert_code(0);
    let output = env.jobdir(&["logs", "--json", "1"]);
    output.assert_code(0).assert_stderr("");
    let document = output.json();
    assert_eq!((&document["schema"], &document["id"]), (&"jobdir/logs/1".into(), &"1".into()));
    assert_eq!((&document["attempt"], &document["state"]), (&1.into(), &"succeeded".into()));
    assert!(document["cursor"].is_string(), "{document}");
    let stdout = &document["stdout"];
    assert_eq!((&stdout["text"], &stdout["encoding"]), (&"a\u{fffd}b".into(), &"utf-8-lossy".into()));
    assert_eq!((&stdout["start"], &stdout["end"], &stdout["total"]), (&0.into(), &3.into(), &3.into()));
    assert_eq!((&stdout["truncated"], &stdout["dropped_bytes"]), (&false.into(), &0.into()));
    assert_eq!((&document["stderr"]["text"], &document["stderr"]["encoding"]), (&"é\n".into(), &"utf-8".into()));
}

#[test]
fn an_attempt_that_was_never_made_is_refused() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    for attempt in ["0", "2", "4000000000"] {
        env.jobdir(&["logs", "--attempt", attempt, "1"]).assert_code(1).assert_stdout("");
    }
    env.jobdir(&["logs", "--attempt", "-1", "1"]).assert_code(2).assert_stdout("");
    env.jobdir(&["logs", "7"]).assert_code(3).assert_stdout("");
    env.jobdir(&["logs"]).assert_code(2).assert_stdout("");
}

#[test]
fn ten_megabytes_come_back_unchanged() {
    let env = TestEnv::new();
    let output = env.run_helper(&["run"], &["stdout", "10000001"]);
    output.assert_code(0);
    let logs = env.jobdir(&["logs", "1"]);
    logs.assert_code(0);
    assert!(logs.stdout == output.stdout && logs.stdout.len() == 10_000_001);
}
