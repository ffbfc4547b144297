//! The crash sweep: in every operation somebody is killed at every named point, and everything that was promised is
//! looked at; then whoever comes next does what it does, and is killed at every point of that, too.
//!
//! A point is `ROLE/NAME`; the names are those of the crash matrix in `docs/protocol.md`. Which points a scene passes is
//! found out by playing it once with nobody killed. `JOBDIR_TEST_DEEP=1` tries every follow-up after every crash, where the
//! ordinary run takes turns; `JOBDIR_TEST_ONLY='SCENE ROLE/NAME:NTH'` (the beginning suffices) plays only that. With
//! `JOBDIR_TEST_SWEEP=FOLDER` what has passed is noted in that folder, and a run that was interrupted goes on from there.

pub(crate) mod facts;
mod notes;
mod remains;
mod scenes;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use notes::Notes;
use scenes::{SCENES, Scene, Stage};

use crate::support::TestEnv;
use crate::support::env::{helper, with_helper};

/// How many scenes play at once. They mostly wait.
const THREADS: usize = 6;
/// The ordinary run: how many times a scene is killed at one point, at the first passings and at the last.
const TIMES: usize = 2;
/// The ordinary run: how many scenes are killed at one point.
const SCENES_FOR_EACH: usize = 2;
/// The ordinary run: how many times each follow-up is killed at each of its points.
const SECOND_CRASHES: usize = 1;

fn is_deep() -> bool {
    std::env::var_os("JOBDIR_TEST_DEEP").is_some()
}

/// One crash: at which point, and at which passing of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Crash {
    point: String,
    nth: usize,
}

impl Crash {
    fn switch(&self) -> String {
        format!("{}:{}", self.point, self.nth)
    }
}

/// Reads what a log of points says: how often each was passed, and where somebody died.
fn read_log(log: &Path) -> (BTreeMap<String, usize>, Option<String>) {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let mut passed: BTreeMap<String, usize> = BTreeMap::new();
    let mut died = None;
    for line in text.lines() {
        match line.strip_suffix('!') {
            Some(point) => died = Some(point.to_owned()),
            None => *passed.entry(line.to_owned()).or_default() += 1,
        }
    }
    (passed, died)
}

/// Chooses where to kill from what was passed.
fn crashes(passed: &BTreeMap<String, usize>) -> Vec<Crash> {
    let nths = |times: usize| {
        let first = 1..=times.min(if is_deep() { usize::MAX } else { TIMES });
        first.chain((times > TIMES && !is_deep()).then_some(times))
    };
    let each = passed.iter().flat_map(|(point, times)| nths(*times).map(move |nth| (point, nth)));
    each.map(|(point, nth)| Crash { point: point.clone(), nth }).collect()
}

/// Returns what somebody said who panicked.
fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}

/// Works through a list with several threads. Returns what failed.
fn in_parallel<T: Sync>(items: &[T], name: impl Fn(&T) -> String + Sync, work: impl Fn(&T) + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let what = name(item);
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(item))) {
                        failures.lock().expect("no panic").push(format!("{what}: {}", words_of(&*panic)));
                    }
                }
            });
        }
    });
    failures.into_inner().expect("no panic")
}

/// What whoever comes next may want of a job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Next {
    Kill,
    Resume,
    Delete,
    Abandon,
    Again,
    Prune,
}

impl Next {
    const ALL: &[Self] = &[Self::Kill, Self::Resume, Self::Delete, Self::Abandon, Self::Again, Self::Prune];
    /// Those that are killed, too.
    const KILLED: &[Self] = &[Self::Kill, Self::Resume, Self::Delete, Self::Abandon];

    fn words(self, id: &str) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Kill => &["kill", id],
            Self::Resume => &["resume", "-d", "--timeout", "2h", "--stdin", "fifo", id],
            Self::Delete => &["delete", id],
            Self::Abandon => &["abandon", id],
            Self::Again => {
                let options = ["run", "-d", "--name", "n", "--mutex", "m", "--slots", "g=1"];
                return with_helper(&options, &["exit", "0"]);
            }
            Self::Prune => &["prune"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// Which exit codes it may have, given what the job is before.
    fn may_exit_with(self, before: Option<&facts::Facts>) -> &'static [i32] {
        let is_active = before.is_some_and(|facts| !facts.is_dead());
        match self {
            Self::Kill | Self::Delete | Self::Abandon | Self::Prune => &[0],
            // A job that is active or has survivors is not resumed, and its name is not given to another.
            Self::Resume | Self::Again if is_active => &[0, 125],
            Self::Resume | Self::Again => &[0],
        }
    }
}

