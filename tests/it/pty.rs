//! Jobs with a terminal of their own, through a real one: keys typed, screens read, sizes changed, modes compared.

use nix::sys::signal::Signal;

use crate::support::terminal::Terminal;
use crate::support::{TestEnv, eventually, proc};

const DETACH: &str = "\x10\x11";
/// Says that it is ready, then answers each line, survives ^C, and ends with 'quit'.
const PROMPT: &str = "trap 'echo caught' INT; echo ready; \
     while :; do if read line; then [ \"$line\" = quit ] && exit 5; echo \"answer $line\"; fi; done";

fn threads(pid: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("has threads").flatten();
    tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok()).collect()
}

#[test]
fn at_a_terminal_a_job_has_its_own_and_nothing_is_left_of_it() {
    let env = TestEnv::new();
    let terminal = Terminal::new(31, 87);
    let modes = terminal.modes();
    let script =
        "stty size; tty; test -t 0 && test -t 1 && test -t 2 && echo all; read word; echo \"got $word\" >&2; exit 9";
    let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", script]);
    terminal.expect("31 87\r\n");
    terminal.expect("/dev/pts/");
    terminal.expect("all\r\n");
    terminal.expect_raw();
    assert_eq!(env.status("1")["pty"], true);
    assert!(threads(env.supervisor("1").0).contains(&"terminal\n".to_owned()));
    let leader = env.status("1")["pid"].as_u64().expect("a pid") as u32;
    let name = terminal.name().to_string_lossy().into_owned();
    for pid in [leader, env.supervisor("1").0] {
        assert!(
            proc::open_files(pid).iter().all(|(_, target)| *target != name),
            "{pid} has the terminal of the client"
        );
    }
    terminal.press("word\r");
    // Echoed by the job's terminal, once.
    terminal.expect("word\r\ngot word\r\n");
    client.wait().assert_code(9);
    assert_eq!(terminal.modes(), modes);
    let log = String::from_utf8(env.captured("1")).expect("is text");
    assert!(log.starts_with("31 87\r\n") && log.ends_with("word\r\ngot word\r\n"), "{log:?}");
    let job = env.status("1");
    assert_eq!(
        (&job["state"], &job["exit_code"], &job["output"]["stderr_path"]),
        (&"failed".into(), &9.into(), &().into())
    );
}

#[test]
fn without_one_there_is_no_thread_for_it() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let modes = terminal.modes();
    let client = terminal.jobdir(&env, &["run", "--no-pty", "--", "sleep", "1000"]);
    eventually("the job", || env.job_dir("1").join("pid").exists().then_some(()));
    env.jobdir(&["wait", "--for", "running", "1"]).assert_code(0);
    assert_eq!(env.status("1")["pty"], false);
    assert!(!threads(env.supervisor("1").0).contains(&"terminal\n".to_owned()));
    assert_eq!(terminal.modes(), modes, "the terminal stays as it is");
    env.stop_all();
    client.wait().assert_code(137);
}

#[test]
fn a_prompt_survives_an_interrupt_and_still_answers() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", PROMPT]);
    terminal.expect("ready\r\n");
    terminal.expect_raw();
    terminal.press("\x03");
    terminal.expect("caught\r\n");
    terminal.press("one\r");
    terminal.expect("answer one\r\n");
    // What ends it now is not the ^C.
    terminal.press("quit\r");
    client.wait().assert_code(5);
    assert_eq!(env.job_state("1"), "failed");
}

#[test]
fn what_ends_of_a_typed_interrupt_is_interrupted() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let modes = terminal.modes();
    for (script, code) in
        [("echo ready; sleep 1000", 130), ("trap 'exit 0' INT; echo ready; while :; do sleep 0.05; done", 130)]
    {
        let client = terminal.jobdir(&env, &["run", "--retries", "3", "--", "sh", "-c", script]);
        terminal.expect("ready\r\n");
        terminal.expect_raw();
        terminal.press("\x03");
        client.wait().assert_code(code);
        let job = env.status("@last");
        assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"client_signal".into()), "{script}");
        assert_eq!((&job["error_kind"], &job["attempt"]), (&"cancelled".into(), &1.into()), "{script}");
        assert_eq!(terminal.modes(), modes);
    }
}

