//! Storage that fails: no space, no permission, errors of every kind at every write. What is told is true, nothing half
//! is taken for whole, and the outcome of a job is kept as soon as one byte can be written.
//!
//! The disk is a small tmpfs in a mount namespace of the test's own, and errors of single system calls are injected by
//! strace. Where the kernel or the host has not got what is needed, the test says so and is skipped.

use std::path::Path;
use std::process::Command;

use crate::support::env::jobdir;
use crate::support::{Output, TestEnv, Witness, can_trace, eventually, is_deep, is_root, skip};

/// Says whether this works here: a mount namespace with a mount of our own.
fn can_mount() -> bool {
    let probe = Command::new("unshare").args(["-rm", "sh", "-c", "mount -t tmpfs none /mnt"]).output();
    let works = probe.is_ok_and(|output| output.status.success());
    if !works {
        skip("no mount namespace of our own");
    }
    works
}

/// Runs a script with a tmpfs of this size at the state directory, which only it sees. `$J` is jobdir, `$H` the helper.
fn on_small_disk(env: &TestEnv, options: &str, script: &str) -> Output {
    env.damage();
    std::fs::create_dir(env.state()).expect("makes");
    let mount = format!(
        "set -u; mount -t tmpfs -o mode=700,{options} none {state} || exit 77; {LIBRARY}\n{script}",
        state = env.state().display()
    );
    let output = env
        .program("unshare", &["-rm", "bash", "-c", &mount])
        .env("J", jobdir())
        .env("H", crate::support::env::helper())
        .env("S", env.state())
        .run();
    assert_ne!(output.code(), 77, "{output}");
    output
}

/// What the scripts share: filling the disk to the last byte, waiting for a condition, and failing with a reason.
const LIBRARY: &str = r#"
fail() { echo "FAILED: $*" >&2; "$J" jobs --all >&2; exit 1; }
fill() { head -c 100M /dev/zero >>"$S/fill" 2>/dev/null; while printf . >>"$S/fill" 2>/dev/null; do :; done; }
until_true() { for _ in $(seq 2000); do "$@" && return; read -rt 0.01 <> <(:) || :; done; fail "in vain: $*"; }
state_is() { [ "$("$J" status -P state "$1")" = "$2" ]; }
"#;

#[test]
fn a_full_disk_keeps_the_outcome_until_there_is_space() {
    if !can_mount() {
        return;
    }
    let env = TestEnv::new();
    let script = r#"
        mkfifo "$TMPDIR/go"
        id=$("$J" run -d -- sh -c "read -r x <'$TMPDIR/go'; exit 42") || fail start
        touch "$TMPDIR/wait"
        "$J" run -- sh -c ': >"$1"; while [ -e "$0" ]; do :; done; exit 9' "$TMPDIR/wait" "$TMPDIR/on" 2>"$TMPDIR/stayed" & client=$!
        until_true test -e "$TMPDIR/on"
        # Otherwise the two have all that they need.
        rm "$S/jobs/1/job.json.new" "$S/jobs/2/job.json.new"
        fill
        echo go >"$TMPDIR/go"
        rm "$TMPDIR/wait"
        until_true grep -q "cannot be recorded yet: .*No space left" "$TMPDIR/stayed"
        # The job ends, and its supervisor cannot write it down: it holds on, and nobody says 'lost'.
        leader=$("$J" status -P pid "$id")
        until_true sh -c "! kill -0 $leader 2>/dev/null || grep -q '^State:.Z' /proc/$leader/status"
        for _ in 1 2 3 4 5; do
            case $("$J" status -P state "$id") in running|failed) ;; *) fail "$("$J" status "$id")" ;; esac
        done
        "$J" run -- true 2>"$TMPDIR/told"; [ $? = 125 ] || fail "a start on a full disk is not refused"
        grep -q "No space left" "$TMPDIR/told" && grep -q "hint: free some space" "$TMPDIR/told" || fail "$(cat "$TMPDIR/told")"
        "$J" jobs >/dev/null || fail "the list needs space"
        began=$SECONDS
        rm "$S/fill"
        "$J" wait --timeout 20 "$id"; [ $? = 42 ] || fail "the outcome is lost"
        [ $((SECONDS - began)) -le 5 ] || fail "it took $((SECONDS - began)) s"
        state_is "$id" failed || fail "state"
        wait $client; [ $? = 9 ] || fail "the client that stayed: $(cat "$TMPDIR/stayed")"
        "$J" run -- true || fail "it does not recover"
    "#;
    on_small_disk(&env, "size=400k", script).assert_code(0);
}

