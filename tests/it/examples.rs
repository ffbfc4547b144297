//! The examples do what they say.

use std::path::Path;
use std::process::Command;

fn run(example: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let output = Command::new(&script)
        .env("JOBDIR", env!("CARGO_BIN_EXE_jobdir"))
        .env_remove("JOBDIR_STATE_DIR")
        .output()
        .expect("the example can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {}\n{text}\n{talk}", script.display(), output.status);
    text
}

#[test]
fn a_job_is_a_conversation() {
    let text = run("thread/demo");
    assert!(text.contains("attempts: 3"), "{text}");
    assert!(text.contains("you: a quote ' and \"another\", a $dollar, a\nsecond line\n"), "{text}");
    assert!(text.contains("agent: I have heard you say 4 things"), "{text}");
}

#[test]
fn with_scope_tree_the_workload_hears_of_its_cancelling() {
    let text = run("cancellation/demo");
    let row = |disguise: &str, scope: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .find(|words| words.len() > 4 && words[0] == disguise && words[1] == scope)
            .unwrap_or_else(|| panic!("no row for {disguise} {scope} in:\n{text}"))
    };
    // DISGUISE SCOPE HEARD CLEANED STATE EXIT TOOK
    for disguise in ["exec", "shell", "wrapper", "ignoring", "slow"] {
        for scope in ["leader", "tree"] {
            assert_eq!(row(disguise, scope)[4], "interrupted", "{text}");
        }
    }
    for disguise in ["shell", "slow"] {
        assert_eq!(row(disguise, "leader")[2..4], ["-", "no"], "{text}");
        assert_eq!(row(disguise, "tree")[2..4], ["INT", "yes"], "{text}");
    }
    assert_eq!(row("ignoring", "tree")[2], "INT,TERM", "{text}");
    assert_eq!(row("ignoring", "tree")[5], "KILL", "{text}");
}
