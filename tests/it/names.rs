//! Names: one active bearer each, compared without case, and the newest is meant.

use crate::support::TestEnv;
use crate::support::env::with_helper;

#[test]
fn a_name_stands_for_its_newest_bearer() {
    let env = TestEnv::new();
    for code in ["1", "2"] {
        env.run_helper(&["run", "--name", "build"], &["exit", code]).assert_code(code.parse().expect("a number"));
    }
    for name in ["build", "BUILD", "@last", "2"] {
        assert_eq!(env.status(name)["exit_code"], 2, "{name}");
    }
    env.jobdir(&["wait", "build"]).assert_code(2);
}

#[test]
fn a_name_is_taken_while_its_bearer_is_active() {
    let env = TestEnv::new();
    let first = env.start(&["--name", "web"], &["block"]);
    for options in [&["run", "--name", "Web"][..], &["run", "-d", "--name", "web"]] {
        let output = env.run_helper(options, &["block"]);
        output.assert_code(125).assert_stdout("").assert_says(&format!("job {first}"));
    }
    let output = env.run_helper(&["run", "-d", "--json", "--name", "web"], &["block"]);
    output.assert_code(125).assert_stderr("");
    assert_eq!(output.json()["error"]["code"], "name_taken");
    assert_eq!(env.jobdir(&["jobs", "-q"]).text(), format!("{first}\n"), "nothing else was made");
    env.jobdir(&["kill", "web"]).assert_code(0);
    let second = env.start(&["--name", "web"], &["exit", "0"]);
    env.jobdir(&["wait", "web"]).assert_code(0);
    assert_ne!(first, second);
}

#[test]
fn of_many_at_once_exactly_one_gets_the_name() {
    let env = TestEnv::new();
    let clients: Vec<_> =
        (0..8).map(|_| env.prepare(&with_helper(&["run", "-d", "--name", "one"], &["block"])).spawn()).collect();
    let codes: Vec<i32> = clients.into_iter().map(|client| client.wait().code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 125).count(), 7, "{codes:?}");
    let listed = env.jobdir(&["jobs", "--json"]).json();
    assert_eq!(listed["jobs"].as_array().map(Vec::len), Some(1), "{listed}");
    env.stop_all();
}

#[test]
fn bad_names_are_refused_and_nothing_is_made() {
    let env = TestEnv::new();
    let long = "x".repeat(300);
    for bad in ["../x", "", &long, "a\nb", "-x", "CON", "con.txt", ".x", "x.", "123", "a b", "a/b", "é", "\x1b[31m"] {
        let output = env.jobdir(&["run", "-d", &format!("--name={bad}"), "--", "true"]);
        output.assert_code(125).assert_stdout("");
        assert!(output.stderr.len() < 1500, "{output}");
        assert!(!output.stderr.contains(&0x1b), "{output}");
    }
    assert!(!env.state().join("jobs").exists() || env.jobdir(&["jobs", "-q"]).text().is_empty());
}

#[test]
fn a_name_of_64_characters_is_the_longest() {
    let env = TestEnv::new();
    let name = "x".repeat(64);
    env.run_helper(&["run", "--name", &name], &["exit", "0"]).assert_code(0);
    assert_eq!(env.status(&name)["name"], name);
    env.run_helper(&["run", "--name", &"x".repeat(65)], &["exit", "0"]).assert_code(125);
}

#[test]
fn the_last_job_is_the_one_with_the_highest_id() {
    let env = TestEnv::new();
    env.jobdir(&["status", "@last"]).assert_code(3);
    for code in ["4", "5"] {
        env.run_helper(&["run"], &["exit", code]).assert_code(code.parse().expect("a number"));
    }
    assert_eq!(env.status("@last")["id"], "2");
}

#[test]
fn labels_are_kept_and_chosen_by() {
    let env = TestEnv::new();
    env.run_helper(&["run", "-l", "team=a", "-l", "what=a=b c"], &["exit", "0"]).assert_code(0);
    env.run_helper(&["run", "-l", "team=b"], &["exit", "0"]).assert_code(0);
    assert_eq!(env.status("1")["labels"], serde_json::json!({"team": "a", "what": "a=b c"}));
    env.jobdir(&["jobs", "-q", "-l", "team=b"]).assert_code(0).assert_stdout("2\n");
    for bad in ["team", "=x", "bad key=x", &format!("k={}", "x".repeat(257))] {
        env.run_helper(&["run", "-l", bad], &["exit", "0"]).assert_code(125).assert_stdout("");
    }
}

#[test]
fn a_name_is_not_lost_when_a_bearer_of_another_one_is_deleted() {
    let env = TestEnv::new();
    for _ in 0..2 {
        env.run_helper(&["run", "--name", "a"], &["exit", "0"]).assert_code(0);
    }
    env.start(&["--name", "a.new"], &["block"]);
    // The list of the other name is made anew.
    env.jobdir(&["delete", "1"]).assert_code(0);
    env.run_helper(&["run", "-d", "--name", "a.new"], &["exit", "0"]).assert_code(125).assert_says("job 3");
    assert_eq!(env.status("a")["id"], "2");
    env.stop_all();
}