#[test]
fn a_disk_that_fills_up_at_any_point_leaves_nothing_half() {
    if !can_mount() {
        return;
    }
    let env = TestEnv::new();
    // Every number of free pages from none to more than enough, and then inodes.
    let script = r#"
        "$J" run --name first -- true || fail first
        for pages in 0 1 2 3 4 5 6 8 12; do
            fill
            truncate -s -$((pages * 4096)) "$S/fill"
            "$J" run -d -- sh -c 'exit 7' >"$TMPDIR/out" 2>"$TMPDIR/told"
            code=$?
            case $code in 0) ;; 125) [ -s "$TMPDIR/told" ] || fail "silent at $pages" ;; *) fail "code $code at $pages: $(cat "$TMPDIR/told")" ;; esac
            "$J" jobs --json >"$TMPDIR/list" || fail "no list at $pages"
            ! grep -q '"corrupt"' "$TMPDIR/list" || fail "something half at $pages: $(cat "$TMPDIR/list")"
            rm "$S/fill"
            for id in $("$J" jobs -q); do
                "$J" wait --timeout 10 "$id" 2>/dev/null; case $? in 0|7|125) ;; *) fail "job $id at $pages: $("$J" status "$id")" ;; esac
            done
        done
        "$J" run -- sh -c 'exit 7'; [ $? = 7 ] || fail "it does not recover"
    "#;
    on_small_disk(&env, "size=400k", script).assert_code(0);
}

#[test]
fn a_disk_without_inodes_is_told_and_recovers() {
    if !can_mount() {
        return;
    }
    let env = TestEnv::new();
    let script = r#"
        "$J" run --name first -- true || fail first
        for spare in 0 2 4 6 7 8 9 10 11 12 14; do
            n=0; while { : >"$S/x$n"; } 2>/dev/null; do n=$((n + 1)); done
            for k in $(seq $spare); do rm -f "$S/x$((n - k))"; done
            "$J" run -d -- sh -c 'exit 7' >/dev/null 2>"$TMPDIR/told"
            code=$?
            case $code in 0) ;; 125) [ -s "$TMPDIR/told" ] || fail "silent at $spare" ;; *) fail "code $code at $spare" ;; esac
            "$J" jobs --json | grep -q '"corrupt"' && fail "something half at $spare"
            rm -f "$S"/x*
            for id in $("$J" jobs -q); do
                "$J" wait --timeout 10 "$id" 2>/dev/null; case $? in 0|7|125) ;; *) fail "job $id at $spare: $("$J" status "$id")" ;; esac
            done
        done
        "$J" run -- sh -c 'exit 7'; [ $? = 7 ] || fail "it does not recover"
    "#;
    on_small_disk(&env, "size=4m,nr_inodes=120", script).assert_code(0);
}

/// A job that ends when no file can be made any more, and none can grow if the former record is there: its outcome is recorded all
/// the same.
const ENDS_ON_A_FULL_DISK: &str = r#"
        mkfifo "$TMPDIR/go"
        id=$("$J" run -d -- sh -c "read -r x <'$TMPDIR/go'; exit 42") || fail start
        until_true test -e "$S/spares/2"
        # The former record is what the outcome is written to.
        until_true test -s "$S/jobs/$id/job.json.new"
        [ "$THERE" = yes ] || rm "$S/jobs/$id/job.json.new"
        n=0; while : 2>/dev/null >"$S/fill.$n"; do n=$((n+1)); done 2>/dev/null
        if [ "$THERE" = yes ]; then mv "$S/fill.0" "$S/fill" && fill; fi
        echo >"$TMPDIR/go"
        until_true state_is "$id" failed
        [ "$("$J" status -P exit_code "$id")" = 42 ] || fail "$("$J" status "$id")"
        until_true test ! -e "$S/jobs/$id/job.json.new"
    "#;

