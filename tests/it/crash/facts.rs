//! What is true of a state directory after a crash, found out without jobdir's own code, and what must then follow.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::env::{jobdir, read_json};
use crate::support::invariants::{ENDED, assert_job, assert_private, listing};
use crate::support::{TestEnv, eventually, eventually_within, is_held, patience, proc};

/// One job, as it is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) record: Value,
    /// Whether somebody holds its claim.
    pub(crate) claimed: bool,
    /// Its processes that live, by its cookie.
    pub(crate) live: Vec<u32>,
}

impl Facts {
    pub(crate) fn recorded(&self) -> &str {
        self.record["state"].as_str().expect("a state")
    }

    /// What `jobs` must say.
    pub(crate) fn state(&self) -> &str {
        match (ENDED.contains(&self.recorded()) || self.claimed, self.live.is_empty()) {
            (true, _) => self.recorded(),
            (false, true) => "lost",
            (false, false) => "orphaned",
        }
    }

    /// Whether nothing of it acts any more.
    pub(crate) fn is_dead(&self) -> bool {
        !self.claimed && self.live.is_empty()
    }
}

/// Lists the jobs of a state directory.
pub(crate) fn ids(env: &TestEnv) -> Vec<String> {
    let entries = std::fs::read_dir(env.state().join("jobs")).into_iter().flatten().flatten();
    let mut ids: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    ids.sort_unstable_by_key(|id| id.parse::<u64>().expect("an id"));
    ids
}

/// Returns the live processes that have a job's cookie, each with that cookie.
fn with_cookies() -> Vec<(u32, String)> {
    let cookie_of = |pid: u32| {
        let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut each = variables.split(|byte| *byte == 0);
        each.find_map(|one| one.strip_prefix(b"JOBDIR_JOB_UID=")).map(|uid| String::from_utf8_lossy(uid).into_owned())
    };
    let with_cookie = proc::pids().filter_map(|pid| Some((pid, cookie_of(pid)?)));
    with_cookie.filter(|(pid, _)| proc::is_alive(*pid)).collect()
}

/// Looks at one job.
pub(crate) fn facts(env: &TestEnv, id: &str) -> Option<Facts> {
    look(env, id, &with_cookies())
}

fn look(env: &TestEnv, id: &str, cookies: &[(u32, String)]) -> Option<Facts> {
    let read =
        |name: &str| -> Option<Value> { serde_json::from_slice(&std::fs::read(env.job_dir(id).join(name)).ok()?).ok() };
    let spec = read("spec.json")?;
    let claimed = is_held(&env.state().join("locks").join(id));
    let uid = spec["uid"].as_str()?;
    let live = cookies.iter().filter(|(_, cookie)| cookie == uid).map(|(pid, _)| *pid).collect();
    // After the claim: an end is on disk before the claim is free.
    Some(Facts { id: id.to_owned(), record: read("job.json")?, claimed, live })
}

/// Looks at all jobs.
pub(crate) fn all(env: &TestEnv) -> Vec<Facts> {
    let cookies = with_cookies();
    ids(env).iter().filter_map(|id| look(env, id, &cookies)).collect()
}

/// Returns pid and job of the supervisors in this state directory.
pub(crate) fn supervisors(env: &TestEnv) -> Vec<(u32, String)> {
    let root = env.state().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for pid in proc::pids() {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let title = String::from_utf8_lossy(&line).replace('\0', " ");
        let words: Vec<&str> = title.split_whitespace().collect();
        if words.get(1) != Some(&"supervise") {
            continue;
        }
        match (words.get(2), words.get(3)) {
            (Some(of), Some(id)) if *of == root && proc::is_alive(pid) => found.push((pid, (*id).to_owned())),
            (Some(of), _) if of.starts_with('/') => {}
            // It has been called and does not know yet what for: an armed one is known by the log of points.
            _ if proc::mentions(pid, &env.root().to_string_lossy()) && proc::is_alive(pid) => {
                found.push((pid, String::new()));
            }
            _ => {}
        }
    }
    // A command that is about to be executed still looks like the supervisor that has forked it.
    let is_command = |pid: u32, id: &String| {
        let parent = proc::stat(pid).map(|stat| stat.parent);
        found.iter().any(|(other, of)| Some(*other) == parent && of == id)
    };
    found.iter().filter(|(pid, id)| !is_command(*pid, id)).cloned().collect()
}

pub(crate) fn spec(env: &TestEnv, id: &str) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(env.job_dir(id).join("spec.json")).ok()?).ok()
}

