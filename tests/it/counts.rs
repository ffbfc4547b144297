//! What things cost, as counts that do not depend on the speed of the machine, nor on what else it does. Each bound is
//! little above what was counted when it was set: whoever needs more says why, and raises it. Times are for `bench/run`;
//! what the counts mean is in `docs/performance.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::support::env::{Output, jobdir};
use crate::support::{TestEnv, Witness, can_trace, eventually};

/// Numbers of system calls by their names, and `total`.
type Calls = BTreeMap<String, u64>;

/// Runs jobdir under strace and counts its system calls; with `-f` also those of everybody that it starts.
#[track_caller]
fn calls(env: &TestEnv, options: &[&str], words: &[&str]) -> (Calls, Output) {
    let log = env.root().join("calls");
    let jobdir = jobdir().to_string_lossy().into_owned();
    let traced = ["-qq", "-c", "-U", "calls,name", "-o", &log.to_string_lossy()].map(str::to_owned);
    let words: Vec<String> = traced
        .into_iter()
        .chain(options.iter().copied().chain([jobdir.as_str()]).chain(words.iter().copied()).map(str::to_owned))
        .collect();
    let output = env.program("strace", &words).run();
    output.assert_code(0);
    let text = std::fs::read_to_string(&log).expect("strace has counted");
    let count = |line: &str| {
        let (number, name) = line.split_once(|c: char| c.is_ascii_whitespace())?;
        Some((name.trim().to_owned(), number.parse().ok()?))
    };
    (text.lines().filter_map(|line| count(line.trim_start())).collect(), output)
}

#[track_caller]
fn assert_at_most(what: &str, counted: u64, most: u64) {
    assert!(counted <= most, "{what}: {counted}, and not more than {most} as it should be");
}

/// Makes ended jobs, and waits until their supervisors have put them on the list.
fn make_ended(env: &TestEnv, count: usize) {
    for _ in 0..count {
        env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
    }
    eventually("claims that have left no file", || {
        (std::fs::read_dir(env.state().join("locks")).expect("locks").count() == 0).then_some(())
    });
}

/// Returns the value of a line `NAME: value…` in a file of `/proc`, summed over all lines that begin so.
fn sum_of(path: &Path, names: &[&str]) -> u64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let value = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        names.contains(&name).then(|| rest.split_whitespace().next()?.parse::<u64>().ok())?
    };
    text.lines().filter_map(value).sum()
}

fn tasks(pid: u32) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// How often the threads of a process went to sleep: each time something has woken them before.
fn sleeps(pid: u32) -> u64 {
    tasks(pid).iter().map(|task| sum_of(&task.join("status"), &["voluntary_ctxt_switches"])).sum()
}

/// Waits until a supervisor has the watch that stays, which is the last thing that it does before it idles.
fn until_idle(pid: u32) {
    let is_watch = |task: &std::path::PathBuf| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("notify"))
    };
    eventually("the watch that stays", || tasks(pid).iter().any(is_watch).then_some(()));
    eventually("threads that all sleep", || {
        let is_asleep = |task: &std::path::PathBuf| {
            std::fs::read_to_string(task.join("status")).is_ok_and(|status| status.contains("\nState:\tS"))
        };
        tasks(pid).iter().all(is_asleep).then_some(())
    });
}

