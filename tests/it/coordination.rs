//! Mutexes, slots and order, without anybody who coordinates.

use serde_json::json;

use crate::support::{TestEnv, eventually};

/// A shell command that fails loudly when another one of its kind runs at the same time.
fn exclusive(env: &TestEnv, lock: &str, work: &str) -> String {
    let dir = env.root().join(lock);
    format!("mkdir '{0}' || exit 99; {work}; rmdir '{0}'", dir.display())
}

#[test]
fn a_mutex_is_held_by_one_at_a_time_in_the_order_of_arrival() {
    let env = TestEnv::new();
    let order = env.root().join("order");
    let [overlap, report] = ["overlap", "report"].map(|name| env.root().join(name).to_string_lossy().into_owned());
    let mut ids = Vec::new();
    for number in 1..=6 {
        let (order, number) = (order.to_string_lossy(), number.to_string());
        let actions = ["lock", &overlap, "exclusive", &report, "append", &order, &number, "rest", "50"];
        ids.push(env.start(&["--mutex", "Deploy"], &actions));
    }
    let mut wait = vec!["wait"];
    wait.extend(ids.iter().map(String::as_str));
    env.jobdir(&wait).assert_code(0);
    assert_eq!(std::fs::read_to_string(order).expect("written"), "1\n2\n3\n4\n5\n6\n");
}

#[test]
fn who_waits_for_whom_is_told() {
    let env = TestEnv::new();
    let holder = env.start(&["--mutex", "m"], &["block"]);
    eventually("there is a spare to take", || {
        (0..4).any(|number| env.state().join(format!("spares/{number}")).exists()).then_some(())
    });
    let first = env.jobdir(&["run", "-d", "--mutex", "m", "--", "true"]).id();
    let second = env.jobdir(&["run", "-d", "--mutex", "m:shared", "--", "true"]).id();
    let waiting = |position: u32, before: &[&String]| {
        json!([{"kind": "mutex", "name": "m", "holders": [holder], "queued_before": before, "position": position,
                "until": null, "message": null}])
    };
    assert_eq!(env.job_state(&first), "queued");
    assert_eq!(env.status(&first)["waiting_for"], waiting(1, &[]));
    assert_eq!(env.status(&second)["waiting_for"], waiting(2, &[&first]));
    env.jobdir(&["kill", &first]).assert_code(0).assert_says("before its command was started");
    eventually("nothing that was made ahead is left", || {
        let left = ["pid.new", "job.json.new", "claim"].map(|name| env.job_dir(&first).join(name).exists());
        (left == [false; 3]).then_some(())
    });
    let job = env.status(&first);
    assert_eq!((&job["state"], &job["started_at"]), (&"interrupted".into(), &serde_json::Value::Null));
    env.jobdir(&["wait", &first]).assert_code(123);
    env.jobdir(&["kill", &holder]).assert_code(0);
    env.jobdir(&["wait", &second]).assert_code(0);
}

#[test]
fn shared_holders_go_together_and_a_writer_is_not_overtaken() {
    let env = TestEnv::new();
    let readers = [env.start(&["--mutex", "m:shared"], &["block"]), env.start(&["--mutex", "m:shared"], &["block"])];
    let writer = env.jobdir(&["run", "-d", "--mutex", "m", "--", "true"]).id();
    let late = env.jobdir(&["run", "-d", "--mutex", "m:shared", "--", "true"]).id();
    assert_eq!((env.job_state(&writer), env.job_state(&late)), ("queued".into(), "queued".into()));
    env.jobdir(&["kill", &readers[0]]).assert_code(0);
    assert_eq!(env.job_state(&writer), "queued");
    env.jobdir(&["kill", &readers[1]]).assert_code(0);
    env.jobdir(&["wait", &writer, &late]).assert_code(0);
}

