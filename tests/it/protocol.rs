//! The state directory as an interface: what other programs may do with it, and what they find there.

use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(unix)]
use nix::sys::signal::Signal;

use crate::support::env::{helper, jobdir, read_json};
#[cfg(unix)]
use crate::support::proc;
use crate::support::{TestEnv, Witness, eventually, hears_signals};

#[cfg(unix)]
#[test]
fn a_shell_stops_a_job_with_an_empty_file() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let script = r#": > "$0/request" && mv "$0/request" "$1/kill-signals/kill""#;
    let (root, dir) = (env.root().to_string_lossy().into_owned(), env.job_dir(&id));
    env.program("sh", &["-c", script, &root, &dir.to_string_lossy()]).run().assert_code(0);
    env.jobdir(&["wait", &id]).assert_code(143);
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"kill".into()));
}

#[test]
fn a_file_made_right_in_the_inbox_works_too() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    std::fs::write(env.job_dir(&id).join("kill-signals/kill"), "").expect("writes");
    env.jobdir(&["wait", &id]).assert_code(if hears_signals() { 143 } else { 137 });
    assert_eq!(env.job_state(&id), "interrupted");
}

#[cfg(unix)]
#[test]
fn a_request_while_the_supervisor_is_suspended_is_honoured_once_it_goes_on() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--grace", "1h"], &["witness", &witness.address, "trap", "TERM", "TERM", "exit", "0"]);
    let mut process = witness.accept();
    assert_eq!(process.line(), "ready");
    let (supervisor, _) = env.supervisor(&id);
    proc::signal(supervisor, Signal::SIGSTOP);
    eventually("a stopped supervisor", || proc::stat(supervisor).filter(|stat| stat.state == 'T'));
    env.deliver(&id, "kill", "");
    process.assert_alive();
    proc::signal(supervisor, Signal::SIGCONT);
    env.jobdir(&["wait", &id]).assert_code(130);
    assert_eq!(env.captured(&id), b"ready\ngot TERM\n", "honoured exactly once");
}

#[cfg(unix)]
#[test]
fn a_request_that_is_delivered_twice_is_honoured_once() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "trap", "TERM", "TERM", "await", "exit", "0"];
    let id = env.start(&["--grace", "1h"], &actions);
    let mut process = witness.accept();
    assert_eq!(process.line(), "ready");
    for answers in 1..=2 {
        env.deliver(&id, "kill", "");
        eventually("an answer", || {
            let answered = env.events(&id).iter().filter(|event| event["event"] == "answered").count();
            (answered == answers).then_some(())
        });
    }
    assert_eq!(process.line(), "got TERM");
    process.go();
    env.jobdir(&["wait", &id]).assert_code(130);
    let signals = env.events(&id).iter().filter(|event| event["event"] == "signal_sent").count();
    assert_eq!(signals, 1);
}

#[test]
fn a_whole_request_can_be_written_by_hand() {
    let env = TestEnv::new();
    let id = env.start(&[], &["ignore", "TERM", "block"]);
    let request = r#"{"schema":"jobdir/request/1","attempt":1,"verb":"kill","force":true,"reason_text":"by hand"}"#;
    env.deliver(&id, "mine", request);
    env.jobdir(&["wait", &id]).assert_code(137);
    assert_eq!(env.status(&id)["reason_text"], "by hand");
}