/// Does one thing after a crash, and checks that it works and that everything is still true.
fn follow(env: &TestEnv, next: Next) {
    let ids = facts::ids(env);
    let Some(id) = ids.last().map(String::as_str).or((next == Next::Again).then_some("")) else { return };
    let before = facts::facts(env, id);
    let was_quiet = before.as_ref().is_none_or(facts::Facts::is_dead);
    let can_start = facts::spec(env, id).is_none_or(|spec| spec["command"][0] != scenes::NOT_THERE);
    let output = env.jobdir(&next.words(id));
    let allowed = if can_start || next != Next::Resume { next.may_exit_with(before.as_ref()) } else { &[125, 127] };
    assert!(allowed.contains(&output.code()), "{next:?} after {before:#?}:\n{output}");
    facts::wait_until_quiet(env);
    facts::assert_true(env);
    if let (Some(before), Some(after)) = (&before, facts::facts(env, id)) {
        let (former, now) = (&before.record["attempts"], &after.record["attempts"]);
        for (index, attempt) in former.as_array().expect("attempts").iter().enumerate() {
            if !attempt["outcome"].is_null() && before.record["state"] != "finalizing" && was_quiet {
                assert_eq!(attempt["outcome"], now[index]["outcome"], "{next:?} has changed an outcome");
            }
        }
    }
    match next {
        Next::Delete => assert!(!env.job_dir(id).exists(), "it is deleted and there"),
        Next::Kill | Next::Abandon => {
            let after = facts::facts(env, id).expect("the job");
            assert!(!after.claimed, "{next:?} leaves a supervisor: {after:#?}");
            assert!(next == Next::Abandon || after.live.is_empty(), "{next:?} leaves processes: {after:#?}");
        }
        Next::Resume | Next::Again | Next::Prune => {}
    }
}

/// Copies a state directory in which nothing lives.
fn copy_of(state: &Path) -> TestEnv {
    let env = TestEnv::new();
    let copied = std::process::Command::new("cp").arg("-a").arg(state).arg(env.state()).status();
    assert!(copied.expect("cp can be run").success());
    env
}

/// What kind of state a crash has left, for telling kinds apart.
fn shape(env: &TestEnv) -> String {
    let names = |dir: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let mut shape = String::new();
    for facts in facts::all(env) {
        let dir = env.job_dir(&facts.id);
        let attempts = facts.record["attempts"].as_array().map_or(0, Vec::len);
        let last = &facts.record["attempts"][attempts - 1];
        let inbox = names(&dir.join("kill-signals")).len();
        shape.push_str(&format!(
            "{} {} {attempts}/{} {} {} inbox {inbox} pid {} spec {}; ",
            facts.recorded(),
            last["outcome"]["state"],
            names(&dir.join("attempts")).len(),
            last["finally"]["state"],
            facts.record["run_outcome"],
            dir.join("pid").exists(),
            dir.join(format!("attempts/{}/spec.json", attempts + 1)).exists()
        ));
    }
    let counts = ["staging", "trash", "queue"].map(|name| names(&env.state().join(name)).len());
    shape + &format!("{counts:?}")
}

struct Case<'a> {
    scene: &'a Scene,
    crash: Crash,
    number: usize,
}

