//! `jobdir run` in the foreground: what it shows and how it ends.

use crate::support::env::{helper, jobdir};
use crate::support::{TestEnv, Witness, hears_signals, words};

#[cfg(unix)]
#[test]
fn what_comes_behind_the_command_is_its_own() {
    let env = TestEnv::new();
    // Each of these words is an option of jobdir, too.
    for words in
        ["-d", "-l a", "--timeout 5", "--json", "x -e A -- --name", "--no-such-option", "--help", "--profile x"]
    {
        let line: Vec<&str> = ["run", "printf", "%s "].into_iter().chain(words.split(' ')).collect();
        env.program(jobdir(), &line).run().assert_code(0).assert_stdout(&format!("{words} ")).assert_stderr("");
    }
    // Not even a refusal takes it for its own.
    let output = env.program(jobdir(), &["run", "no-such-command", "--json"]).run();
    output.assert_code(127).assert_stdout("").assert_says("error:");
    env.jobdir(&["run", "--", "echo", "--", "-d"]).assert_code(0).assert_stdout("-- -d\n");
}

#[cfg(unix)]
#[test]
fn a_likely_mistake_is_explained() {
    let env = TestEnv::new();
    for (words, says) in [
        (&["run", "--timeout", "5", "10", "sleep"][..], "'10' was taken for the command"),
        (&["run", "ls -la | head"], "jobdir run -- sh -c 'ls -la | head'"),
        (&["run", "nosuch", "|", "head"], "jobdir run -- sh -c 'nosuch | head'"),
        (&["run", "cd", "/"], "'cd' is part of the shell"),
        (&["run", "no-such-command"], "'jobdir resume"),
    ] {
        env.jobdir(words).assert_code(127).assert_stdout("").assert_says(says);
    }
    env.jobdir(&["run", "-x", "ls"]).assert_code(125).assert_says("options before the command are jobdir's");
    env.jobdir(&["run", "--timeuot", "5", "ls"]).assert_code(125).assert_says("--timeout");
    env.jobdir(&["jbos"]).assert_code(2).assert_says("'jobs'");
    env.jobdir(&["jobs", "--jsno"]).assert_code(2).assert_says("--json");
}

#[test]
fn the_exit_code_of_the_command_becomes_ours() {
    let env = TestEnv::new();
    for code in [0, 1, 3, 125, 255] {
        env.run_helper(&["run"], &["exit", &code.to_string()]).assert_code(code).assert_stdout("").assert_stderr("");
    }
    let states: Vec<String> = ["1", "2", "5"].iter().map(|id| env.job_state(id)).collect();
    assert_eq!(states, ["succeeded", "failed", "failed"]);
}

#[cfg(unix)]
#[test]
fn a_command_that_dies_of_a_signal_gives_128_and_its_number() {
    let env = TestEnv::new();
    for (signal, code) in [("TERM", 143), ("SEGV", 139), ("PIPE", 141), ("USR1", 138)] {
        env.run_helper(&["run"], &["die", signal]).assert_code(code);
    }
    let job = env.status("1");
    assert_eq!(job["state"], "failed");
    assert_eq!(job["error_kind"], "job_failure");
    assert_eq!(job["signal"], "SIGTERM");
    assert!(job["exit_code"].is_null() && job["reason"].is_null(), "{job}");
}

#[cfg(unix)]
#[test]
fn a_kill_that_nobody_here_sent_is_a_failure_of_the_job() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["die", "KILL"]).assert_code(137).assert_says("SIGKILL");
    let job = env.status("1");
    assert_eq!(
        (&job["state"], &job["error_kind"], &job["signal"]),
        (&"failed".into(), &"job_failure".into(), &"SIGKILL".into())
    );
    assert!(job["reason"].is_null(), "{job}");
}

