//! What is different on Windows: the kernel holds the tree together, arguments are one line of text, files that are open
//! can be in the way, and there is one polite signal. Whatever wine cannot do is skipped there and tried on a real Windows.

use std::io::{Read, Write};
use std::os::windows::fs::OpenOptionsExt;

use serde_json::Value;

use crate::support::env::{helper, jobdir, with_helper};
use crate::support::{TestEnv, Witness, can_make_holes, eventually, hears_signals, proc, words};

fn events_named(env: &TestEnv, id: &str, name: &str) -> Vec<Value> {
    env.events(id).into_iter().filter(|event| event["event"] == name).collect()
}

#[test]
fn arguments_arrive_exactly_as_they_are() {
    let env = TestEnv::new();
    #[rustfmt::skip]
    let words = [
        "", "a b", "\"", "\"\"", "say \"hi\"", r"C:\x y\", r"C:\x\", r"\", r"\\", r#"\""#, r#"\\"\"#, r#"a\\\"b c"#,
        "%PATH% ^&|<>()!", "\t", "\n", "ü 漢字 𝄞 🦀", "a\u{301}", "-d", "--", "*", "'", "@file", "a\\\\b\"c", " ",
    ];
    let actions: Vec<&str> = ["args"].iter().chain(&words).copied().collect();
    let shown = env.run_helper(&["run"], &actions);
    shown.assert_code(0);
    assert_eq!(serde_json::from_slice::<Vec<String>>(&shown.stdout).expect("words"), words);
    let status = env.status("1");
    let kept: Vec<&str> = status["command"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    assert_eq!(kept[2..], words);
}

#[test]
fn the_tree_dies_with_its_supervisor_and_the_job_is_lost() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let address = witness.address.as_str();
    let id = env
        .start(&["--mutex", "m"], &["spawn", "1", "[", "witness", address, "block", "]", "witness", address, "block"]);
    let (mut one, mut other) = (witness.accept(), witness.accept());
    assert_eq!(env.status(&id)["containment"][0], "job_object");
    env.kill_supervisor(&id);
    one.wait_for_death();
    other.wait_for_death();
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["alive"], &job["supervised"]), (&"lost".into(), &false.into(), &false.into()));
    env.jobdir(&["run", "--mutex", "m", "--", "true"]).assert_code(0);
    env.jobdir(&["resume", "-d", &id]).assert_code(0);
    witness.accept().assert_alive();
    env.stop_all();
}

#[test]
fn an_abandoned_tree_lives_on_and_can_still_be_killed() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let mut process = witness.accept();
    let (supervisor, since) = env.supervisor(&id);
    env.jobdir(&["abandon", &id]).assert_code(0);
    eventually("the end of the supervisor", || (!proc::is_same_alive(supervisor, since)).then_some(()));
    process.assert_alive();
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["alive"]), (&"abandoned".into(), &true.into()));
    env.jobdir(&["kill", "--force", &id]).assert_code(0);
    process.wait_for_death();
    assert_eq!(env.job_state(&id), "abandoned", "the outcome stays");
}

#[test]
fn jobs_in_jobs_are_asked_to_stop_and_are_no_part_of_each_other() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let (me, helper) = (crate::support::env::jobdir().display().to_string(), crate::support::env::helper());
    let run = [me.as_str(), "run", "--"];
    for force in [false, true] {
        let inner = [&run[..], &[&helper, "witness", &witness.address, "block"]].concat();
        let outer = env.jobdir(&[&["run", "-d", "--"], &run[..], &inner].concat()).id();
        let process = witness.accept();
        let first: u32 = outer.parse().expect("a number");
        let ids = [first, first + 1, first + 2].map(|id| id.to_string());
        let tree = env.status(&ids[0])["processes"].clone();
        assert_eq!(tree.as_array().map(Vec::len), Some(1), "nested jobs are no part of it: {tree}");
        env.jobdir(&[&["kill"][..], if force { &["--force"] } else { &[] }, &[&outer]].concat()).assert_code(0);
        process.assert_dead();
        let jobs = ids.map(|id| env.status(&id));
        for job in &jobs {
            assert_eq!(job["state"], "interrupted", "{job}");
        }
        for job in &jobs[1..] {
            // Where nobody hears a polite signal it is the outer supervisor that asks.
            assert!(job["reason"] == "parent" || hears_signals() && !force, "{job}");
        }
    }
}

