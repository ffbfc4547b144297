//! A storm: random commands from many processes at once, while supervisors and clients are killed at random, and a
//! witness for every promise.
//!
//! It takes ten seconds, or `JOBDIR_TEST_STORM_SECONDS`. What each worker does follows from `JOBDIR_TEST_SEED`; how the
//! machine interleaves them does not, so a seed that failed may have to be tried several times.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::crash::facts;
use crate::support::env::{helper, with_helper};
use crate::support::{TestEnv, eventually_within, patience, proc, words};

/// How many workers give commands.
const WORKERS: u64 = 5;
/// How long a client may wait that has reason to.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many places the group has.
const PLACES: &str = "2";

/// Random numbers that a seed determines (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What is known of what was done.
struct Storm {
    env: TestEnv,
    report: String,
    until: Instant,
    /// Jobs of which somebody was told that they exist.
    told: Mutex<BTreeSet<String>>,
    /// Jobs that somebody has tried to delete.
    doomed: Mutex<BTreeSet<String>>,
    /// The outcomes that were seen on disk.
    outcomes: Mutex<BTreeMap<(String, u64), Value>>,
    is_over: AtomicBool,
    commands: AtomicUsize,
    killed: AtomicUsize,
}

impl Storm {
    fn new(seconds: u64) -> Self {
        let env = TestEnv::new();
        let report = env.root().join("report").to_string_lossy().into_owned();
        std::fs::write(&report, "").expect("writes");
        // What does not depend on chance.
        env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
        Self {
            env,
            report,
            until: Instant::now() + Duration::from_secs(seconds),
            told: Mutex::default(),
            doomed: Mutex::default(),
            outcomes: Mutex::default(),
            is_over: AtomicBool::new(false),
            commands: AtomicUsize::new(0),
            killed: AtomicUsize::new(0),
        }
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.until && !self.is_over.load(Ordering::SeqCst)
    }

    /// Picks a job; the newer the likelier.
    fn job(&self, dice: &mut Dice) -> String {
        let ids = facts::ids(&self.env);
        let newest = ids.len().saturating_sub(usize::try_from(dice.below(12)).expect("small") + 1);
        ids.get(newest).or(ids.last()).cloned().unwrap_or_else(|| "1".into())
    }

    /// Whether a job holds something that it loses when it is abandoned, whoever of it lives.
    fn wants_something(&self, id: &str) -> bool {
        let spec = std::fs::read(self.env.job_dir(id).join("spec.json")).unwrap_or_default();
        let spec: Value = serde_json::from_slice(&spec).unwrap_or_default();
        !spec["coordination"]["wants"].is_null()
    }

    fn a_run(&self, dice: &mut Dice) -> Vec<String> {
        let root = self.env.root().to_string_lossy().into_owned();
        let mut options: Vec<String> = vec!["run".into()];
        let mut actions: Vec<String> = Vec::new();
        let mut lock = |file: String, how: &str| {
            actions.extend(["lock".into(), file, how.into(), self.report.clone()]);
        };
        // One attempt at a time.
        lock("$JOBDIR_JOB_DIR/alone".into(), "exclusive");
        if !dice.one_in(5) {
            options.push("-d".into());
        }
        for mutex in ["m", "other"] {
            match dice.below(6) {
                0 | 1 => {
                    options.extend(["--mutex".into(), mutex.into()]);
                    lock(format!("{root}/witness-{mutex}"), "exclusive");
                }
                2 => {
                    options.extend(["--mutex".into(), format!("{mutex}:shared")]);
                    lock(format!("{root}/witness-{mutex}"), "shared");
                }
                _ => {}
            }
        }
        if dice.one_in(4) {
            options.extend(["--slots".into(), format!("g={PLACES}")]);
            lock(format!("{root}/witness-g"), PLACES);
        }
        let mut sometimes = |n: u64, words: &[&str]| {
            if dice.one_in(n) {
                options.extend(words.iter().map(|word| (*word).to_owned()));
            }
        };
        sometimes(5, &["--name", "n"]);
        sometimes(5, &["--retries", "2", "--retry-delay", "30ms"]);
        sometimes(5, &["--finally", "true"]);
        sometimes(8, &["--on-exit", "true"]);
        sometimes(8, &["--rm"]);
        sometimes(8, &["--timeout", "200ms"]);
        sometimes(8, &["--queue-timeout", "500ms"]);
        sometimes(3, &["--grace", "50ms"]);
        sometimes(8, &["--stdin", "fifo"]);
        if dice.one_in(8) {
            options.extend(["--after".into(), format!("{}:any", self.job(dice))]);
        }
        let mut act = |words: &[&str]| actions.extend(words.iter().map(|word| (*word).to_owned()));
        if dice.one_in(4) {
            act(&["ignore", "TERM"]);
        }
        match dice.below(4) {
            0 => act(&["spawn", "2", "[", "rest", "300", "]"]),
            1 => act(&["spawn", "1", "[", "setsid", "rest", "5000", "]"]),
            _ => {}
        }
        act(&["rest", &dice.below(400).to_string(), "exit", &(dice.below(3) / 2).to_string()]);
        let options: Vec<&str> = words(&options);
        with_helper(&options, &words(&actions))
    }