#[test]
fn an_outcome_needs_no_new_file_and_no_more_space() {
    if !can_mount() {
        return;
    }
    let script = format!("THERE=yes {ENDS_ON_A_FULL_DISK} test -e \"$S/spares/2\" || fail 'it took a spare for it'");
    on_small_disk(&TestEnv::new(), "size=8m,nr_inodes=200", &script).assert_code(0);
}

#[test]
fn what_is_kept_in_reserve_gives_way_to_an_outcome() {
    if !can_mount() {
        return;
    }
    let script = format!("THERE=no {ENDS_ON_A_FULL_DISK} ! test -e \"$S/spares/2\" || fail 'there was room'");
    on_small_disk(&TestEnv::new(), "size=8m,nr_inodes=200", &script).assert_code(0);
}

#[test]
fn a_job_can_be_killed_and_deleted_when_the_disk_is_full() {
    if !can_mount() {
        return;
    }
    let env = TestEnv::new();
    let script = r#"
        id=$("$J" run -d -- sh -c 'exec sleep 1000') || fail start
        old=$("$J" run -d -- true) && "$J" wait "$old"
        fill
        "$J" kill "$id" 2>"$TMPDIR/told"; code=$?
        # Either it worked, or it says why not and what to do, and the job is as it was.
        [ $code = 0 ] || { grep -q "free some space" "$TMPDIR/told" || fail "$(cat "$TMPDIR/told")"; }
        "$J" delete "$old" || fail "deleting needs space: $("$J" status "$old")"
        "$J" kill "$id" || fail "even after a deletion"
        state_is "$id" interrupted || fail "$("$J" status "$id")"
    "#;
    on_small_disk(&env, "size=400k", script).assert_code(0);
}

#[test]
fn a_read_only_disk_can_be_looked_at_and_the_rest_is_refused() {
    if !can_mount() {
        return;
    }
    let env = TestEnv::new();
    let script = r#"
        "$J" run --name web -- sh -c 'echo hello; exit 3'
        # The supervisor may still be on its way out.
        until_true mount -o remount,ro "$S" 2>/dev/null
        "$J" jobs | grep -q web || fail jobs
        "$J" status web >/dev/null || fail status
        [ "$("$J" logs web)" = hello ] || fail logs
        "$J" events web >/dev/null || fail events
        "$J" wait web; [ $? = 3 ] || fail wait
        for words in "run -- true" "resume web"; do
            "$J" $words 2>"$TMPDIR/told"; [ $? = 125 ] || fail "$words"
            grep -q "Read-only" "$TMPDIR/told" || fail "$(cat "$TMPDIR/told")"
        done
        "$J" delete web 2>"$TMPDIR/told"; [ $? = 1 ] || fail delete
        grep -q "Read-only" "$TMPDIR/told" || fail "$(cat "$TMPDIR/told")"
        mount -o remount,rw "$S" && "$J" delete web || fail "it does not recover"
    "#;
    on_small_disk(&env, "size=4m", script).assert_code(0);
}

