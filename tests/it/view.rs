//! The live view of `jobdir jobs --watch`: keys typed at a terminal, screens read.

use nix::sys::signal::Signal;

use crate::support::env::{Client, jobdir};
use crate::support::terminal::Terminal;
use crate::support::{TestEnv, Witness, eventually, patience, proc, skip};

/// Starts the view, and waits until it is there.
#[track_caller]
fn open(env: &TestEnv, screen: &Terminal, words: &[&str]) -> Client {
    let client = screen.jobdir(env, &[&["jobs", "--watch"], words].concat());
    screen.shows("Enter output");
    assert!(screen.look(vt100::Screen::alternate_screen) && screen.look(vt100::Screen::hide_cursor));
    client
}

/// Asserts that nothing of the view is left on a terminal.
#[track_caller]
fn assert_clean(screen: &Terminal, modes: &nix::sys::termios::Termios) {
    assert_eq!(&screen.modes(), modes, "its modes are as they were");
    let left = |screen: &vt100::Screen| screen.alternate_screen() || screen.hide_cursor() || screen.bracketed_paste();
    eventually("a clean terminal", || (!screen.look(left)).then_some(()));
}

/// Returns the line of the screen on which the selected job is.
fn selected(text: &str) -> &str {
    text.lines().find(|line| line.starts_with('>')).unwrap_or_default()
}

#[test]
fn a_job_from_its_start_to_its_deletion() {
    let env = TestEnv::new();
    let screen = Terminal::new(20, 100);
    let modes = screen.modes();
    let view = open(&env, &screen, &[]);
    screen.shows("no jobs");
    let witness = Witness::new();
    let id = env.start(&["--name", "web"], &["witness", &witness.address, "block"]);
    let mut worker = witness.accept();
    screen.until("the new job is selected", |text| selected(text).contains("web   running"));
    screen.press("p");
    screen.until("paused", |text| selected(text).contains("paused"));
    assert_eq!(env.status(&id)["paused"], true);
    screen.press("p");
    screen.until("running", |text| selected(text).contains("running"));
    screen.press("x");
    screen.shows("stop job 1 (web)? 'jobdir kill 1'  y/n");
    screen.press("n");
    screen.shows("nothing was done");
    assert_eq!(env.job_state(&id), "running");
    screen.press("xy");
    screen.until("stopped", |text| selected(text).contains("interrupted"));
    worker.wait_for_death();
    screen.press("ry");
    screen.until("resumed", |text| selected(text).contains("running"));
    assert_eq!(env.status(&id)["attempt"], 2);
    screen.press("dy");
    screen.shows("no jobs");
    assert!(!env.job_dir(&id).exists());
    screen.press("q");
    view.wait().assert_code(0);
    assert_clean(&screen, &modes);
}

#[test]
fn output_is_read_as_it_comes() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let script =
        ["out", "one \u{1b}[31mred\u{1b}[0m 日本語", "witness", &witness.address, "await", "out", "two", "block"];
    env.start(&[], &script);
    let mut worker = witness.accept();
    let screen = Terminal::new(12, 60);
    let view = open(&env, &screen, &[]);
    screen.until("the job is selected", |text| selected(text).contains("running"));
    screen.press("\r");
    let text = screen.shows("one red 日本語");
    assert!(text.contains("stdout of job 1, running") && !text.contains("two"), "{text}");
    worker.go();
    screen.shows("two");
    screen.press("\t");
    screen.shows("stderr of job 1");
    screen.press("q");
    screen.shows("Enter output");
    env.stop_all();
    screen.press("q");
    view.wait().assert_code(0);
}

#[test]
fn errors_are_shown_with_their_hints() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--resume-with", "x {meta.missing}"], &["exit", "0"]).assert_code(0);
    let screen = Terminal::new(14, 60);
    let view = open(&env, &screen, &[]);
    screen.until("the job is selected", |text| selected(text).contains("succeeded"));
    screen.press("ry");
    let whole = |text: &str| text.split_whitespace().collect::<Vec<_>>().concat();
    screen.until("the hint", |text| whole(text).contains("hint:thetemplateis:x{meta.missing}"));
    screen.press("q");
    view.wait().assert_code(0);
}