#[test]
fn a_job_outlives_a_client_that_is_killed() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let line = with_helper(&["run"], &["witness", &witness.address, "await", "exit", "5"]);
    let client = env.prepare(&words(&line)).spawn();
    let mut process = witness.accept();
    proc::kill(client.pid());
    assert_ne!(client.wait().code(), 0);
    process.assert_alive();
    process.go();
    env.jobdir(&["wait", "1"]).assert_code(5);
}

#[test]
fn what_has_no_equivalent_is_refused() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    for words in [&["signal", "USR1", id.as_str()][..], &["kill", "-s", "WINCH", &id]] {
        env.jobdir(words).assert_code(2).assert_says("this system has no SIG").assert_says("CTRL_BREAK");
    }
    for (options, says) in [
        (&["--stop-plan", "USR1:1s,KILL"][..], "this system has no SIGUSR1"),
        (&["--stop-signal", "USR2"], "this system has no SIGUSR2"),
        (&["--pty"], "terminal"),
    ] {
        env.run_helper(&[&["run"], options].concat(), &["exit", "0"]).assert_code(125).assert_says(says);
    }
    env.jobdir(&["send", &id, "text"]).assert_code(1).assert_says("takes no input");
    assert_eq!(env.job_state(&id), "running");
    env.stop_all();
}

#[test]
fn the_exit_code_of_a_console_event_is_read_as_the_signal_that_was_sent() {
    const CONTROL_C_EXIT: &str = "-1073741510";
    let env = TestEnv::new();
    let witness = Witness::new();
    let actions = ["witness", &witness.address, "await", "exit", CONTROL_C_EXIT];
    let id = env.start(&["--stop-plan", "TERM:1h,KILL"], &actions);
    let mut process = witness.accept();
    env.jobdir(&["kill", "--no-wait", &id]).assert_code(0);
    eventually("the signal", || (!events_named(&env, &id, "signal_sent").is_empty()).then_some(()));
    if !hears_signals() {
        process.go();
    }
    env.jobdir(&["wait", &id]).assert_code(143);
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["signal"]), (&"interrupted".into(), &"SIGTERM".into()));
    let told = events_named(&env, &id, "note");
    assert!(
        told.iter().any(|event| event["message"].as_str().is_some_and(|text| text.contains("CTRL_BREAK"))),
        "{told:?}"
    );
    // Nobody here has asked for this one.
    env.run_helper(&["run"], &["exit", CONTROL_C_EXIT]).assert_code(130);
    assert_eq!(env.job_state("@last"), "failed");
}

#[test]
fn ctrl_break_reaches_the_whole_group_and_never_the_supervisor() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let address = witness.address.as_str();
    let id = env
        .start(&["--grace", "1h"], &["spawn", "1", "[", "witness", address, "block", "]", "witness", address, "block"]);
    let processes = [witness.accept(), witness.accept()];
    env.jobdir(&["kill", &id]).assert_code(0);
    processes.iter().for_each(|process| process.assert_dead());
    let job = env.status(&id);
    assert_eq!((&job["state"], &job["signal"]), (&"interrupted".into(), &"SIGTERM".into()));
    assert_eq!(events_named(&env, &id, "signal_sent").len(), 1);
}

#[test]
fn a_record_that_somebody_has_open_is_replaced_when_he_closes_it() {
    const FILE_SHARE_READ: u32 = 1;
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "exit", "3"]);
    let mut process = witness.accept();
    let record = env.job_dir(&id).join("job.json");
    // As a virus scanner or an indexer has it open: nobody may replace it.
    let held = std::fs::OpenOptions::new().read(true).share_mode(FILE_SHARE_READ).open(&record).expect("opens");
    process.go();
    process.wait_for_death();
    assert_eq!(env.record(&id)["state"], "running");
    drop(held);
    env.jobdir(&["wait", &id]).assert_code(3);
    assert_eq!(env.record(&id)["state"], "failed");
}