#[test]
fn a_directory_that_loses_its_permissions_is_told_and_keeps_the_outcome() {
    let env = TestEnv::new();
    if is_root() && Command::new("setpriv").arg("--version").output().is_err() {
        return skip("root needs setpriv to become somebody else");
    }
    env.damage();
    let program = env.root().join("jobdir");
    std::fs::copy(jobdir(), &program).expect("copies");
    for dir in [env.root().to_owned(), env.work(), env.root().join("tmp")] {
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("changes");
    }
    let script = format!(
        r#"{LIBRARY}
        trap 'chmod -R u+rwx "$S"' EXIT
        "$J" run --name first -- sh -c 'mkdir -p "$JOBDIR_JOB_DIR/a/b"; touch "$JOBDIR_JOB_DIR/a/b/c"; chmod 0 "$JOBDIR_JOB_DIR/a/b" "$JOBDIR_JOB_DIR/a"' || fail first
        mkfifo "$TMPDIR/go"
        id=$("$J" run -d -- sh -c "read -r x <'$TMPDIR/go'; exit 42") || fail start
        chmod 0500 "$S/jobs/$id"
        echo go >"$TMPDIR/go"
        until_true grep -q leader_ended "$S/jobs/$id/events.ndjson"
        state_is "$id" running || fail "$("$J" status "$id")"
        chmod 0700 "$S/jobs/$id"
        "$J" wait --timeout 20 "$id"; [ $? = 42 ] || fail "the outcome is lost"
        chmod 0 "$S/jobs/$id/job.json"
        state_is "$id" corrupt || fail "an unreadable record"
        "$J" delete "$id" || fail "an unreadable record cannot be deleted"
        # Directories that a job has made read-only, as some tools do, do not keep it from being deleted.
        "$J" delete first || fail "the job's own permissions keep it"
        [ -z "$(ls "$S/trash")" ] || fail "left in trash: $(ls "$S/trash")"
        chmod 0500 "$S/locks" "$S/staging"
        "$J" run -- true 2>"$TMPDIR/told"; [ $? = 125 ] || fail "no permission"
        grep -q "Permission denied" "$TMPDIR/told" || fail "$(cat "$TMPDIR/told")"
    "#
    );
    let mut words = vec!["bash", "-c", &script];
    if is_root() {
        words.splice(0..0, ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    let output = env.program(words[0], &words[1..]).env("J", &program).env("S", env.state()).run();
    output.assert_code(0);
}

/// Each system call that writes, and an error that it is made to fail with.
const INJECTED: &[(&str, &str)] = &[
    ("openat", "EMFILE"),
    ("write", "EDQUOT"),
    ("rename,renameat,renameat2", "EIO"),
    ("fsync,fdatasync", "EIO"),
    ("mkdir,mkdirat", "EDQUOT"),
    ("unlink,unlinkat", "EIO"),
    ("flock", "ENOLCK"),
];

/// The whole of a run under strace, with the n-th call of a kind failing in every process of ours.
#[test]
fn an_error_at_any_write_is_told_or_mended() {
    if !can_trace() {
        return;
    }
    let last = if is_deep() { 40 } else { 4 };
    let env = TestEnv::new();
    env.damage();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    for (calls, error) in INJECTED {
        for nth in 1..=last {
            // The loader and the threads of the libraries open and write, too: of these only what is ours counts.
            try_injection(&env, calls, error, if *calls == "openat" { nth * 7 } else { nth });
        }
    }
}

fn try_injection(env: &TestEnv, calls: &str, error: &str, nth: u32) {
    let what = format!("{error} at {calls} number {nth}");
    let inject = format!("inject={calls}:error={error}:when={nth}");
    let mut words = ["-f", "-qq", "-o", "/dev/null", "-e", &inject].map(str::to_owned).to_vec();
    if calls == "write" {
        // Only writes to these files: a wake-up that fails is no failure of storage.
        let next = std::fs::metadata(env.state().join("ids")).expect("is there").len() + 1;
        let job = format!("jobs/{next}");
        for file in ["ids", &format!("{job}/events.ndjson"), &format!("{job}/job.json.new"), &format!("{job}/pid.new")]
        {
            words.extend(["-P".to_owned(), env.state().join(file).to_string_lossy().into_owned()]);
        }
    }
    words.extend([jobdir().to_string_lossy().as_ref(), "run", "--", "/bin/true"].map(str::to_owned));
    let output = env.program("strace", &words).run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{what}:\n{output}");
    // The loader or the command itself may have been hit: 127 and 126 are theirs.
    assert!([0, 121, 125, 126, 127].contains(&output.code()), "{what}:\n{output}");
    assert!(output.code() == 0 || !said.is_empty(), "{what}: it fails and does not say why\n{output}");
    let list = env.jobdir(&["jobs", "--json"]);
    list.assert_code(0);
    let document = list.json();
    for job in document["jobs"].as_array().expect("jobs") {
        assert_ne!(job["state"], "corrupt", "{what}: {job}\n{output}");
    }
    // Whatever was started has come to its end, or comes to it within the time in which things recover.
    let last = env.jobdir(&["jobs", "-q", "-n", "1"]).text();
    let end = env.jobdir(&["wait", "--timeout", "5", last.trim()]);
    assert_ne!(end.code(), 122, "{what}: job {last} does not end\n{output}");
}

/// What the kernel was asked for, in order, as far as it is about these files.
fn trace(env: &TestEnv, words: &[&str]) -> Vec<String> {
    let log = env.root().join("trace");
    let jobdir = jobdir().to_string_lossy().into_owned();
    let calls = "trace=openat,write,ftruncate,fsync,fdatasync,rename,renameat,renameat2,flock,close,unlink,execve";
    let traced =
        ["-f", "-y", "-qq", "-s", "300", "-o", &log.to_string_lossy(), "-e", calls, &jobdir].map(str::to_owned);
    let words: Vec<String> = traced.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect();
    env.program("strace", &words).run().assert_code(3);
    let text = String::from_utf8_lossy(&std::fs::read(&log).expect("a trace")).into_owned();
    text.lines().map(str::to_owned).collect()
}

/// Finds a line with all these texts after a place, and returns its place.
#[track_caller]
fn after(lines: &[String], place: usize, texts: &[&str]) -> usize {
    let found = lines.iter().skip(place + 1).position(|line| texts.iter().all(|text| line.contains(text)));
    place + 1 + found.unwrap_or_else(|| panic!("not after line {place}: {texts:?}\n{}", lines[place..].join("\n")))
}

#[test]
fn spec_and_outcome_are_written_flushed_renamed_and_flushed_in_this_order() {
    if !can_trace() {
        return;
    }
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    let lines = trace(&env, &["run", "--", "sh", "-c", "exit 3"]);
    // The spec: written in staging, visible by a rename, flushed, and its place flushed, before anything is told.
    let written = after(&lines, 0, &["write(", "spec.json>", "jobdir/spec/1"]);
    let visible = after(&lines, written, &["rename", "staging/job-2-", "jobs/2"]);
    let flushed = after(&lines, written, &["fdatasync(", "spec.json>"]);
    let place = after(&lines, flushed.max(visible), &["fsync(", "/jobs>"]);
    assert!(visible < place, "the place is flushed before there is one");
    // The outcome: written, flushed, renamed, its directory flushed, and only then the claim is given up.
    let outcome = after(&lines, visible, &["write(", "job.json.new>", "failed"]);
    let content = after(&lines, outcome, &["fdatasync(", "job.json.new>"]);
    let renamed = after(&lines, content, &["rename", "job.json.new", "job.json\""]);
    let directory = after(&lines, renamed, &["fsync(", "jobs/2>"]);
    // The lock file may have been moved to the spares by then.
    let gives_up =
        |line: &String| line.contains("LOCK_UN") && (line.contains("locks/2>") || line.contains("spares/empty-"));
    assert!(lines[directory..].iter().any(gives_up), "the claim was not given up");
    let unlocked_early = lines[visible..directory].iter().any(gives_up);
    assert!(!unlocked_early, "the claim was given up before the outcome was on disk");
}

#[test]
fn an_outcome_is_not_written_over_what_was_flushed() {
    if !can_trace() {
        return;
    }
    let env = TestEnv::new();
    // As long as the last exchange of names is not on disk, a former record is what `job.json` is after a power loss.
    let is_emptied = |id: &str, options: &[&str]| {
        let lines = trace(&env, &[&["run"], options, &["--", "sh", "-c", "exit 3"]].concat());
        let is_it =
            |line: &&String| line.contains("write(") && line.contains("job.json.new>") && line.contains("failed");
        let outcome = lines.iter().rposition(|line| is_it(&line));
        let outcome = outcome.unwrap_or_else(|| panic!("no outcome of {id}:\n{}", lines.join("\n")));
        let before = lines[..outcome].iter().rposition(|line| line.contains("RENAME_EXCHANGE"));
        let between = &lines[before.unwrap_or(0)..outcome];
        let any = |what: [&str; 2]| between.iter().any(|line| what.iter().all(|text| line.contains(text)));
        // It is removed if the thread that makes a spare has it open, to let it be flushed.
        (any(["ftruncate(", "job.json.new>, 0"]), any(["unlink", "job.json.new\""]))
    };
    // It holds the outcome of the command, which was flushed before the first step.
    assert_ne!(is_emptied("1", &["--finally", "true"]), (false, false));
    // It holds what is in an attempt's record, in which there is the outcome of an earlier one.
    assert_ne!(is_emptied("2", &["--retries", "1", "--retry-delay", "1ms"]), (false, false));
    // It was never flushed.
    assert!(!is_emptied("3", &[]).0);
}

/// It may have been done all the same, and a rename would put the former record back.
#[test]
fn an_exchange_that_fails_is_tried_again_and_is_no_rename() {
    if !can_trace() {
        return;
    }
    let exchange = |error: &str| {
        let env = TestEnv::new();
        env.jobdir(&["run", "--", "true"]).assert_code(0);
        let log = env.root().join("trace").to_string_lossy().into_owned();
        let record = env.job_dir("1").with_file_name("2").join("job.json.new").to_string_lossy().into_owned();
        let inject = format!("inject=renameat2:error={error}:when=1");
        let jobdir = jobdir().to_string_lossy().into_owned();
        let traced = ["-f", "-qq", "-o", &log, "-P", &record, "-e", "trace=rename,renameat2", "-e", &inject, &jobdir];
        env.program("strace", &[&traced[..], &["run", "--", "sh", "-c", "exit 3"]].concat()).run().assert_code(3);
        assert_eq!(env.status("2")["state"], "failed");
        let text = std::fs::read_to_string(log).expect("a trace");
        assert!(text.contains("INJECTED"), "{text}");
        text.lines().any(|line| line.contains("rename(") && line.contains("/job.json\""))
    };
    assert!(!exchange("EIO"));
    // Here it cannot be.
    assert!(exchange("EINVAL"));
}

#[test]
fn a_job_runs_where_files_may_not_grow() {
    let env = TestEnv::new();
    // What jobdir itself writes is small, but the log of the job is not; what is inherited applies to the job.
    let script = r#"ulimit -f 64; exec "$0" run -- sh -c 'head -c 1000000 /dev/zero; echo "$?" >&2; exit 5'"#;
    let jobdir = jobdir().to_string_lossy().into_owned();
    env.program("bash", &["-c", script, &jobdir]).run().assert_code(5);
    assert_eq!(env.status("1")["state"], "failed");
    assert!(Path::new(&env.job_dir("1").join("attempts/1/stdout.log")).metadata().expect("is there").len() <= 64 << 10);
    // With no room at all nothing can be written down, which is told.
    let script = r#"ulimit -f 0; "$0" run -- true"#;
    let output = env.program("bash", &["-c", script, &jobdir]).run();
    assert_eq!(output.code(), 125, "{output}");
    assert!(!output.stderr.is_empty(), "{output}");
    env.damage();
    let witness = Witness::new();
    let id = env.start(&[], &["witness", &witness.address, "await", "exit", "6"]);
    let mut process = witness.accept();
    process.go();
    env.jobdir(&["wait", &id]).assert_code(6);
    eventually("nothing half is left", || {
        let states = env.jobdir(&["jobs", "--json"]).json();
        let jobs = states["jobs"].as_array().expect("jobs");
        jobs.iter().all(|job| job["state"] != "corrupt").then_some(())
    });
}
