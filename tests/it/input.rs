//! What a job reads: a pipe or a file that it is given, and what is sent to it while it runs.

use serde_json::Value;

use crate::support::env::with_helper;
use crate::support::{TestEnv, Witness, eventually};

/// What the action `stdin` printed.
fn read(env: &TestEnv, id: &str) -> String {
    let printed: Value = serde_json::from_slice(&env.captured(id)).expect("a line of JSON");
    printed["text"].as_str().expect("text").to_owned()
}

#[test]
fn stdin_reaches_the_command_to_its_end() {
    let env = TestEnv::new();
    let output = env.prepare(&with_helper(&["run"], &["stdin"])).stdin("one\ntwo").run();
    output.assert_code(0).assert_stdout("{\"bytes\":7,\"text\":\"one\\ntwo\"}\n");
    let output = env.prepare(&with_helper(&["run", "--stdin", "inherit"], &["stdin"])).stdin("three").run();
    output.assert_code(0).assert_stdout("{\"bytes\":5,\"text\":\"three\"}\n");
    let output = env.prepare(&with_helper(&["run", "--stdin", "null"], &["stdin"])).stdin("not read").run();
    output.assert_code(0).assert_stdout("{\"bytes\":0,\"text\":\"\"}\n");
}

#[test]
fn senders_come_one_after_another_until_one_says_that_this_is_the_end() {
    let env = TestEnv::new();
    let id = env.start(&["--stdin", "fifo"], &["stdin"]);
    env.jobdir(&["send", &id, "one"]).assert_code(0);
    env.jobdir(&["send", "-n", &id, "-two-"]).assert_code(0);
    env.prepare(&["send", &id]).stdin("three\n").run().assert_code(0);
    assert_eq!(env.job_state(&id), "running", "between two of them there is no end");
    env.jobdir(&["send", "--eof", &id, "four ü"]).assert_code(0);
    env.jobdir(&["wait", &id]).assert_code(0);
    assert_eq!(read(&env, &id), "one\n-two-three\nfour ü\n");
    // Whoever says it again changes nothing.
    let id = env.start(&["--stdin", "fifo"], &["stdin", "block"]);
    for _ in 0..2 {
        env.jobdir(&["send", "--eof", &id]).assert_code(0);
    }
    env.stop_all();
}

#[test]
fn what_is_sent_before_the_command_reads_is_kept() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "await", "line", "stdin"];
    let id = env.start(&["--stdin", "fifo"], &actions);
    let mut process = witness.accept();
    env.jobdir(&["send", &id, "early"]).assert_code(0);
    env.jobdir(&["send", "--eof", "-n", &id, "and the rest"]).assert_code(0);
    process.go();
    assert_eq!(process.line(), "early");
    env.jobdir(&["wait", &id]).assert_code(0);
    let captured = String::from_utf8(env.captured(&id)).expect("text");
    assert!(captured.ends_with("\"text\":\"and the rest\"}\n"), "{captured}");
}

#[test]
fn lines_of_many_senders_arrive_whole() {
    const LENGTH: usize = 3000;
    let env = TestEnv::new();
    let id = env.start(&["--stdin", "fifo"], &["stdin"]);
    let lines: Vec<String> = ('a'..='h').map(|letter| letter.to_string().repeat(LENGTH)).collect();
    let senders: Vec<_> = lines.iter().map(|line| env.prepare(&["send", &id, line]).spawn()).collect();
    for sender in senders {
        sender.wait().assert_code(0);
    }
    env.jobdir(&["send", "--eof", &id]).assert_code(0);
    env.jobdir(&["wait", &id]).assert_code(0);
    let mut arrived: Vec<String> = read(&env, &id).lines().map(str::to_owned).collect();
    arrived.sort();
    assert_eq!(arrived, lines);
}

#[test]
fn whoever_sends_more_than_there_is_room_for_waits_until_it_is_read() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--stdin", "fifo"], &["witness", &witness.address, "await", "stdin"]);
    let mut process = witness.accept();
    let much = "0123456789abcde\n".repeat(64 << 10);
    let sender = env.prepare(&["send", &id]).stdin(much.clone()).spawn();
    process.go();
    sender.wait().assert_code(0);
    env.jobdir(&["send", "--eof", &id]).assert_code(0);
    env.jobdir(&["wait", &id]).assert_code(0);
    assert!(read(&env, &id) == much);
}

#[test]
fn whoever_waits_for_room_is_told_when_the_job_is_stopped() {
    let env = TestEnv::new();
    let id = env.start(&["--stdin", "fifo"], &["block"]);
    let sender = env.prepare(&["send", &id]).stdin("x".repeat(1 << 20)).spawn();
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
    sender.wait().assert_code(1).assert_says("input");
}

#[test]
fn who_takes_no_input_says_why_and_what_to_type() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let ended = env.start(&["--stdin", "fifo"], &["exit", "0"]);
    env.jobdir(&["wait", &ended]).assert_code(0);
    let output = env.jobdir(&["send", &ended, "late"]);
    output.assert_code(1).assert_says(&format!("job {ended} is succeeded")).assert_says("jobdir resume");
    let deaf = env.start(&[], &["block"]);
    env.jobdir(&["send", &deaf, "text"]).assert_code(1).assert_says("start it with 'jobdir run --stdin fifo'");
    let closed = env.start(&["--stdin", "fifo"], &["close", "0", "witness", &witness.address, "block"]);
    witness.accept();
    env.jobdir(&["send", &closed, "text"]).assert_code(1).assert_says("has closed its input");
    env.stop_all();
}

#[test]
fn a_retry_and_a_resumption_are_sent_to_anew() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "line", "exit", "3"];
    let id = env.start(&["--stdin", "fifo", "--retries", "1", "--retry-delay", "0"], &actions);
    let send = |text: &str| {
        let mut process = witness.accept();
        env.jobdir(&["send", &id, text]).assert_code(0);
        assert_eq!(process.line(), text);
    };
    send("one");
    send("two");
    env.jobdir(&["wait", &id]).assert_code(3);
    env.jobdir(&["resume", "-d", "--retries", "0", &id]).assert_code(0);
    send("three");
    env.jobdir(&["wait", &id]).assert_code(3);
}

#[test]
fn nobody_waits_for_a_sender_that_says_nothing() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--stdin", "fifo"], &["witness", &witness.address, "line", "await", "exit", "0"]);
    let mut process = witness.accept();
    let (silence, _held) = std::io::pipe().map(|(reader, writer)| (reader.into(), writer)).expect("a pipe");
    let (_unused, stdout) = std::io::pipe().expect("a pipe");
    let silent = env.prepare(&["send", &id]).spawn_with(Some(silence), stdout.into(), None);
    env.jobdir(&["send", &id, "heard"]).assert_code(0);
    assert_eq!(process.line(), "heard");
    process.go();
    env.jobdir(&["wait", &id]).assert_code(0);
    eventually("the end of the job", || (env.job_state(&id) == "succeeded").then_some(()));
    crate::support::proc::kill(silent.pid());
    drop(silent.wait());
}

#[test]
fn the_input_of_a_job_that_is_given_up_ends() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--stdin", "fifo"], &["witness", &witness.address, "stdin", "tell", "end", "block"]);
    let mut process = witness.accept();
    env.jobdir(&["send", &id, "before"]).assert_code(0);
    env.jobdir(&["abandon", &id]).assert_code(0);
    assert_eq!(process.line(), "end");
    assert_eq!(read(&env, &id), "before\n");
    env.jobdir(&["send", &id, "after"]).assert_code(1).assert_says(&format!("job {id} is abandoned"));
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
}
