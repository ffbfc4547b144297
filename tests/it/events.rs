//! `jobdir events`: everything that happened, and what is missing of it.

#[cfg(unix)]
use std::io::{BufRead, BufReader};

#[cfg(unix)]
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{TestEnv, Witness, eventually};

fn parse(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is an event")).collect()
}

fn words(events: &[Value]) -> Vec<String> {
    let word = |event: &Value| match event["event"].as_str().expect("what happened") {
        "state" => event["state"].as_str().expect("a state").to_owned(),
        other => other.to_owned(),
    };
    events.iter().map(word).collect()
}

#[cfg(unix)]
#[test]
fn a_stop_is_told_from_its_cause_to_its_end() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "ignore", "TERM", "tell", "ready", "block"];
    let plan = ["--stop-plan", "INT:10ms,TERM:10ms,KILL", "--finally", "true"];
    let id = env.start(&plan, &[&["ignore", "INT"], &actions[..]].concat());
    assert_eq!(witness.accept().line(), "ready");
    env.jobdir(&["kill", "--reason", "enough", &id]).assert_code(0);
    let events = parse(&env.jobdir(&["events", &id]).assert_code(0).text());
    let told = words(&events);
    let order =
        ["started", "running", "stopping", "signal_sent", "finalizing", "step_started", "step_ended", "interrupted"];
    let mut rest = told.iter();
    for word in order {
        assert!(rest.any(|told| told == word), "'{word}' is missing or too early: {told:?}");
    }
    let signals: Vec<&str> =
        events.iter().filter(|e| e["event"] == "signal_sent").filter_map(|e| e["signal"].as_str()).collect();
    assert_eq!(signals, ["SIGINT", "SIGTERM", "SIGKILL"], "each rung");
    let stopping = events.iter().find(|event| event["state"] == "stopping").expect("stopping");
    assert_eq!((&stopping["reason"], &stopping["reason_text"]), (&"kill".into(), &"enough".into()));
    assert!(events.iter().enumerate().all(|(index, event)| event["seq"] == index + 1), "numbers without gaps");
    let later = parse(&env.jobdir(&["events", "--since", "3", &id]).text());
    assert_eq!(later, events[3..]);
}

#[cfg(unix)]
#[test]
fn strays_are_told_when_they_are_found() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["spawn", "1", "[", "setsid", "witness", &witness.address, "block", "]", "exit", "0"];
    let id = env.start(&["--leftovers", "wait"], &actions);
    let stray = u64::from(witness.accept().pid);
    // Its leader has ended, it has a session of its own, and it is the supervisor's child now.
    eventually("the stray in the events", || {
        let told = env.events(&id);
        let pids =
            told.iter().filter(|event| event["event"] == "strays").map(|event| event["processes"][0]["pid"].as_u64());
        pids.flatten().any(|pid| pid == stray).then_some(())
    });
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
}

#[test]
fn what_is_torn_or_missing_is_told_as_a_gap() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    env.damage();
    let path = env.job_dir("1").join("events.ndjson");
    let text = std::fs::read_to_string(&path).expect("reads");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() >= 4, "{text}");
    let shown = |content: String, words: &[&str]| {
        std::fs::write(&path, content).expect("writes");
        parse(&env.jobdir(&[&["events", "1"], words].concat()).assert_code(0).assert_stderr("").text())
    };
    let events = shown(format!("{}\n{}\n", lines[0], lines[3]), &[]);
    assert_eq!(words(&events)[1], "gap");
    assert_eq!((&events[1]["seq"], &events[1]["missing"], &events[2]["seq"]), (&3.into(), &2.into(), &4.into()));
    assert!(events[1]["message"].as_str().expect("a message").contains("2 events"), "{}", events[1]);
    let events = shown(format!("{}\n{}\n", lines[0], &lines[1][..20]), &["--follow"]);
    assert_eq!(words(&events)[1..], ["gap"], "also when it is followed to the end");
    let events = shown(format!("{}\n{}", lines[0], &lines[1][..20]), &[]);
    assert_eq!(words(&events)[1..], ["gap"], "nobody ends this line any more");
    // Whoever writes next goes on behind it.
    env.jobdir(&["resume", "1"]).assert_code(0);
    let events = parse(&env.jobdir(&["events", "1"]).text());
    assert_eq!(words(&events)[1], "gap");
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
}

#[cfg(unix)]
#[test]
fn following_shows_each_event_once_and_ends_with_the_jobs() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "exit", "0"]);
    let mut process = witness.accept();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let client = env.prepare(&["events", "-f", &id]).spawn_with(None, writer.into(), None);
    let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
    let mut text = String::new();
    while !text.contains("\"running\"") {
        text += &(lines.next().expect("a line") + "\n");
    }
    process.go();
    lines.for_each(|line| text += &(line + "\n"));
    client.wait().assert_code(0).assert_stderr("");
    assert_eq!(parse(&text), parse(&env.jobdir(&["events", &id]).text()));
    // Of all jobs there is no end; it goes when its reader does.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let client = env.prepare(&["events", "-f"]).spawn_with(None, writer.into(), None);
    drop(reader);
    client.wait().assert_code(0).assert_stderr("");
    let client = env.prepare(&["events", "-f", "--since", "99"]).spawn();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    client.signal(Signal::SIGTERM);
    client.wait().assert_code(143).assert_stdout("");
}

#[test]
fn events_of_several_jobs_come_in_the_order_of_time() {
    let env = TestEnv::new();
    for _ in 0..3 {
        env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    }
    let all = parse(&env.jobdir(&["events"]).assert_code(0).text());
    assert!(all.is_sorted_by_key(|event| event["time"].as_str().map(str::to_owned)));
    let of = |id: &str| all.iter().filter(|event| event["id"] == id).cloned().collect::<Vec<_>>();
    assert!(["1", "2", "3"].iter().all(|id| of(id).len() >= 4));
    let some = parse(&env.jobdir(&["events", "3", "1"]).text());
    assert_eq!(some, [of("1"), of("3")].concat());
    env.jobdir(&["events", "9"]).assert_code(3).assert_stdout("");
}