#[test]
fn system_calls_of_a_client() {
    if !can_trace() {
        return;
    }
    let env = TestEnv::new();
    make_ended(&env, 2);
    // Of the loader and the libraries' beginnings 60 calls are in each of these.
    for (words, most) in [
        (&["--version"][..], 70),
        (&["status", "1"], 112),
        (&["jobs"], 150),
        (&["jobs", "--json"], 125),
        (&["run", "-d", "--", "/bin/true"], 195),
    ] {
        let (calls, _) = calls(&env, &[], words);
        assert_at_most(&format!("system calls of {words:?}"), calls["total"], most);
    }
    // Neither is a process looked at that is not the job's, however many there are.
    let id = env.start(&[], &["block"]);
    let (calls, _) = calls(&env, &[], &["kill", &id]);
    assert_at_most("system calls of 'kill'", calls["total"], 210);
    assert_eq!(calls.get("clone3").or(calls.get("clone")), None, "it needs no thread: {calls:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_created_while_somebody_waits_for_a_start() {
    use std::os::unix::fs::MetadataExt;
    let env = TestEnv::new();
    env.start(&[], &["block"]);
    let state = env.state();
    let spare = eventually("a spare", || {
        let mut spares = std::fs::read_dir(state.join("spares")).ok()?.flatten().map(|entry| entry.path());
        spares.find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().parse::<u64>().is_ok()))
    });
    let inode = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.ino()).expect("is there");
    let files = ["claim", "pid.new", "job.json.new", "spec.json", "events.ndjson", "attempts/1/stdout.log"];
    let before = files.map(|file| inode(&spare.join(file)));
    let id = env.start(&[], &["block"]);
    let job = env.job_dir(&id);
    let files = ["pid", "job.json", "spec.json", "events.ndjson", "attempts/1/stdout.log"];
    let after =
        [vec![inode(&state.join("locks").join(&id))], files.map(|file| inode(&job.join(file))).to_vec()].concat();
    assert_eq!(after, before);
    env.jobdir(&["kill", "--all", "--force"]).assert_code(0);
}

/// Returns the inodes of everything below a directory, of itself and of nothing else.
#[cfg(target_os = "linux")]
fn inodes_below(path: &Path) -> BTreeSet<u64> {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut inodes: BTreeSet<u64> = entries.flat_map(|entry| inodes_below(&entry.path())).collect();
    inodes.extend(std::fs::symlink_metadata(path).map(|metadata| metadata.ino()));
    inodes
}

#[cfg(target_os = "linux")]
#[test]
fn a_chain_of_jobs_frees_no_inode() {
    let env = TestEnv::new();
    let state = env.state();
    // At rest after a job: everything that it has left for later ones is in its place.
    let run = || {
        env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
        eventually("a spare and two empty files", || {
            let names = || std::fs::read_dir(state.join("spares")).expect("is there").flatten();
            let names: Vec<String> = names().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            let empties = names.iter().filter(|name| name.starts_with("empty-")).count();
            (empties == 2 && names.len() == 3).then_some(())
        });
        inodes_below(&state)
    };
    run();
    let mut before = run();
    for _ in 0..6 {
        let after = run();
        let freed: Vec<_> = before.difference(&after).collect();
        assert!(freed.is_empty(), "inodes that were freed: {freed:?}");
        // Those of the job that has ended; everything else has gone from hand to hand.
        assert_at_most("inodes that are new", after.difference(&before).count() as u64, 12);
        before = after;
    }
}

#[test]
fn a_start_makes_few_files_and_flushes_what_is_promised() {
    if !can_trace() {
        return;
    }
    let env = TestEnv::new();
    make_ended(&env, 1);
    let (calls, _) = calls(&env, &["-f"], &["run", "-d", "--", "/bin/true"]);
    let sum = |names: &[&str]| names.iter().filter_map(|name| calls.get(*name)).sum::<u64>();
    // The spec and the job's place; the outcome and its name.
    assert_eq!(sum(&["fsync", "fdatasync"]), 4, "{calls:?}");
    assert_at_most("directories that are made", sum(&["mkdir", "mkdirat"]), 6);
    // Most of them are those of a spare: it is taken, with its lock file, and one for the next job is put into its place, with the
    // lock file and the former record of the job before, if there are any.
    assert_at_most("files that are renamed", sum(&["rename", "renameat", "renameat2"]), 13);
    assert_at_most("processes that are made", sum(&["fork", "vfork", "clone", "clone3"]), 4);
}