/// Says whether a job whose command is jobdir has begun the job that it is to begin; others have nothing to begin.
fn has_begun_nested(env: &TestEnv, facts: &Facts) -> bool {
    let started_at = facts.record["attempts"].as_array().and_then(|attempts| attempts.last()?["started_at"].as_str());
    let is_nested = |id: &String| {
        let Some(spec) = spec(env, id) else { return false };
        spec["parent"] == facts.id.as_str() && spec["created_at"].as_str() >= started_at
    };
    let jobdir = jobdir().to_string_lossy();
    let command = spec(env, &facts.id).map_or(Value::Null, |spec| spec["command"].clone());
    let nests = command.as_array().is_some_and(|words| words.iter().any(|word| *word == jobdir.as_ref()));
    !nests || ids(env).iter().any(is_nested)
}

/// Waits until nothing moves by itself: each supervisor that is left has a job that runs or waits for others.
#[track_caller]
pub(crate) fn wait_until_quiet(env: &TestEnv) {
    eventually("that nothing moves", || {
        std::thread::park_timeout(std::time::Duration::from_millis(5));
        let resting = |id: &String| {
            let Some(facts) = look(env, id, &[]) else { return false };
            let inbox = std::fs::read_dir(env.job_dir(id).join("kill-signals"));
            let waiting = facts.record["waiting_for"][0]["kind"].as_str().is_some_and(|kind| kind != "retry");
            let Some(spec) = spec(env, id) else { return false };
            // That command ends at once, and then the job is deleted.
            let goes = spec["delete_on_success"] == true;
            let runs = facts.recorded() == "running" && !goes && has_begun_nested(env, &facts);
            let rests = runs || (facts.recorded() == "queued" && waiting);
            rests && inbox.is_ok_and(|mut entries| entries.next().is_none())
        };
        let before = supervisors(env);
        let is_suspended = |pid: u32| proc::stat(pid).is_some_and(|stat| stat.state == 'T');
        let is_quiet = before.iter().all(|(pid, id)| is_suspended(*pid) || resting(id));
        (is_quiet && supervisors(env) == before).then_some(())
    });
}

/// Checks everything that holds between any two steps.
#[track_caller]
pub(crate) fn assert_true(env: &TestEnv) {
    let state = env.state();
    if !state.join("FORMAT").exists() {
        assert!(ids(env).is_empty(), "there are jobs, and no FORMAT");
        return;
    }
    assert_private(&state.canonicalize().expect("is there"));
    let last = std::fs::metadata(state.join("ids")).map_or(0, |ids| ids.len());
    for id in ids(env) {
        assert_job(env, &id);
        assert!(id.parse::<u64>().expect("an id") <= last, "job {id} has an id that was not given out");
    }
    let supervisors = supervisors(env);
    let supervised: BTreeSet<&String> = supervisors.iter().map(|(_, id)| id).collect();
    assert_eq!(supervised.len(), supervisors.len(), "a job has two supervisors: {supervisors:?}");
    // What exactly is seen may change while it is looked at; what is seen twice is taken for true.
    let listed = eventually("the same facts before and after looking", || {
        let (before, jobs, after) = (all(env), list(env), all(env));
        (before == after).then_some(before.into_iter().zip(jobs).collect::<Vec<_>>())
    });
    for (facts, job) in listed {
        let id = &facts.id;
        assert_eq!(job["id"], id.as_str());
        assert_eq!(job["state"], facts.state(), "job {id}: {job:#}\nfacts: {facts:#?}");
        assert_ne!(job["error_kind"], "internal", "{job:#}");
        let ended = ENDED.contains(&facts.recorded());
        assert_eq!(job["supervised"], facts.claimed && !ended, "{job:#}");
        if facts.claimed {
            assert!(supervised.contains(id), "the claim of job {id} is held by nobody that supervises it");
        }
        // What lives is seen, and nothing lives that is not accounted for. An exit hook may still be about to end.
        if facts.claimed && facts.live.is_empty() {
            // Its command may be about to execute, or to end.
        } else if !ended || facts.recorded() == "abandoned" {
            assert_eq!(job["alive"] == true, !facts.live.is_empty(), "{job:#}\nfacts: {facts:#?}");
        } else {
            let gone = eventually_within(patience() / 2, || {
                let now = self::facts(env, id)?;
                (now.live.is_empty() || now.record != facts.record).then_some(())
            });
            assert!(gone.is_some(), "processes of job {id} live, which has ended: {:?}", facts.live);
        }
    }
    for entry in std::fs::read_dir(state.join("locks")).expect("locks").flatten() {
        assert_eq!(entry.metadata().map_or(0, |facts| facts.len()), 0, "{:?} is not empty", entry.path());
    }
}

