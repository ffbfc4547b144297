//! The configuration file: whose word counts, what is refused, and that nothing but `run` and `resume` depends on it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Output, TestEnv};

fn file(env: &TestEnv) -> PathBuf {
    env.root().join("home/.config/jobdir/config.toml")
}

fn configure(env: &TestEnv, text: &str) {
    let file = file(env);
    std::fs::create_dir_all(file.parent().expect("a directory")).expect("makes");
    std::fs::write(&file, text).expect("writes");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("changes");
}

/// Starts a job, and returns its spec from the disk.
#[track_caller]
fn spec(env: &TestEnv, options: &[&str]) -> Value {
    let words = [&["run"], options, &["--", "true"]].concat();
    env.jobdir(&words).assert_code(0);
    let id = env.jobdir(&["status", "-P", "id", "@last"]).text();
    crate::support::env::read_json(&env.job_dir(id.trim()).join("spec.json"))
}

#[track_caller]
fn refused(output: &Output, code: i32, says: &[&str]) {
    output.assert_code(code).assert_stdout("");
    for text in says {
        output.assert_says(text);
    }
}

#[test]
fn the_command_line_wins_over_the_profile_and_that_over_run() {
    let env = TestEnv::new();
    configure(
        &env,
        "[run]\ntimeout = '1h'\nretries = 3\nlabel = ['team=web', 'kind=plain']\ngrace = 5\n\n\
         [profiles.ci]\nretries = 2\nlabel = ['kind=ci']\nstop-plan = 'github'\nname = 'nightly'\n",
    );
    let plain = spec(&env, &[]);
    assert_eq!((&plain["stop"]["timeout_ms"], &plain["retry"]["retries"]), (&json!(3_600_000), &json!(3)));
    assert_eq!(plain["labels"], json!({"kind": "plain", "team": "web"}));
    let ci = spec(&env, &["--profile", "ci", "--timeout", "off", "-l", "team=core"]);
    assert_eq!((&ci["stop"]["timeout_ms"], &ci["retry"]["retries"]), (&json!(null), &json!(2)));
    // Lists add up; of the same key the weightier one counts.
    assert_eq!(ci["labels"], json!({"kind": "ci", "team": "core"}));
    assert_eq!(ci["name"], "nightly");
    assert_eq!(spec(&env, &["--profile=ci", "--retries", "7", "--name", "other"])["retry"]["retries"], 7);
    // What comes behind the command is the command's.
    env.jobdir(&["run", "echo", "--profile", "ci"]).assert_code(0).assert_stdout("--profile ci\n");
    env.jobdir(&["--state-dir", "run", "-v", "run", "echo", "x"]).assert_code(0).assert_stdout("x\n");
    let told = env.jobdir(&["run", "-v", "--profile", "ci", "--name", "v", "true"]);
    told.assert_code(0).assert_says("state directory '").assert_says("defaults from [profiles.ci], [run] of '");
}

#[test]
fn flags_are_set_unset_and_give_way() {
    let env = TestEnv::new();
    configure(
        &env,
        "[run]\ndetach = true\nrm = false\njson = false\n[profiles.here]\ndetach = false\n[profiles.look]\nobserve = '1m'\n",
    );
    let echo = |options: &[&str]| env.jobdir(&[&["run"], options, &["--", "echo", "hello"]].concat());
    let id = echo(&[]).assert_code(0).id();
    env.jobdir(&["wait", &id]).assert_code(0);
    for options in [&["--no-detach"][..], &["--profile", "here"], &["--observe", "1m"], &["--profile", "look"]] {
        echo(options).assert_code(0).assert_stdout("hello\n");
    }
    env.jobdir(&["run", "-d", "--no-detach", "--", "true"]).assert_code(125).assert_says("--no-detach");
    // Not shown, since it is of use only with a file.
    assert!(!env.jobdir(&["run", "--help"]).text().contains("--no-rm"));
}

#[test]
fn what_means_something_only_beside_another_option_waits_for_it() {
    let env = TestEnv::new();
    configure(
        &env,
        "[run]\nif-running = 'skip'\nearly-signal = 'USR1@1s'\njson = true\n[profiles.web]\nname = 'web'\n",
    );
    assert_eq!(spec(&env, &[])["stop"]["early_signal"], json!(null));
    assert!(spec(&env, &["--timeout", "1h"])["stop"]["early_signal"].is_object());
    let first = env.prepare(&["run", "-d", "--profile", "web", "--", "sleep", "600"]).run().json();
    // It skips, and says so in JSON.
    let second = env.prepare(&["run", "-d", "--profile", "web", "--", "true"]).run();
    assert_eq!(second.assert_code(0).json()["id"], first["id"]);
    env.jobdir(&["run", "--if-running", "skip", "--profile", "web", "-d", "--", "true"]).assert_code(0);
    env.stop_all();
}