#[test]
fn a_request_for_another_attempt_is_answered_and_does_nothing() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    env.deliver(&id, "late", r#"{"schema":"jobdir/request/1","attempt":7,"verb":"kill","force":true}"#);
    let answer = eventually("an answer", || env.events(&id).into_iter().find(|event| event["event"] == "answered"));
    assert_eq!((&answer["request"], &answer["result"]), (&"late".into(), &"already_ended".into()));
    assert_eq!(env.job_state(&id), "running");
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn what_is_no_request_is_refused_and_removed() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let inbox = env.job_dir(&id).join("kill-signals");
    env.deliver(&id, "garbage", "{");
    env.deliver(&id, "levitate", r#"{"schema":"jobdir/request/1","attempt":1,"verb":"levitate"}"#);
    env.deliver(&id, "huge", &" ".repeat(200_000));
    std::fs::create_dir(inbox.join("folder")).expect("makes");
    std::os::unix::fs::symlink("/etc/passwd", inbox.join("link")).expect("links");
    std::fs::write(inbox.join(".unfinished"), "{").expect("writes");
    let refused = || {
        let events = env.events(&id);
        let refused = events.iter().filter(|event| event["event"] == "answered" && event["result"] == "refused");
        refused.map(|event| event["request"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    eventually("five refusals", || {
        let mut refused = refused();
        refused.sort_unstable();
        (refused == ["folder", "garbage", "huge", "levitate", "link"]).then_some(())
    });
    assert!(inbox.join(".unfinished").exists(), "temporary names of other programs are left alone");
    assert_eq!(env.job_state(&id), "running");
    std::fs::remove_file(inbox.join(".unfinished")).expect("removes");
    env.stop_all();
}

#[test]
fn a_kill_before_the_start_means_that_the_command_never_runs() {
    let env = TestEnv::new();
    let first = env.start(&["--mutex", "m"], &["block"]);
    let ran = env.work().join("ran").to_string_lossy().into_owned();
    let second = env.start(&["--mutex", "m"], &["write", &ran, "x"]);
    assert_eq!(env.job_state(&second), "queued");
    env.deliver(&second, "kill", "");
    env.jobdir(&["wait", &second]).assert_code(123);
    let job = env.status(&second);
    assert_eq!(job["state"], "interrupted");
    assert!(job["started_at"].is_null() && !job["ended_at"].is_null(), "{job}");
    env.jobdir(&["kill", &first]).assert_code(0);
    assert!(!std::path::Path::new(&ran).exists());
}

#[cfg(unix)]
#[test]
fn modes_do_not_depend_on_the_callers_umask_but_the_job_gets_it() {
    let env = TestEnv::new();
    for mask in ["000", "777", "027"] {
        let jobdir = jobdir().to_string_lossy().into_owned();
        let helper = helper();
        let actions = ["umask", mask, "exec", &jobdir, "run", "-d", "--", &helper, "report"];
        let output = env.program(&helper, &actions).run();
        output.assert_code(0);
        let id = output.id();
        env.jobdir(&["wait", &id]).assert_code(0);
        let report: serde_json::Value = serde_json::from_slice(&env.captured(&id)).expect("JSON");
        assert_eq!(report["umask"], mask);
    }
    // That everything is 0700 and 0600 is one of the invariants that are checked at the end.
}

#[cfg(unix)]
#[test]
fn a_umask_can_be_chosen() {
    let env = TestEnv::new();
    let output = env.run_helper(&["run", "--umask", "137"], &["report"]);
    output.assert_code(0);
    assert_eq!(output.json()["umask"], "137");
}

#[cfg(unix)]
#[test]
fn the_pid_file_names_supervisor_and_leader() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    let pid = read_json(&env.job_dir(&id).join("pid"));
    assert_eq!(pid["leader"]["pid"], process.pid);
    assert_eq!(pid["leader"]["start_time"], process.start_time);
    let supervisor = proc::stat(u32::try_from(pid["supervisor"]["pid"].as_u64().expect("a pid")).expect("small"));
    let supervisor = supervisor.expect("the supervisor lives");
    assert_eq!(pid["supervisor"]["start_time"], supervisor.start_time);
    assert_eq!(proc::stat(process.pid).map(|stat| stat.parent), Some(supervisor.pid));
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    assert_eq!(pid["boot_id"], boot.trim());
    env.stop_all();
}

#[test]
fn records_are_whole_at_every_moment() {
    let env = TestEnv::new();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    let stop = AtomicBool::new(false);
    let jobs = env.state().join("jobs");
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read = 0u64;
            while !stop.load(Ordering::Relaxed) {
                for entry in std::fs::read_dir(&jobs).expect("lists").flatten() {
                    for name in ["job.json", "pid", "spec.json"] {
                        match std::fs::read(entry.path().join(name)) {
                            Ok(text) => {
                                serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_else(|error| {
                                    panic!("{}/{name}: {error}: {text:?}", entry.path().display())
                                });
                                read += 1;
                            }
                            Err(_) if name == "pid" => {}
                            Err(error) => panic!("a visible job has no {name}: {error}"),
                        }
                    }
                }
            }
            read
        });
        // Under wine each start lasts as long as twenty of them do elsewhere.
        for code in 0..if hears_signals() { 15 } else { 3 } {
            env.run_helper(&["run"], &["exit", &code.to_string()]).assert_code(code);
            let id = env.start(&[], &["block"]);
            env.jobdir(&["kill", &id]).assert_code(0);
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().expect("every file was whole")
    });
    assert!(read > 100, "only {read} files were read");
}

