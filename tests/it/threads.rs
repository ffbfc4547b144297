//! A job that goes on: attempts, retries, templates, names, deletion.

use crate::support::TestEnv;
use crate::support::env::jobdir;

fn shell<'a>(options: &[&'a str], script: &'a str) -> Vec<&'a str> {
    [&["run"], options, &["--", "sh", "-c", script]].concat()
}

#[test]
fn resume_appends_arguments_and_keeps_earlier_attempts() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--name", "talk", "--", "echo", "one"]).assert_code(0).assert_stdout("one\n");
    env.jobdir(&["resume", "talk", "--", "two", "$x \"y\""]).assert_code(0).assert_stdout("one two $x \"y\"\n");
    env.jobdir(&["logs", "--attempt", "1", "talk"]).assert_code(0).assert_stdout("one\n");
    let job = env.status("1");
    assert_eq!(job["attempt"], 2);
    assert_eq!(job["attempts"].as_array().map(Vec::len), Some(2));
    assert_eq!(job["command"], serde_json::json!(["echo", "one", "two", "$x \"y\""]));
    env.jobdir(&["logs", "--attempt", "3", "talk"]).assert_code(1).assert_says("no attempt 3");
}

#[cfg(unix)]
#[test]
fn a_template_is_filled_with_what_the_job_has_written() {
    let env = TestEnv::new();
    let options = ["--resume-with", "printf '%s|' {meta.session} {args}"];
    env.jobdir(&shell(&options, "echo 'session=a b' >>$JOBDIR_META")).assert_code(0);
    env.jobdir(&["resume", "1", "--", "x y", "$z"]).assert_code(0).assert_stdout("a b|x y|$z|");
    env.jobdir(&["run", "--resume-with", "x {meta.none}", "--", "true"]).assert_code(0);
    env.jobdir(&["resume", "2"]).assert_code(125).assert_says("'none'");
    env.jobdir(&["run", "--resume-with", "x {nonsense}", "--", "true"]).assert_code(125).assert_says("{args}");
    assert_eq!(env.status("2")["attempt"], 1, "the job is unharmed");
}

#[test]
fn an_active_job_is_not_resumed() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    env.jobdir(&["resume", &id]).assert_code(125).assert_says("is running").assert_says("jobdir wait");
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn retries_end_with_the_first_success_and_speak_of_the_run() {
    let env = TestEnv::new();
    let script = "echo $JOBDIR_ATTEMPT; test $JOBDIR_ATTEMPT = 3";
    let output = env.jobdir(&shell(&["--retries", "5", "--retry-delay", "10ms"], script));
    output.assert_code(0).assert_stdout("1\n2\n3\n");
    assert_eq!(env.status("1")["attempt"], 3);
}

#[test]
fn a_job_that_dies_at_once_again_and_again_is_not_retried_for_ever() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--retries", "50", "--retry-delay", "0", "--", "false"]).assert_code(1);
    let job = env.status("1");
    assert_eq!((&job["attempt"], &job["state"]), (&5.into(), &"failed".into()));
    assert!(job["message"].as_str().is_some_and(|m| m.contains("not retried any more")), "{job}");
}

#[cfg(unix)]
#[test]
fn a_kill_ends_the_waiting_for_a_retry_and_the_code_is_the_attempts_own() {
    let env = TestEnv::new();
    let options = ["-d", "--retries", "5", "--retry-delay", "1h"];
    let id = env.jobdir(&shell(&options, "exit 3")).assert_code(0).id();
    crate::support::eventually("the delay", || (env.job_state(&id) == "queued").then_some(()));
    env.jobdir(&["kill", &id]).assert_code(0);
    env.jobdir(&["wait", &id]).assert_code(3);
    assert_eq!(env.job_state(&id), "interrupted");
}

#[test]
fn of_many_resumes_one_starts_an_attempt() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    // The attempt that wins outlasts the others, so that none of them can follow it.
    let all: Vec<_> =
        (0..12).map(|_| env.prepare(&["resume", "-d", "--retries", "0", "1", "--stdin", "null"]).spawn()).collect();
    let winners = all.into_iter().map(|client| client.wait().code()).filter(|code| *code == 0).count();
    assert!(winners >= 1);
    assert_eq!(env.status("1")["attempt"], winners + 1, "each that reported success started one attempt");
    env.jobdir(&["wait", "1"]).assert_code(0);
}

