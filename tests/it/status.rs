//! `jobdir status`: one job in full.

use crate::support::{TestEnv, Witness};

#[test]
fn one_job_is_one_document_with_all_its_attempts() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "hello", "err", "x", "exit", "3"]).assert_code(3);
    let job = env.status("1");
    assert_eq!((&job["schema"], &job["id"]), (&"jobdir/job/1".into(), &"1".into()));
    assert_eq!(job["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(job["attempt"], 1);
    assert_eq!((&job["output"]["stdout_bytes"], &job["output"]["stderr_bytes"]), (&6.into(), &2.into()));
    let log = ["attempts", "1", "stdout.log"].iter().fold(env.job_dir("1"), |path, name| path.join(name));
    assert_eq!(job["output"]["stdout_path"], log.to_string_lossy().as_ref());
    for field in ["created_at", "started_at", "ended_at", "observed_at"] {
        let time = job[field].as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{field}: {time}");
        time.parse::<chrono::DateTime<chrono::Utc>>().expect("RFC 3339");
    }
    assert!(job["duration_ms"].is_u64() && job["usage"]["max_rss_bytes"].is_u64(), "{job}");
    assert_eq!(job["supervised"], false);
    assert_eq!(job["survivors"], serde_json::json!([]));
}

#[test]
fn one_field_is_printed_alone() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "web"], &["exit", "3"]).assert_code(3);
    for (field, value) in [
        ("state", "failed"),
        ("exit_code", "3"),
        ("signal", ""),
        ("name", "web"),
        ("alive", "false"),
        ("output.stdout_bytes", "0"),
        ("attempts.0.exit_code", "3"),
    ] {
        env.jobdir(&["status", "-P", field, "1"]).assert_code(0).assert_stdout(&format!("{value}\n"));
    }
    env.jobdir(&["status", "-P", "colour", "1"]).assert_code(1).assert_stdout("").assert_says("exit_code");
}

#[cfg(unix)]
#[test]
fn values_of_the_environment_never_appear() {
    let env = TestEnv::new();
    let secret = "hunter2-is-the-secret";
    let id = env.start(&["-e", &format!("TOKEN={secret}"), "--finally", "true"], &["block"]);
    let look: [&[&str]; 8] = [
        &["jobs"],
        &["jobs", "--json"],
        &["status", &id],
        &["status", "--json", &id],
        &["logs", "--json", &id],
        &["events", &id],
        &["kill", "--json", &id],
        &["wait", "--json", &id],
    ];
    for words in look {
        let output = env.jobdir(words);
        assert!(!format!("{output}").contains(secret), "{output}");
    }
}

#[test]
fn unknown_jobs_are_3_and_the_known_ones_are_still_shown() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    env.jobdir(&["status", "9"]).assert_code(3).assert_stdout("").assert_says("no job '9'");
    let output = env.jobdir(&["status", "9", "1"]);
    output.assert_code(3).assert_says("no job '9'");
    assert!(output.text().contains("succeeded"), "{output}");
    let output = env.jobdir(&["status", "--json", "9"]);
    output.assert_code(3).assert_stderr("");
    assert_eq!(output.json()["error"]["code"], "job_not_found");
    let output = env.jobdir(&["inspect", "--json", "9", "1"]);
    output.assert_code(3);
    let results = output.json()["results"].clone();
    let kinds: Vec<&str> = results.as_array().expect("results").iter().filter_map(|r| r["result"].as_str()).collect();
    assert_eq!(kinds.len(), 2);
    assert!(kinds.contains(&"not_found"), "{results}");
}

#[test]
fn a_running_job_tells_its_processes() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let job = env.status(&id);
    let (supervisor, _) = env.supervisor(&id);
    assert_eq!(job["supervisor_pid"], supervisor);
    assert!(job["ended_at"].is_null() && job["exit_code"].is_null() && job["duration_ms"].is_u64(), "{job}");
    let card = env.jobdir(&["status", &id]).text();
    assert!(card.contains(&format!("supervised by {supervisor}")), "{card}");
    env.stop_all();
}

