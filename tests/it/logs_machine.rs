//! `jobdir logs` for programs: cursors, parts, lines that match, and documents that say what is missing.

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{TestEnv, Witness};

/// Runs `logs --json` and returns its document.
#[track_caller]
fn document(env: &TestEnv, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = ["logs", "--json"].into_iter().chain(arguments.iter().copied()).collect();
    let output = env.jobdir(&arguments);
    output.assert_code(0).assert_stderr("");
    output.json()
}

fn cursor(document: &Value) -> String {
    document["cursor"].as_str().expect("a cursor").to_owned()
}

#[test]
fn a_cursor_gives_what_is_new_and_nothing_twice() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id =
        env.start(&[], &["witness", &witness.address, "out", "one", "tell", "1", "await", "err", "two", "exit", "0"]);
    let mut process = witness.accept();
    assert_eq!(process.line(), "1");
    let first = document(&env, &[&id]);
    assert_eq!((&first["stdout"]["text"], &first["stderr"]["text"]), (&"one\n".into(), &"".into()));
    assert_eq!(first["more"], false);
    let nothing = document(&env, &["--since", &cursor(&first), &id]);
    assert_eq!((&nothing["stdout"]["text"], &nothing["stderr"]["text"]), (&"".into(), &"".into()));
    assert_eq!((&nothing["cursor"], &nothing["stdout"]["truncated"]), (&first["cursor"], &false.into()));
    process.go();
    env.jobdir(&["wait", &id]).assert_code(0);
    let second = document(&env, &["--since", &cursor(&nothing), &id]);
    assert_eq!((&second["stdout"]["text"], &second["stderr"]["text"]), (&"".into(), &"two\n".into()));
    assert_eq!((&second["stdout"]["start"], &second["stdout"]["end"]), (&4.into(), &4.into()));
    env.jobdir(&["logs", "--since", &cursor(&nothing), &id]).assert_code(0).assert_stdout("").assert_stderr("two\n");
}

#[cfg(unix)]
#[test]
fn a_cursor_leads_from_one_attempt_to_the_next() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "sh", "-c", "echo attempt $JOBDIR_ATTEMPT"]).assert_code(0);
    let first = document(&env, &["1"]);
    env.jobdir(&["resume", "1"]).assert_code(0);
    env.jobdir(&["resume", "1"]).assert_code(0);
    // What is left of the attempt of the cursor comes first, and says that there is more.
    let rest = document(&env, &["--since", "1:2:0", "1"]);
    assert_eq!((&rest["attempt"], &rest["stdout"]["text"]), (&1.into(), &"tempt 1\n".into()));
    assert_eq!((&rest["more"], &rest["cursor"]), (&true.into(), &first["cursor"]));
    let second = document(&env, &["--since", &cursor(&rest), "1"]);
    assert_eq!((&second["attempt"], &second["stdout"]["text"]), (&2.into(), &"attempt 2\n".into()));
    assert_eq!((&second["stdout"]["start"], &second["stdout"]["truncated"]), (&0.into(), &false.into()));
    let third = document(&env, &["--since", &cursor(&second), "1"]);
    assert_eq!((&third["attempt"], &third["stdout"]["text"]), (&3.into(), &"attempt 3\n".into()));
    assert_eq!(third["more"], false);
    let end = document(&env, &["--since", &cursor(&third), "1"]);
    assert_eq!((&end["attempt"], &end["stdout"]["text"], &end["cursor"]), (&3.into(), &"".into(), &third["cursor"]));
    // For people all of it at once.
    env.jobdir(&["logs", "--since", "1:2:0", "1"]).assert_code(0).assert_stdout("tempt 1\nattempt 2\nattempt 3\n");
    // Of one attempt alone when that is asked for.
    let only = document(&env, &["--since", &cursor(&first), "--attempt", "1", "1"]);
    assert_eq!((&only["attempt"], &only["stdout"]["text"]), (&1.into(), &"".into()));
}

