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
    env.run_helper(&["run", "--name", "first"], &["exit", "3"]).assert_code(3);
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
    env.jobdir(&["run", "-l", "k=\x1b[31m\n", "--", "echo", "\x1b[2J\nx"]).assert_code(0);
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

#[cfg(unix)]
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

#[cfg(unix)]
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

#[cfg(unix)]
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

#[test]
fn names_are_patterns_and_labels_may_have_any_value() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "web-1", "-l", "team=a"], &["exit", "0"]).assert_code(0);
    env.run_helper(&["run", "--name", "Web-2", "-l", "team=b"], &["exit", "1"]).assert_code(1);
    env.run_helper(&["run", "--name", "db"], &["exit", "0"]).assert_code(0);
    let ids = |words: &[&str]| env.jobdir(&[&["jobs", "-q"], words].concat()).assert_code(0).text();
    assert_eq!(ids(&["--name", "WEB-*"]), "1\n2\n");
    assert_eq!(ids(&["--name", "web-?", "--label", "team=b"]), "2\n");
    assert_eq!(ids(&["--name", "{db,web-1}"]), "1\n3\n");
    assert_eq!(ids(&["--name", "web"]), "", "a pattern means the whole name");
    assert_eq!(ids(&["--label", "team"]), "1\n2\n");
    assert_eq!(ids(&["--failed"]), "2\n");
    env.jobdir(&["jobs", "--name", "["]).assert_code(2).assert_stdout("").assert_says("not a pattern");
    env.jobdir(&["jobs", "--label", "no key"]).assert_code(2).assert_stdout("");
}

#[cfg(unix)]
#[test]
fn directories_and_times_are_filters() {
    use std::os::unix::fs::symlink;
    let env = TestEnv::new();
    let sub = env.work().join("sub");
    std::fs::create_dir(&sub).expect("makes");
    symlink(&sub, env.work().join("link")).expect("links");
    env.prepare(&with_helper(&["run"], &["exit", "0"])).cwd(&sub).run().assert_code(0);
    env.run_helper(&["run", "-C", "link"], &["exit", "0"]).assert_code(0);
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    let ids = |words: &[&str]| env.jobdir(&[&["jobs", "-q"], words].concat()).assert_code(0).text();
    assert_eq!(ids(&["--cwd", "sub"]), "1\n");
    assert_eq!(ids(&["--cwd", "link"]), "1\n2\n", "a link, and where it leads");
    assert_eq!(ids(&["--cwd", "/"]), "1\n2\n3\n");
    env.jobdir(&["jobs", "--cwd", "x", "--here"]).assert_code(2);
    assert_eq!(ids(&["--since", "1h"]), "1\n2\n3\n");
    assert_eq!(ids(&["--since", "2037-01-01"]), "");
    let created = env.status("3")["created_at"].as_str().expect("a time").to_owned();
    assert_eq!(ids(&["--since", &created]), "3\n");
    env.jobdir(&["jobs", "--since", "soon"]).assert_code(2).assert_stdout("").assert_says("'soon'");
}

#[test]
fn the_same_filters_serve_the_verbs_that_act() {
    let env = TestEnv::new();
    let first = env.start(&["--name", "web-1", "-l", "team=a"], &["block"]);
    let second = env.start(&["--name", "web-2"], &["block"]);
    let third = env.start(&["--name", "db"], &["block"]);
    let results = |words: &[&str]| {
        let document = env.jobdir(&[words, &["--json"]].concat()).assert_code(0).json();
        let results = document["results"].as_array().expect("results").clone();
        let word = |result: &serde_json::Value, key: &str| result[key].as_str().expect("a word").to_owned();
        results.iter().map(|r| format!("{} {}", word(r, "id"), word(r, "result"))).collect()
    };
    let none: Vec<String> = results(&["kill", "--failed"]);
    assert!(none.is_empty());
    env.jobdir(&["kill", "--name", "nobody"]).assert_code(0).assert_says("nothing was done");
    let paused: Vec<String> = results(&["pause", "--name", "web-*"]);
    assert_eq!(paused, [format!("{first} paused"), format!("{second} paused")]);
    let unpaused: Vec<String> = results(&["unpause", "--label", "team"]);
    assert_eq!(unpaused, [format!("{first} unpaused")]);
    let killed: Vec<String> = results(&["kill", "--force", "--name", "web-?", "--here"]);
    assert_eq!(killed, [format!("{first} stopped"), format!("{second} stopped")]);
    let abandoned: Vec<String> = results(&["abandon", "--kill", "--active"]);
    assert_eq!(abandoned, [format!("{third} abandoned")]);
    env.jobdir(&["wait", "--name", "web-*"]).assert_code(137);
    let deleted: Vec<String> = results(&["delete", "--state", "interrupted,abandoned", "--since", "1h"]);
    assert_eq!(deleted.len(), 3, "{deleted:?}");
    // Both at once would be a question of which counts.
    for verb in ["kill", "abandon", "delete", "pause", "unpause"] {
        env.jobdir(&[verb, "1", "--name", "x"]).assert_code(2).assert_stdout("").assert_says("cannot be used with");
        env.jobdir(&[verb]).assert_code(2).assert_stdout("");
    }
}