#[test]
fn if_running_is_decided_once_for_all_callers() {
    let env = TestEnv::new();
    let all: Vec<_> = (0..8)
        .map(|_| env.prepare(&["run", "-d", "--name", "one", "--if-running", "skip", "--", "sleep", "60"]).spawn())
        .collect();
    let mut ids: Vec<String> = all.into_iter().map(|client| client.wait().assert_code(0).id()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    env.jobdir(&["run", "--name", "ONE", "--", "true"]).assert_code(125).assert_says("still active");
    let next = env.jobdir(&["run", "-d", "--name", "one", "--if-running", "replace", "--", "sleep", "60"]).id();
    assert_eq!(env.job_state(&ids[0]), "interrupted");
    env.jobdir(&["delete", "one"]).assert_code(0);
    assert!(!env.job_dir(&next).exists());
}

#[test]
fn a_job_that_succeeded_is_deleted_when_asked_for_and_its_output_is_shown() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--rm", "--", "echo", "hi"]).assert_code(0).assert_stdout("hi\n");
    crate::support::eventually("the deletion", || (!env.job_dir("1").exists()).then_some(()));
    env.jobdir(&["run", "--rm", "--", "false"]).assert_code(1);
    assert_eq!(env.job_state("2"), "failed");
}

#[test]
fn delete_stops_first_and_leaves_no_trace() {
    let env = TestEnv::new();
    let id = env.start(&["--name", "gone"], &["block"]);
    env.jobdir(&["delete", "gone"]).assert_code(0);
    assert!(!env.job_dir(&id).exists());
    let mut left = Vec::new();
    for place in ["jobs", "names", "staging", "trash", "queue"] {
        left.extend(std::fs::read_dir(env.state().join(place)).into_iter().flatten().flatten().map(|e| e.path()));
    }
    assert!(left.is_empty(), "{left:?}");
    assert!(!env.state().join("locks").join(&id).exists());
    env.jobdir(&["status", "gone"]).assert_code(3);
}

#[test]
fn prune_removes_what_has_ended_and_nothing_else() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    env.jobdir(&["run", "--", "false"]).assert_code(1);
    let active = env.start(&[], &["block"]);
    env.jobdir(&["prune", "--dry-run"]).assert_code(0).assert_stdout("2\n1\n");
    env.jobdir(&["prune", "--state", "failed"]).assert_code(0).assert_stdout("2\n");
    env.jobdir(&["prune", "--keep", "1"]).assert_code(0).assert_stdout("");
    env.jobdir(&["prune"]).assert_code(0).assert_stdout("1\n");
    assert_eq!(env.job_state(&active), "running");
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn an_exit_hook_does_not_stand_in_the_way() {
    let env = TestEnv::new();
    let told = env.root().join("told");
    let hook = format!("echo $JOBDIR_STATE >'{0}.new'; mv '{0}.new' '{0}'; sleep 1", told.display());
    env.jobdir(&["run", "--on-exit", &hook, "--", "true"]).assert_code(0);
    env.jobdir(&["resume", "1"]).assert_code(0);
    let text = crate::support::eventually("the hook", || std::fs::read_to_string(&told).ok());
    assert_eq!(text, "succeeded\n");
    env.leave_running();
}

#[test]
fn the_processes_of_a_corrupt_job_are_stopped_before_it_is_deleted() {
    let env = TestEnv::new();
    let id = env.start(&[], &["block"]);
    let leader = env.status(&id)["pid"].as_u64().expect("a pid") as u32;
    env.kill_supervisor(&id);
    std::fs::write(env.job_dir(&id).join("job.json"), "{").expect("writes");
    env.damage();
    assert_eq!(env.job_state(&id), "corrupt");
    env.jobdir(&["delete", &id]).assert_code(0);
    assert!(!crate::support::proc::is_alive(leader));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_printed_is_a_failure() {
    let env = TestEnv::new();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opens").into();
    let output = env.prepare(&["run", "-d", "--", "true"]).spawn_with(None, full(), None).wait();
    output.assert_code(125);
    env.jobdir(&["wait", "1"]).assert_code(0);
    env.prepare(&["jobs"]).spawn_with(None, full(), None).wait().assert_code(1);
    assert!(jobdir().exists());
}

#[cfg(unix)]
#[test]
fn progress_and_readiness_are_shown_wherever_the_job_is() {
    let env = TestEnv::new();
    let script = "echo '42/84 linking' >$JOBDIR_PROGRESS; : >$JOBDIR_READY; sleep 600";
    let id = env.jobdir(&shell(&["-d"], script)).id();
    env.jobdir(&["wait", "--for", "ready", &id]).assert_code(0);
    let job = env.status(&id);
    assert_eq!((&job["ready"], &job["progress"]["fraction"]), (&true.into(), &0.5.into()));
    assert_eq!(job["progress"]["message"], "linking");
    assert!(env.jobdir(&["jobs"]).text().contains("running 50%"));
    assert!(env.jobdir(&["status", &id]).text().contains("50 % linking"));
    env.stop_all();
    env.jobdir(&["wait", "--for", "output=never", &id]).assert_code(1).assert_says("it ended without printing it");
}