#[test]
fn long_paths_and_odd_names_are_paths_like_any_other() {
    let env = TestEnv::new();
    let odd = env.root().join("ü 漢字 & 100% ^ [x] 'q' !");
    let long = ["a", "b", "c"].iter().fold(env.root().join("long"), |path, letter| path.join(letter.repeat(100)));
    // wine 8 cannot tell the real path of a long one.
    let states = [(odd.join("state"), "4"), (long.join("state"), "6")];
    for (state, code) in states.into_iter().take(if hears_signals() { 2 } else { 1 }) {
        let run = |words: &[&str]| env.prepare(words).env("JOBDIR_STATE_DIR", &state).run();
        let line = with_helper(&["run"], &["out", "said", "exit", code]);
        run(&words(&line)).assert_code(code.parse().expect("a number")).assert_stdout("said\n");
        run(&["logs", "1"]).assert_stdout("said\n");
        let jobs = run(&["jobs", "--json"]).json();
        assert_eq!(jobs["jobs"][0]["state"], "failed", "{jobs}");
        run(&["delete", "1"]).assert_code(0);
    }
    std::fs::create_dir_all(&odd).expect("makes");
    let line = with_helper(&["run"], &["write", "here", "", "exit", "0"]);
    env.prepare(&words(&line)).cwd(&odd).run().assert_code(0);
    assert!(odd.join("here").exists());
    // What the system takes for devices is no name, here as elsewhere.
    for name in ["con", "nul", "aux", "com1"] {
        env.run_helper(&["run", "--name", name], &["exit", "0"]).assert_code(125).assert_says("reserved");
    }
}

/// Who may do what with a directory, as text.
mod access {
    #![expect(unsafe_code, reason = "the system is asked by other functions than jobdir uses")]

    use std::os::windows::ffi::OsStrExt;
    use std::path::Path;
    use std::ptr;

    use windows_sys::Win32::Foundation::LocalFree;
    use windows_sys::Win32::Security::Authorization::{
        ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertStringSecurityDescriptorToSecurityDescriptorW,
        SDDL_REVISION_1,
    };
    use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, GetFileSecurityW, SetFileSecurityW};

    fn wide(text: impl AsRef<std::ffi::OsStr>) -> Vec<u16> {
        text.as_ref().encode_wide().chain([0]).collect()
    }

    pub(super) fn of(path: &Path) -> String {
        let (path, mut descriptor, mut needed) = (wide(path), [0u64; 512], 0);
        let (mut text, mut length) = (ptr::null_mut(), 0u32);
        // SAFETY: the path ends with a NUL, and the room is told; the text is ours to free.
        unsafe {
            let room = size_of_val(&descriptor) as u32;
            let place = descriptor.as_mut_ptr().cast();
            let told = GetFileSecurityW(path.as_ptr(), DACL_SECURITY_INFORMATION, place, room, &raw mut needed);
            assert_ne!(told, 0, "{}", std::io::Error::last_os_error());
            let made = ConvertSecurityDescriptorToStringSecurityDescriptorW(
                place,
                SDDL_REVISION_1,
                DACL_SECURITY_INFORMATION,
                &raw mut text,
                &raw mut length,
            );
            assert_ne!(made, 0, "{}", std::io::Error::last_os_error());
            let units = std::slice::from_raw_parts(text, length as usize).to_vec();
            LocalFree(text.cast());
            String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
        }
    }

    pub(super) fn set(path: &Path, text: &str) {
        let (path, text, mut descriptor) = (wide(path), wide(text), ptr::null_mut());
        // SAFETY: the texts end with a NUL; the descriptor is ours to free.
        unsafe {
            let made = ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            );
            assert_ne!(made, 0, "{}", std::io::Error::last_os_error());
            let set = SetFileSecurityW(path.as_ptr(), DACL_SECURITY_INFORMATION, descriptor);
            assert_ne!(set, 0, "{}", std::io::Error::last_os_error());
            LocalFree(descriptor);
        }
    }
}