#[test]
fn the_processes_of_a_running_job_are_a_tree() {
    let env = TestEnv::new();
    let witness = Witness::new();
    env.start(&[], &["spawn", "1", "[", "witness", &witness.address, "block", "]", "block"]);
    let mut command = witness.accept();
    let job = env.status("1");
    let tree = job["processes"].as_array().expect("a list");
    let told: Vec<_> = tree.iter().map(|one| (one["depth"].as_u64(), one["parent_pid"].clone())).collect();
    assert_eq!(told, [(Some(0), job["supervisor_pid"].clone()), (Some(1), job["pid"].clone())], "{job}");
    assert_eq!(tree[0]["pid"], job["pid"]);
    assert!(tree.iter().all(|one| one["memory_bytes"].as_u64() > Some(0) && one["cpu_ms"].is_u64()), "{job}");
    assert!(tree[1]["command"].as_str().is_some_and(|text| text.contains("witness")), "{job}");
    let card = env.jobdir(&["status", "1"]).text();
    assert!(card.contains("  2 processes, ") && card.contains(&format!("{} S ", tree[1]["pid"])), "{card}");
    // Lists do not look for them.
    assert!(env.jobdir(&["jobs", "--json"]).json()["jobs"][0]["processes"].is_null());
    env.stop_all();
    command.wait_for_death();
    assert!(env.status("1")["processes"].is_null());
}

#[test]
fn a_nested_job_is_not_part_of_the_tree() {
    let env = TestEnv::new();
    let jobdir = crate::support::env::jobdir().to_string_lossy().into_owned();
    let witness = Witness::new();
    let helper = crate::support::env::helper();
    env.jobdir(&["run", "-d", "--", &jobdir, "run", "--", &helper, "witness", &witness.address, "block"])
        .assert_code(0);
    let mut command = witness.accept();
    let commands = |id: &str| -> Vec<String> {
        let job = env.status(id);
        let tree = job["processes"].as_array().expect("a list").clone();
        tree.iter().filter_map(|one| Some(one["command"].as_str()?.to_owned())).collect()
    };
    let (outer, inner) = (commands("1"), commands("2"));
    assert!(outer.len() == 1 && outer[0].contains(" run -- "), "{outer:?}");
    assert!(inner.len() == 1 && inner[0].contains("witness"), "{inner:?}");
    env.stop_all();
    command.wait_for_death();
}

#[cfg(unix)]
#[test]
fn the_card_shows_the_last_lines_and_what_to_do_next() {
    let env = TestEnv::new();
    let script = "seq 20; printf '\\033[31mred\\033[0m\\a\\n'; echo oops >&2; exit 3";
    env.jobdir(&["run", "--", "sh", "-c", script]).assert_code(3);
    let card = env.jobdir(&["status", "1"]).text();
    assert!(card.contains("  last of stdout\n    17\n    18\n    19\n    20\n    red"), "{card}");
    assert!(
        card.contains("  last of stderr\n    oops\n") && !card.contains('\x1b') && !card.contains('\x07'),
        "{card}"
    );
    for next in ["jobdir logs 1", "jobdir resume 1", "jobdir delete 1"] {
        assert!(card.contains(next), "{card}");
    }
    let running = env.start(&["--stop-plan", "TERM:600s,KILL"], &["ignore", "TERM", "block"]);
    let says = |text: &str| {
        let card = env.jobdir(&["status", &running]).text();
        assert!(card.contains(text), "{card}");
    };
    says("jobdir kill 2");
    env.jobdir(&["pause", &running]).assert_code(0);
    says("jobdir unpause 2");
    env.jobdir(&["unpause", &running]).assert_code(0);
    env.jobdir(&["kill", "--timeout", "0", &running]).assert_code(1);
    crate::support::eventually("the stop", || (env.job_state(&running) == "stopping").then_some(()));
    says("jobdir kill --force 2");
    says("TERM:10m,KILL: SIGTERM since");
    env.stop_all();
}
