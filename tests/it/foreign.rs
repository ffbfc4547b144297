//! Foreign ground: numbers that strangers bear now, other boots, hosts and pid namespaces, zombies that nobody reaps, and
//! clocks that jump. Nothing is ever signalled or called alive by a number alone.

use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::env::{helper, jobdir};
use crate::support::{Output, TestEnv, Witness, proc, skip};

/// Runs a script in namespaces of its own, as their root. `$J` is jobdir, `$H` the helper.
fn in_namespaces(env: &TestEnv, flags: &[&str], script: &str) -> Option<Output> {
    let probe = Command::new("unshare").args(flags).args(["sh", "-c", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skip("no namespaces of our own");
        return None;
    }
    env.damage();
    let words: Vec<&str> = flags.iter().copied().chain(["bash", "-c", script]).collect();
    let output = env.program("unshare", &words).env("J", jobdir()).env("H", helper()).env("S", env.state()).run();
    if output.code() == 77 {
        skip("the kernel refuses what is needed");
        return None;
    }
    Some(output)
}

const PID_NAMESPACE: &[&str] = &["-rm", "--pid", "--fork", "--mount-proc", "--kill-child"];

#[test]
fn a_stranger_with_the_recorded_number_is_neither_alive_nor_signalled() {
    let env = TestEnv::new();
    // Numbers are given out in turn, from 300 once the largest has been reached.
    let script = r#"
        fail() { echo "FAILED: $*" >&2; "$J" jobs --all >&2; exit 1; }
        echo 400 >/proc/sys/kernel/pid_max 2>/dev/null || exit 77
        until [ "$(sh -c 'echo $$')" -gt 320 ]; do :; done
        id=$("$J" run -d -- sleep 1000) || fail start
        leader=$("$J" status -P pid "$id"); supervisor=$("$J" status -P supervisor_pid "$id")
        kill -KILL "$supervisor" "$leader"
        until [ ! -d /proc/"$leader" ] || grep -q '^State:.Z' "/proc/$leader/status"; do :; done
        wait
        # The namespace's first process reaps what is left to it, and then numbers are used again.
        for want in "$leader" "$supervisor"; do
            stranger=
            for try in $(seq 3000); do
                sleep 1000 & got=$!
                [ "$got" = "$want" ] && { stranger=$got; break; }
                kill -KILL "$got"; wait "$got" 2>/dev/null
            done
            [ -n "$stranger" ] || fail "number $want is never used again"
        done
        case $("$J" status -P state "$id") in lost) ;; *) fail "a stranger is taken for the job: $("$J" status --json "$id")" ;; esac
        [ "$("$J" status -P alive "$id")" = false ] || fail alive
        "$J" kill --force "$id" || fail kill
        "$J" delete "$id" || fail delete
        kill -0 "$leader" && kill -0 "$supervisor" || fail "a stranger was signalled"
        kill -KILL "$leader" "$supervisor"
    "#;
    if let Some(output) = in_namespaces(&env, PID_NAMESPACE, script) {
        output.assert_code(0);
    }
}

#[test]
fn zombies_that_nobody_reaps_are_dead() {
    let env = TestEnv::new();
    // The first process of the namespace never waits for anybody, as that of many containers.
    let script = r#"
        fail() { echo "FAILED: $*" >&2; "$J" jobs --all >&2; exit 1; }
        id=$("$J" run -d -- sh -c 'sleep 1000 & exec sleep 1000') || fail start
        leader=$("$J" status -P pid "$id"); supervisor=$("$J" status -P supervisor_pid "$id")
        kill -STOP "$supervisor"; kill -KILL "$supervisor"
        kill -KILL -- "-$leader"
        for pid in "$leader" "$supervisor"; do until grep -q '^State:.Z' "/proc/$pid/status"; do :; done; done
        [ "$("$J" status -P state "$id")" = lost ] || fail "$("$J" status "$id")"
        [ "$("$J" status -P alive "$id")" = false ] || fail alive
        "$J" kill "$id" || fail kill
        grep -q '^State:.Z' "/proc/$leader/status" || fail "somebody has reaped it, so this tests nothing"
    "#;
    let never_reaps = format!(
        "({script}\n) & script=$!; exec perl -e '$SIG{{CHLD}} = \"DEFAULT\"; waitpid(shift, 0); exit($? >> 8)' \"$script\""
    );
    if Command::new("perl").arg("-v").output().is_err() {
        return skip("no perl");
    }
    if let Some(output) = in_namespaces(&env, PID_NAMESPACE, &never_reaps) {
        output.assert_code(0);
    }
}

