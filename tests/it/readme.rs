//! Executes every console block of the README, so that nothing in it can be untrue.
//!
//! A line that begins with `$ ` is a command; what follows it is its output, stdout and stderr as they come. The commands of
//! a block run in one shell, with `jobdir` on the PATH, a fresh state directory, and an empty directory to work in. In the
//! expected output `...` on a line of its own stands for any lines, `[..]` for anything within a line. Numbers of three
//! digits or more (pids) and times stand for any such number or time, and columns may have another width.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// One command with what it is to print.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn blocks() -> Vec<Vec<Step>> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let mut blocks: Vec<Vec<Step>> = Vec::new();
    let mut inside = false;
    for (index, line) in readme.lines().enumerate() {
        match (inside, line) {
            (false, "```console") => {
                inside = true;
                blocks.push(Vec::new());
            }
            (true, "```") => inside = false,
            (true, line) => {
                let block = blocks.last_mut().expect("inside a block there is one");
                match (line.strip_prefix("$ "), block.last_mut()) {
                    (Some(command), _) => {
                        block.push(Step { line: index + 1, command: command.into(), expected: Vec::new() });
                    }
                    (None, Some(step)) => step.expected.push(line.into()),
                    (None, None) => panic!("README.md:{}: a console block begins with a command", index + 1),
                }
            }
            (false, _) => {}
        }
    }
    blocks
}

/// Runs a block, and returns what each step printed.
fn run(block: &[Step]) -> Vec<Vec<String>> {
    let root = tempfile::tempdir().expect("a directory");
    let work = root.path().join("work");
    std::fs::create_dir(&work).expect("a directory to work in");
    let binary = Path::new(env!("CARGO_BIN_EXE_jobdir"));
    let directory = binary.parent().expect("the binary is in a directory");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", directory.display());
    let marker = "----- 5b2c the next command -----";
    let mut script = String::from("exec 2>&1\n");
    for step in block {
        script.push_str(&format!("printf '%s\\n' '{marker}'\n{}\n", step.command));
    }
    let shell = |script: &str| {
        let mut child = Command::new("/bin/sh")
            .env_clear()
            .envs([("PATH", path.as_str()), ("LC_ALL", "C.UTF-8")])
            .env("HOME", &work)
            .env("JOBDIR_STATE_DIR", root.path().join("state"))
            .current_dir(&work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Read as a file and not from stdin, which the commands would eat.
            .args(["-c", script])
            .spawn()
            .expect("a shell");
        child.stdin.take().expect("a pipe").write_all(b"").expect("closes");
        child.wait_with_output().expect("the shell ends")
    };
    let output = shell(&script);
    // Whatever a block leaves running ends with it.
    let cleanup = shell("jobdir kill --all --force 2>&1");
    assert!(cleanup.status.success(), "{}", String::from_utf8_lossy(&cleanup.stdout));
    let text = String::from_utf8(output.stdout).expect("the output is UTF-8");
    let parts: Vec<Vec<String>> =
        text.split(&format!("{marker}\n")).skip(1).map(|part| part.lines().map(str::to_owned).collect()).collect();
    assert_eq!(parts.len(), block.len(), "the block at line {} ended early:\n{text}", block[0].line);
    parts
}

/// Replaces what differs from run to run: long numbers, times, the width of columns.
fn normal(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.split_whitespace() {
        let mut normal = String::new();
        let mut rest = word;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            normal.push_str(&rest[..start]);
            let number = &rest[start..];
            let length = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
            let (number, after) = number.split_at(length);
            let is_time = matches!(after.as_bytes(), [b's' | b'm' | b'h'] | [b'm', b's']);
            if is_time || number.len() >= 3 {
                normal.push('N');
            } else {
                normal.push_str(number);
            }
            rest = after;
        }
        normal.push_str(rest);
        words.push(normal);
    }
    words.join(" ")
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let mut rest = actual;
    let pieces: Vec<&str> = expected.split("[..]").collect();
    for (index, piece) in pieces.iter().enumerate() {
        let last = index + 1 == pieces.len();
        let at = match index {
            0 => rest.starts_with(piece).then_some(0),
            _ if last => rest.ends_with(piece).then(|| rest.len() - piece.len()),
            _ => rest.find(piece),
        };
        let Some(at) = at else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty()
}

pub(crate) fn lines_match(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((first, others)) if first == "..." => {
            (0..=actual.len()).any(|skipped| lines_match(others, &actual[skipped..]))
        }
        Some((first, others)) => actual
            .split_first()
            .is_some_and(|(line, rest)| line_matches(&normal(first), &normal(line)) && lines_match(others, rest)),
    }
}

#[test]
fn every_console_block_is_true() {
    let blocks = blocks();
    assert!(blocks.len() > 3, "the README has its console blocks");
    let mut differences = Vec::new();
    for block in &blocks {
        for (step, actual) in block.iter().zip(run(block)) {
            if !lines_match(&step.expected, &actual) {
                differences.push(format!(
                    "README.md:{}: $ {}\nexpected:\n{}\nbut it printed:\n{}\n",
                    step.line,
                    step.command,
                    step.expected.join("\n"),
                    actual.join("\n"),
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn patterns_match_what_they_say() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (expected, actual, matches) in [
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("a\n...", "a", true),
        ("a\n...\nd", "a\nb", false),
        ("x[..]z", "xyz", true),
        ("x[..]z", "xy", false),
        ("1  0s  24600", "1 0.3s 9999", true),
        ("1  0s  24600", "2 0.3s 9999", false),
        ("", "a", false),
    ] {
        assert_eq!(lines_match(&lines(expected), &lines(actual)), matches, "{expected:?} {actual:?}");
    }
}
