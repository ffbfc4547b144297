//! `jobdir jobs`: the list, for people and for programs.

use crate::support::TestEnv;
use crate::support::env::with_helper;

#[test]
fn without_a_state_directory_there_are_no_jobs_and_none_is_made() {
    let env = TestEnv::new();
    env.jobdir(&["jobs"]).assert_code(0);
    env.jobdir(&["jobs", "-q"]).assert_code(0).assert_stdout("");
    let output = env.jobdir(&["jobs", "--json"]);
    output.assert_code(0);
    assert_eq!(output.json()["jobs"], serde_json::json!([]));
    assert!(!env.state().exists());
}

#[test]
fn the_table_has_capital_headers_and_a_row_for_each_job() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--name", "first", "--", "sh", "-c", "exit 3"]).assert_code(3);
    let id = env.start(&[], &["block"]);
    let text = env.jobdir(&["jobs"]).text();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].iter().all(|header| header.chars().all(|c| c.is_ascii_uppercase())), "{text}");
    assert_eq!(lines[1][..4], ["1", "first", "failed", "3"]);
    assert_eq!(lines[2][..4], [id.as_str(), "-", "running", "-"]);
    assert!(!text.contains('\x1b'), "a pipe gets no colour");
    for alias in ["ps", "ls"] {
        assert_eq!(env.jobdir(&[alias, "-q"]).text(), "1\n2\n");
    }
    env.stop_all();
}

#[test]
fn control_characters_are_escaped() {
    let env = TestEnv::new();
    env.jobdir(&["run", "-l", "k=\x1b[31m\n", "--", "printf", "\x1b[2J\nx"]).assert_code(0);
    for words in [&["jobs"][..], &["jobs", "-a"], &["status", "1"]] {
        let output = env.jobdir(words);
        output.assert_code(0);
        assert!(!output.stdout.contains(&0x1b), "{output}");
    }
    assert_eq!(env.jobdir(&["jobs"]).text().lines().count(), 2);
}

#[test]
fn the_table_shows_the_last_20_that_ended_and_says_how_many_more_there_are() {
    let env = TestEnv::new();
    let clients: Vec<_> = (0..23).map(|_| env.prepare(&with_helper(&["run"], &["exit", "0"])).spawn()).collect();
    for client in clients {
        client.wait().assert_code(0);
    }
    let output = env.jobdir(&["jobs"]);
    output.assert_code(0).assert_says("3 jobs");
    assert_eq!(output.text().lines().count(), 21);
    assert_eq!(env.jobdir(&["jobs", "--all"]).text().lines().count(), 24);
    assert_eq!(env.jobdir(&["jobs", "-q"]).text().lines().count(), 23);
    assert_eq!(env.jobdir(&["jobs", "--json"]).json()["jobs"].as_array().map(Vec::len), Some(23));
    env.jobdir(&["jobs", "-q", "-n", "2"]).assert_stdout("22\n23\n");
}

#[test]
fn filters_admit_what_they_say() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    env.run_helper(&["run", "--name", "bad"], &["exit", "1"]).assert_code(1);
    let id = env.start(&[], &["block"]);
    let ids = |words: &[&str]| env.jobdir(&[&["jobs", "-q"], words].concat()).text();
    assert_eq!(ids(&["--state", "failed"]), "2\n");
    assert_eq!(ids(&["--state", "failed,succeeded"]), "1\n2\n");
    assert_eq!(ids(&["--active"]), format!("{id}\n"));
    assert_eq!(ids(&["--name", "BAD"]), "2\n");
    assert_eq!(ids(&["--name", "nobody"]), "");
    assert_eq!(ids(&["--here"]), "1\n2\n3\n");
    assert_eq!(env.prepare(&["jobs", "-q", "--here"]).cwd(env.root().join("home")).run().text(), "");
    env.jobdir(&["jobs", "--state", "asleep"]).assert_code(2).assert_stdout("");
    env.stop_all();
}

#[test]
fn one_bad_job_is_one_corrupt_row() {
    let env = TestEnv::new();
    for _ in 0..7 {
        env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    }
    env.damage();
    let write = |id: &str, file: &str, text: &str| std::fs::write(env.job_dir(id).join(file), text).expect("writes");
    write("1", "job.json", "");
    write("2", "spec.json", "{\"half\":");
    std::fs::remove_file(env.job_dir("3").join("job.json")).expect("removes");
    write("4", "job.json", &std::fs::read_to_string(env.job_dir("5").join("job.json")).expect("reads"));
    std::fs::remove_file(env.job_dir("6").join("job.json")).expect("removes");
    nix::unistd::mkfifo(&env.job_dir("6").join("job.json"), nix::sys::stat::Mode::S_IRWXU).expect("makes");
    std::fs::create_dir(env.state().join("jobs/8")).expect("makes");
    std::fs::write(env.state().join("jobs/stray-file"), "").expect("writes");
    let output = env.jobdir(&["jobs", "--json"]);
    output.assert_code(0);
    let states: Vec<(String, String)> = output.json()["jobs"]
        .as_array()
        .expect("jobs")
        .iter()
        .map(|job| (job["id"].as_str().expect("an id").into(), job["state"].as_str().expect("a state").into()))
        .collect();
    for (id, state) in &states {
        let expected = if ["5", "7"].contains(&id.as_str()) { "succeeded" } else { "corrupt" };
        assert_eq!(state, expected, "job {id}");
    }
    assert_eq!(states.len(), 8);
    let job = env.status("1");
    assert!(job["exit_code"].is_null() && job["command"].is_null() && job["message"].is_string(), "{job}");
    assert_eq!(env.jobdir(&["jobs"]).text().matches("corrupt").count(), 6);
    env.jobdir(&["kill", "1"]).assert_code(1).assert_says("delete");
}

#[test]
fn the_list_ends_quietly_when_its_reader_has_gone() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    for words in [&["jobs"][..], &["jobs", "--json"], &["logs", "1"], &["events", "1"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        env.prepare(words).spawn_with(None, writer.into(), None).wait().assert_code(0).assert_stderr("");
    }
}

#[test]
fn a_directory_that_can_only_be_read_can_be_looked_at() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "hello"]).assert_code(0);
    let program = env.root().join("jobdir");
    std::fs::copy(crate::support::env::jobdir(), &program).expect("copies");
    let state = env.state().to_string_lossy().into_owned();
    // For root nothing is read-only: somebody else looks, who may read but not write.
    if !nix::unistd::geteuid().is_root() || !std::path::Path::new("/usr/bin/setpriv").exists() {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    env.damage();
    let script = r#"find "$0" -type d -exec chmod 755 {} + && find "$0" -type f -exec chmod 644 {} +"#;
    env.program("sh", &["-c", script, &env.root().to_string_lossy()]).run().assert_code(0);
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("executable");
    let program = program.to_string_lossy().into_owned();
    let as_nobody = |words: &[&str]| {
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups", &program, "--state-dir", &state];
        env.program("setpriv", &[&user, words].concat()).run()
    };
    as_nobody(&["jobs", "-q"]).assert_code(0).assert_stdout("1\n");
    as_nobody(&["status", "-P", "state", "1"]).assert_code(0).assert_stdout("succeeded\n");
    as_nobody(&["logs", "1"]).assert_code(0).assert_stdout("hello\n");
    as_nobody(&["wait", "1"]).assert_code(0);
    as_nobody(&["run", "--", "true"]).assert_code(125).assert_stdout("").assert_says("belongs to");
}