/// Checks that reading says something sensible, and changes nothing.
#[track_caller]
pub(crate) fn assert_looking_changes_nothing(env: &TestEnv) {
    let before = listing(&env.state());
    let ids = ids(env);
    for id in &ids {
        env.jobdir(&["status", id]).assert_code(0);
        env.jobdir(&["logs", id]).assert_code(0);
        let waited = env.jobdir(&["wait", "--timeout", "0", id]);
        assert!(![101, 134].contains(&waited.code()), "{waited}");
        waited.assert_stdout("");
    }
    let after = listing(&env.state());
    if ids.iter().all(|id| facts(env, id).is_some_and(|facts| facts.is_dead())) {
        assert_eq!(before, after, "looking has changed something");
    }
}

/// Makes something two days old.
#[track_caller]
pub(crate) fn age(path: &Path) {
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 3600);
    let since_1970 = long_ago.duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let time = nix::sys::time::TimeSpec::from_duration(since_1970);
    let follow = nix::sys::stat::UtimensatFlags::NoFollowSymlink;
    nix::sys::stat::utimensat(nix::fcntl::AT_FDCWD, path, &time, &time, follow).expect("can be aged");
}

fn list(env: &TestEnv) -> Vec<Value> {
    let output = env.jobdir(&["jobs", "--json"]);
    output.assert_code(0).assert_stderr("");
    let mut jobs = output.json()["jobs"].as_array().expect("jobs").clone();
    jobs.sort_by_key(|job| job["id"].as_str().and_then(|id| id.parse::<u64>().ok()));
    jobs
}

/// Ends and removes everything. Afterwards nothing is held, nothing lives, nothing has leaked, and no id comes again.
#[track_caller]
pub(crate) fn assert_all_can_be_settled(env: &TestEnv) {
    let given = std::fs::metadata(env.state().join("ids")).map_or(0, |ids| ids.len());
    let ended: Vec<Facts> = all(env).into_iter().filter(|facts| ENDED.contains(&facts.recorded())).collect();
    for id in ids(env) {
        env.jobdir(&["kill", "--force", &id]).assert_code(0);
    }
    for before in &ended {
        let after = read_json(&env.job_dir(&before.id).join("job.json"));
        assert_eq!(after["state"], before.recorded(), "a recorded end has changed");
    }
    wait_until_quiet(env);
    for facts in all(env) {
        assert!(ENDED.contains(&facts.recorded()), "{facts:#?} was killed and has no end");
        assert!(facts.is_dead(), "{facts:#?} was killed and lives");
    }
    assert_true(env);
    // Its name, its mutex and its slot are free again.
    let again = ["run", "--name", "n", "--mutex", "m", "--slots", "g=1", "--queue-timeout", "15s"];
    let output = env.run_helper(&again, &["exit", "0"]);
    output.assert_code(0);
    let newest: u64 = ids(env).last().expect("the job").parse().expect("an id");
    assert!(newest > given, "id {newest} was given out before: {given} were");
    for id in ids(env) {
        env.jobdir(&["delete", &id]).assert_code(0);
    }
    assert_eq!(ids(env), [""; 0]);
    // What is a day old in staging/ is swept, and what is unfinished in spares/.
    wait_until_quiet(env);
    let entries = |name: &str| std::fs::read_dir(env.state().join(name)).expect("is there").flatten();
    for entry in entries("staging").chain(entries("spares")) {
        age(&entry.path());
    }
    env.jobdir(&["prune"]).assert_code(0);
    for entry in entries("spares") {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_spare = name.parse::<u64>().is_ok();
        let is_empty = name.starts_with("empty-") && entry.metadata().is_ok_and(|facts| facts.len() == 0);
        assert!(is_spare || is_empty, "left in spares/: {name}");
    }
    for name in ["jobs", "staging", "trash", "queue"] {
        let left = listing(&env.state().join(name));
        assert!(left.is_empty(), "left in {name}/:\n{}", left.join("\n"));
    }
    for entry in std::fs::read_dir(env.state().join("locks")).expect("locks").flatten() {
        assert!(!is_held(&entry.path()), "{:?} is held by nobody", entry.path());
    }
}