#[test]
fn no_exit_code_of_a_job_looks_like_a_fault_of_jobdir() {
    let env = TestEnv::new();
    for code in [120, 121, 122, 123, 124, 125, 126, 127, 130] {
        env.run_helper(&["run"], &["exit", &code.to_string()]).assert_code(code);
        let job = env.status("@last");
        assert_eq!((&job["state"], &job["error_kind"]), (&"failed".into(), &"job_failure".into()));
        assert_eq!(job["exit_code"], code);
    }
}

#[test]
fn stdout_goes_to_stdout_and_stderr_to_stderr() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["out", "one", "err", "two", "out", "three"])
        .assert_code(0)
        .assert_stdout("one\nthree\n")
        .assert_stderr("two\n");
}

#[test]
fn output_passes_byte_for_byte_and_is_kept() {
    let env = TestEnv::new();
    let output = env.run_helper(&["run"], &["hex", "ff00c3280d0a80"]);
    output.assert_code(0);
    assert_eq!(output.stdout, [0xff, 0, 0xc3, 0x28, 0x0d, 0x0a, 0x80]);
    assert_eq!(env.captured("1"), output.stdout);
}

#[test]
fn output_that_does_not_end_with_a_newline_gets_none() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["hex", "6162"]).assert_code(0).assert_stdout("ab");
}

#[test]
fn merged_output_keeps_its_order() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--merge-output"], &["out", "1", "err", "2", "out", "3", "err", "4"])
        .assert_code(0)
        .assert_stdout("1\n2\n3\n4\n")
        .assert_stderr("");
    assert!(env.status("1")["output"]["stderr_path"].is_null());
}

#[test]
fn output_is_shown_while_the_job_runs() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let arguments = crate::support::env::with_helper(
        &["run"],
        &["witness", &witness.address, "out", "early", "tell", "printed", "await", "out", "late"],
    );
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let client = env.prepare(&arguments).spawn_with(None, writer.into(), None);
    let mut process = witness.accept();
    assert_eq!(process.line(), "printed");
    let mut bytes = [0; 6];
    std::io::Read::read_exact(&mut reader, &mut bytes).expect("reads");
    assert_eq!(&bytes, b"early\n");
    process.go();
    client.wait().assert_code(0);
}

#[test]
fn nothing_of_the_command_lives_when_run_returns() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let stray = ["witness", witness.address.as_str(), "block"];
    let actions: Vec<&str> = ["witness", &witness.address, "spawn", "1", "["]
        .into_iter()
        .chain(stray)
        .chain(["]", "await", "exit", "4"])
        .collect();
    let client = env.prepare(&crate::support::env::with_helper(&["run"], &actions)).spawn();
    let (mut first, mut second) = (witness.accept(), witness.accept());
    // Whichever it is, only the leader listens.
    first.go();
    second.go();
    client.wait().assert_code(4).assert_says("outlived");
    first.assert_dead();
    second.assert_dead();
    assert_eq!(env.status("1")["exit_code"], 4);
}

#[test]
fn everything_after_the_separator_is_the_command() {
    let env = TestEnv::new();
    let output = env.run_helper(&["run"], &["args", "-d", "--json", "", "a b", "--", "$HOME", "*", "ü\n"]);
    output.assert_code(0).assert_stdout("[\"-d\",\"--json\",\"\",\"a b\",\"--\",\"$HOME\",\"*\",\"ü\\n\"]\n");
}

#[test]
fn the_separator_may_be_left_out() {
    let env = TestEnv::new();
    env.jobdir(&["run", &helper(), "args", "-d", "--help"]).assert_code(0).assert_stdout("[\"-d\",\"--help\"]\n");
}

#[test]
fn an_ordinary_end_says_nothing() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "7"]).assert_code(7).assert_stderr("");
}

#[test]
fn a_time_limit_stops_the_job_and_gives_124() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let output = env.run_helper(&["run", "--timeout", "100ms"], &["block"]);
    output.assert_code(124).assert_stdout("");
    let job = env.status("1");
    assert_eq!(job["state"], "timed_out");
    assert_eq!((&job["error_kind"], &job["reason"]), (&"timeout".into(), &"timeout".into()));
    assert_eq!(job["signal"], "SIGTERM");
}

