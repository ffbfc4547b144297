//! The foreground client: a spectator with a telephone. What it gets, what it passes on, and that losing it loses nothing.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::signal::Signal;
use sha_free::digest;

use crate::support::env::{helper, jobdir, with_helper};
use crate::support::{TestEnv, Witness, eventually, proc};

/// Comparing 50 MB byte by byte is fast enough; this is only for telling two of them apart in a message.
mod sha_free {
    pub(super) fn digest(bytes: &[u8]) -> (usize, u64) {
        let sum = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        (bytes.len(), sum)
    }
}

/// Numbered lines, as the helper writes them.
fn numbered(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 16);
    let mut line = 0u64;
    while text.len() < bytes {
        text.extend_from_slice(format!("{line:015}\n").as_bytes());
        line += 1;
    }
    text.truncate(bytes);
    text
}

#[test]
fn the_first_signal_stops_the_job_with_that_very_signal_in_front() {
    for (signal, name, code) in [(Signal::SIGINT, "INT", 130), (Signal::SIGHUP, "HUP", 129)] {
        let env = TestEnv::new();
        let witness = Witness::new();
        let client = env
            .prepare(&with_helper(&["run"], &["witness", &witness.address, "trap", name, name, "die", name]))
            .spawn();
        assert_eq!(witness.accept().line(), "ready");
        client.signal(signal);
        let output = client.wait();
        output.assert_code(code).assert_stdout(&format!("ready\ngot {name}\n"));
        let job = env.status("1");
        assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"client_signal".into()));
        assert_eq!(job["signal"], format!("SIG{name}"));
    }
}

#[test]
fn after_the_clients_signal_the_plan_goes_on() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let options = ["run", "--grace", "50ms"];
    let client = env.prepare(&with_helper(&options, &["witness", &witness.address, "trap", "INT,TERM", "-"])).spawn();
    assert_eq!(witness.accept().line(), "ready");
    client.signal(Signal::SIGINT);
    client.wait().assert_code(137).assert_stdout("ready\ngot INT\ngot TERM\n");
}

#[test]
fn a_signal_that_is_the_first_rung_already_is_not_sent_twice() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let options = ["run", "--grace", "50ms"];
    let client = env.prepare(&with_helper(&options, &["witness", &witness.address, "trap", "TERM", "-"])).spawn();
    assert_eq!(witness.accept().line(), "ready");
    client.signal(Signal::SIGTERM);
    client.wait().assert_code(137).assert_stdout("ready\ngot TERM\n");
}

#[test]
fn the_second_signal_goes_to_the_next_rung_and_the_third_leaves() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let options = ["run", "--stop-plan", "TERM:1h,KILL"];
    let actions = ["witness", &witness.address, "trap", "INT,TERM", "TERM", "await", "exit", "0"];
    let client = env.prepare(&with_helper(&options, &actions)).spawn();
    let mut process = witness.accept();
    assert_eq!(process.line(), "ready");
    client.signal(Signal::SIGINT);
    assert_eq!(process.line(), "got INT");
    client.signal(Signal::SIGINT);
    assert_eq!(process.line(), "got TERM");
    client.signal(Signal::SIGINT);
    client.wait().assert_code(122);
    assert_eq!(env.job_state("1"), "stopping");
    process.assert_alive();
    process.go();
    env.jobdir(&["wait", "1"]).assert_code(130);
}

#[test]
fn killing_the_client_loses_nothing() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "out", "before", "await", "out", "after", "exit", "3"];
    let client = env.prepare(&with_helper(&["run"], &actions)).spawn();
    let mut process = witness.accept();
    client.signal(Signal::SIGKILL);
    client.wait().assert_code(137);
    eventually("a running job", || (env.job_state("1") == "running").then_some(()));
    assert_eq!(env.status("1")["supervised"], true);
    process.go();
    env.jobdir(&["wait", "1"]).assert_code(3);
    assert_eq!(env.captured("1"), b"before\nafter\n");
}