#[test]
fn parts_by_lines_and_bytes() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["hex", "610a620a630a640a"]).assert_code(0);
    for (options, text) in [
        (vec!["--head", "2"], "a\nb\n"),
        (vec!["--head", "0"], ""),
        (vec!["--head", "9"], "a\nb\nc\nd\n"),
        (vec!["--tail", "2"], "c\nd\n"),
        (vec!["--max-bytes", "3"], "a\nb"),
        (vec!["--max-bytes", "0"], ""),
        (vec!["--max-bytes", "3", "--tail", "9"], "\nd\n"),
        (vec!["--since", "1:4:0"], "c\nd\n"),
        (vec!["--since", "1:2:0", "--head", "1"], "b\n"),
        (vec!["--since", "1:2:0", "--tail", "1"], "d\n"),
        (vec!["--since", "1:8:0"], ""),
        (vec!["--grep", "b|d"], "b\nd\n"),
        (vec!["--grep", "b|d", "--tail", "1"], "d\n"),
        (vec!["--grep", "b|d", "--head", "1"], "b\n"),
        (vec!["--grep", "^c$", "-C", "1"], "b\nc\nd\n"),
        (vec!["--grep", "a|d", "-C", "1"], "a\nb\nc\nd\n"),
        (vec!["--grep", "nothing"], ""),
        (vec!["--grep", "b|d", "--max-bytes", "3"], "b\nd"),
        (vec!["--grep", "b|d", "--tail", "9", "--max-bytes", "3"], "\nd\n"),
    ] {
        let mut arguments = vec!["logs"];
        arguments.extend(&options);
        arguments.push("1");
        env.jobdir(&arguments).assert_code(0).assert_stdout(text).assert_stderr("");
        arguments.insert(1, "--json");
        assert_eq!(env.jobdir(&arguments).json()["stdout"]["text"], text, "{options:?}");
    }
    // The cursor of a part leads on behind it.
    let part = document(&env, &["--head", "2", "1"]);
    assert_eq!(
        (&part["cursor"], &part["more"], &part["stdout"]["truncated"]),
        (&"1:4:0".into(), &true.into(), &true.into())
    );
    let rest = document(&env, &["--since", &cursor(&part), "1"]);
    assert_eq!((&rest["stdout"]["text"], &rest["more"]), (&"c\nd\n".into(), &false.into()));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "x"]).assert_code(0);
    for arguments in [
        vec!["--head", "1", "--tail", "1"],
        vec!["-f", "--json"],
        vec!["-f", "--head", "1"],
        vec!["-f", "--max-bytes", "1"],
        vec!["-C", "1"],
        vec!["--grep", "("],
        vec!["--since", "x"],
        vec!["--since", "1:2"],
        vec!["--since", "0:0:0"],
        vec!["--since", "1:0:0", "--attempt", "2"],
        vec!["--grep", "x", "-C", "99999999"],
        vec!["--stdout", "--stderr"],
        vec!["--max-bytes", "x"],
    ] {
        let mut all = vec!["logs"];
        all.extend(&arguments);
        all.push("1");
        env.jobdir(&all).assert_code(2);
    }
    env.jobdir(&["logs", "--since", "2:0:0", "1"]).assert_code(1).assert_says("no attempt 2").assert_stdout("");
}

#[cfg(unix)]
#[test]
fn colours_are_taken_out_on_request() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "printf", "\\033[1;31mred\\033[0m\\n"]).assert_code(0);
    env.jobdir(&["logs", "1"]).assert_stdout("\u{1b}[1;31mred\u{1b}[0m\n").assert_code(0);
    env.jobdir(&["logs", "--strip-ansi", "1"]).assert_stdout("red\n").assert_code(0);
    env.jobdir(&["logs", "--strip-ansi", "--grep", "^red$", "1"]).assert_stdout("red\n").assert_code(0);
    assert_eq!(document(&env, &["--strip-ansi", "1"])["stdout"]["text"], "red\n");
}

#[test]
fn the_end_of_ten_gigabytes_costs_no_more_than_that_of_ten_bytes() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "x"]).assert_code(0);
    let path = env.job_dir("1").join("attempts/1/stdout.log");
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).expect("opens");
    // Sparse, so that the test needs no disk; the blocks at the end are real.
    file.seek(SeekFrom::Start(10 << 30)).expect("seeks");
    for line in 0..10_000 {
        writeln!(file, "line {line}").expect("writes");
    }
    let expected: String = (9950..10_000).map(|line| format!("line {line}\n")).collect();
    let began = Instant::now();
    env.jobdir(&["logs", "--tail", "50", "1"]).assert_code(0).assert_stdout(&expected);
    let tail = document(&env, &["--tail", "50", "1"]);
    assert_eq!(tail["stdout"]["text"], expected.as_str());
    assert_eq!((&tail["stdout"]["truncated"], &tail["stdout"]["end"]), (&true.into(), &tail["stdout"]["total"]));
    // Reading all of it would take far longer; how long it really takes is measured elsewhere.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // What looks at everything at the end of each test must not read it.
    file.set_len(0).expect("truncates");
}