#[test]
fn a_state_directory_is_for_the_user_alone_wherever_it_is() {
    let env = TestEnv::new();
    // What is made below this would be for everybody, too.
    access::set(env.root(), "D:(A;OICI;FA;;;WD)");
    env.run_helper(&["run"], &["out", "hello"]).assert_code(0);
    for directory in [env.state(), env.job_dir("1"), env.job_dir("1").join("kill-signals")] {
        let text = access::of(&directory);
        assert!(!text.contains(";WD)") && !text.contains(";BU)") && !text.contains(";AU)"), "{text}");
        // wine keeps no more of a list than the mode of a file does.
        assert!(text.starts_with("D:P") || !hears_signals(), "{text}");
    }
    env.damage();
    let before = crate::support::invariants::listing(&env.state());
    access::set(&env.state(), "D:P(A;OICI;FA;;;WD)");
    let output = env.jobdir(&["run", "--", "true"]);
    output.assert_code(125).assert_stdout("").assert_says("other users").assert_says("icacls \"");
    env.jobdir(&["kill", "1"]).assert_code(1).assert_stdout("").assert_says("other users");
    assert_eq!(before, crate::support::invariants::listing(&env.state()));
    env.jobdir(&["logs", "1"]).assert_code(0).assert_stdout("hello\n");
}

#[test]
fn a_limit_for_logs_that_cannot_be_kept_is_told_at_once() {
    if can_make_holes() {
        return;
    }
    let env = TestEnv::new();
    let id = env.start(&["--log-max", "1M"], &["block"]);
    let output = &env.status(&id)["output"];
    assert_eq!((&output["log_max_bytes"], &output["log_max_kept"]), (&(1 << 20).into(), &false.into()));
    let told = events_named(&env, &id, "note");
    let says = |note: &Value| note["message"].as_str().is_some_and(|text| text.contains("not kept below --log-max"));
    assert!(told.iter().any(says), "{told:?}");
    env.stop_all();
}

#[test]
fn limits_are_those_of_a_job_object_and_others_are_refused() {
    let env = TestEnv::new();
    for (options, says) in [
        (&["--rlimit", "NOFILE=10"][..], "there is no resource 'NOFILE' here; try AS, CPU, DATA or NPROC"),
        (&["--umask", "022"], "files have no modes here"),
    ] {
        env.run_helper(&[&["run"], options].concat(), &["exit", "0"]).assert_code(125).assert_says(says);
    }
    let options = ["run", "--nice", "5", "--rlimit", "as=4G", "--rlimit", "CPU=1000", "--rlimit", "NPROC=1:2"];
    env.run_helper(&options, &["out", "said", "exit", "3"]).assert_code(3).assert_stdout("said\n");
    assert_eq!(env.status("1")["containment"][0], "job_object");
    // wine takes the limits, and keeps none of them.
    if hears_signals() {
        let output = env.run_helper(&options, &["spawn", "1", "[", "exit", "0", "]", "exit", "0"]);
        assert_ne!(output.code(), 0, "two processes are too many: {output}");
    }
}

#[test]
fn a_damaged_record_hides_no_other_job_and_is_not_touched() {
    let env = TestEnv::new();
    env.damage();
    env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    env.run_helper(&["run"], &["exit", "3"]).assert_code(3);
    let record = env.job_dir("1").join("job.json");
    std::fs::write(&record, b"{\"schema\":\"jobdir/rec").expect("writes");
    let jobs = env.jobdir(&["jobs", "-a", "--json"]).json();
    let states: Vec<&Value> = jobs["jobs"].as_array().expect("jobs").iter().map(|job| &job["state"]).collect();
    assert_eq!(states.len(), 2, "{jobs}");
    assert_ne!(states[0], "succeeded");
    assert_eq!(states[1], "failed");
    assert_eq!(std::fs::read(&record).expect("reads"), b"{\"schema\":\"jobdir/rec");
    env.jobdir(&["delete", "1"]).assert_code(0);
    assert!(!env.job_dir("1").exists());
}

#[test]
fn paused_processes_stand_still() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "tell", "moves", "exit", "0"]);
    let mut process = witness.accept();
    env.jobdir(&["pause", &id]).assert_code(0);
    assert_eq!(env.status(&id)["paused"], true);
    process.go();
    env.jobdir(&["wait", "--timeout", "500ms", &id]).assert_code(122);
    env.jobdir(&["unpause", &id]).assert_code(0);
    assert_eq!(process.line(), "moves");
    env.jobdir(&["wait", &id]).assert_code(0);
}