#[test]
fn a_listed_job_is_one_file_that_is_opened() {
    if !can_trace() {
        return;
    }
    let env = TestEnv::new();
    make_ended(&env, 5);
    let few = calls(&env, &["-f"], &["jobs", "--json"]).0;
    make_ended(&env, 10);
    let (many, output) = calls(&env, &["-f"], &["jobs", "--json"]);
    assert_eq!(output.json()["jobs"].as_array().map(Vec::len), Some(15));
    assert_eq!(many["openat"] - few["openat"], 10, "one file for each");
    // A debug build asks in addition whether each descriptor that it closes was open.
    let total = |calls: &Calls| calls["total"] - calls.get("fcntl").unwrap_or(&0);
    assert_at_most("calls for each listed job", (total(&many) - total(&few)).div_ceil(10), 4);
}

#[test]
fn the_usual_table_does_not_grow_with_what_has_ended() {
    if !can_trace() {
        return;
    }
    let env = TestEnv::new();
    make_ended(&env, 25);
    let few = calls(&env, &["-f"], &["jobs"]).0;
    make_ended(&env, 10);
    let many = calls(&env, &["-f"], &["jobs"]).0;
    assert_eq!(many["openat"], few["openat"], "the last 20 are looked at, whatever else there is");
}

#[test]
fn an_ended_job_takes_few_inodes() {
    let env = TestEnv::new();
    make_ended(&env, 1);
    fn inodes(path: &Path) -> u64 {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        1 + entries.map(|entry| inodes(&entry.path())).sum::<u64>()
    }
    assert_at_most("inodes of an ended job", inodes(&env.job_dir("1")), 12);
}

#[test]
fn an_idle_supervisor_is_small_and_sleeps() {
    let env = TestEnv::new();
    let ids: Vec<String> = (0..3).map(|_| env.start(&[], &["block"])).collect();
    let pids: Vec<u32> = ids.iter().map(|id| env.supervisor(id).0).collect();
    for pid in &pids {
        until_idle(*pid);
        assert_at_most("threads of a supervisor", tasks(*pid).len() as u64, 2);
        // What it has written to, in any build. The text of a debug build is larger and counts as
        // private as long as few processes have it mapped; in the release build it is shared with every other one.
        let rollup = format!("/proc/{pid}/smaps_rollup");
        assert_at_most("kB that a supervisor has written to", sum_of(Path::new(&rollup), &["Private_Dirty"]), 700);
    }
    let before: Vec<u64> = pids.iter().map(|pid| sleeps(*pid)).collect();
    std::thread::park_timeout(Duration::from_secs(6));
    let woken: Vec<u64> = pids.iter().zip(before).map(|(pid, before)| sleeps(*pid) - before).collect();
    // One slow look each, in which it may have to wait for others who read /proc; polling would be 24.
    assert!(woken.iter().all(|count| *count <= 6), "supervisors have woken so often in 6 s: {woken:?}");
    env.stop_all();
}

#[test]
fn output_does_not_pass_through_the_supervisor() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let id = env.start(
        &[],
        &["witness", &witness.address, "await", "stdout", "100000000", "tell", "written", "await", "exit", "0"],
    );
    let mut job = witness.accept();
    let (pid, _) = env.supervisor(&id);
    until_idle(pid);
    let io = format!("/proc/{pid}/io");
    let passed = || sum_of(Path::new(&io), &["rchar", "wchar"]);
    let before = (passed(), sleeps(pid));
    job.go();
    assert_eq!(job.line(), "written");
    // A slow look reads who its children are, a kilobyte; what the job has written would be 100 MB.
    assert_at_most("bytes through the supervisor", passed() - before.0, 64 << 10);
    assert_at_most("wake-ups of the supervisor", sleeps(pid) - before.1, 20);
    job.go();
    env.jobdir(&["wait", &id]).assert_code(0);
}