#[test]
fn a_document_is_bounded_and_leads_through_all_of_it() {
    let env = TestEnv::new();
    let size = (16 << 20) + 1000;
    env.run_helper(&["run", "-d"], &["stdout", &size.to_string()]).assert_code(0);
    env.jobdir(&["wait", "1"]).assert_code(0);
    let first = document(&env, &["1"]);
    assert_eq!((&first["stdout"]["end"], &first["more"]), (&(16 << 20).into(), &true.into()));
    let rest = document(&env, &["--since", &cursor(&first), "1"]);
    assert_eq!((&rest["stdout"]["start"], &rest["stdout"]["end"]), (&(16 << 20).into(), &size.into()));
    assert_eq!(rest["more"], false);
}

#[test]
fn half_a_character_is_left_for_the_next_answer() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env
        .start(&[], &["witness", &witness.address, "hex", "61e282", "tell", "1", "await", "hex", "ac0a", "exit", "0"]);
    let mut process = witness.accept();
    assert_eq!(process.line(), "1");
    let first = document(&env, &[&id]);
    assert_eq!((&first["stdout"]["text"], &first["stdout"]["encoding"]), (&"a".into(), &"utf-8".into()));
    process.go();
    env.jobdir(&["wait", &id]).assert_code(0);
    assert_eq!(document(&env, &["--since", &cursor(&first), &id])["stdout"]["text"], "€\n");
}

#[test]
fn following_chooses_lines_as_they_come() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(
        &[],
        &["witness", &witness.address, "out", "a1", "out", "b1", "await", "out", "a2", "out", "b2", "exit", "0"],
    );
    let mut process = witness.accept();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let follower = env.prepare(&["logs", "-f", "--grep", "a", &id]).spawn_with(None, writer.into(), None);
    let mut bytes = [0; 3];
    reader.read_exact(&mut bytes).expect("reads");
    assert_eq!(&bytes, b"a1\n");
    process.go();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("reads");
    assert_eq!(rest, "a2\n");
    follower.wait().assert_code(0);
}

#[cfg(unix)]
#[test]
fn following_goes_on_with_the_next_attempt_of_the_run() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let script = "echo attempt $JOBDIR_ATTEMPT; [ $JOBDIR_ATTEMPT = 2 ]";
    let id = env.start(
        &["--retries", "1", "--retry-delay", "0"],
        &["out", "first", "witness", &witness.address, "await", "exec", "sh", "-c", script],
    );
    let mut process = witness.accept();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let follower = env.prepare(&["logs", "-f", &id]).spawn_with(None, writer.into(), None);
    let mut bytes = [0; 6];
    reader.read_exact(&mut bytes).expect("reads");
    process.go();
    witness.accept().go();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("reads");
    assert_eq!(rest, "attempt 1\nfirst\nattempt 2\n");
    follower.wait().assert_code(0);
}

#[test]
fn waiting_can_hand_back_the_last_lines() {
    let env = TestEnv::new();
    env.run_helper(&["run", "-d"], &["out", "a", "out", "b", "out", "c\u{1b}[31m", "err", "no", "exit", "4"])
        .assert_code(0);
    let output = env.jobdir(&["wait", "--tail", "2", "1"]);
    output
        .assert_code(4)
        .assert_stdout("")
        .assert_says("failed with exit code 4")
        .assert_says("\n  b\n  c\\u{1b}[31m\n");
    output.assert_says("stderr of job 1:\n  no\n");
    let document = env.jobdir(&["wait", "--json", "--tail", "2", "1"]);
    let tail = &document.assert_code(4).json()["jobs"][0]["tail"];
    assert_eq!((&tail["stdout"]["text"], &tail["stderr"]["text"]), (&"b\nc\u{1b}[31m\n".into(), &"no\n".into()));
    assert_eq!((&tail["stdout"]["start"], &tail["stdout"]["truncated"]), (&2.into(), &true.into()));
    assert_eq!(env.jobdir(&["wait", "--json", "1"]).assert_code(4).json()["jobs"][0]["tail"], Value::Null);
    env.jobdir(&["wait", "1"]).assert_code(4).assert_stdout("");
}

#[test]
fn when_the_time_is_over_the_tail_and_the_next_command_are_told() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["out", "so far", "witness", &witness.address, "block"]);
    let _process = witness.accept();
    let output = env.jobdir(&["wait", "--timeout", "0", "--tail", "1", &id]);
    output.assert_code(122).assert_says("so far").assert_says("'jobdir wait 1'");
    let output = env.jobdir(&["wait", "--for", "ready", "--timeout", "0", "--tail", "1", &id]);
    output.assert_code(122).assert_says("so far").assert_says("'jobdir logs -f 1'");
    env.stop_all();
}