#[test]
fn a_later_attempt_goes_on_as_it_began_unless_a_profile_is_named() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--timeout", "5m", "--", "true"]).assert_code(0);
    configure(&env, "[run]\ntimeout = '1h'\n[profiles.long]\ntimeout = '2h'\nname = 'x'\n");
    env.jobdir(&["resume", "1"]).assert_code(0);
    assert!(!env.job_dir("1").join("attempts/2/spec.json").exists(), "it has the spec of the job");
    env.jobdir(&["resume", "--profile", "long", "1"]).assert_code(0);
    let spec = crate::support::env::read_json(&env.job_dir("1").join("attempts/3/spec.json"));
    assert_eq!((&spec["stop"]["timeout_ms"], &spec["name"]), (&json!(7_200_000), &json!(null)));
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_key() {
    let env = TestEnv::new();
    let path = file(&env).display().to_string();
    for (text, says) in [
        ("[run]\n\ntimeuot = 3\n", &["line 3", "timeuot in [run]", "did you mean 'timeout'?"][..]),
        (
            "[profiles.ci]\nidle_timeout = 3\n[run]\nretries = 1\n",
            &["line 2", "[profiles.ci]", "did you mean 'idle-timeout'?"],
        ),
        ("[run]\ntimeout = ['1h']\n", &["line 2", "timeout in [run]: it is one text or number"]),
        ("[run]\ndetach = 'yes'\n", &["line 2", "detach in [run]: it is either true or false", "detach = true"]),
        ("[run]\nlabel = true\n", &["line 2", "label in [run]: it is a list of texts"]),
        ("[run]\ntimeout = 'soon'\n", &["line 2", "timeout in [run]", "'soon'"]),
        ("[run]\nlabel = ['a=1', 'b']\n", &["line 2", "label in [run]", "'b'"]),
        ("[run]\nprofile = 'ci'\n", &["line 2", "profile in [run]: 'run' has no such option"]),
        ("[run]\nno-detach = true\n", &["line 2", "no-detach in [run]: 'run' has no such option"]),
        ("[rnu]\n", &["line 1", "unknown key 'rnu'", "did you mean 'run'?"]),
        ("[run]\ndetach = true\nobserve = 3\n", &["detach", "observe"]),
        ("[run]\ntimeout = \n", &["line 2", "TOML"]),
    ] {
        configure(&env, text);
        let output = env.jobdir(&["run", "--", "true"]);
        refused(&output, 125, says);
        output.assert_says(&path);
        assert!(!env.state().exists(), "nothing was begun: {output}");
    }
    for text in ["[run]\ntimeout = 'soon'\n", "[profiles.unused]\ntimeout = 'soon'\n", "[retention]\nkeep = 'all'\n"] {
        configure(&env, text);
        refused(&env.jobdir(&["config"]), 1, &[&path, "line 2"]);
    }
    let output = env.jobdir(&["run", "-d", "--json", "--", "true"]);
    assert_eq!(output.assert_code(125).json()["error"]["code"], "config");
    configure(&env, "[profiles.ci]\ntimeout = 3\n");
    refused(&env.jobdir(&["run", "--profile", "cl", "--", "true"]), 125, &["no profile 'cl'", "did you mean 'ci'?"]);
    // Its mistakes are nobody else's business: what runs can be looked at and stopped.
    configure(&env, "nonsense");
    for words in [&["jobs"][..], &["kill", "--all"], &["wait", "--all"], &["prune"], &["capabilities"]] {
        env.jobdir(words).assert_code(0);
    }
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let env = TestEnv::new();
    configure(&env, "[run]\nfinally = 'echo mine'\n");
    let mode = |mode| std::fs::set_permissions(file(&env), PermissionsExt::from_mode(mode)).expect("changes");
    for bad in [0o666, 0o664, 0o602] {
        mode(bad);
        refused(&env.jobdir(&["run", "--", "true"]), 125, &["can be written by others", "chmod go-w"]);
    }
    mode(0o600);
    env.jobdir(&["run", "--", "true"]).assert_code(0).assert_says("mine");
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(file(&env), Some(65534), None).expect("gives away");
        refused(&env.jobdir(&["run", "--", "true"]), 125, &["belongs to"]);
    }
}