    /// Gives one random command, and looks at what it says.
    fn command(&self, dice: &mut Dice) {
        let id = self.job(dice);
        let of =
            |verb: &[&str]| -> Vec<String> { verb.iter().map(|word| (*word).to_owned()).chain([id.clone()]).collect() };
        let line = match dice.below(24) {
            0..=9 => self.a_run(dice),
            10..=12 => of(&["kill"]),
            13 => of(&["kill", "--force"]),
            14 | 15 => of(&["resume", "-d"]),
            // Who is abandoned gives up what it holds, and may live on: no witness could tell right from wrong.
            16 if !self.wants_something(&id) => of(&["abandon"]),
            17 => of(&["delete"]),
            18 => of(&["pause"]),
            19 => of(&["unpause"]),
            20 => of(&["wait", "--timeout", "100ms"]),
            21 => ["send", &id, "hello"].map(str::to_owned).to_vec(),
            22 => vec!["prune".into(), "--keep".into(), "10".into()],
            _ => vec!["jobs".into(), "--json".into()],
        };
        let verb = line[0].as_str();
        if verb == "delete" {
            self.doomed.lock().expect("no panic").insert(id.clone());
        } else if verb == "prune" {
            self.doomed.lock().expect("no panic").extend(facts::ids(&self.env));
        }
        let client = self.env.prepare(&words(&line)).spawn();
        self.commands.fetch_add(1, Ordering::SeqCst);
        let is_killed = dice.one_in(6);
        if is_killed {
            std::thread::park_timeout(Duration::from_millis(dice.below(40)));
            proc::signal_if_there(client.pid(), Signal::SIGKILL);
            self.killed.fetch_add(1, Ordering::SeqCst);
        }
        // Some have reason to wait for ever: for what an orphan holds, for a job that is paused.
        let may_wait = matches!(verb, "kill" | "delete" | "wait") || (verb == "run" && line[1] != "-d");
        let pid = client.pid();
        if may_wait {
            eventually_within(PATIENCE, || (!proc::is_alive(pid)).then_some(()));
            proc::signal_if_there(pid, Signal::SIGKILL);
        } else if eventually_within(patience(), || (!proc::is_alive(pid)).then_some(())).is_none() {
            panic!("it does not end: {}\n{}", line.join(" "), self.describe(&id));
        }
        let output = client.wait();
        assert!(![101, 134].contains(&output.code()), "{output}");
        if verb == "run" && line[1] == "-d" && output.code() == 0 && !line.iter().any(|word| word == "--rm") {
            self.told.lock().expect("no panic").insert(output.id());
        }
        if verb == "jobs" && !is_killed {
            output.assert_code(0);
            for job in output.json()["jobs"].as_array().expect("jobs") {
                assert!(job["state"] != "corrupt" && job["error_kind"] != "internal", "{job}");
            }
        }
    }

    /// Tells what can be seen of a job, for a failure.
    fn describe(&self, id: &str) -> String {
        let read = |name: &str| std::fs::read_to_string(self.env.job_dir(id).join(name)).unwrap_or_default();
        let status = self.env.jobdir(&["status", "--json", id]);
        let supervisors = facts::supervisors(&self.env);
        let waiting = supervisors.iter().map(|(pid, of)| {
            let at = std::fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
            format!("{pid} of job {of} at {at}")
        });
        let waiting: Vec<String> = waiting.collect();
        format!("{status}\n{}\n{}\nsupervisors: {}", read("job.json"), read("events.ndjson"), waiting.join(", "))
    }