#[test]
fn what_is_no_program_is_told_by_its_reason() {
    let env = TestEnv::new();
    let file = |name: &str| std::fs::write(env.work().join(name), "").expect("writes");
    file("not-a-program.exe");
    file("script.cmd");
    env.jobdir(&["run", "--", "no-such-program"]).assert_code(127);
    env.jobdir(&["run", "--", r".\not-a-program.exe"]).assert_code(126);
    env.jobdir(&["run", "--", r".\script.cmd"]).assert_code(126).assert_says("cmd /d /c");
    // What lies in the current directory is never meant by a bare name.
    env.jobdir(&["run", "--", "script"]).assert_code(127);
}

#[test]
fn what_is_typed_at_a_console_reaches_the_job_until_control_z() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let (jobdir, helper) = (jobdir().to_string_lossy().into_owned(), helper());
    #[rustfmt::skip]
    let actions = [
        "at-console", "hello\r\u{1a}\r", "[", "console", "run-command", &jobdir,
        "[", "run", "--", &helper, "witness", &witness.address, "line", "stdin", "tell", "end", "]", "]",
    ];
    env.program(&helper, &actions).run().assert_code(0);
    let mut process = witness.accept();
    assert_eq!([process.line(), process.line()], ["hello", "end"]);
    env.jobdir(&["wait", "1"]).assert_code(0);
    let spec: Value =
        serde_json::from_slice(&std::fs::read(env.job_dir("1").join("spec.json")).expect("reads")).expect("JSON");
    assert_eq!(spec["stdin"], "typed");
}

#[test]
fn any_program_sends_through_the_pipe_that_the_file_names() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--stdin", "fifo"], &["witness", &witness.address, "line", "line", "await", "exit", "0"]);
    let mut process = witness.accept();
    let file = env.job_dir(&id).join("stdin");
    let text = std::fs::read_to_string(&file).expect("a file");
    let mut pipe = std::fs::OpenOptions::new().write(true).open(text.trim_end()).expect("somebody serves it");
    pipe.write_all(b"from elsewhere\n").expect("is taken");
    assert_eq!(process.line(), "from elsewhere");
    // What names anything else is not opened: it could be anything, and anywhere.
    let other = env.work().join("other");
    std::fs::write(&other, "kept").expect("writes");
    for name in [
        other.to_str().expect("text"),
        r"\\host\pipe\jobdir-00112233445566778899aabbccddeeff",
        r"\\.\pipe\jobdir-..\x",
        "",
    ] {
        std::fs::write(&file, name).expect("writes");
        env.jobdir(&["send", &id, "text"]).assert_code(1).assert_says("does not name a pipe of jobdir");
    }
    assert_eq!(std::fs::read(&other).expect("reads"), b"kept");
    std::fs::write(&file, text).expect("writes");
    env.jobdir(&["send", &id, "from us"]).assert_code(0);
    assert_eq!(process.line(), "from us");
    process.go();
    env.jobdir(&["wait", &id]).assert_code(0);
}

#[test]
fn whoever_finds_every_place_taken_waits_for_one() {
    const PIPE_BUSY: i32 = 231;
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(&["--stdin", "fifo"], &["witness", &witness.address, "line", "exit", "0"]);
    let mut process = witness.accept();
    let name = std::fs::read_to_string(env.job_dir(&id).join("stdin")).expect("a file");
    let open = || std::fs::OpenOptions::new().write(true).open(name.trim_end());
    // One is the supervisor's.
    let mut senders: Vec<std::fs::File> = (0..15).map(|_| open().expect("has a place")).collect();
    assert_eq!(open().expect_err("there is no more").raw_os_error(), Some(PIPE_BUSY));
    let waits = env.prepare(&["send", &id, "in the end"]).spawn();
    senders.pop();
    waits.wait().assert_code(0);
    assert_eq!(process.line(), "in the end");
    env.jobdir(&["wait", &id]).assert_code(0);
}