#[test]
fn three_interrupts_ask_for_the_end() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let modes = terminal.modes();
    let client = terminal
        .jobdir(&env, &["run", "--", "sh", "-c", "trap 'echo no' INT; echo ready; while :; do sleep 0.05; done"]);
    terminal.expect("ready\r\n");
    terminal.expect_raw();
    terminal.press("\x03\x03");
    terminal.expect("no\r\n");
    assert_eq!(env.job_state("1"), "running");
    terminal.press("\x03");
    terminal.expect("stopping job 1: TERM now");
    client.wait().assert_code(143);
    assert_eq!(env.status("1")["reason"], "client_signal");
    assert_eq!(terminal.modes(), modes);
}

#[test]
fn the_size_follows_the_one_who_attached_last() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done";
    let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", script]);
    terminal.expect("24 80\r\n");
    terminal.expect_raw();
    terminal.resize(&env, 40, 100);
    terminal.expect("40 100\r\n");
    let other = Terminal::new(50, 132);
    let second = other.jobdir(&env, &["attach", "1"]);
    other.expect("50 132\r\n");
    terminal.expect("50 132\r\n");
    other.press(DETACH);
    second.wait().assert_code(122);
    terminal.resize(&env, 41, 101);
    terminal.expect("41 101\r\n");
    terminal.press("\x03");
    client.wait().assert_code(130);
}

#[test]
fn leaving_lets_the_job_go_on_and_attaching_comes_back() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let modes = terminal.modes();
    let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", PROMPT]);
    terminal.expect("ready\r\n");
    terminal.expect_raw();
    terminal.press(DETACH);
    terminal.expect("job 1 goes on; 'jobdir attach 1'");
    terminal.expect("\n1\r\n");
    client.wait().assert_code(122);
    assert_eq!(terminal.modes(), modes);
    assert_eq!(env.job_state("1"), "running");
    let other = Terminal::new(24, 80);
    let (first, second) = (terminal.jobdir(&env, &["attach", "1"]), other.jobdir(&env, &["attach", "1"]));
    terminal.expect("ready\r\n");
    terminal.expect_raw();
    other.expect("ready\r\n");
    other.expect_raw();
    terminal.press("one\r");
    for screen in [&terminal, &other] {
        screen.expect("answer one\r\n");
    }
    // A held-back key reaches the job when another one follows.
    other.press("\x10\x15two\r");
    terminal.expect("answer two\r\n");
    other.press("quit\r");
    first.wait().assert_code(5);
    second.wait().assert_code(5);
    assert_eq!((terminal.modes(), other.modes()), (modes.clone(), modes));
}

#[test]
fn the_death_of_the_supervisor_gives_the_terminal_back() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let modes = terminal.modes();
    // The other screen, no cursor, and the mouse.
    let script = "stty raw -echo; printf '\\033[?1049h\\033[?25l\\033[?1000hready'; sleep 1000";
    let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", script]);
    terminal.expect("ready");
    terminal.expect_raw();
    env.kill_supervisor("1");
    client.wait().assert_code(121);
    assert_eq!(terminal.modes(), modes);
    terminal.expect("\x1b[?25h\x1b[?1000l\x1b[?1049l");
    // Hung up by the death of who had its terminal.
    assert_eq!(env.job_state("1"), "lost");
}

#[test]
fn signals_to_the_client_act_as_ever_and_put_the_terminal_back() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let modes = terminal.modes();
    let script = "trap 'echo heard; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", script]);
    terminal.expect("ready\r\n");
    terminal.expect_raw();
    client.signal(Signal::SIGTERM);
    terminal.expect("stopping job 1: TERM now");
    terminal.expect("heard\r\n");
    client.wait().assert_code(3);
    assert_eq!(terminal.modes(), modes);
    assert_eq!(env.status("1")["reason"], "client_signal");
    for signal in [Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGABRT, Signal::SIGSEGV] {
        let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", "echo ready; sleep 1000"]);
        terminal.expect("ready\r\n");
        terminal.expect_raw();
        client.signal(signal);
        assert_eq!(client.wait().code(), 128 + signal as i32);
        assert_eq!(terminal.modes(), modes, "{signal}");
        assert_eq!(env.job_state("@last"), "running", "the job goes on");
    }
    env.stop_all();
}