    /// Kills supervisors at random.
    fn strike(&self, dice: &mut Dice) {
        std::thread::park_timeout(Duration::from_millis(50 + dice.below(200)));
        let supervisors = facts::supervisors(&self.env);
        if !supervisors.is_empty() {
            let victim = usize::try_from(dice.below(supervisors.len() as u64)).expect("small");
            proc::signal_if_there(supervisors[victim].0, Signal::SIGKILL);
            self.killed.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Sees to it that what has ended stays as it is.
    fn watch(&self) {
        std::thread::park_timeout(Duration::from_millis(20));
        let mut outcomes = self.outcomes.lock().expect("no panic");
        for id in facts::ids(&self.env) {
            let Ok(text) = std::fs::read(self.env.job_dir(&id).join("job.json")) else { continue };
            let record: Value = serde_json::from_slice(&text).expect("a record is whole");
            for attempt in record["attempts"].as_array().expect("attempts") {
                if !attempt["outcome"].is_null() {
                    let key = (id.clone(), attempt["number"].as_u64().expect("a number"));
                    let seen = ["outcome", "exit_code", "signal"].map(|field| attempt[field].clone());
                    let seen = Value::from(seen.to_vec());
                    let known = outcomes.entry(key).or_insert_with(|| seen.clone());
                    assert_eq!(*known, seen, "an outcome of job {id} has changed");
                }
            }
        }
    }

    /// What must be true when it is over.
    fn settle(&self) {
        self.env.jobdir(&["kill", "--all", "--force"]).assert_code(0);
        facts::wait_until_quiet(&self.env);
        self.watch();
        facts::assert_true(&self.env);
        let present: BTreeSet<String> = facts::ids(&self.env).into_iter().collect();
        let doomed = self.doomed.lock().expect("no panic");
        let lost: Vec<String> =
            self.told.lock().expect("no panic").iter().filter(|id| !present.contains(*id)).cloned().collect();
        let lost: Vec<String> = lost.into_iter().filter(|id| !doomed.contains(id)).collect();
        assert!(lost.is_empty(), "jobs are gone that nobody has deleted: {lost:?}");
        facts::assert_all_can_be_settled(&self.env);
        let report = std::fs::read_to_string(&self.report).expect("the report");
        assert!(report.is_empty(), "witnesses report:\n{report}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was done is worth knowing, and seen on request only")]
fn nothing_is_lost_in_a_storm() {
    helper();
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("JOBDIR_TEST_STORM_SECONDS").unwrap_or(10);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let seed = number("JOBDIR_TEST_SEED").unwrap_or(clock.as_millis() as u64 % 1_000_000);
    let storm = Storm::new(seconds);
    let failure = Mutex::new(None);
    // The first failure ends it.
    let guarded = |work: &mut dyn FnMut()| {
        while storm.goes_on() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(&mut *work)) {
                storm.is_over.store(true, Ordering::SeqCst);
                failure.lock().expect("no panic").get_or_insert(panic);
            }
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (storm, guarded) = (&storm, &guarded);
            scope.spawn(move || {
                let mut dice = Dice(seed.wrapping_mul(1000) + worker);
                guarded(&mut || storm.command(&mut dice));
            });
        }
        scope.spawn(|| {
            let mut dice = Dice(seed.wrapping_mul(1000) + WORKERS);
            guarded(&mut || storm.strike(&mut dice));
        });
        scope.spawn(|| guarded(&mut || storm.watch()));
    });
    println!(
        "seed {seed}: {} commands in {seconds} s, {} clients and supervisors killed, {} jobs left, {} outcomes seen",
        storm.commands.load(Ordering::SeqCst),
        storm.killed.load(Ordering::SeqCst),
        facts::ids(&storm.env).len(),
        storm.outcomes.lock().expect("no panic").len()
    );
    let again = format!(
        "JOBDIR_TEST_SEED={seed} JOBDIR_TEST_STORM_SECONDS={seconds} cargo test --test it nothing_is_lost_in_a_storm"
    );
    let outcome = match failure.into_inner().expect("no panic") {
        Some(panic) => Err(panic),
        None => catch_unwind(AssertUnwindSafe(|| storm.settle())),
    };
    if let Err(panic) = outcome {
        println!("the seed was {seed}; once more:\n    {again}");
        storm.env.damage();
        storm.env.leave_running();
        resume_unwind(panic);
    }
}
