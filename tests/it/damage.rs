//! Every file of the state directory, damaged in every way: nothing hangs, nothing is eaten, nobody else's job is
//! affected, nothing outside is touched, and what is damaged can be removed.
//!
//! One state directory is made by jobs, and put back for each case. Every invocation has a limit on its memory, far below
//! the size of the files that are too large, and one on its time.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::env::{Invocation, jobdir};
use crate::support::{Output, TestEnv, is_deep, is_root};

/// What is done to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Damage {
    Missing,
    Truncated,
    Empty,
    Garbage,
    Newer,
    WrongTyped,
    Nested,
    Huge,
    Symlink,
    Dangling,
    Fifo,
    Directory,
    ForeignOwner,
}

use Damage::{
    Dangling, Directory, Empty, Fifo, ForeignOwner, Garbage, Huge, Missing, Nested, Newer, Symlink, Truncated,
    WrongTyped,
};

const OF_FILES: &[Damage] = &[
    Missing,
    Truncated,
    Empty,
    Garbage,
    Newer,
    WrongTyped,
    Nested,
    Huge,
    Symlink,
    Dangling,
    Fifo,
    Directory,
    ForeignOwner,
];
const OF_DIRECTORIES: &[Damage] = &[Missing, Empty, Garbage, Symlink, Dangling, Fifo, ForeignOwner];

/// What a damaged file means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Matters {
    /// Nobody misses it, or it is made anew.
    Not,
    /// Job 1 is corrupt without it.
    ForTheJob,
    /// Without the directory itself job 1 is simply not there.
    IsTheJob,
    /// Nothing may be written without it, but everything can be read.
    ForWriting,
}

/// Every file of `docs/protocol.md`, §1, as far as a state directory at rest has it.
const FILES: &[(&str, Matters)] = &[
    ("FORMAT", Matters::ForWriting),
    ("ids", Matters::Not),
    ("ended", Matters::Not),
    ("locks/1", Matters::Not),
    ("locks/names", Matters::Not),
    ("locks/queue", Matters::Not),
    ("names/web", Matters::Not),
    ("queue/00000000000000000001-1", Matters::Not),
    ("staging/old", Matters::Not),
    ("trash/7-old", Matters::Not),
    ("jobs/1/spec.json", Matters::ForTheJob),
    ("jobs/1/job.json", Matters::ForTheJob),
    ("jobs/1/job.json.new", Matters::Not),
    ("jobs/1/pid", Matters::Not),
    ("jobs/1/kill-signals/late", Matters::Not),
    ("jobs/1/events.ndjson", Matters::Not),
    ("jobs/1/meta", Matters::Not),
    ("jobs/1/attempts/1/stdout.log", Matters::Not),
    ("jobs/1/attempts/1/stderr.log", Matters::Not),
    ("jobs/1/attempts/2/spec.json", Matters::Not),
    ("jobs/1/attempts/2/stdout.log", Matters::Not),
    ("jobs/1/attempts/2/progress", Matters::Not),
    ("jobs/1/attempts/2/ready", Matters::Not),
];

const DIRECTORIES: &[(&str, Matters)] = &[
    ("jobs", Matters::ForWriting),
    ("locks", Matters::ForWriting),
    ("names", Matters::ForWriting),
    ("queue", Matters::ForWriting),
    ("spares", Matters::ForWriting),
    ("staging", Matters::ForWriting),
    ("trash", Matters::ForWriting),
    ("jobs/1", Matters::IsTheJob),
    ("jobs/1/kill-signals", Matters::Not),
    ("jobs/1/scratch", Matters::Not),
    ("jobs/1/attempts", Matters::Not),
    ("jobs/1/attempts/2", Matters::Not),
];

/// One damaged copy.
struct Case<'a> {
    env: &'a TestEnv,
    state: PathBuf,
    outside: PathBuf,
    what: String,
    damage: Damage,
    matters: Matters,
}

