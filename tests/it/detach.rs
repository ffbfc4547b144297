//! `jobdir run -d`: the id, and nothing that ties the job to its caller.

use crate::support::env::{helper, with_helper};
#[cfg(unix)]
use crate::support::proc;
use crate::support::{TestEnv, Witness};

#[cfg(unix)]
#[test]
fn the_id_alone_is_printed_and_the_command_executes() {
    let env = TestEnv::new();
    let output = env.run_helper(&["run", "-d"], &["block"]);
    output.assert_code(0).assert_stdout("1\n").assert_stderr("");
    let job = env.status("1");
    assert_eq!(job["state"], "running");
    assert_eq!((&job["supervised"], &job["alive"]), (&true.into(), &true.into()));
    let pid = u32::try_from(job["pid"].as_u64().expect("a pid")).expect("small");
    let executable = std::fs::read_link(format!("/proc/{pid}/exe")).expect("it runs");
    assert_eq!(executable.canonicalize().ok(), std::path::Path::new(&helper()).canonicalize().ok());
    env.stop_all();
}

#[test]
fn the_document_is_printed_instead_when_asked_for() {
    let env = TestEnv::new();
    let output = env.run_helper(&["run", "-d", "--json", "--name", "web"], &["block"]);
    output.assert_code(0).assert_stderr("");
    let job = output.json();
    assert_eq!(job["schema"], "jobdir/job/1");
    assert_eq!((&job["id"], &job["name"], &job["state"]), (&"1".into(), &"web".into(), &"running".into()));
    assert!(job["attempts"].is_null(), "the list of attempts is for status: {job}");
    env.stop_all();
}

#[test]
fn a_detached_job_reads_nothing() {
    let env = TestEnv::new();
    let arguments = with_helper(&["run", "-d"], &["stdin"]);
    let output = env.prepare(&arguments).stdin("not for the job").run();
    output.assert_code(0);
    env.jobdir(&["wait", "1"]).assert_code(0);
    assert_eq!(env.captured("1"), b"{\"bytes\":0,\"text\":\"\"}\n");
}

#[test]
fn detached_with_stdin_inherited_the_job_reads_what_we_were_given() {
    let env = TestEnv::new();
    let arguments = with_helper(&["run", "-d", "--stdin", "inherit"], &["stdin"]);
    env.prepare(&arguments).stdin("for the job").run().assert_code(0);
    env.jobdir(&["wait", "1"]).assert_code(0);
    assert_eq!(env.captured("1"), b"{\"bytes\":11,\"text\":\"for the job\"}\n");
}

#[test]
fn stdin_can_be_a_file() {
    let env = TestEnv::new();
    std::fs::write(env.work().join("input"), "from the file").expect("writes");
    let output = env.run_helper(&["run", "--stdin", "input"], &["stdin"]);
    output.assert_code(0).assert_stdout("{\"bytes\":13,\"text\":\"from the file\"}\n");
}

#[cfg(unix)]
#[test]
fn a_command_substitution_returns_at_once() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let script = r#"id=$("$0" run -d -- "$1" witness "$2" block); echo "the id is $id""#;
    let jobdir = crate::support::env::jobdir().to_string_lossy().into_owned();
    let output = env.program("sh", &["-c", script, &jobdir, &helper(), &witness.address]).run();
    output.assert_code(0).assert_stdout("the id is 1\n").assert_stderr("");
    let process = witness.accept();
    process.assert_alive();
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn a_pipeline_returns_at_once() {
    let env = TestEnv::new();
    let script = r#""$0" run -d -- "$1" block 2>&1 | cat"#;
    let jobdir = crate::support::env::jobdir().to_string_lossy().into_owned();
    env.program("sh", &["-c", script, &jobdir, &helper()]).run().assert_code(0).assert_stdout("1\n");
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn supervisor_and_job_hold_nothing_of_the_caller() {
    let env = TestEnv::new();
    let witness = Witness::new();
    let (_reader, writer) = std::io::pipe().expect("a pipe");
    let script = r#"exec 7<&0; exec "$0" run -d -- "$1" witness "$2" block"#;
    let jobdir = crate::support::env::jobdir().to_string_lossy().into_owned();
    let stdin = std::io::pipe().expect("a pipe").0;
    let pipe = std::fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer)));
    let pipe = pipe.expect("has a name").to_string_lossy().into_owned();
    let invocation = env.program("sh", &["-c", script, &jobdir, &helper(), &witness.address]);
    invocation.spawn_with(Some(stdin.into()), writer.into(), None).wait().assert_code(0);
    let process = witness.accept();
    let (supervisor, _) = env.supervisor("1");
    for pid in [process.pid, supervisor] {
        let held = proc::open_files(pid);
        assert!(!held.iter().any(|(_, target)| *target == pipe), "{pid} holds our pipe: {held:?}");
    }
    let (session, own) = (proc::stat(supervisor).expect("lives").session, proc::stat(std::process::id()));
    assert_eq!(session, supervisor, "the supervisor leads a session of its own");
    assert_ne!(Some(session), own.map(|stat| stat.session));
    env.stop_all();
}

#[cfg(unix)]
#[test]
fn a_supervisor_can_be_left_with_a_removed_directory_below_it() {
    let env = TestEnv::new();
    let gone = env.work().join("gone");
    std::fs::create_dir(&gone).expect("makes");
    env.prepare(&with_helper(&["run", "-d"], &["block"])).cwd(&gone).run().assert_code(0);
    std::fs::remove_dir(&gone).expect("removes");
    assert_eq!(env.job_state("1"), "running");
    env.stop_all();
}

#[test]
fn many_jobs_started_at_once_have_different_ids() {
    let env = TestEnv::new();
    let clients: Vec<_> = (0..12).map(|_| env.prepare(&with_helper(&["run", "-d"], &["exit", "0"])).spawn()).collect();
    let mut ids: Vec<u64> = clients
        .into_iter()
        .map(|client| {
            let output = client.wait();
            output.assert_code(0);
            output.id().parse().expect("a number")
        })
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=12).collect::<Vec<u64>>());
    let all: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let wait: Vec<&str> = ["wait"].into_iter().chain(all.iter().map(String::as_str)).collect();
    env.jobdir(&wait).assert_code(0);
}
