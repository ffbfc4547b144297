//! Executes the recipes of `docs/scripting.md` and of the page for agents, so that nothing in them can be untrue.
//!
//! Each block of sh or Python is a test of its own place: an empty state directory, and a working directory in which the
//! programs that recipes speak of are small scripts. A block must succeed; when a block of text follows, that is what it
//! prints, in the notation of the README's blocks. Python blocks begin with the first one of their page.

use std::path::Path;

use crate::readme::lines_match;
use crate::support::documents::Printed;
use crate::support::env::jobdir;
use crate::support::{Output, TestEnv};

/// The programs of the recipes.
const PROGRAMS: [(&str, &str); 11] = [
    ("cargo", "echo \"$1\"; test \"$1\" = build"),
    ("npm", "sleep 0.1; echo 'listening on 3000'; exec sleep 600"),
    ("shard", "echo \"shard $1\"; test $1 != 2 || exit 4"),
    ("agent", "echo \"$@\""),
    ("import", "echo '0.5 half of it' >$JOBDIR_PROGRESS; sleep 0.4; echo '1 all rows' >$JOBDIR_PROGRESS"),
    ("flaky", "echo \"attempt $JOBDIR_ATTEMPT\"; test $JOBDIR_ATTEMPT = 3"),
    ("deploy", "echo \"deploying $1\""),
    ("unlock", "echo unlocked"),
    ("backup", "sleep 0.5"),
    ("tell", "cat >told"),
    ("logger", "echo \"$@\""),
];

/// A block of a page.
struct Block {
    line: usize,
    language: String,
    text: String,
    /// What it is to print, if the page says so.
    prints: Option<Vec<String>>,
}

fn blocks(page: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page");
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        match (inside, line.strip_prefix("```")) {
            (false, Some(language)) => {
                inside = true;
                let language = language.to_owned();
                blocks.push(Block { line: index + 1, language, text: String::new(), prints: None });
            }
            (true, Some(_)) => {
                inside = false;
                if blocks.last().is_some_and(|block| block.language == "text") {
                    let expected = blocks.pop().expect("a block").text.lines().map(str::to_owned).collect();
                    blocks.last_mut().expect("what it is printed by").prints = Some(expected);
                }
            }
            (true, None) => {
                let block = blocks.last_mut().expect("inside of a block");
                block.text.push_str(line);
                block.text.push('\n');
            }
            (false, None) => {}
        }
    }
    blocks.retain(|block| matches!(block.language.as_str(), "sh" | "python"));
    blocks
}

fn run(block: &Block, prelude: &str, before: &[&str]) -> Output {
    let env = TestEnv::new();
    for (name, script) in PROGRAMS {
        let path = env.work().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("writes");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("makes it executable");
    }
    let binaries = jobdir().parent().expect("a directory").display().to_string();
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into());
    if !before.is_empty() {
        env.jobdir(before).assert_code(0);
    }
    let mut invocation = if block.language == "sh" {
        env.program("/bin/sh", &["-euc", &format!("exec 2>&1\n{}", block.text)])
    } else {
        env.program("python3", &["-c", &format!("{prelude}\n{}", block.text)])
    };
    if block.text.contains("sys.stdin") {
        // It is an exit hook.
        env.jobdir(&["run", "--", "false"]).assert_code(1);
        invocation = invocation.stdin(env.jobdir(&["status", "--json", "1"]).stdout);
    }
    let output = invocation.env("PATH", format!("{binaries}:{}:{path}", env.work().display())).run();
    env.jobdir(&["kill", "--all", "--force"]).assert_code(0);
    output
}

/// Checks a page. `before` is what jobdir is told before each block.
fn check(page: &str, at_least: usize, before: &[&str]) {
    let blocks = blocks(page);
    assert!(blocks.len() >= at_least, "{page} has its recipes");
    let prelude = blocks.iter().find(|block| block.language == "python").map_or("", |block| &block.text);
    let mut complaints = Vec::new();
    for block in &blocks {
        let is_prelude = block.text == prelude;
        let output = run(block, if is_prelude { "" } else { prelude }, before);
        let printed: Vec<String> = output.text().lines().map(str::to_owned).collect();
        let as_told = block.prints.as_ref().is_none_or(|expected| lines_match(expected, &printed));
        if let Err(complaint) = Printed::Either.check(&output.stdout) {
            complaints.push(complaint);
        }
        if output.code() != 0 || !as_told {
            complaints.push(format!("{page}:{}: it exits with {} and prints:\n{output}", block.line, output.code()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_page_for_agents_is_true() {
    check("skills/jobdir/SKILL.md", 6, &["run", "--name", "earlier", "--", "echo", "hello"]);
}

#[test]
fn the_page_on_scripting_is_true() {
    check("docs/scripting.md", 12, &[]);
}