impl Case<'_> {
    /// Runs jobdir with little memory. Nothing may kill it, and it may not panic.
    #[track_caller]
    fn jobdir(&self, words: &[&str]) -> Output {
        let output = bounded(self.env, &self.state, words).run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.code() < 128 || words[0] == "wait", "{}: it died\n{output}", self.what);
        assert!(!said.contains("panicked") && !said.contains("memory allocation"), "{}\n{output}", self.what);
        output
    }

    #[track_caller]
    fn states(&self) -> BTreeMap<String, String> {
        let output = self.jobdir(&["jobs", "--json"]);
        assert_eq!(output.code(), 0, "{}: the list fails\n{output}", self.what);
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let document = output.json();
        document["jobs"].as_array().expect("jobs").iter().map(|job| (text(&job["id"]), text(&job["state"]))).collect()
    }

    /// The directory as a whole, or what stands for it, is damaged: then nothing may be written.
    fn refuses_to_write(&self) -> bool {
        let heals = [Missing, ForeignOwner].contains(&self.damage);
        let is_still_one = self.damage == Empty && !self.what.starts_with("FORMAT");
        self.matters == Matters::ForWriting && !heals && !is_still_one
    }

    fn is_corrupt(&self) -> bool {
        match self.matters {
            // A link to a good file is no file of ours. What a later version has written can be read.
            Matters::ForTheJob => ![ForeignOwner, Newer].contains(&self.damage),
            Matters::IsTheJob => ![ForeignOwner, Missing].contains(&self.damage),
            Matters::Not | Matters::ForWriting => false,
        }
    }
}

fn bounded(env: &TestEnv, state: &Path, words: &[&str]) -> Invocation {
    let script = r#"ulimit -v 1500000; exec "$0" "$@""#;
    let (jobdir, state) = (jobdir().to_string_lossy(), state.to_string_lossy());
    let words: Vec<&str> =
        ["-c", script, &jobdir, "--state-dir", &state].into_iter().chain(words.iter().copied()).collect();
    env.program("sh", &words)
}

/// Makes the state directory that is damaged: job 1 has two attempts and uses everything, job 2 is a bystander.
fn template(env: &TestEnv) -> PathBuf {
    let script = r#"echo key=value >"$JOBDIR_META"; echo "1/2 half" >"$JOBDIR_PROGRESS"; : >"$JOBDIR_READY"
        echo kept >"$JOBDIR_JOB_DIR/file"; echo out; echo err >&2; exit 3"#;
    let options =
        ["run", "--name", "web", "-l", "team=a", "--resume-with", "sh -c 'echo again; exit 4'", "--mutex", "m"];
    env.jobdir(&[&options[..], &["--", "sh", "-c", script]].concat()).assert_code(3);
    env.jobdir(&["resume", "web"]).assert_code(4);
    env.jobdir(&["run", "--name", "bystander", "--", "true"]).assert_code(0);
    env.damage();
    let state = env.state();
    let write = |path: &str, text: &str| std::fs::write(state.join(path), text).expect("writes");
    write(
        "queue/00000000000000000001-1",
        "{\"ticket\":1,\"id\":\"1\",\"attempt\":1,\"wants\":{\"mutexes\":[],\"slots\":[]}}\n",
    );
    write("jobs/1/kill-signals/late", "{\"schema\":\"jobdir/request/1\",\"attempt\":1,\"verb\":\"kill\"}\n");
    write("jobs/1/job.json.new", "{\"schema\":\"jobdir/rec");
    write("jobs/1/attempts/2/progress", "1/2 half\n");
    write("jobs/1/attempts/2/ready", "");
    // As a supervisor leaves it that dies before its job has settled.
    write("locks/1", "");
    write("staging/old", "{\"schema\":");
    write("trash/7-old", "{}");
    let template = env.root().join("template");
    copy(env, &state, &template);
    template
}

/// Copies a directory with everything in it.
fn copy(env: &TestEnv, from: &Path, to: &Path) {
    let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
    env.program("cp", &["-a", &from, &to]).run().assert_code(0);
}