#[test]
fn a_terminal_that_is_closed_asks_for_the_end() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let client = terminal
        .jobdir(&env, &["run", "--", "sh", "-c", "trap 'exit 4' HUP; echo ready; while :; do sleep 0.05; done"]);
    terminal.expect("ready\r\n");
    terminal.expect_raw();
    // The kernel sends HUP to the client, and nothing can be shown any more.
    terminal.hang_up();
    client.wait().assert_code(4);
    let job = env.status("1");
    assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"client_signal".into()));
}

#[test]
fn a_suspended_client_gives_the_terminal_back_and_takes_it_again() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let modes = terminal.modes();
    let client = terminal.jobdir(&env, &["run", "--", "sh", "-c", PROMPT]);
    terminal.expect("ready\r\n");
    terminal.expect_raw();
    // What a shell's stop does; a session of its own cannot be stopped by SIGTSTP, so modes are all that is seen of it.
    client.signal(Signal::SIGTSTP);
    terminal.expect("suspended, and job 1 goes on");
    terminal.expect_raw();
    client.signal(Signal::SIGSTOP);
    eventually("the stop", || proc::stat(client.pid()).is_some_and(|stat| stat.state == 'T').then_some(()));
    nix::sys::termios::tcsetattr(terminal.end(), nix::sys::termios::SetArg::TCSANOW, &modes).expect("sets");
    client.signal(Signal::SIGCONT);
    terminal.expect_raw();
    terminal.press("quit\r");
    client.wait().assert_code(5);
    assert_eq!(terminal.modes(), modes);
}

#[test]
fn out_of_sight_it_gets_what_is_sent_and_sees_an_end() {
    let env = TestEnv::new();
    let id = env
        .jobdir(&[
            "run",
            "-d",
            "--pty",
            "--",
            "sh",
            "-c",
            "stty size; while read line; do echo \"answer $line\"; done; exit 6",
        ])
        .id();
    env.jobdir(&["wait", "--for", "output=24 80", &id]).assert_code(0);
    env.jobdir(&["send", &id, "one"]).assert_code(0);
    env.jobdir(&["wait", "--for", "output=answer one", &id]).assert_code(0);
    env.jobdir(&["send", "--eof", "-n", &id, "two"]).assert_code(0);
    env.jobdir(&["wait", &id]).assert_code(6);
    assert_eq!(env.status(&id)["pty"], true);
}

#[test]
fn a_slow_reader_and_a_fast_writer_lose_nothing() {
    let env = TestEnv::new();
    let output = env.jobdir(&["run", "--pty", "--", "seq", "200000"]);
    output.assert_code(0);
    let expected: String = (1..=200_000).map(|number| format!("{number}\r\n")).collect();
    assert!(
        output.stdout == expected.as_bytes(),
        "the client has shown {} bytes of {}",
        output.stdout.len(),
        expected.len()
    );
    assert!(env.captured("1") == expected.as_bytes());
}

#[test]
fn what_comes_from_elsewhere_is_typed_and_has_an_end() {
    let env = TestEnv::new();
    let output =
        env.prepare(&["run", "--pty", "--", "sh", "-c", "stty -echo; cat; echo end"]).stdin("one\ntwo\n").run();
    output.assert_code(0);
    assert!(output.text().ends_with("one\r\ntwo\r\nend\r\n"), "{output}");
}