impl Case<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.scene.name, self.crash.switch())
    }

    /// Plays the scene up to the crash, and checks what is then. `None` when nobody came to the point.
    fn play(&self) -> Option<Stage> {
        let stage = Stage::new(Some(self.crash.switch()));
        (self.scene.play)(&stage);
        facts::wait_until_quiet(&stage.env);
        facts::assert_true(&stage.env);
        let died = read_log(&stage.log).1;
        if died.is_none() {
            facts::assert_all_can_be_settled(&stage.env);
        }
        died.is_some().then_some(stage)
    }

    fn sweep(&self, notes: &Notes) {
        let Some(stage) = self.play() else { return };
        notes.hit(&self.crash.point);
        let env = &stage.env;
        facts::assert_looking_changes_nothing(env);
        let is_dead = facts::all(env).iter().all(facts::Facts::is_dead) && facts::supervisors(env).is_empty();
        if is_dead && !facts::ids(env).is_empty() {
            notes.keep(&shape(env), &env.state());
        }
        // The ordinary run takes turns.
        let turn = Next::ALL[self.number % Next::ALL.len()];
        for next in Next::ALL.iter().filter(|next| is_deep() && **next != turn) {
            // What lives cannot be copied.
            let again = if is_dead { Some(copy_of(&env.state())) } else { self.play().map(|stage| stage.env) };
            if let Some(again) = again {
                follow(&again, *next);
                facts::assert_all_can_be_settled(&again);
            }
        }
        follow(env, turn);
        facts::assert_all_can_be_settled(env);
    }
}

/// Kills a follow-up at one of its points, checks, and settles everything.
fn crash_again(state: &Path, next: Next, crash: Option<&Crash>) -> (BTreeMap<String, usize>, Option<String>) {
    let env = copy_of(state);
    let log = env.root().join("points");
    std::fs::write(&log, "").expect("writes");
    let id = facts::ids(&env).last().expect("a job").clone();
    let mut invocation = env.prepare(&next.words(&id)).env("JOBDIR_TEST_CRASH_LOG", &log);
    if let Some(crash) = crash {
        invocation = invocation.env("JOBDIR_TEST_CRASH", crash.switch());
    }
    let output = invocation.run();
    assert!(![101, 134].contains(&output.code()), "{output}");
    facts::wait_until_quiet(&env);
    facts::assert_true(&env);
    facts::assert_all_can_be_settled(&env);
    read_log(&log)
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was done is worth knowing, and seen on request only")]
fn whoever_dies_wherever_everything_stays_true() {
    helper();
    let only = std::env::var("JOBDIR_TEST_ONLY").unwrap_or_default();
    let notes = Notes::open();
    // Which points are there?
    let scenes: Vec<&Scene> =
        SCENES.iter().filter(|scene| only.is_empty() || only.split(' ').next() == Some(scene.name)).collect();
    let cases = Mutex::new(BTreeMap::new());
    let mut failures = in_parallel(
        &scenes,
        |scene| scene.name.to_owned(),
        |scene| {
            let stage = Stage::new(None);
            (scene.play)(&stage);
            facts::wait_until_quiet(&stage.env);
            facts::assert_true(&stage.env);
            facts::assert_all_can_be_settled(&stage.env);
            let (passed, _) = read_log(&stage.log);
            for crash in crashes(&passed) {
                cases.lock().expect("no panic").insert((scene.name, crash), *scene);
            }
        },
    );
    let mut seen: BTreeMap<Crash, usize> = BTreeMap::new();
    let cases: Vec<Case<'_>> = cases
        .into_inner()
        .expect("no panic")
        .into_iter()
        .enumerate()
        .map(|(number, ((_, crash), scene))| Case { scene, crash, number })
        .filter(|case| {
            let seen = seen.entry(case.crash.clone()).or_insert(0);
            *seen += 1;
            *seen <= SCENES_FOR_EACH || is_deep() || !only.is_empty()
        })
        .filter(|case| case.name().starts_with(&only))
        .collect();
    let began = std::time::Instant::now();
    failures.extend(in_parallel(&cases, Case::name, |case| {
        notes.once(&case.name(), || case.sweep(&notes));
    }));
    let first = began.elapsed();
    // What the crashes have left, and whoever comes next dies, too.
    let ruins = notes.ruins();
    let budget: Mutex<BTreeMap<(Next, Crash), usize>> = Mutex::default();
    let pairs: Vec<(&String, &PathBuf, Next)> =
        ruins.iter().flat_map(|(shape, state)| Next::KILLED.iter().map(move |next| (shape, state, *next))).collect();
    let seconds = AtomicUsize::new(0);
    let second_crashes = |state: &Path, next: Next| {
        let mut queue = crashes(&crash_again(state, next, None).0);
        queue.retain(|crash| {
            let mut budget = budget.lock().expect("no panic");
            let done = budget.entry((next, crash.clone())).or_default();
            *done += 1;
            is_deep() || *done <= SECOND_CRASHES
        });
        for crash in queue {
            seconds.fetch_add(1, Ordering::SeqCst);
            match catch_unwind(AssertUnwindSafe(|| crash_again(state, next, Some(&crash)).1)) {
                Ok(Some(point)) => notes.hit(&point),
                Ok(None) => {}
                Err(panic) => panic!("killed at {}: {}", crash.switch(), words_of(&*panic)),
            }
        }
    };
    failures.extend(in_parallel(
        &pairs,
        |(shape, _, next)| format!("{next:?} after {shape}"),
        |(shape, state, next)| notes.once(&format!("{next:?} after {shape}"), || second_crashes(state, *next)),
    ));
    let hit = notes.all_hit();
    let names: BTreeSet<&str> = hit.iter().filter_map(|point| point.split('/').nth(1)).collect();
    println!(
        "{} crashes in {} scenes in {first:?}; {} kinds of ruins, {} second crashes; {:?} in all; {} points of {} roles",
        cases.len(),
        scenes.len(),
        ruins.len(),
        seconds.into_inner(),
        began.elapsed(),
        names.len(),
        hit.len()
    );
    assert!(failures.is_empty(), "{} failures:\n\n{}", failures.len(), failures.join("\n\n"));
    if only.is_empty() {
        let missing: Vec<String> = points_in_the_source().into_iter().filter(|n| !names.contains(n.as_str())).collect();
        assert!(missing.is_empty(), "nobody was killed at: {}", missing.join(", "));
    }
}

/// Finds the names of all points in the source.
fn points_in_the_source() -> BTreeSet<String> {
    fn visit(dir: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).expect("sources").flatten() {
            if entry.path().is_dir() {
                visit(&entry.path(), names);
            } else {
                let text = std::fs::read_to_string(entry.path()).expect("UTF-8");
                for (at, call) in text.match_indices("crash_point(\"") {
                    let name = text[at + call.len()..].split('"').next().expect("a name");
                    assert!(names.insert(name.to_owned()), "there are two points '{name}'");
                }
            }
        }
    }
    let mut names = BTreeSet::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
    assert!(names.len() > 50, "the points were not found: {names:?}");
    names
}