/// Damages one file or directory; what links lead to is made in `outside`.
fn inflict(env: &TestEnv, path: &Path, damage: Damage, outside: &Path) {
    let is_dir = path.is_dir();
    let old = if is_dir { Vec::new() } else { std::fs::read(path).expect("it is there") };
    let target = outside.join("target");
    if damage == Symlink {
        copy(env, path, &target);
        if is_dir {
            std::fs::write(target.join("precious"), "precious").expect("writes");
        }
    }
    if !matches!(damage, ForeignOwner) {
        if is_dir { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.expect("removes");
    }
    let write = |bytes: &[u8]| std::fs::write(path, bytes).expect("writes");
    let text = String::from_utf8_lossy(&old).into_owned();
    match damage {
        Missing => {}
        Truncated => write(&old[..old.len() / 2]),
        Empty if is_dir => std::fs::create_dir(path).expect("makes"),
        Empty => write(b""),
        Garbage => write(b"\xff\xfe\0{]\x1b[31m garbage \n\n"),
        Newer => write(
            text.replace("/1\"", "/9\"")
                .replace("\"format\":1", "\"format\":9")
                .replace("state 1", "state 9")
                .as_bytes(),
        ),
        WrongTyped => {
            write(text.replace("\"id\":\"", "\"id\":[\"").replace(":\"", ":{\"").replace("1\n", "[1]\n").as_bytes());
        }
        Nested => write(&[b"[".repeat(200_000), b"]".repeat(200_000)].concat()),
        // Larger than what may be used of memory.
        Huge => std::fs::File::create(path).and_then(|file| file.set_len(4 << 30)).expect("makes"),
        Symlink => symlink(&target, path).expect("links"),
        Dangling => symlink(outside.join("nothing-there"), path).expect("links"),
        Fifo => nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("makes"),
        Directory => {
            std::fs::create_dir(path).expect("makes");
            std::fs::write(path.join("inside"), "x").expect("writes");
        }
        ForeignOwner => std::os::unix::fs::lchown(path, Some(65534), Some(65534)).expect("gives away"),
    }
}

/// Everything that can be seen of what is below a directory.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (u64, i64, i64, Vec<u8>)> {
    let mut seen = BTreeMap::new();
    let mut queue = vec![dir.to_owned()];
    while let Some(dir) = queue.pop() {
        for entry in std::fs::read_dir(&dir).expect("can be listed").flatten() {
            let facts = entry.path().symlink_metadata().expect("is there");
            let content = if facts.is_file() { std::fs::read(entry.path()).expect("reads") } else { Vec::new() };
            if facts.is_dir() {
                queue.push(entry.path());
            }
            seen.insert(entry.path(), (facts.len(), facts.mtime(), facts.mtime_nsec(), content));
        }
    }
    seen
}

/// One case from beginning to end; `turn` chooses which of the many verbs it is tried with.
fn try_case(env: &TestEnv, template: &Path, (path, matters): (&str, Matters), damage: Damage, turn: usize) {
    // Where the jobs were made: what they have prepared for lists counts there only.
    let (state, outside) = (env.state(), env.root().join("outside"));
    for old in [&state, &outside] {
        std::fs::remove_dir_all(old).or_else(|_| std::fs::remove_file(old)).ok();
    }
    std::fs::create_dir_all(&outside).expect("makes");
    std::fs::write(outside.join("sentinel"), "untouched").expect("writes");
    copy(env, template, &state);
    inflict(env, &state.join(path), damage, &outside);
    let case = Case { env, state, outside, what: format!("{path}, {damage:?}"), damage, matters };
    let before = snapshot(&case.outside);
    looking(&case, turn);
    if !(path == "jobs" && [Garbage, Fifo].contains(&damage)) {
        acting(&case, turn);
    }
    assert!(snapshot(&case.outside) == before, "{}: something outside was touched", case.what);
}

const READING: &[&[&str]] = &[
    &["jobs", "--all"],
    &["status", "1"],
    &["status", "--json", "1", "web"],
    &["logs", "1"],
    &["logs", "--json", "-n", "1", "1"],
    &["wait", "--timeout", "0", "1"],
    &["events"],
    &["events", "1"],
    &["jobs", "-q", "--name", "web"],
    &["prune", "--dry-run"],
    &["doctor"],
];

const ACTING: &[&[&str]] = &[
    &["kill", "1"],
    &["pause", "1"],
    &["unpause", "1"],
    &["signal", "USR1", "1"],
    &["send", "1", "text"],
    &["abandon", "1"],
    &["resume", "1"],
    &["kill", "--all"],
    &["run", "--name", "web", "--mutex", "m", "--", "true"],
    &["doctor", "--fix"],
];

