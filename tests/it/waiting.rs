//! What is told while something goes on: a line to a person at a terminal, and with -v what is done to whoever asks.

use crate::support::terminal::Terminal;
use crate::support::{TestEnv, eventually};

#[test]
fn a_stop_that_takes_its_time_is_told_of_and_leaves_nothing_behind() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let id = env.start(&["--stop-plan", "TERM:1h,KILL"], &["ignore", "TERM", "block"]);
    let client = terminal.jobdir(&env, &["kill", &id]);
    terminal.shows("job 1 is stopping: TERM sent ");
    let line = terminal.text();
    assert!(line.starts_with("jobdir kill, ") && line.contains(", KILL in "), "{line}");
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
    client.wait().assert_code(0);
    assert_eq!(terminal.until("an empty screen", |text| text.trim().is_empty()).trim(), "");
}

#[test]
fn a_person_sees_what_a_queue_waits_for_and_then_the_output_alone() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let id = env.start(&["--mutex", "one"], &["block"]);
    let client = terminal.jobdir(&env, &["run", "--mutex", "one", "--", "echo", "through"]);
    terminal.shows("jobdir run, 1s: job 2 is queued: it waits for mutex one, held by job 1");
    env.jobdir(&["kill", &id]).assert_code(0);
    client.wait().assert_code(0);
    let text = terminal.until("the output alone", |text| text.contains("through") && !text.contains("jobdir run, "));
    assert!(text.starts_with("jobdir: job 2 is queued"), "{text}");
}

#[test]
fn the_wait_for_an_orphan_and_its_recovery_are_told_of() {
    let env = TestEnv::new();
    let id = env.start(&["--stop-plan", "TERM:1h,KILL"], &["ignore", "TERM", "block"]);
    env.kill_supervisor(&id);
    let terminal = Terminal::new(24, 80);
    let watching = terminal.jobdir(&env, &["wait", "--timeout", "1h", &id]);
    terminal.shows("job 1 is orphaned, process ");
    terminal.shows("; at most 59m ");
    let other = Terminal::new(24, 100);
    let client = other.jobdir(&env, &["kill", &id]);
    other.shows("job 1 is stopping: TERM sent ");
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
    client.wait().assert_code(0);
    watching.wait().assert_code(130);
    eventually("an empty screen", || other.text().trim().is_empty().then_some(()));
}

#[test]
fn nobody_is_told_who_is_no_person_at_a_terminal_that_can_be_drawn_on() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let wait = ["wait", "--timeout", "1500ms", id.as_str()];
    let output = env.jobdir(&wait);
    output.assert_code(122);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("jobdir wait, "), "{output}");
    for (terminal, words) in [("dumb", wait.to_vec()), ("xterm-256color", [&wait[..], &["--json"]].concat())] {
        let screen = Terminal::new(24, 80);
        screen.spawn(screen.prepare(&env, &words).env("TERM", terminal)).wait().assert_code(122);
        let seen = screen.unread();
        assert!(!seen.contains("jobdir wait, "), "{terminal}: {seen}");
    }
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
}

#[test]
fn whoever_asks_is_told_what_is_done() {
    let env = TestEnv::new();
    let said = |words: &[&str]| {
        let output = env.jobdir(words);
        output.assert_code(0);
        (output.text(), String::from_utf8(output.stderr.clone()).expect("is text"))
    };
    let (id, start) = said(&["run", "-v", "-d", "--stop-plan", "INT:1h,KILL", "--", "sleep", "1000"]);
    assert_eq!(id, "1\n");
    let (supervisor, leader) = (env.supervisor("1").0, env.status("1")["pid"].clone());
    assert!(start.contains(&format!("job 1: it is running; supervisor {supervisor}, command {leader}\n")), "{start}");
    let (nothing, kill) = said(&["-v", "kill", "1"]);
    assert_eq!(nothing, "");
    for text in [
        "jobdir: state directory '",
        "jobdir: job 1: request 'kill-",
        "jobdir: job 1: its claim is waited for",
        "\"verb\":\"kill\",\"result\":\"accepted\"",
        "\"event\":\"signal_sent\",\"signal\":\"SIGINT\"",
    ] {
        assert!(kill.contains(text), "does not say '{text}':\n{kill}");
    }
    assert_eq!(said(&["resume", "-d", "1"]), ("1\n".into(), String::new()));
    env.kill_supervisor("1");
    let (_, recovery) = said(&["kill", "1", "--verbose"]);
    for text in ["job 1: it is orphaned and nobody supervises it", "job 1: recovered: it is interrupted, 0 of its"] {
        assert!(recovery.contains(text), "does not say '{text}':\n{recovery}");
    }
    assert!(said(&["delete", "-v", "1"]).1.contains("job 1: removed\n"));
}
