//! Every code of an error that can be brought about, as programs see it. Not among them: `internal`, which nothing that is
//! given to jobdir can produce; `lost`, `no_answer` and `not_stopped`, which need a supervisor that dies, hangs or meets a
//! process that cannot be killed, at the right moment, as `job_deleted` needs a job that is deleted before it was looked at;
//! `io` and `state_dir_not_ours`, which need another user, see `errors`.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use jobdir::present::json::ERROR_CODES;
use serde_json::Value;

use crate::support::TestEnv;

/// Not tested here, see above.
const BEYOND: [&str; 7] = ["internal", "io", "job_deleted", "lost", "no_answer", "not_stopped", "state_dir_not_ours"];

/// What has been seen.
struct Seen<'a> {
    env: &'a TestEnv,
    codes: BTreeSet<String>,
}

impl Seen<'_> {
    /// Runs jobdir, which must refuse with this code, about this job, and with a hint.
    #[track_caller]
    fn refused(&mut self, words: &[&str], code: &str, id: Option<&str>) -> Value {
        let output = self.env.jobdir(words);
        assert_ne!(output.code(), 0, "{output}");
        let error = output.assert_stderr("").json()["error"].clone();
        assert_eq!((error["code"].as_str(), error["id"].as_str()), (Some(code), id), "{output}");
        assert!(error["hint"].is_string(), "it says what to type next: {output}");
        self.codes.insert(code.to_owned());
        error
    }
}

#[test]
fn every_error_code_says_what_to_type_next() {
    let env = TestEnv::new();
    let mut seen = Seen { env: &env, codes: BTreeSet::new() };
    let write = |name: &str, text: &str| std::fs::write(env.work().join(name), text).expect("writes");
    write("plain", "no program");
    write("bad.env", "=value\n");
    std::fs::create_dir(env.work().join("gone")).expect("makes");

    seen.refused(&["jobs", "--json", "--no-such-option"], "usage", None);
    seen.refused(&["run", "-d", "--json", "--", "no-such-command"], "not_found", Some("1"));
    seen.refused(&["run", "-d", "--json", "--", "./plain"], "not_executable", Some("2"));
    seen.refused(&["run", "-d", "--json", "-C", "no-such-directory", "--", "true"], "cwd", Some("3"));
    seen.refused(&["run", "-d", "--json", "--stdin", "no-such-file", "--", "true"], "setup", Some("4"));
    seen.refused(&["run", "-d", "--json", "--env-file", "bad.env", "--", "true"], "env_file", None);
    seen.refused(&["run", "-d", "--json", "--id-file", "no/such/id", "--", "true"], "id_file", None);
    let error = seen.refused(&["status", "--json", "12"], "job_not_found", None);
    assert_eq!(error["candidates"].as_array().map(Vec::len), Some(4), "{error}");

    env.jobdir(&["run", "--resume-with", "echo {meta.none}", "--", "true"]).assert_code(0);
    seen.refused(&["resume", "-d", "--json", "5"], "template", Some("5"));
    seen.refused(&["send", "--json", "5", "x"], "not_running", Some("5"));
    seen.refused(&["logs", "--json", "--attempt", "2", "5"], "no_such_attempt", None);
    let error = env.jobdir(&["status", "-P", "nonsense", "5"]);
    error.assert_code(1).assert_says("the fields are");
    seen.codes.insert("unknown_field".into());

    let web = env.start(&["--name", "web"], &["block"]);
    seen.refused(&["run", "-d", "--json", "--name", "web", "--", "true"], "name_taken", Some(&web));
    seen.refused(&["resume", "-d", "--json", &web], "busy", Some(&web));
    seen.refused(&["send", "--json", &web, "x"], "no_input", Some(&web));
    env.jobdir(&["abandon", &web]).assert_code(0);
    seen.refused(&["resume", "-d", "--json", &web], "survivors", Some(&web));
    env.jobdir(&["kill", &web]).assert_code(0);

    std::fs::create_dir_all(env.work().join("skills/jobdir")).expect("makes");
    write("skills/jobdir/SKILL.md", "mine");
    seen.refused(&["skill", "install", "--json", "skills"], "changed", None);
    std::fs::create_dir_all(env.root().join("home/.config/jobdir")).expect("makes");
    std::fs::write(env.root().join("home/.config/jobdir/config.toml"), "[rum]").expect("writes");
    seen.refused(&["run", "-d", "--json", "--", "true"], "config", None);
    std::fs::remove_file(env.root().join("home/.config/jobdir/config.toml")).expect("removes");
    env.damage();
    std::fs::write(env.job_dir("5").join("job.json"), "{").expect("writes");
    seen.refused(&["resume", "-d", "--json", "5"], "corrupt", Some("5"));
    let state = |mode| std::fs::set_permissions(env.state(), PermissionsExt::from_mode(mode)).expect("changes");
    state(0o777);
    seen.refused(&["run", "-d", "--json", "--", "true"], "state_dir_unsafe", None);
    state(0o700);
    std::fs::write(env.state().join("FORMAT"), "jobdir-state 2\n").expect("writes");
    seen.refused(&["run", "-d", "--json", "--", "true"], "newer_format", None);
    std::fs::write(env.state().join("FORMAT"), "nonsense\n").expect("writes");
    seen.refused(&["run", "-d", "--json", "--", "true"], "damaged", None);
    seen.refused(&["--state-dir", "plain", "jobs", "--json"], "state_dir", None);

    let known: BTreeSet<String> = ERROR_CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
    let tested = seen.codes.into_iter().chain(BEYOND.map(str::to_owned)).collect();
    assert_eq!(known, tested, "each code is tested, or it is said why not");
}