#[test]
fn a_job_in_another_pid_namespace_is_told_as_such_and_left_alone() {
    let env = TestEnv::new();
    let script = r#"
        fail() { echo "FAILED: $*" >&2; exit 1; }
        "$J" status --json 1 >"$TMPDIR/seen" || fail status
        grep -q '"state":"running"' "$TMPDIR/seen" || fail "$(cat "$TMPDIR/seen")"
        grep -q '"supervised":null,"alive":null' "$TMPDIR/seen" || fail "$(cat "$TMPDIR/seen")"
        grep -q "pid namespace 'pid:\[" "$TMPDIR/seen" || fail "$(cat "$TMPDIR/seen")"
        "$J" kill --timeout 1 1 && fail "it says that it has killed it"
        "$J" delete 1 && fail "it says that it has deleted it"
        exit 0
    "#;
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "block"]);
    let process = witness.accept();
    // The record is made to look as if everybody had died with it: nobody may conclude that from another namespace.
    env.kill_supervisor(&id);
    if let Some(output) = in_namespaces(&env, PID_NAMESPACE, script) {
        output.assert_code(0);
    }
    process.assert_alive();
    assert_eq!(env.job_state(&id), "orphaned");
    env.jobdir(&["kill", &id]).assert_code(0);
}

/// Changes where a job was started, in its record and its pid file.
fn move_to(env: &TestEnv, id: &str, field: &str, value: &str) {
    for file in ["job.json", "pid"] {
        let path = env.job_dir(id).join(file);
        let mut document = crate::support::env::read_json(&path);
        let place = if file == "pid" { &mut document } else { &mut document["place"] };
        place[field] = value.into();
        std::fs::write(&path, document.to_string()).expect("writes");
    }
}

#[test]
fn another_boot_host_and_namespace_are_told_by_name() {
    let env = TestEnv::new();
    env.damage();
    for (field, value, state, says) in [
        ("boot_id", "another-boot", "lost", "restarted"),
        ("host", "another-host", "running", "another-host"),
        ("pid_namespace", "pid:[1]", "running", "pid:[1]"),
    ] {
        let witness = Witness::new();
        let id = env.start(&[], &["witness", &witness.address, "block"]);
        let mut process = witness.accept();
        env.kill_supervisor(&id);
        move_to(&env, &id, field, value);
        let job = env.status(&id);
        assert_eq!(job["state"], state, "{job}");
        assert!(job["message"].as_str().is_some_and(|message| message.contains(says)), "{job}");
        assert_eq!(job["supervised"], if state == "lost" { Value::Bool(false) } else { Value::Null }, "{job}");
        for words in [&["kill"][..], &["kill", "--force"], &["delete"], &["abandon", "--kill"], &["signal", "KILL"]] {
            let output = env.jobdir(&[words, &[id.as_str()]].concat());
            // A restart of the host settles everything; of elsewhere nothing is known.
            assert!(state == "lost" || output.code() != 0, "{output}");
            process.assert_alive();
        }
        proc::signal(process.pid, Signal::SIGKILL);
        process.wait_for_death();
    }
}