#[test]
fn events_tell_the_story_in_order() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    env.jobdir(&["kill", &id]).assert_code(0);
    let mut events = env.events(&id);
    // Where nobody hears the first rung, another one follows.
    events.retain(|event| hears_signals() || event["event"] != "signal_sent" || event["signal"] != "SIGKILL");
    let names: Vec<&str> = events
        .iter()
        .map(|event| match event["event"].as_str() {
            Some("state") => event["state"].as_str().expect("a state"),
            other => other.expect("a name"),
        })
        .filter(|name| ["started", "running", "stopping", "signal_sent", "leader_ended", "interrupted"].contains(name))
        .collect();
    assert_eq!(names, ["started", "running", "signal_sent", "stopping", "leader_ended", "interrupted"]);
}

#[test]
fn a_job_of_another_boot_or_host_is_judged_by_what_can_be_known() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    env.kill_supervisor(&id);
    env.leave_running();
    env.damage();
    let path = env.job_dir(&id).join("job.json");
    let mut record = read_json(&path);
    record["place"]["boot_id"] = "00000000-0000-0000-0000-000000000000".into();
    std::fs::write(&path, record.to_string()).expect("writes");
    assert_eq!(env.job_state(&id), "lost", "the host was restarted: whatever has this pid is a stranger");
    record["place"]["host"] = "elsewhere".into();
    std::fs::write(&path, record.to_string()).expect("writes");
    let job = env.status(&id);
    assert_eq!(job["state"], "running");
    assert!(job["supervised"].is_null() && job["alive"].is_null() && job["message"].is_string(), "{job}");
}

#[cfg(unix)]
#[test]
fn a_pid_that_belongs_to_a_stranger_is_never_signalled() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["exit", "0"]);
    env.jobdir(&["wait", &id]).assert_code(0);
    // A record of a job that seems to run, with the pid of somebody else.
    let stranger = env.program(helper(), &["witness", witness.address.as_str(), "block"]).spawn();
    let process = witness.accept();
    let path = env.job_dir(&id).join("job.json");
    let mut record = read_json(&path);
    let attempt = &mut record["attempts"][0];
    (attempt["outcome"], attempt["leader"]["pid"]) = (serde_json::Value::Null, process.pid.into());
    attempt["leader"]["start_time"] = (process.start_time + 1).into();
    record["state"] = "running".into();
    std::fs::write(&path, record.to_string()).expect("writes");
    std::fs::remove_file(env.job_dir(&id).join("pid")).expect("removes");
    env.damage();
    assert_eq!(env.job_state(&id), "lost");
    let output = env.jobdir(&["kill", "--force", &id]);
    assert!([0, 1].contains(&output.code()), "{output}");
    process.assert_alive();
    stranger.signal(Signal::SIGKILL);
    stranger.wait().assert_code(137);
}