#[test]
fn slots_bound_how_many_run_at_once() {
    let env = TestEnv::new();
    let held = [env.start(&["--slots", "g=2"], &["block"]), env.start(&["--slots", "g=2"], &["block"])];
    env.jobdir(&["run", "--slots", "g=2", "--queue-timeout", "50ms", "--", "true"]).assert_code(123);
    let job = env.status("3");
    assert_eq!((&job["state"], &job["reason"]), (&"timed_out".into(), &"queue_timeout".into()));
    let third = env.jobdir(&["run", "-d", "--slots", "g=2", "--", "true"]).id();
    env.jobdir(&["kill", &held[0]]).assert_code(0);
    env.jobdir(&["wait", &third]).assert_code(0);
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn an_orphaned_holder_keeps_what_it_holds_until_its_processes_are_gone() {
    let env = TestEnv::new();
    let holder = env.start(&["--mutex", "m"], &["block"]);
    let waiter = env.jobdir(&["run", "-d", "--mutex", "m", "--", "true"]).id();
    env.kill_supervisor(&holder);
    assert_eq!(env.job_state(&holder), "orphaned");
    env.jobdir(&["wait", "--timeout", "1500ms", &waiter]).assert_code(122);
    assert_eq!(env.status(&waiter)["waiting_for"][0]["holders"], json!([holder]));
    env.jobdir(&["kill", &holder]).assert_code(0);
    env.jobdir(&["wait", &waiter]).assert_code(0);
}

#[cfg(unix)]
#[test]
fn a_holder_that_dies_with_all_its_processes_frees_what_it_held() {
    let env = TestEnv::new();
    let holder = env.start(&["--mutex", "m"], &["block"]);
    let waiter = env.jobdir(&["run", "-d", "--mutex", "m", "--", "true"]).id();
    let leader = env.status(&holder)["pid"].as_u64().expect("a pid") as u32;
    crate::support::proc::signal(leader, nix::sys::signal::Signal::SIGSTOP);
    env.kill_supervisor(&holder);
    crate::support::proc::signal(leader, nix::sys::signal::Signal::SIGKILL);
    env.jobdir(&["wait", &waiter]).assert_code(0);
    assert_eq!(env.job_state(&holder), "lost");
}

#[test]
fn an_abandoned_job_frees_what_it_held_though_it_lives() {
    let env = TestEnv::new();
    let holder = env.start(&["--mutex", "m"], &["ignore", "TERM", "block"]);
    let waiter = env.jobdir(&["run", "-d", "--mutex", "m", "--", "true"]).id();
    env.jobdir(&["abandon", &holder]).assert_code(0).assert_says("may still be running");
    env.jobdir(&["wait", &waiter]).assert_code(0);
    let job = env.status(&holder);
    assert_eq!((&job["state"], &job["alive"]), (&"abandoned".into(), &true.into()));
    env.jobdir(&["wait", &holder]).assert_code(120);
    env.jobdir(&["kill", "--force", &holder]).assert_code(0);
    assert_eq!(env.job_state(&holder), "abandoned", "the outcome stays");
}

#[test]
fn jobs_follow_each_other_or_are_skipped() {
    let env = TestEnv::new();
    let first = env.start(&[], &["block"]);
    let ok = env.jobdir(&["run", "-d", "--after", &first, "--", "true"]).id();
    let next = env.jobdir(&["run", "-d", "--after", &format!("{ok}:ok"), "--", "true"]).id();
    let failed = env.jobdir(&["run", "-d", "--after", &format!("{first}:failed"), "--", "true"]).id();
    let any = env.jobdir(&["run", "-d", "--after", &format!("{first}:any"), "--", "true"]).id();
    assert_eq!(env.status(&ok)["waiting_for"][0]["kind"], "after");
    env.jobdir(&["kill", &first]).assert_code(0);
    env.jobdir(&["wait", &failed, &any]).assert_code(0);
    env.jobdir(&["wait", &ok]).assert_code(123);
    env.jobdir(&["wait", &next]).assert_code(123);
    for id in [&ok, &next] {
        let job = env.status(id);
        assert_eq!((&job["state"], &job["error_kind"]), (&"skipped".into(), &"dependency".into()));
        assert!(job["message"].is_string() && job["started_at"].is_null(), "{job}");
    }
    env.jobdir(&["run", "--after", "99", "--", "true"]).assert_code(125).assert_says("no job '99'");
}

#[cfg(unix)]
#[test]
fn several_mutexes_in_any_order_do_not_deadlock() {
    let env = TestEnv::new();
    let script = exclusive(&env, "both", "sleep 0.02");
    let all: Vec<String> = (0..8)
        .map(|number| {
            let (a, b) = if number % 2 == 0 { ("a", "b") } else { ("b", "a") };
            env.jobdir(&["run", "-d", "--mutex", a, "--mutex", b, "--", "sh", "-c", &script]).assert_code(0).id()
        })
        .collect();
    let mut wait = vec!["wait", "--timeout", "60s"];
    wait.extend(all.iter().map(String::as_str));
    env.jobdir(&wait).assert_code(0);
    eventually("an empty queue", || {
        std::fs::read_dir(env.state().join("queue")).expect("there").next().is_none().then_some(())
    });
}

#[test]
fn status_follows_who_waits_for_whom_to_the_end() {
    let env = TestEnv::new();
    let holder = env.start(&["--name", "holder", "--mutex", "a"], &["block"]);
    let both = env.jobdir(&["run", "-d", "--mutex", "a", "--mutex", "b", "--", "true"]).id();
    let last = env.jobdir(&["run", "-d", "--mutex", "b", "--", "true"]).id();
    let after = env.jobdir(&["run", "-d", "--after", &format!("{last}:any"), "--", "true"]).id();
    let chain = env.status(&after)["chain"].clone();
    let ids: Vec<&str> = chain.as_array().expect("a chain").iter().filter_map(|link| link["id"].as_str()).collect();
    assert_eq!(ids, [&last, &both, &holder]);
    assert_eq!((&chain[2]["name"], &chain[2]["state"]), (&json!("holder"), &json!("running")));
    assert_eq!(env.jobdir(&["jobs", "--json"]).json()["jobs"][3]["chain"], json!(null), "lists have none");
    let card = env.jobdir(&["status", &after]).text();
    for line in [
        format!("waits      for the end of job {last}"),
        format!("behind     job {last} is queued, waits for mutex b, for which job {both} waits first (place 2)"),
        format!("behind     job {both} is queued, waits for mutex a, held by job {holder} (place 1)"),
        format!("behind     job {holder} is running"),
    ] {
        assert!(card.contains(&line), "{line}\n{card}");
    }
    env.jobdir(&["kill", &holder]).assert_code(0);
    env.jobdir(&["wait", &after]).assert_code(0);
}

#[cfg(unix)]
#[test]
fn whoever_waits_for_an_orphan_is_told_what_to_do() {
    let env = TestEnv::new();
    let holder = env.start(&["--slots", "g=1"], &["block"]);
    env.kill_supervisor(&holder);
    let waiting = env.jobdir(&["run", "-d", "--slots", "g=1", "--", "true"]).id();
    let message = env.status(&waiting)["waiting_for"][0]["message"].clone();
    let expected =
        format!("held by orphaned job {holder}; 'jobdir kill {holder}' or 'jobdir abandon {holder}' releases it");
    assert_eq!(message, expected);
    assert!(env.jobdir(&["status", &waiting]).text().contains(&expected));
    env.jobdir(&["abandon", &holder]).assert_code(0);
    env.jobdir(&["wait", &waiting]).assert_code(0);
    env.jobdir(&["kill", &holder]).assert_code(0);
}

#[test]
fn abandoning_what_has_not_started_or_has_ended_or_does_not_know_how() {
    let env = TestEnv::new();
    let holder = env.start(&["--mutex", "m"], &["block"]);
    let queued = env.jobdir(&["run", "-d", "--mutex", "m", "--", "true"]).id();
    env.jobdir(&["abandon", &queued]).assert_code(0).assert_says("had not started, and was cancelled instead");
    assert_eq!(env.job_state(&queued), "interrupted");
    let failed = env.start(&[], &["exit", "7"]);
    env.jobdir(&["wait", &failed]).assert_code(7);
    env.jobdir(&["abandon", &failed]).assert_code(0).assert_says("had already ended: failed");
    env.jobdir(&["wait", &failed]).assert_code(7);
    // As if its supervisor were of another version. It writes its record again only when something changes.
    let mut record = env.record(&holder);
    record["capabilities"].as_array_mut().expect("a list").retain(|verb| verb != "abandon");
    let path = env.root().join("record");
    std::fs::write(&path, record.to_string()).expect("writes");
    std::fs::rename(&path, env.job_dir(&holder).join("job.json")).expect("moves");
    let refused = env.jobdir(&["abandon", &holder]);
    refused.assert_code(1).assert_says("does not know 'abandon'").assert_says(&format!("'jobdir kill {holder}'"));
    assert_eq!(env.job_state(&holder), "running");
    env.jobdir(&["kill", &holder]).assert_code(0);
}

#[cfg(unix)]
#[test]
#[cfg(target_os = "linux")]
fn who_waits_in_the_queue_sleeps() {
    const WAITING: u64 = 20;
    let env = TestEnv::new();
    let holder = env.start(&["--mutex", "m"], &["block"]);
    let ids: Vec<String> =
        (0..WAITING).map(|_| env.jobdir(&["run", "-d", "--mutex", "m", "--", "true"]).assert_code(0).id()).collect();
    let supervisors: Vec<u32> = ids
        .iter()
        .map(|id| u32::try_from(env.status(id)["supervisor_pid"].as_u64().expect("a supervisor")).expect("small"))
        .collect();
    let wake_ups = || -> u64 {
        let tasks = |pid: &u32| std::fs::read_dir(format!("/proc/{pid}/task")).expect("lives").flatten();
        let switches = |text: String| -> Option<u64> {
            text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()
        };
        let texts = supervisors.iter().flat_map(tasks).map(|task| std::fs::read_to_string(task.path().join("status")));
        texts.filter_map(|text| switches(text.ok()?)).sum()
    };
    // What is still on its way from the time of queueing is over when a whole second has brought little.
    let pass = || env.jobdir(&["wait", "--timeout", "1s", &holder]).assert_code(122).code();
    let mut least = u64::MAX;
    for _ in 0..4 {
        let before = wake_ups();
        pass();
        least = least.min(wake_ups() - before);
    }
    assert!(least <= 2 * WAITING, "{least} wake-ups a second of {WAITING} who wait");
    env.stop_all();
}