#[test]
fn what_was_ignored_for_the_client_stays_ignored() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let jobdir = jobdir().to_string_lossy().into_owned();
    let helper = helper();
    let actions =
        ["ignore", "HUP", "exec", &jobdir, "run", "--", &helper, "witness", &witness.address, "await", "exit", "5"];
    let client = env.program(&helper, &actions).spawn();
    let mut process = witness.accept();
    client.signal(Signal::SIGHUP);
    // Had the client heard it, the job would be stopped: it does not answer to signals.
    eventually("a running job", || (env.job_state("1") == "running").then_some(()));
    process.go();
    client.wait().assert_code(5);
    assert_eq!(env.job_state("1"), "failed");
}

#[test]
fn when_the_reader_goes_away_client_and_job_end() {
    let env = TestEnv::new();
    let script = r#""$0" run -- yes | head -n 1; wait"#;
    let bash = r#"set -o pipefail; "$0" run -- yes | head -n 1"#;
    let jobdir = jobdir().to_string_lossy().into_owned();
    let has_bash = std::path::Path::new("/bin/bash").exists();
    let output = if has_bash {
        env.program("/bin/bash", &["-c", bash, &jobdir]).run()
    } else {
        env.program("sh", &["-c", script, &jobdir]).run()
    };
    output.assert_code(if has_bash { 141 } else { 0 }).assert_stdout("y\n");
    env.jobdir(&["wait", "1"]).assert_code(141);
    let job = env.status("1");
    assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"client_signal".into()));
    assert_eq!(job["signal"], "SIGPIPE");
}

#[test]
fn a_slow_reader_gets_everything_and_delays_nothing() {
    let env = TestEnv::new();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let client =
        env.prepare(&with_helper(&["run"], &["stdout", "1000000", "exit", "4"])).spawn_with(None, writer.into(), None);
    // The job ends although nobody has read anything yet.
    eventually("the end of the job", || {
        env.state().join("jobs/1/job.json").exists().then(|| env.job_state("1")).filter(|state| state == "failed")
    });
    let mut shown = Vec::new();
    reader.read_to_end(&mut shown).expect("reads");
    client.wait().assert_code(4);
    assert_eq!(digest(&shown), digest(&numbered(1_000_000)));
}

#[test]
fn fifty_megabytes_come_through_byte_for_byte_on_both_streams() {
    let env = TestEnv::new();
    const BYTES: usize = 50_000_000;
    let actions = ["spawn", "1", "[", "stderr", "1000003", "]", "stdout", "50000000", "reap", "hex", "fffe00"];
    let output = env.run_helper(&["run"], &actions);
    output.assert_code(0);
    let stdout = &output.stdout;
    // The line 'child PID' is the first.
    let begin = stdout.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    assert_eq!(digest(&stdout[begin..begin + BYTES]), digest(&numbered(BYTES)));
    assert_eq!(&stdout[begin + BYTES..], [0xff, 0xfe, 0]);
    assert_eq!(digest(&output.stderr), digest(&numbered(1_000_003)));
    assert!(env.captured("1") == *stdout, "what is kept is what was shown");
}

#[test]
fn a_pipe_at_stdin_is_passed_on_and_nobody_keeps_a_copy() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let name = std::fs::read_link(format!("/proc/self/fd/{}", reader.as_raw_fd())).expect("a name");
    let (_unused, stdout) = std::io::pipe().expect("a pipe");
    let actions = ["witness", &witness.address, "line", "close", "0", "tell", "closed", "await", "exit", "0"];
    let client =
        env.prepare(&with_helper(&["run"], &actions)).spawn_with(Some(OwnedFd::from(reader)), stdout.into(), None);
    let mut process = witness.accept();
    writer.write_all(b"hello\n").expect("writes");
    assert_eq!(process.line(), "hello");
    assert_eq!(process.line(), "closed");
    let (supervisor, _) = env.supervisor("1");
    // The client lets go once the job has it, which may be after the command has begun.
    eventually("that nobody keeps our pipe", || {
        let held: Vec<_> = [client.pid(), supervisor].into_iter().flat_map(proc::open_files).collect();
        held.iter().all(|(_, target)| *target != name.to_string_lossy()).then_some(())
    });
    // Nobody reads it any more, so writing must fail instead of filling a buffer for ever.
    let error = writer.write_all(b"more\n").expect_err("somebody still holds the reading end");
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    process.go();
    client.wait().assert_code(0);
}

