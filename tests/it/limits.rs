//! Limits: of descriptors, watches, file sizes, numbers of jobs and clients, lengths of logs and arguments. What is
//! scarce makes things slower or is told; no job is lost for it.
//!
//! The ordinary numbers are small; `JOBDIR_TEST_DEEP=1` takes those of the promise.

use std::io::{Seek, SeekFrom, Write};
use std::process::Command;
use std::time::Instant;

use crate::support::env::{helper, jobdir};
use crate::support::{TestEnv, Witness, eventually, is_deep, is_root, patience, proc, skip};

fn limited(env: &TestEnv, limits: &str, words: &[&str]) -> crate::support::Output {
    let script = format!("{limits}; exec \"$0\" \"$@\"");
    let jobdir = jobdir().to_string_lossy().into_owned();
    let words: Vec<&str> = ["-c", &script, &jobdir].into_iter().chain(words.iter().copied()).collect();
    env.program("bash", &words).run()
}

#[test]
fn many_jobs_at_once_where_few_may_watch() {
    let env = TestEnv::new();
    let (jobs, instances) = if is_deep() { (1000, 128) } else { (24, 4) };
    let probe =
        Command::new("unshare").args(["-rm", "sh", "-c", "echo 9 >/proc/sys/user/max_inotify_instances"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        return skip("no user namespace with limits of its own");
    }
    env.damage();
    let script = format!(
        r#"
        fail() {{ echo "FAILED: $*" >&2; "$J" jobs >&2; exit 1; }}
        echo {instances} >/proc/sys/user/max_inotify_instances || exit 77
        for n in $(seq {jobs}); do "$J" run -d -- sleep 1000 >/dev/null || fail "start $n"; done
        [ "$("$J" jobs -q --state running | wc -l)" = {jobs} ] || fail "not all run"
        grep -ql "is watched by" "$S"/jobs/*/events.ndjson || fail "there were watches for all, so this tests nothing"
        # The last of them has no instance of its own, and hears all the same, at once.
        began=$(date +%s%N)
        "$J" kill @last || fail kill
        [ $((($(date +%s%N) - began) / 1000000)) -lt 4000 ] || fail "it heard late"
        "$J" kill --all --force || fail "kill --all"
        [ "$("$J" jobs -q --state interrupted | wc -l)" = {jobs} ] || fail "not all are stopped"
        "#
    );
    let words = ["-rm", "bash", "-c", &script];
    env.program("unshare", &words).env("J", jobdir()).env("S", env.state()).run().assert_code(0);
}

#[test]
fn few_descriptors_are_enough() {
    let env = TestEnv::new();
    let run = ["run", "--mutex", "m", "--finally", "true", "--", "sh", "-c", "ulimit -n; exit 3"];
    let output = limited(&env, "ulimit -n 64", &run);
    // The job itself gets the limit that it would have had without us.
    output.assert_code(3).assert_stdout("64\n");
    let id = limited(&env, "ulimit -n 64", &["run", "-d", "--", "sleep", "1000"]).id();
    for _ in 0..30 {
        env.jobdir(&["run", "-d", "--", "sleep", "1000"]).assert_code(0);
    }
    limited(&env, "ulimit -n 64", &["jobs", "--all"]).assert_code(0);
    limited(&env, "ulimit -n 64", &["wait", "--timeout", "0", &id]).assert_code(122);
    limited(&env, "ulimit -n 64", &["kill", "--all", "--force"]).assert_code(0);
    // With next to none it is told, and no panic.
    for few in 3..12 {
        let output = limited(&env, &format!("ulimit -n {few}"), &["run", "--", "true"]);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{few}: {output}");
        assert!(output.code() == 0 || !output.stderr.is_empty(), "{few}: {output}");
    }
    // Who executes can be found again: it has a start time, and a number alone is nobody.
    for few in 10..24 {
        let output = limited(&env, &format!("ulimit -n {few}"), &["run", "--", "true"]);
        assert!(matches!(output.code(), 0 | 125), "{few}: {output}");
    }
    for job in std::fs::read_dir(env.state().join("jobs")).expect("has jobs").flatten() {
        let pid = std::fs::read_to_string(job.path().join("pid")).unwrap_or_default();
        assert!(!pid.contains(r#""start_time":0"#), "{pid}");
    }
    eventually("all have ended", || env.jobdir(&["jobs", "-q", "--active"]).stdout.is_empty().then_some(()));
    env.damage();
}

#[test]
fn many_jobs_in_one_directory_are_listed_and_pruned() {
    let env = TestEnv::new();
    env.damage();
    let jobs = if is_deep() { 10_000 } else { 600 };
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    let template = |file: &str| std::fs::read_to_string(env.job_dir("1").join(file)).expect("reads");
    let (spec, record) = (template("spec.json"), template("job.json"));
    for id in 2..=jobs {
        let dir = env.job_dir(&id.to_string());
        std::fs::create_dir_all(dir.join("kill-signals")).expect("makes");
        std::fs::create_dir_all(dir.join("attempts/1")).expect("makes");
        let of_this = |text: &str| text.replacen("\"id\":\"1\"", &format!("\"id\":\"{id}\""), 1);
        std::fs::write(dir.join("spec.json"), of_this(&spec)).expect("writes");
        std::fs::write(dir.join("job.json"), of_this(&record)).expect("writes");
    }
    let began = Instant::now();
    let list = limited(&env, "ulimit -v 1000000", &["jobs", "--json"]);
    list.assert_code(0);
    assert_eq!(list.json()["jobs"].as_array().map(Vec::len), Some(jobs));
    assert!(began.elapsed() < patience(), "listing took {:?}", began.elapsed());
    assert_eq!(env.jobdir(&["jobs"]).text().lines().count(), 21);
    let next = env.jobdir(&["run", "-d", "--", "true"]).id();
    assert_eq!(next, (jobs + 1).to_string(), "an id was used again");
    env.jobdir(&["wait", &next]).assert_code(0);
    env.jobdir(&["prune", "--keep", "10"]).assert_code(0);
    assert_eq!(env.jobdir(&["jobs", "-q"]).text().lines().count(), 10);
}

#[test]
fn the_end_of_a_huge_log_is_shown_at_once() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    let path = env.job_dir("1").join("attempts/1/stdout.log");
    let mut file = std::fs::File::options().write(true).open(&path).expect("opens");
    file.seek(SeekFrom::Start(50 << 30)).and_then(|_| file.write_all(b"\none\ntwo\n")).expect("makes a hole");
    env.damage();
    for words in [&["logs", "-n", "2", "1"][..], &["jobs", "--all"], &["status", "1"], &["wait", "1"]] {
        limited(&env, "ulimit -v 1000000", words).assert_code(0);
    }
    limited(&env, "ulimit -v 1000000", &["logs", "-n", "2", "1"]).assert_code(0).assert_stdout("one\ntwo\n");
    let document = limited(&env, "ulimit -v 1000000", &["logs", "--json", "-n", "2", "1"]).json();
    assert_eq!(document["stdout"]["text"], "one\ntwo\n");
    env.jobdir(&["delete", "1"]).assert_code(0);
}

#[test]
fn two_megabytes_of_arguments_arrive() {
    let env = TestEnv::new();
    // A single argument has at most 128 KiB, all of them a quarter of the stack's limit.
    let script = r#"ulimit -s unlimited 2>/dev/null || ulimit -s 65536; set --; long=$(head -c 100000 /dev/zero | tr '\0' x)
        for n in $(seq 20); do set -- "$@" "$long"; done
        "$J" run -- "$H" args "$@" | wc -c; exit "${PIPESTATUS[0]}""#;
    let output = env.program("bash", &["-c", script]).env("J", jobdir()).env("H", helper()).run();
    if String::from_utf8_lossy(&output.stderr).contains("too long") {
        return skip("the limits of this shell are lower");
    }
    output.assert_code(0).assert_stdout(&format!("{}\n", 20 * 100_003 + 2));
    assert_eq!(env.jobdir(&["jobs"]).text().lines().count(), 2);
    limited(&env, "ulimit -v 1000000", &["jobs", "--json"]).assert_code(0);
}

#[test]
fn many_clients_at_once_all_get_what_they_ask_for() {
    let env = TestEnv::new();
    let clients = if is_deep() { 300 } else { 40 };
    let starting: Vec<_> = (0..clients).map(|_| env.prepare(&["run", "-d", "--", "true"]).spawn()).collect();
    let mut ids: Vec<u64> = starting
        .into_iter()
        .map(|client| {
            let output = client.wait();
            output.assert_code(0);
            output.id().parse().expect("a number")
        })
        .collect();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(1..=clients), "{ids:?}");
    let id = env.start(&[], &["block"]);
    let asking = ["wait", "kill", "status", "kill"].into_iter().cycle().take(usize::try_from(clients).expect("small"));
    let asking: Vec<_> = asking.map(|verb| (verb, env.prepare(&[verb, &id]).spawn())).collect();
    for (verb, client) in asking {
        client.wait().assert_code(if verb == "wait" { 143 } else { 0 });
    }
    eventually("all have ended", || env.jobdir(&["jobs", "-q", "--active"]).stdout.is_empty().then_some(()));
}

#[test]
fn a_binary_that_is_replaced_or_removed_while_its_jobs_run_is_no_loss() {
    let env = TestEnv::new();
    let program = env.root().join("jobdir");
    let install = || {
        let new = env.root().join("jobdir.new");
        std::fs::copy(jobdir(), &new).and_then(|_| std::fs::rename(&new, &program)).expect("installs");
    };
    install();
    let witness = Witness::new();
    let (helper, address) = (helper(), witness.address.clone());
    let words =
        ["run", "-d", "--retries", "1", "--finally", "true", "--", &helper, "witness", &address, "await", "exit", "3"];
    let id = env.program(&program, &words).run().id();
    let mut process = witness.accept();
    install();
    process.go();
    // The next attempt begins without a binary in its place at all.
    std::fs::remove_file(&program).expect("removes");
    let mut process = witness.accept();
    assert_eq!(env.job_state(&id), "running");
    env.jobdir(&["kill", &id]).assert_code(0);
    process.wait_for_death();
    assert_eq!(env.job_state(&id), "interrupted");
}

#[test]
fn a_job_that_may_not_be_signalled_is_told_and_waited_for_in_bounds() {
    let env = TestEnv::new();
    if !is_root() || Command::new("setpriv").arg("--version").output().is_err() {
        return skip("only root can make a process that others may not signal");
    }
    env.damage();
    for dir in [env.root().to_owned(), env.work(), env.root().join("tmp")] {
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("changes");
    }
    let program = env.root().join("jobdir");
    std::fs::copy(jobdir(), &program).expect("copies");
    // What sudo is to others: a program that becomes root and does something for ever.
    let sudo = env.root().join("as-root");
    std::fs::copy("/usr/bin/perl", &sudo).or_else(|_| std::fs::copy("/bin/sleep", &sudo)).expect("copies");
    if Command::new("perl").arg("-v").output().is_err() {
        return skip("no perl");
    }
    std::fs::set_permissions(&sudo, std::os::unix::fs::PermissionsExt::from_mode(0o4755)).expect("changes");
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let program = program.to_string_lossy().into_owned();
    let as_user = |words: &[&str]| env.program("setpriv", &[&user[..], &[program.as_str()], words].concat()).run();
    let sudo = sudo.to_string_lossy().into_owned();
    let id = as_user(&["run", "-d", "--grace", "100ms", "--", &sudo, "-e", "$< = $>; $( = $); sleep 1000"]).id();
    let pid: u32 = as_user(&["status", "-P", "pid", &id]).text().trim().parse().expect("a pid");
    let is_roots =
        || std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|text| text.contains("Uid:\t0\t0"));
    if crate::support::eventually_within(std::time::Duration::from_secs(3), || is_roots().then_some(())).is_none() {
        as_user(&["kill", "--force", &id]).assert_code(0);
        return skip("setuid programs do not work here");
    }
    let began = Instant::now();
    let killed = as_user(&["kill", &id]);
    killed.assert_code(1).assert_says(&pid.to_string());
    assert!(began.elapsed().as_secs() < 18, "it took {:?}", began.elapsed());
    let job = as_user(&["status", "--json", &id]).json();
    assert_eq!((&job["state"], &job["stop"]["not_stopped"][0]["pid"]), (&"stopping".into(), &pid.into()), "{job}");
    let list = as_user(&["jobs"]);
    assert!(list.text().contains("stopping"), "{list}");
    let refused = as_user(&["delete", &id]);
    assert_eq!(refused.code(), 1, "{refused}");
    as_user(&["abandon", &id]).assert_code(0);
    assert_eq!(as_user(&["status", "--json", &id]).json()["survivors"][0]["pid"], pid);
    proc::signal(pid, nix::sys::signal::Signal::SIGKILL);
}