#[test]
fn a_console_shows_what_is_no_text_and_what_comes_after_it() {
    let env = TestEnv::new();
    let (jobdir, helper) = (jobdir().to_string_lossy().into_owned(), helper());
    #[rustfmt::skip]
    let actions = [
        "at-console", "", "[", "console", "run-command", &jobdir,
        "[", "run", "--", &helper, "out", "d\u{e9}j\u{e0}", "hex", "61ff620a", "out", "after", "]", "]",
    ];
    let shown = env.program(&helper, &actions).run();
    shown.assert_code(0);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for part in ["d\u{e9}j\u{e0}\r\n", "b\r\n", "after\r\n"] {
        assert!(shown.contains(part), "{shown:?}");
    }
    assert!(!shown.contains("cannot pass on"), "{shown:?}");
}

#[test]
fn when_the_reader_of_a_silent_job_goes_away_client_and_job_end() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let line = with_helper(&["run"], &["witness", &witness.address, "block"]);
    let client = env.prepare(&words(&line)).spawn_with(None, writer.into(), None);
    let mut process = witness.accept();
    drop(reader);
    process.wait_for_death();
    client.wait().assert_code(141);
    let job = env.status("1");
    assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"client_signal".into()));
}

#[test]
fn control_c_at_a_console_asks_for_the_end_of_the_job() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let (jobdir, helper) = (jobdir().to_string_lossy().into_owned(), helper());
    // Only once the job runs: what is typed is told to the helper by the test.
    #[rustfmt::skip]
    let actions = [
        "witness", &witness.address, "at-console", "\u{3}", "[", "ignore", "INT", "console", "run-command", &jobdir,
        "[", "run", "--", &helper, "witness", &witness.address, "block", "]", "]",
    ];
    let client = env.program(&helper, &actions).spawn();
    let mut console = witness.accept();
    let mut process = witness.accept();
    console.go();
    process.wait_for_death();
    client.wait().assert_code(0);
    let job = env.status("1");
    assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"client_signal".into()));
}

#[test]
fn closing_the_console_asks_for_the_end_of_the_job() {
    if !hears_signals() {
        return;
    }
    let env = TestEnv::new();
    let witness = Witness::new();
    let (jobdir, helper) = (jobdir().to_string_lossy().into_owned(), helper());
    #[rustfmt::skip]
    let actions = [
        "witness", &witness.address, "at-console", "close", "[", "console", "run-command", &jobdir,
        "[", "run", "--", &helper, "witness", &witness.address, "block", "]", "]",
    ];
    let client = env.program(&helper, &actions).spawn();
    let mut console = witness.accept();
    let mut process = witness.accept();
    console.go();
    process.wait_for_death();
    client.wait().assert_code(0);
    let job = env.status("1");
    assert_eq!((&job["state"], &job["reason"]), (&"interrupted".into(), &"client_signal".into()));
    let signals = events_named(&env, "1", "signal_sent");
    assert!(signals.iter().any(|event| event["signal"] == "SIGHUP"), "{signals:?}");
}

#[test]
fn nobody_sends_to_a_job_that_reads_what_is_typed() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let (jobdir, helper) = (jobdir().to_string_lossy().into_owned(), helper());
    #[rustfmt::skip]
    let actions = [
        "at-console", "", "[", "console", "run-command", &jobdir,
        "[", "run", "--", &helper, "witness", &witness.address, "await", "exit", "0", "]", "]",
    ];
    let client = env.program(&helper, &actions).spawn();
    let mut process = witness.accept();
    env.jobdir(&["send", "1", "text"]).assert_code(1).assert_says("where it was started").assert_says("--stdin fifo");
    process.go();
    client.wait().assert_code(0);
}

#[test]
fn stdout_and_stderr_that_are_one_pipe_keep_their_order() {
    let env = TestEnv::new();
    let actions = with_helper(&["run"], &["out", "1", "err", "2", "out", "3"]);
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let same = writer.try_clone().expect("another handle of the same");
    env.prepare(&words(&actions)).spawn_with(None, writer.into(), Some(same.into())).wait().assert_code(0);
    let mut shown = String::new();
    reader.read_to_string(&mut shown).expect("reads");
    assert_eq!(shown.lines().collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(!env.job_dir("1").join("attempts/1/stderr.log").exists(), "there is one log");
}