#[test]
fn every_way_out_leaves_the_terminal_clean() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    for (keys, signal, code) in [
        ("q", None, 0),
        ("\u{1b}", None, 0),
        ("\u{3}", None, 0),
        ("/x\u{3}", None, 0),
        ("", Some(Signal::SIGTERM), 143),
        ("", Some(Signal::SIGHUP), 129),
        ("", Some(Signal::SIGINT), 130),
        ("", Some(Signal::SIGQUIT), 131),
    ] {
        let screen = Terminal::new(24, 80);
        let modes = screen.modes();
        let view = open(&env, &screen, &[]);
        assert_ne!(screen.modes(), modes, "keys come one by one");
        screen.press(keys);
        if let Some(signal) = signal {
            view.signal(signal);
        }
        view.wait().assert_code(code);
        assert_clean(&screen, &modes);
    }
}

#[test]
fn a_panic_leaves_the_terminal_clean_and_can_be_read() {
    let env = TestEnv::new();
    let panics = |place: &str, words: &[&str]| {
        let screen = Terminal::new(24, 80);
        let modes = screen.modes();
        screen.spawn(screen.prepare(&env, words).env("JOBDIR_TEST_PANIC", place)).wait().assert_code(101);
        assert_clean(&screen, &modes);
        let text = screen.shows("a test has asked for this");
        assert!(text.lines().any(|line| line.starts_with("thread 'main'")), "{text}");
    };
    panics("view", &["jobs", "--watch"]);
    panics("foreground", &["run", "--", "sleep", "1000"]);
    // It outlives that.
    assert_eq!(env.job_state("1"), "running");
    env.jobdir(&["kill", "--force", "1"]).assert_code(0);
}

#[test]
fn sizes_of_every_kind_and_many_of_them() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "one"], &["exit", "0"]).assert_code(0);
    let screen = Terminal::new(24, 80);
    let modes = screen.modes();
    let view = open(&env, &screen, &[]);
    for (rows, columns) in [(1, 1), (5, 20), (300, 100), (1, 300), (100, 1)] {
        screen.resize(&env, rows, columns);
        screen.press("?jq/o\u{1b}");
    }
    for n in 0..20 {
        screen.resize(&env, 3 + n, 100 - n);
    }
    screen.resize(&env, 24, 80);
    screen.until("the list", |text| text.contains("1 ended") && text.contains("q leave"));
    screen.press("q");
    view.wait().assert_code(0);
    assert_clean(&screen, &modes);
}

#[test]
fn a_window_that_is_closed_ends_it() {
    let env = TestEnv::new();
    for nohup in [false, true] {
        let screen = Terminal::new(24, 80);
        let jobdir = jobdir().to_string_lossy().into_owned();
        // nohup(1) changes nothing where stdin is taken from the terminal again.
        let script = if nohup { "trap '' HUP; exec \"$0\" jobs -w" } else { "exec \"$0\" jobs -w" };
        let words = ["-c", "sh", "-c", script, &jobdir];
        let view = screen.spawn(env.program("setsid", &words).env("TERM", "xterm"));
        screen.shows("q leave");
        screen.hang_up();
        view.wait().assert_code(129);
    }
}

#[test]
fn it_follows_the_size_of_the_window() {
    let env = TestEnv::new();
    env.run_helper(&["run", "--name", "wide"], &["exit", "0"]).assert_code(0);
    let screen = Terminal::new(24, 100);
    let view = open(&env, &screen, &[]);
    screen.shows("wide");
    screen.resize(&env, 8, 30);
    screen.until("a narrow screen", |text| {
        text.lines().next_back().is_some_and(|foot| foot.starts_with("Enter output") && foot.ends_with('…'))
            && text.lines().count() == 8
            && selected(text).contains("wide")
    });
    screen.resize(&env, 30, 120);
    screen.until("a wide screen", |text| text.lines().count() == 30 && text.contains("q leave"));
    screen.press("q");
    view.wait().assert_code(0);
}

#[test]
fn without_colour_nothing_is_missing() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "1"]).assert_code(1);
    let colors = |screen: &vt100::Screen| {
        let (rows, columns) = screen.size();
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        cells
            .filter(|(row, column)| screen.cell(*row, *column).is_some_and(|c| c.fgcolor() != vt100::Color::Default))
            .count()
    };
    let mut texts = Vec::new();
    for (variable, flag, colored) in
        [("", "auto", true), ("1", "auto", false), ("", "never", false), ("1", "always", true)]
    {
        let screen = Terminal::new(24, 80);
        let words = ["--color", flag, "jobs", "--watch", "--columns", "id,state,exit,command"];
        let view = screen.spawn(screen.prepare(&env, &words).env("NO_COLOR", variable));
        texts.push(screen.until("the job", |text| selected(text).contains("failed")));
        assert_eq!(screen.look(colors) > 0, colored, "NO_COLOR={variable} --color {flag}");
        screen.press("q");
        view.wait().assert_code(0);
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
}