#[test]
fn the_matrix_in_the_protocol_names_every_point_and_no_other() {
    let text = include_str!("../../../docs/protocol.md");
    let matrix = text.split("## 6. The crash matrix").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = matrix.expect("the chapter").lines().filter_map(|line| line.strip_prefix("| `"));
    let mut told = BTreeSet::new();
    for row in rows {
        let cell = row.split('|').next().expect("a cell");
        for name in cell.split('`').step_by(2).filter(|name| !name.trim_matches([' ', ',']).is_empty()) {
            assert!(told.insert(name.to_owned()), "'{name}' is in two rows");
        }
    }
    let points = points_in_the_source();
    let untold: Vec<_> = points.difference(&told).collect();
    let unreal: Vec<_> = told.difference(&points).collect();
    assert!(untold.is_empty() && unreal.is_empty(), "not in the matrix: {untold:?}\nnot in the source: {unreal:?}");
}

#[test]
fn a_job_is_not_given_what_tells_its_supervisor_to_die() {
    let env = TestEnv::new();
    let log = env.root().join("points");
    let words = with_helper(&["run", "--finally", "env"], &["env"]);
    let never = env.prepare(&words).env("JOBDIR_TEST_CRASH", "supervisor/no.such");
    let output = never.env("JOBDIR_TEST_CRASH_LOG", &log).run();
    output.assert_code(0);
    assert!(!output.text().contains("JOBDIR_TEST_"), "{output}");
    let steps = std::fs::read_to_string(env.job_dir("1").join("attempts/1/finally.log")).expect("a log");
    assert!(steps.contains("JOBDIR_JOB_ID") && !steps.contains("JOBDIR_TEST_"), "{steps}");
    // It was in force, though.
    assert!(read_log(&log).0.contains_key("supervisor/start.recorded"));
}
