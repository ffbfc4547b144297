//! `jobdir jobs --watch`: the list as it changes.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, channel};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::env::Client;
use crate::support::terminal::Terminal;
use crate::support::{TestEnv, Witness, patience};

/// A stream of lines that is read as it comes.
struct Stream {
    client: Client,
    lines: Receiver<String>,
}

fn follow(env: &TestEnv, words: &[&str]) -> Stream {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let client = env.prepare(&[&["jobs", "--watch"], words].concat()).spawn_with(None, writer.into(), None);
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            sender.send(line).ok();
        }
    });
    Stream { client, lines }
}

impl Stream {
    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(patience()).expect("a line")
    }

    /// Reads on until a line of this job has this state.
    #[track_caller]
    fn until(&self, id: &str, state: &str) -> Value {
        loop {
            let job: Value = serde_json::from_str(&self.line()).expect("a line is a document");
            assert_eq!(job["schema"], "jobdir/job/1");
            if job["id"] == id && job["state"] == state {
                return job;
            }
        }
    }
}

#[test]
fn every_change_is_a_line() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    let stream = follow(&env, &[]);
    assert_eq!(stream.until("1", "succeeded")["deleted"], false, "what there is comes first");
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "exit", "3"]);
    stream.until(&id, "running");
    env.jobdir(&["pause", &id]).assert_code(0);
    assert_eq!(stream.until(&id, "running")["paused"], true);
    env.jobdir(&["unpause", &id]).assert_code(0);
    assert_eq!(stream.until(&id, "running")["paused"], false);
    witness.accept().go();
    assert_eq!(stream.until(&id, "failed")["exit_code"], 3);
    env.jobdir(&["delete", &id]).assert_code(0);
    assert_eq!(stream.until(&id, "failed")["deleted"], true);
    stream.client.signal(Signal::SIGTERM);
    stream.client.wait().assert_code(143).assert_stderr("");
}

#[test]
fn what_nobody_tells_of_is_seen_all_the_same() {
    let env = TestEnv::new();
    let stream = follow(&env, &["-n", "0"]);
    let id = env.start(&[], &["block"]);
    stream.until(&id, "running");
    env.kill_supervisor(&id);
    stream.until(&id, "orphaned");
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
    stream.until(&id, "interrupted");
    // What has ended is looked at no more, unless it is resumed.
    env.jobdir(&["resume", "-d", &id]).assert_code(0);
    stream.until(&id, "running");
    env.stop_all();
    stream.client.signal(Signal::SIGINT);
    stream.client.wait().assert_code(130);
}

#[test]
fn who_follows_some_jobs_is_told_when_one_leaves() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--name", "web"], &["witness", &witness.address, "await", "exit", "0"]);
    let stream = follow(&env, &["--active", "--name", "w*", "--format", "{id} {state}"]);
    assert_eq!(stream.line(), format!("{id} running"));
    env.run_helper(&["run", "--name", "other"], &["exit", "0"]).assert_code(0);
    witness.accept().go();
    let mut line = stream.line();
    while line == format!("{id} running") {
        // Something else of it than its state has changed.
        line = stream.line();
    }
    assert_eq!(line, format!("{id} succeeded"), "no line of another job in between");
    stream.client.signal(Signal::SIGTERM);
    stream.client.wait().assert_code(143);
}

#[test]
fn a_stream_ends_quietly_when_its_reader_has_gone() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    for words in [&["jobs", "--watch"][..], &["jobs", "-w", "-n", "0"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let client = env.prepare(words).spawn_with(None, writer.into(), None);
        // Nothing happens that would be printed, and yet it notices.
        drop(reader);
        client.wait().assert_code(0).assert_stderr("");
    }
}

#[test]
fn a_terminal_that_can_draw_nothing_over_gets_lines() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "before"], &["exit", "0"]).assert_code(0);
    let screen = Terminal::new(24, 2000);
    let client = screen.spawn(screen.prepare(&env, &["jobs", "--watch"]).env("TERM", "dumb"));
    screen.shows("{\"schema\":\"jobdir/job/1\"");
    client.signal(Signal::SIGINT);
    client.wait().assert_code(130);
}