#[test]
fn what_is_under_way_goes_on_when_it_is_left() {
    let env = TestEnv::new();
    let id = env.start(&["--stop-plan", "TERM:60s,KILL"], &["ignore", "TERM", "block"]);
    let screen = Terminal::new(24, 80);
    let view = open(&env, &screen, &[]);
    screen.until("the job is selected", |text| selected(text).contains("running"));
    screen.press("dy");
    screen.until("it is being stopped", |text| selected(text).contains("stopping"));
    screen.press("q");
    view.wait().assert_code(0);
    screen.shows("'jobdir delete 1' is still under way, and goes on");
    let killed = env.jobdir(&["kill", "--force", &id]);
    assert!(matches!(killed.code(), 0 | 3), "stopped, or gone already: {killed}");
    eventually("its deletion", || (!env.job_dir(&id).exists()).then_some(()));
}

#[test]
fn idle_it_costs_nothing() {
    let env = TestEnv::new();
    env.start(&[], &["block"]);
    for _ in 0..3 {
        env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    }
    let screen = Terminal::new(24, 80);
    let view = open(&env, &screen, &[]);
    screen.shows("running");
    let switches = || proc::sleeps(view.pid());
    let (began, before) = (std::time::Instant::now(), switches());
    eventually("a few seconds", || (began.elapsed().as_secs() >= 3).then_some(()));
    let woken = switches() - before;
    // It looks once each second; how often each look sleeps shall not matter.
    assert!(woken < 40, "it was woken {woken} times in three seconds");
    env.stop_all();
    screen.press("q");
    view.wait().assert_code(0);
}

#[test]
fn suspended_it_gives_the_terminal_back_and_takes_it_again() {
    let env = TestEnv::new();
    let screen = Terminal::new(24, 80);
    let modes = screen.modes();
    // A shell that says when its job was stopped, and continues it.
    let script = "set -m; \"$0\" jobs -w; echo it was stopped; read x; fg >/dev/null; echo it ended";
    let jobdir = jobdir().to_string_lossy().into_owned();
    let shell = screen.spawn(env.program("setsid", &["-c", "bash", "-c", script, &jobdir]).env("TERM", "xterm"));
    screen.shows("q leave");
    screen.press("\u{1a}");
    screen.shows("it was stopped");
    assert_clean(&screen, &modes);
    screen.press("\n");
    screen.shows("q leave");
    screen.press("q");
    screen.shows("it ended");
    assert_clean(&screen, &modes);
    shell.wait().assert_code(0);
}

#[test]
fn in_tmux() {
    let env = TestEnv::new();
    let socket = env.root().join("tmux").to_string_lossy().into_owned();
    let tmux = |words: &[&str]| {
        env.program("tmux", &[&["-f", "/dev/null", "-S", socket.as_str()], words].concat()).env("LC_ALL", "C.UTF-8")
    };
    if std::process::Command::new("tmux").arg("-V").output().is_err() {
        return skip("there is no tmux here");
    }
    env.run_helper(&["run", "--name", "build"], &["exit", "0"]).assert_code(0);
    let command = format!("sh -c 'stty -a >before; {} jobs -w; stty -a >after; exec cat'", jobdir().display());
    tmux(&["new-session", "-d", "-x", "90", "-y", "15", &command]).run().assert_code(0);
    let screen = || tmux(&["capture-pane", "-p"]).run().text();
    let until = |what: &str| {
        let deadline = std::time::Instant::now() + patience();
        while !screen().contains(what) {
            assert!(std::time::Instant::now() < deadline, "in vain: {what}\n{}", screen());
        }
    };
    until("q leave");
    until(">  1   build  succeeded");
    tmux(&["resize-window", "-x", "60", "-y", "12"]).run().assert_code(0);
    until("kill  p pause  r resume  d delete  / search…");
    tmux(&["send-keys", "?"]).run().assert_code(0);
    until("one up, one down");
    tmux(&["send-keys", "Escape"]).run().assert_code(0);
    until(">  1   build  succeeded");
    tmux(&["send-keys", "Escape"]).run().assert_code(0);
    let read = |name: &str| std::fs::read_to_string(env.work().join(name)).unwrap_or_default();
    eventually("its end", || (!read("after").is_empty()).then_some(()));
    let without_size =
        |text: String| text.split_once(';').map(|(_, rest)| rest.split_once('\n').expect("lines").1.to_owned());
    assert_eq!(without_size(read("before")), without_size(read("after")));
    assert!(!screen().contains("q leave"));
    tmux(&["kill-server"]).run().assert_code(0);
}