#[test]
fn a_closed_stdin_is_an_empty_one() {
    let env = TestEnv::new();
    let jobdir = jobdir().to_string_lossy().into_owned();
    let output = env.program("sh", &["-c", r#"exec "$0" run -- "$1" stdin <&-"#, &jobdir, &helper()]).run();
    output.assert_code(0).assert_stdout("{\"bytes\":0,\"text\":\"\"}\n");
}

#[test]
fn a_terminal_at_stdin_is_copied_and_never_handed_over() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    let name = std::fs::read_link(format!("/proc/self/fd/{}", terminal.slave.as_raw_fd())).expect("a name");
    let (_unused, stdout) = std::io::pipe().expect("a pipe");
    let actions = ["witness", &witness.address, "line", "await", "exit", "0"];
    let client = env.prepare(&with_helper(&["run"], &actions)).spawn_with(Some(terminal.slave), stdout.into(), None);
    let mut process = witness.accept();
    let mut master = std::fs::File::from(terminal.master);
    master.write_all(b"typed\n").expect("types");
    assert_eq!(process.line(), "typed");
    let (supervisor, _) = env.supervisor("1");
    for pid in [process.pid, supervisor] {
        let held = proc::open_files(pid);
        assert!(held.iter().all(|(_, target)| *target != name.to_string_lossy()), "{pid} has the terminal: {held:?}");
    }
    process.go();
    client.wait().assert_code(0);
}

#[test]
fn what_is_typed_while_the_job_waits_for_its_start_is_kept() {
    let env = TestEnv::new();
    let witness = Witness::new();
    env.start(&["--mutex", "m"], &["witness", &witness.address, "await", "exit", "0"]);
    let mut holder = witness.accept();
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    let ours = terminal.slave.try_clone().expect("another descriptor of it");
    let (_unused, stdout) = std::io::pipe().expect("a pipe");
    let actions = ["witness", &witness.address, "line", "line", "exit", "0"];
    let arguments = with_helper(&["run", "--mutex", "m"], &actions);
    let client = env.prepare(&arguments).spawn_with(Some(terminal.slave), stdout.into(), None);
    eventually("a job that waits", || {
        (env.jobdir(&["status", "-P", "state", "2"]).stdout == b"queued\n").then_some(())
    });
    let mut master = std::fs::File::from(terminal.master);
    master.write_all(b"early\n").expect("types");
    eventually("that it was read", || {
        let mut fds = [nix::poll::PollFd::new(ours.as_fd(), nix::poll::PollFlags::POLLIN)];
        (nix::poll::poll(&mut fds, nix::poll::PollTimeout::ZERO) == Ok(0)).then_some(())
    });
    holder.go();
    let mut process = witness.accept();
    master.write_all(b"late\n").expect("types");
    assert_eq!([process.line(), process.line()], ["early", "late"]);
    client.wait().assert_code(0);
}

#[test]
fn a_full_disk_at_stdout_is_told_once_and_stops_nothing() {
    let env = TestEnv::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let actions = ["stdout", "100000", "err", "still here", "stdout", "100000", "exit", "6"];
    let client = env.prepare(&with_helper(&["run"], &actions)).spawn_with(None, full.into(), None);
    let output = client.wait();
    output.assert_code(6).assert_says("still here").assert_says("the job goes on");
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("cannot pass on").count(), 1, "{output}");
    assert_eq!(env.captured("1").len(), 200_000);
}