/// A library that moves the clock of every process by what a file says, made by the compiler that made the tests.
const CLOCK: &str = r#"
#![crate_type = "cdylib"]
use std::ffi::{c_char, c_int, c_long, c_void};
#[repr(C)] pub struct Timespec { seconds: c_long, nanoseconds: c_long }
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn read(fd: c_int, buffer: *mut c_void, length: usize) -> isize;
    fn close(fd: c_int) -> c_int;
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int {
    let result = unsafe { syscall(NUMBER, clock as c_long, time) } as c_int;
    if clock == 0 && result == 0 {
        let mut digits = [0u8; 24];
        let fd = unsafe { open(c"FILE".as_ptr(), 0x80000) };
        let n = if fd < 0 { 0 } else { unsafe { read(fd, digits.as_mut_ptr().cast(), 24) } };
        if fd >= 0 { unsafe { close(fd) }; }
        let text = std::str::from_utf8(&digits[..n.max(0) as usize]).unwrap_or("");
        unsafe { (*time).seconds += text.trim().parse::<c_long>().unwrap_or(0) };
    }
    result
}
"#;

#[test]
fn a_clock_that_jumps_changes_neither_durations_nor_order() {
    let env = TestEnv::new();
    let (source, library, offset) =
        (env.root().join("clock.rs"), env.root().join("clock.so"), env.root().join("offset"));
    let code =
        CLOCK.replace("FILE", &offset.to_string_lossy()).replace("NUMBER", &nix::libc::SYS_clock_gettime.to_string());
    std::fs::write(&source, code).expect("writes");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(compiler).args(["--edition", "2024", "-o"]).args([&library, &source]).output();
    if !built.is_ok_and(|output| output.status.success()) {
        return skip("no compiler for the library that moves the clock");
    }
    // Supervisors have an empty environment, so LD_PRELOAD does not reach them; this file does, in our namespace only.
    let script = format!(
        r#"
        fail() {{ echo "FAILED: $*" >&2; "$J" jobs --all >&2; exit 1; }}
        cp -a /etc "$TMPDIR/etc" 2>/dev/null; echo '{library}' >"$TMPDIR/etc/ld.so.preload"
        mount --bind "$TMPDIR/etc" /etc || exit 77
        clock() {{ echo "$1" >"{offset}.new"; mv "{offset}.new" "{offset}"; }}
        clock 0
        [ "$(date +%Y)" -ge 2020 ] || exit 77
        clock -700000000; [ "$(date +%Y)" -lt 2020 ] || exit 77
        for jump in -700000000 700000000; do
            clock 0
            mkfifo "$TMPDIR/go$jump"
            id=$("$J" run -d --finally true -- sh -c "read -r x <'$TMPDIR/go$jump'; exit 3") || fail start
            timed=$("$J" run -d --timeout 1h -- sh -c "sleep 1000") || fail start
            clock "$jump"
            for verb in "status $id" "jobs --all" "wait --timeout 0 $id" "events $id"; do
                "$J" $verb >"$TMPDIR/out" 2>&1; case $? in 0|122) ;; *) fail "$verb: $(cat "$TMPDIR/out")" ;; esac
                ! grep -q panicked "$TMPDIR/out" || fail "$(cat "$TMPDIR/out")"
            done
            [ "$("$J" status -P state "$timed")" = running ] || fail "the limit follows the wall clock"
            echo go >"$TMPDIR/go$jump"
            "$J" wait "$id"; [ $? = 3 ] || fail "wait"
            duration=$("$J" status -P duration_ms "$id")
            [ "$duration" -ge 0 ] && [ "$duration" -lt 60000 ] || fail "it lasted $duration ms"
            [ "$("$J" status -P state @last)" = running ] || fail "the newest job is another one"
            "$J" kill "$timed" || fail kill
            "$J" events "$id" | tr , '\n' | grep '"seq"' | tr -dc '0-9\n' >"$TMPDIR/order"
            sort -n -c "$TMPDIR/order" || fail "the order of events: $(tr '\n' ' ' <"$TMPDIR/order")"
        done
        [ "$("$J" jobs -q | tr '\n' ' ')" = "1 2 3 4 " ] || fail "the order of jobs: $("$J" jobs -q)"
        "#,
        library = library.display(),
        offset = offset.display()
    );
    assert!(Path::new(&library).exists());
    if let Some(output) = in_namespaces(&env, &["-rm"], &script) {
        output.assert_code(0);
    }
}