#[cfg(unix)]
#[test]
fn an_answer_of_exit_0_does_not_hide_a_time_limit() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--timeout", "100ms"], &["trap", "TERM", "TERM", "exit", "0"]).assert_code(124);
    let job = env.status("1");
    assert_eq!((&job["state"], &job["exit_code"]), (&"timed_out".into(), &0.into()));
}

#[test]
fn a_limit_of_0_or_off_is_none() {
    let env = TestEnv::new();
    for limit in ["0", "off"] {
        env.run_helper(&["run", "--timeout", limit, "--idle-timeout", limit], &["exit", "5"]).assert_code(5);
    }
}

#[test]
fn a_job_that_neither_prints_nor_computes_reaches_its_idle_limit() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    env.run_helper(&["run", "--idle-timeout", "200ms"], &["out", "x", "block"]).assert_code(124).assert_stdout("x\n");
    let job = env.status("1");
    assert_eq!((&job["state"], &job["reason"]), (&"timed_out".into(), &"idle_timeout".into()));
}

#[test]
fn computing_is_no_idleness() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--idle-timeout", "2s"], &["burn", "2500", "exit", "6"]).assert_code(6);
}

#[cfg(unix)]
#[test]
fn an_early_signal_comes_before_the_time_limit() {
    let env = TestEnv::new();
    let options = ["run", "--timeout", "60s", "--early-signal", "USR1@59900ms"];
    env.run_helper(&options, &["trap", "USR1", "USR1", "exit", "9"]).assert_code(9).assert_stdout("ready\ngot USR1\n");
}

#[test]
fn the_id_file_is_complete_before_the_command_starts() {
    let env = TestEnv::new();
    let path = env.work().join("id");
    let path = path.to_string_lossy();
    env.jobdir(&["run", "--id-file", &path, "--", "cat", &path]).assert_code(0).assert_stdout("1\n");
}

#[cfg(unix)]
#[test]
fn a_command_in_path_is_found_in_the_path_of_the_job() {
    let env = TestEnv::new();
    let bin = env.work().join("bin");
    std::fs::create_dir(&bin).expect("makes");
    std::os::unix::fs::symlink(helper(), bin.join("my-own-tool")).expect("links");
    env.jobdir(&["run", "--", "my-own-tool", "exit", "3"]).assert_code(127);
    let path = format!("PATH={}", bin.display());
    env.jobdir(&["run", "-e", &path, "--", "my-own-tool", "exit", "3"]).assert_code(3);
}

#[cfg(unix)]
#[test]
fn a_script_without_an_interpreter_line_runs() {
    let env = TestEnv::new();
    let script = env.work().join("script");
    std::fs::write(&script, "exit 3\n").expect("writes");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("executable");
    env.jobdir(&["run", "--", "./script"]).assert_code(3);
}

#[cfg(unix)]
#[test]
fn finally_steps_run_after_the_command_and_know_how_it_ended() {
    let env = TestEnv::new();
    let step = r#"echo "$JOBDIR_STATE $JOBDIR_EXIT_CODE [$JOBDIR_SIGNAL] [$JOBDIR_CANCELLED]""#;
    let output = env.run_helper(&["run", "--finally", step, "--finally", "exit 3"], &["exit", "8"]);
    output.assert_code(8).assert_stdout("");
    let log = std::fs::read_to_string(env.job_dir("1").join("attempts/1/finally.log")).expect("reads");
    assert_eq!(log, "failed 8 [] []\n");
    let finally = &env.status("1")["finally"];
    assert_eq!(finally["steps"][0]["exit_code"], 0);
    assert_eq!(finally["steps"][1]["exit_code"], 3);
}

#[test]
fn ids_are_small_and_never_used_again() {
    let env = TestEnv::new();
    let mut ids: Vec<String> = Vec::new();
    for _ in 0..3 {
        env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
        ids.push(env.status("@last")["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(words(&ids), ["1", "2", "3"]);
}
