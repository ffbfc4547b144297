//! `run --observe`: one call for short and long commands alike.

use nix::sys::signal::Signal;

use crate::support::env::with_helper;
use crate::support::{TestEnv, Witness, eventually};

const LINGERS: [&str; 4] = ["--", "sh", "-c", "echo hello; echo oops >&2; exec sleep 600"];
const FAILS: [&str; 4] = ["--", "sh", "-c", "echo hello; echo oops >&2; exit 7"];

#[test]
fn what_takes_longer_is_handed_back() {
    let env = TestEnv::new();
    let output = env.jobdir(&[&["run", "--observe", "0.5"], &LINGERS[..]].concat());
    output.assert_code(122).assert_stdout("hello\n").assert_says("oops\n").assert_says("job 1 is running");
    for next in ["'jobdir wait 1'", "'jobdir logs -f 1'", "'jobdir kill 1'"] {
        output.assert_says(next);
    }
    assert_eq!(env.job_state("1"), "running");

    let output = env.jobdir(&[&["run", "--observe", "0.5", "--json"], &LINGERS[..]].concat());
    let told = output.assert_code(122).assert_stderr("").json();
    assert_eq!((&told["ended"], &told["job"]["state"]), (&false.into(), &"running".into()), "{told}");
    assert_eq!((&told["stdout"]["text"], &told["stderr"]["text"]), (&"hello\n".into(), &"oops\n".into()));
    assert_eq!((&told["cursor"], &told["next"][0]), (&"1:6:5".into(), &"jobdir wait 2".into()));
    env.stop_all();
}

#[test]
fn what_ends_in_time_is_told_with_its_own_code() {
    let env = TestEnv::new();
    env.jobdir(&[&["run", "--observe", "1m"], &FAILS[..]].concat()).assert_code(7).assert_stdout("hello\n");
    for options in [&["run", "--observe", "1m", "--json"][..], &["run", "--json", "--rm", "--observe", "1m"]] {
        let told = env.jobdir(&[options, &FAILS[..]].concat()).assert_code(7).assert_stderr("").json();
        assert_eq!((&told["ended"], &told["job"]["exit_code"]), (&true.into(), &7.into()), "{told}");
        assert_eq!((&told["stdout"]["text"], &told["stderr"]["text"]), (&"hello\n".into(), &"oops\n".into()));
    }
    let told = env.jobdir(&["resume", "1", "--observe", "1m", "--json"]).assert_code(7).json();
    assert_eq!((&told["job"]["attempt"], &told["stdout"]["text"]), (&2.into(), &"hello\n".into()));
    // It is deleted, but not before it has been told of.
    let told = env.jobdir(&["run", "--rm", "--observe", "1m", "--json", "--", "seq", "50000"]).assert_code(0).json();
    let text = told["stdout"]["text"].as_str().expect("text");
    assert!(text.ends_with("\n50000\n") && text.len() <= 16 << 10 && told["stdout"]["truncated"] == true);
    env.jobdir(&["run", "--observe", "1m", "--json", "--", "no-such-command"]).assert_code(127);
    env.jobdir(&["run", "--json", "--", "true"]).assert_code(125);
}

#[test]
fn a_silent_client_passes_signals_on_like_any_other() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let words = with_helper(&["run", "--observe", "1m", "--json"], &["witness", &witness.address, "block"]);
    let client = env.prepare(&words).spawn();
    let mut command = witness.accept();
    client.signal(Signal::SIGTERM);
    let told = client.wait().assert_code(143).assert_stderr("").json();
    assert_eq!((&told["ended"], &told["job"]["state"]), (&true.into(), &"interrupted".into()));
    command.wait_for_death();
}

#[test]
fn a_job_that_runs_already_is_looked_at() {
    let env = TestEnv::new();
    env.jobdir(&[&["run", "-d", "--name", "web"], &LINGERS[..]].concat()).assert_code(0);
    eventually("its output", || (!env.captured("1").is_empty()).then_some(()));
    let options = ["run", "--name", "web", "--if-running", "attach", "--observe", "500ms"];
    let output = env.jobdir(&[&options[..], &LINGERS[..]].concat());
    output.assert_code(122).assert_stdout("hello\n").assert_says("'jobdir wait 1' waits for it");
    let options = ["run", "--name", "web", "--if-running", "attach", "--observe", "0", "--json"];
    let told = env.jobdir(&[&options[..], &LINGERS[..]].concat()).assert_code(122).json();
    assert_eq!((&told["job"]["id"], &told["stdout"]["text"]), (&"1".into(), &"hello\n".into()));
    env.stop_all();
}

#[test]
fn what_is_handed_back_begins_with_a_line_and_tells_of_what_was_dropped() {
    let env = TestEnv::new();
    let told = env.jobdir(&["run", "--observe", "1m", "--json", "--", "seq", "10000"]).assert_code(0).json();
    let stdout = &told["stdout"];
    let text = stdout["text"].as_str().expect("text");
    assert!(text.len() > 16_000 && text.lines().all(|line| line.len() == 4 || line == "10000"), "{}", &text[..20]);
    assert_eq!(
        stdout["start"].as_u64().expect("a place") + text.len() as u64,
        stdout["end"].as_u64().expect("a place")
    );
    // Whoever looks on without showing anything keeps nothing from being dropped.
    let options = ["run", "--observe", "1m", "--json", "--log-max", "1M"];
    let told = env.run_helper(&options, &["stdout", "8388608", "exit", "0"]).assert_code(0).json();
    let dropped = told["job"]["output"]["dropped_bytes"].clone();
    assert!(dropped.as_u64() > Some(0), "{}", told["job"]["output"]);
    assert_eq!(told["stdout"]["dropped_bytes"], dropped);
}