#[test]
fn colours_are_for_terminals() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--pty", "--", "printf", "\\033[31mred\\033[0m\\n"])
        .assert_code(0)
        .assert_stdout("\x1b[31mred\x1b[0m\r\n");
    env.jobdir(&["logs", "1"]).assert_code(0).assert_stdout("red\n");
    // What it overwrote, its terminal showed no more.
    env.jobdir(&["run", "--pty", "--", "printf", "\\r1 %%\\r2 %%\\nend"]).assert_code(0);
    env.jobdir(&["logs", "2"]).assert_code(0).assert_stdout("2 %\nend");
    env.jobdir(&["logs", "-n", "2", "--grep", "^2 %$", "2"]).assert_code(0).assert_stdout("2 %\n");
    env.jobdir(&["run", "--", "printf", "\\033[31mred\\033[0m\\n"]).assert_code(0);
    env.jobdir(&["logs", "3"]).assert_code(0).assert_stdout("\x1b[31mred\x1b[0m\n");
    let terminal = Terminal::new(24, 80);
    terminal.jobdir(&env, &["logs", "1"]).wait().assert_code(0);
    terminal.expect("\x1b[31mred");
}

#[test]
fn a_job_that_is_given_up_is_hung_up_and_that_is_said() {
    let env = TestEnv::new();
    let id = env.jobdir(&["run", "-d", "--pty", "--", "sleep", "1000"]).id();
    let pid = env.status(&id)["pid"].as_u64().expect("a pid") as u32;
    env.jobdir(&["abandon", &id]).assert_code(0).assert_says("it was hung up");
    eventually("the end of what was hung up", || (!proc::is_alive(pid)).then_some(()));
    assert_eq!(env.job_state(&id), "abandoned");
}

#[test]
fn the_keys_that_suspend_stop_the_client_alone() {
    let env = TestEnv::new();
    let terminal = Terminal::new(24, 80);
    let client = terminal.jobdir(&env, &["run", "--no-pty", "--", "sh", "-c", "echo ready; sleep 1000"]);
    terminal.expect("ready");
    terminal.press("\x1a");
    terminal.expect("suspended, and job 1 goes on; 'jobdir pause 1'");
    assert_eq!(env.job_state("1"), "running");
    terminal.press("\x03");
    terminal.expect("stopping job 1: INT now");
    client.wait().assert_code(130);
}

#[test]
fn attaching_to_a_job_without_a_terminal_follows_it_and_mirrors_its_end() {
    let env = TestEnv::new();
    let id = env.jobdir(&["run", "-d", "--", "sh", "-c", "echo out; echo err >&2; exit 8"]).id();
    env.jobdir(&["attach", &id]).assert_code(8).assert_stdout("out\n").assert_says("err");
    env.jobdir(&["attach", "99"]).assert_code(125).assert_says("no job '99'");
    let id = env.jobdir(&["run", "-d", "--", "sh", "-c", "echo out; sleep 1000"]).id();
    let client = env.prepare(&["attach", &id]).spawn();
    env.jobdir(&["wait", "--for", "output=out", &id]).assert_code(0);
    client.signal(Signal::SIGINT);
    client.wait().assert_code(122).assert_says("goes on");
    assert_eq!(env.job_state(&id), "running");
    env.stop_all();
}

#[test]
fn a_terminal_and_another_input_do_not_go_together() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--pty", "--stdin", "null", "--", "true"]).assert_code(125).assert_says("--stdin");
    let terminal = Terminal::new(24, 80);
    let client = terminal.jobdir(&env, &["run", "--stdin", "null", "--", "sh", "-c", "test -t 1 || echo file"]);
    terminal.expect("file");
    client.wait().assert_code(0);
}

#[test]
fn the_next_attempt_out_of_sight_has_a_terminal_if_the_last_one_had() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--pty", "--", "sh", "-c", "test -t 0 && echo terminal"])
        .assert_code(0)
        .assert_stdout("terminal\r\n");
    let id = env.jobdir(&["resume", "-d", "1"]).id();
    env.jobdir(&["wait", &id]).assert_code(0);
    assert_eq!(env.status(&id)["pty"], true);
    env.jobdir(&["resume", "1"]).assert_code(1).assert_stdout("");
    let job = env.status(&id);
    assert_eq!((&job["pty"], &job["attempt"]), (&false.into(), &3.into()));
}