/// Looking never fails for others, never changes anything and never hangs.
fn looking(case: &Case<'_>, turn: usize) {
    if case.what.starts_with("jobs,") && [Garbage, Fifo].contains(&case.damage) {
        case.jobdir(&["jobs"]).assert_code(1).assert_says("cannot list");
        return;
    }
    let states = case.states();
    let expected = if case.is_corrupt() { "corrupt" } else { "failed" };
    let of_the_directory = case.what.starts_with("jobs,") && ![ForeignOwner, Symlink].contains(&case.damage);
    if of_the_directory {
        assert!(states.is_empty(), "{}: {states:?}", case.what);
    } else {
        assert_eq!(states.get("2").map(String::as_str), Some("succeeded"), "{}: the bystander", case.what);
        let is_there = !(case.matters == Matters::IsTheJob && case.damage == Missing);
        assert_eq!(states.get("1").map(String::as_str), is_there.then_some(expected), "{}", case.what);
    }
    let before = snapshot_state(&case.state);
    for (index, words) in READING.iter().enumerate() {
        if case.damage == Huge && words[0] == "logs" && case.what.contains(".log") {
            // It would be shown, all of it.
            continue;
        }
        if is_deep() || (index + turn).is_multiple_of(READING.len()) {
            let output = case.jobdir(words);
            // 'logs' alone shows things as they are.
            assert!(words[0] == "logs" || !output.stdout.contains(&0x1b), "{}\n{output}", case.what);
            assert!(!output.stderr.contains(&0x1b), "{}\n{output}", case.what);
        }
    }
    // Of what the case is not about, everything is told as ever.
    if !of_the_directory {
        let bystander = case.jobdir(&["events", "bystander"]);
        assert!(bystander.stdout.ends_with(b"\n") && bystander.code() == 0, "{}\n{bystander}", case.what);
    }
    assert!(before == snapshot_state(&case.state), "{}: looking has changed something", case.what);
}

/// Names and kinds below the state directory.
fn snapshot_state(state: &Path) -> Vec<String> {
    crate::support::invariants::listing(state)
}

/// Acting says what it does, and in the end everything damaged can be removed.
fn acting(case: &Case<'_>, turn: usize) {
    for (index, words) in ACTING.iter().enumerate() {
        if is_deep() || index == turn % ACTING.len() {
            let output = case.jobdir(words);
            // The job that is resumed exits with 4.
            if output.code() != 0 && output.code() != 4 && words[0] != "doctor" {
                assert!(!output.stderr.is_empty(), "{}: it fails and does not say why\n{output}", case.what);
            }
            if words[0] == "run" && !case.refuses_to_write() {
                assert_eq!(output.code(), 0, "{}: nothing can be started any more\n{output}", case.what);
            }
        }
    }
    let Some(state) = case.states().remove("1") else { return };
    let newer = case.damage == Newer && case.matters == Matters::ForTheJob && case.what.contains("job.json");
    let words: &[&str] = match (state.as_str(), turn % 2) {
        ("corrupt", 0) => &["prune", "--state", "corrupt"],
        (_, 0) if !newer => &["prune", "--name", "web"],
        _ => &["delete", "1"],
    };
    let output = case.jobdir(words);
    if case.refuses_to_write() {
        assert_eq!(output.code(), 1, "{}: {output}", case.what);
        assert!(case.state.join("jobs/1/spec.json").exists(), "{}: {output}", case.what);
        return;
    }
    assert_eq!(output.code(), 0, "{}\n{output}", case.what);
    assert!(case.state.join("jobs/1").symlink_metadata().is_err(), "{}: it is still there\n{output}", case.what);
    let left = case.states();
    assert_eq!(left.get("2").map(String::as_str), Some("succeeded"), "{}: the bystander\n{output}", case.what);
    assert!(!left.contains_key("1"), "{}", case.what);
}

/// Tries these files with these damages.
fn try_all(which: &[(&str, Matters)], damages: &[Damage]) {
    let env = TestEnv::new();
    let template = template(&env);
    let mut failures = 0;
    let cases = which.iter().flat_map(|file| damages.iter().map(move |damage| (*file, *damage)));
    for (turn, (file, damage)) in cases.filter(|(_, damage)| *damage != ForeignOwner || is_root()).enumerate() {
        // Each is looked at, whatever became of the others.
        let tried = || try_case(&env, &template, file, damage, turn);
        failures += u32::from(std::panic::catch_unwind(std::panic::AssertUnwindSafe(tried)).is_err());
    }
    assert_eq!(failures, 0, "so many cases failed, told above");
}

fn below_jobs(path: &str) -> bool {
    path.starts_with("jobs/")
}

#[test]
fn every_file_of_a_job_in_every_way() {
    let files: Vec<_> = FILES.iter().copied().filter(|(path, _)| below_jobs(path)).collect();
    try_all(&files, OF_FILES);
}

#[test]
fn every_other_file_in_every_way() {
    let files: Vec<_> = FILES.iter().copied().filter(|(path, _)| !below_jobs(path)).collect();
    try_all(&files, OF_FILES);
}

#[test]
fn every_directory_in_every_way() {
    try_all(DIRECTORIES, OF_DIRECTORIES);
}