#[test]
fn lists_are_sorted_turned_round_and_cut() {
    let env = TestEnv::new();
    for (name, code) in [("b", "2"), ("c", "10"), ("a", "0")] {
        let code_number: i32 = code.parse().expect("a number");
        env.run_helper(&["run", "--name", name], &["exit", code]).assert_code(code_number);
    }
    let ids = |words: &[&str]| {
        env.jobdir(&[&["jobs", "-q"], words].concat()).assert_code(0).text().split_whitespace().collect::<String>()
    };
    assert_eq!(ids(&["--sort", "name"]), "312");
    assert_eq!(ids(&["--sort", "exit"]), "312", "numbers by their value");
    assert_eq!(ids(&["--sort", "age"]), "321", "the youngest first");
    assert_eq!(ids(&["--sort", "created_at", "--reverse"]), "321");
    assert_eq!(ids(&["--sort", "name", "-n", "2"]), "12", "the highest");
    assert_eq!(ids(&["-r", "-n", "2"]), "32");
    assert_eq!(ids(&["-n", "0"]), "");
    env.jobdir(&["jobs", "--sort", "nam"]).assert_code(2).assert_says("did you mean 'name'?");
}

#[test]
fn columns_and_templates_show_what_is_asked_for() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "n"], &["append", "$JOBDIR_META", "url=http://x/\u{1b}[31m", "exit", "3"])
        .assert_code(3);
    let text = |words: &[&str]| env.jobdir(&[&["jobs"], words].concat()).assert_code(0).text();
    assert_eq!(text(&["--columns", "id,state,exit,labels"]), "ID  STATE   EXIT  LABELS\n1   failed  3     -\n");
    assert_eq!(text(&["--columns", "meta.url,signal,id"]).lines().nth(1), Some("http://x/\\u{1b}[31m  -       1"));
    assert_eq!(
        text(&["--format", "{id}\\t{name} {{{exit_code}}} {signal}|{meta.url}"]),
        "1\tn {3} |http://x/\\u{1b}[31m\n"
    );
    assert_eq!(text(&["--format", "{output.stdout_bytes}{stop.signal}"]), "0\n");
    let line = text(&["--format", "ndjson"]);
    let job: serde_json::Value = serde_json::from_str(&line).expect("one line is one document");
    assert_eq!((&job["schema"], &job["id"]), (&"jobdir/job/1".into(), &"1".into()));
    let document = env.jobdir(&["jobs", "--format", "json"]);
    assert_eq!(document.json()["schema"], "jobdir/jobs/1");
    for (words, says) in [
        (["--format", "{exit_cod}"], "did you mean 'exit_code'?"),
        (["--format", "{id"], "single '{'"),
        (["--format", "xml"], "none of table, json, ndjson"),
        (["--columns", "id,stat"], "did you mean 'state'?"),
    ] {
        env.jobdir(&[&["jobs"], &words[..]].concat()).assert_code(2).assert_stdout("").assert_says(says);
    }
    for words in [&["-q", "--json"][..], &["--json", "--format", "table"], &["--columns", "id", "--format", "ndjson"]] {
        env.jobdir(&[&["jobs"], words].concat()).assert_code(2);
    }
    // Whoever asks for JSON gets refusals as JSON.
    let refusal = env.jobdir(&["jobs", "--format", "json", "--state", "asleep"]);
    refusal.assert_code(2).assert_stderr("");
    assert_eq!(refusal.json()["error"]["code"], "usage");
}

#[test]
fn one_value_is_null_when_there_is_none_and_unknown_when_it_cannot_be() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    env.jobdir(&["status", "-P", "stop.signal", "1"]).assert_code(0).assert_stdout("\n");
    env.jobdir(&["status", "-P", "attempts.0.exit_code", "1"]).assert_code(0).assert_stdout("0\n");
    env.jobdir(&["status", "-P", "stop.sgnal", "1"]).assert_code(1).assert_stdout("").assert_says("'stop.signal'");
}

#[cfg(unix)]
#[test]
fn the_list_is_valid_and_complete_while_jobs_come_and_go() {
    let env = TestEnv::new();
    let stays: Vec<String> = (0..3).map(|_| env.start(&[], &["block"])).collect();
    let script = r#"while [ ! -e over ]; do "$0" run --rm -- true || exit; echo; done"#;
    let program = crate::support::env::jobdir().to_string_lossy().into_owned();
    let workers: Vec<_> = (0..3).map(|_| env.program("sh", &["-c", script, &program]).spawn()).collect();
    let mut seen = 0;
    for look in 0..120 {
        let words = if look % 2 == 0 { &["jobs", "--json"][..] } else { &["jobs", "--format", "ndjson"] };
        let output = env.jobdir(words);
        output.assert_code(0).assert_stderr("");
        let jobs = if look % 2 == 0 {
            output.json()["jobs"].as_array().expect("jobs").clone()
        } else {
            output.text().lines().map(|line| serde_json::from_str(line).expect("a document")).collect()
        };
        let ids: Vec<u64> = jobs.iter().map(|job| job["id"].as_str().expect("an id").parse().expect("one")).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "each once, in order: {ids:?}");
        for id in &stays {
            let job = jobs.iter().find(|job| job["id"] == id.as_str()).unwrap_or_else(|| panic!("job {id} is missing"));
            assert_eq!(job["state"], "running");
        }
        for job in &jobs {
            let state = job["state"].as_str().expect("a state");
            assert!(["starting", "running", "succeeded"].contains(&state), "{job}");
        }
        seen += jobs.len() - stays.len();
    }
    std::fs::write(env.work().join("over"), "").expect("writes");
    let came: usize = workers.into_iter().map(|worker| worker.wait().assert_code(0).text().lines().count()).sum();
    assert!(seen > 0 && came > 20, "{came} jobs came and went, {seen} were seen");
    env.stop_all();
}