#[test]
fn the_file_may_be_a_link_but_nothing_that_blocks_or_floods() {
    let env = TestEnv::new();
    configure(&env, "");
    let real = env.root().join("dotfiles.toml");
    std::fs::write(&real, "[run]\nretries = 4\n").expect("writes");
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o600)).expect("changes");
    std::fs::remove_file(file(&env)).expect("removes");
    symlink(&real, file(&env)).expect("links");
    assert_eq!(spec(&env, &[])["retry"]["retries"], 4);
    std::fs::write(&real, vec![b'\n'; (64 << 10) + 1]).expect("writes");
    refused(&env.jobdir(&["run", "--", "true"]), 125, &["larger than 64 KiB"]);
    std::fs::write(&real, b"\xff").expect("writes");
    refused(&env.jobdir(&["run", "--", "true"]), 125, &["UTF-8"]);
    std::fs::remove_file(&real).expect("removes");
    assert_eq!(spec(&env, &[])["retry"]["retries"], 0);
    nix::unistd::mkfifo(&real, nix::sys::stat::Mode::S_IRUSR).expect("makes");
    refused(&env.jobdir(&["run", "--", "true"]), 125, &["regular file"]);
    // Where there can be none.
    env.prepare(&["run", "--", "true"]).env("XDG_CONFIG_HOME", "/dev/null").run().assert_code(0);
}

#[test]
fn it_is_shown_with_its_origins_and_no_value_of_a_variable() {
    let env = TestEnv::new();
    let plain = env.jobdir(&["config", "--json"]).assert_code(0).json();
    assert_eq!((&plain["found"], &plain["path"]), (&json!(false), &json!(file(&env))));
    let of = |document: &Value, name: &str| {
        let settings =
            ["run", "retention"].iter().flat_map(|key| document[key].as_array().cloned().unwrap_or_default());
        settings.filter(|setting| setting["name"] == name).collect::<Vec<_>>()
    };
    assert_eq!(
        of(&plain, "leftovers"),
        [json!({"name": "leftovers", "value": "kill", "source": "built_in", "line": null})]
    );
    assert_eq!(plain["state_dir"]["source"], "environment");

    configure(
        &env,
        "[run]\ntimeout = '1h'\nenv = ['TOKEN=hunter2', 'HOME']\nrm = true\n[profiles.ci]\ntimeout = 90\nlabel = 'a=1'\n[retention]\nkeep = 5\n",
    );
    let ci = env.jobdir(&["config", "--json", "--profile", "ci"]).assert_code(0).json();
    assert_eq!(of(&ci, "timeout"), [json!({"name": "timeout", "value": "90", "source": "profile", "line": 6})]);
    assert_eq!(of(&ci, "env"), [json!({"name": "env", "value": ["TOKEN", "HOME"], "source": "file", "line": 3})]);
    assert_eq!(of(&ci, "rm")[0]["value"], true);
    assert_eq!((&of(&ci, "keep")[0]["value"], &of(&ci, "older-than")[0]["value"]), (&json!("5"), &json!("30d")));
    let shown = env.jobdir(&["config", "--profile", "ci"]).assert_code(0).text();
    for line in ["timeout          [profiles.ci], line 6  90", "keep             [retention], line 9", "built in"] {
        assert!(shown.contains(line), "{line}:\n{shown}");
    }
    assert!(!shown.contains("hunter2"));
    refused(&env.jobdir(&["config", "--profile", "no"]), 1, &["no profile 'no'", "it has ci"]);
}

#[test]
fn ended_jobs_are_kept_as_long_as_it_says() {
    let env = TestEnv::new();
    configure(&env, "[retention]\nolder-than = '1ms'\nkeep = 3\n");
    // One job in 64 sweeps up after others when it has ended.
    for _ in 0..64 {
        env.jobdir(&["run", "--", "true"]).assert_code(0);
    }
    crate::support::eventually("the last three", || {
        (env.jobdir(&["jobs", "-q"]).text().lines().count() == 3).then_some(())
    });
}

#[test]
fn jobs_that_cannot_be_retired_do_not_stand_before_the_others() {
    let env = TestEnv::new();
    env.damage();
    configure(&env, "[retention]\nolder-than = '1ms'\nkeep = 0\n");
    env.jobdir(&["run", "--rm", "--", "true"]).assert_code(0);
    // More than are looked at in one go, all of them unreadable.
    for id in 2..=310 {
        std::fs::create_dir(env.job_dir(&id.to_string())).expect("makes");
    }
    std::fs::write(env.state().join("ids"), ".".repeat(310)).expect("writes");
    // The last one of these sweeps, and is in the part that is looked at then, wherever that begins.
    for _ in 311..=320 {
        env.jobdir(&["run", "--", "true"]).assert_code(0);
    }
    crate::support::eventually("that the last one is retired", || (!env.job_dir("320").exists()).then_some(()));
}
