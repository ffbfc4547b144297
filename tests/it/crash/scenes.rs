//! What is going on when somebody is killed: every operation of the protocol, short, and with an end of its own or one
//! that whoever comes next brings about.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::facts;
use crate::support::env::{Client, read_json, with_helper};
use crate::support::terminal::Terminal;
use crate::support::{Output, TestEnv, eventually_within, is_held, proc};

/// Where a scene plays. What is *armed* may be killed at a point, or only write down which points it passes.
pub(super) struct Stage {
    pub(super) env: TestEnv,
    pub(super) log: PathBuf,
    pub(super) crash: Option<String>,
}

/// One operation.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) play: fn(&Stage),
}

/// How long a scene waits for what a crash may have made impossible.
const WHILE: Duration = Duration::from_secs(5);

impl Stage {
    pub(super) fn new(crash: Option<String>) -> Self {
        let env = TestEnv::new();
        let log = env.root().join("points");
        std::fs::write(&log, "").expect("writes");
        Self { env, log, crash }
    }

    /// Whether something may be different because somebody was killed.
    fn is_crashing(&self) -> bool {
        self.crash.is_some()
    }

    /// Runs jobdir, armed.
    pub(super) fn armed(&self, words: &[&str]) -> Output {
        let mut invocation = self.env.prepare(words).env("JOBDIR_TEST_CRASH_LOG", &self.log);
        if let Some(crash) = &self.crash {
            invocation = invocation.env("JOBDIR_TEST_CRASH", crash);
        }
        let output = invocation.run();
        assert!(self.is_crashing() || output.code() == 0, "nobody was killed: {output}");
        assert!(![101, 134].contains(&output.code()), "{output}");
        output
    }

    /// Runs jobdir at a terminal, armed.
    fn armed_at(&self, terminal: &Terminal, words: &[&str]) -> Client {
        let mut variables = vec![("JOBDIR_TEST_CRASH_LOG", self.log.as_os_str())];
        variables.extend(self.crash.as_ref().map(|crash| ("JOBDIR_TEST_CRASH", OsStr::new(crash))));
        terminal.jobdir_with(&self.env, words, &variables)
    }

    fn armed_job(&self, options: &[&str], actions: &[&str]) {
        let options: Vec<&str> = ["run", "-d"].into_iter().chain(options.iter().copied()).collect();
        let words = with_helper(&options, actions);
        drop(self.armed(&words.iter().map(String::as_str).collect::<Vec<_>>()));
    }

    /// Acts on job 1 if the crash has let it come into being.
    fn armed_on_first(&self, words: &[&str]) {
        if self.env.job_dir("1").exists() {
            let words: Vec<&str> = words.iter().copied().chain(["1"]).collect();
            drop(self.armed(&words));
        }
    }

    /// Waits until the claims of all jobs are free.
    fn wait_for_ends(&self) {
        for id in facts::ids(&self.env) {
            let claim = self.env.state().join("locks").join(&id);
            eventually_within(WHILE, || (!is_held(&claim)).then_some(()));
        }
    }

    /// Waits until something is so, unless somebody was killed.
    fn wait_for(&self, what: &str, look: impl Fn() -> bool) {
        let limit = if self.is_crashing() { Duration::from_millis(500) } else { WHILE };
        let found = eventually_within(limit, || look().then_some(()));
        assert!(found.is_some() || self.is_crashing(), "in vain: {what}");
    }

    fn is_running(&self, id: &str) -> bool {
        facts::facts(&self.env, id).is_some_and(|facts| facts.recorded() == "running")
    }

    /// Suspends the supervisor of job 1.
    fn suspend_supervisor(&self) {
        let (supervisor, _) = self.env.supervisor("1");
        proc::signal(supervisor, Signal::SIGSTOP);
        self.wait_for("a stopped supervisor", || proc::stat(supervisor).is_some_and(|stat| stat.state == 'T'));
    }
}

/// Writes a file as jobdir would.
fn private(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, content).expect("writes");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("changes");
}

/// A command that cannot be started.
pub(super) const NOT_THERE: &str = "/does/not/exist";

const BUSY: &[&str] = &["--name", "n", "--mutex", "m", "--slots", "g=1"];

fn busy<'a>(options: &[&'a str]) -> Vec<&'a str> {
    BUSY.iter().copied().chain(options.iter().copied()).collect()
}

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "first",
        play: |stage| {
            stage.armed_job(&[], &["exit", "0"]);
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "full",
        play: |stage| {
            let options = ["--stdin", "fifo", "--finally", "exit 0", "--finally", "exit 1", "--on-exit", "true"];
            stage.armed_job(&busy(&options), &["exit", "3"]);
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "foreground",
        play: |stage| {
            let words = with_helper(&["run"], &["out", "hello", "exit", "0"]);
            drop(stage.armed(&words.iter().map(String::as_str).collect::<Vec<_>>()));
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "kill",
        play: |stage| {
            stage.armed_job(&busy(&[]), &["block"]);
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "kill-hard",
        play: |stage| {
            stage.armed_job(
                &["--grace", "10ms", "--finally", "true"],
                &["ignore", "TERM", "spawn", "2", "[", "block", "]", "block"],
            );
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "kill-suspended",
        play: |stage| {
            stage.env.start(&[], &["block"]);
            stage.suspend_supervisor();
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "pause",
        play: |stage| {
            stage.armed_job(&[], &["block"]);
            for verb in ["pause", "unpause", "kill"] {
                stage.armed_on_first(&[verb]);
            }
        },
    },
    Scene {
        name: "leftovers",
        play: |stage| {
            stage.armed_job(&[], &["spawn", "1", "[", "setsid", "out", "away", "block", "]", "exit", "0"]);
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "adopted",
        play: |stage| {
            let away = ["spawn", "1", "[", "spawn", "1", "[", "setsid", "out", "away", "block", "]", "exit", "0", "]"];
            stage.armed_job(&[], &[&away[..], &["reap", "block"]].concat());
            stage.wait_for("the adoption", || facts::facts(&stage.env, "1").is_some_and(|facts| facts.live.len() == 2));
            // Looking is caused by anything.
            stage.armed_on_first(&["signal", "CONT"]);
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "terminal",
        play: |stage| {
            let terminal = Terminal::new(24, 80);
            // A new size interrupts what is being read.
            let script = "trap 'echo resized' WINCH; echo ready; while ! read first; do :; done; echo heard; \
                          while ! read second; do :; done; exit 3";
            let client = stage.armed_at(&terminal, &["run", "--finally", "true", "--", "sh", "-c", script]);
            let prints = |text: &str| {
                let log = std::fs::read_to_string(stage.env.job_dir("1").join("attempts/1/stdout.log"));
                log.is_ok_and(|log| log.contains(text))
            };
            stage.wait_for("its beginning", || prints("ready"));
            terminal.resize(&stage.env, 30, 100);
            terminal.press("first\r");
            stage.wait_for("the other size, and what was typed", || prints("resized") && prints("heard"));
            if stage.env.job_dir("1").exists() {
                drop(stage.armed(&["send", "1", "second"]));
            }
            let claim = stage.env.state().join("locks/1");
            stage.wait_for("its end", || !is_held(&claim));
            if stage.is_crashing() {
                // The job may wait for what somebody who died was to type.
                client.signal(Signal::SIGKILL);
            }
            drop(client.wait());
        },
    },
    Scene {
        name: "trimmed",
        play: |stage| {
            stage.armed_job(&["--log-max", "64K"], &["stdout", "400000", "block"]);
            let log = stage.env.job_dir("1").join("attempts/1/stdout.log");
            let has_hole = || {
                use std::os::unix::fs::MetadataExt;
                std::fs::metadata(&log).is_ok_and(|facts| facts.len() == 400_000 && facts.blocks() * 512 < 300_000)
            };
            stage.wait_for("a hole", has_hole);
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "shown",
        play: |stage| {
            let words = with_helper(&["run", "--log-max", "64K"], &["stdout", "1000", "exit", "0"]);
            drop(stage.armed(&words.iter().map(String::as_str).collect::<Vec<_>>()));
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "nested",
        play: |stage| {
            let jobdir = crate::support::env::jobdir().to_string_lossy().into_owned();
            let helper = crate::support::env::helper();
            stage.armed_job(&["--stop-plan", "KILL"], &["exec", &jobdir, "run", "--", &helper, "block"]);
            stage.wait_for("the nested job", || stage.is_running("2"));
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "not-found",
        play: |stage| {
            let words = [&["run", "-d"], BUSY, &["--", NOT_THERE]].concat();
            let output = stage.env.prepare(&words).env("JOBDIR_TEST_CRASH_LOG", &stage.log);
            let output = match &stage.crash {
                Some(crash) => output.env("JOBDIR_TEST_CRASH", crash),
                None => output,
            };
            drop(output.run());
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "resume",
        play: |stage| {
            stage.env.run_helper(&[&["run"], BUSY].concat(), &["exit", "0"]).assert_code(0);
            stage.armed_on_first(&["resume", "-d", "--stdin", "fifo", "--timeout", "1h"]);
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "retry",
        play: |stage| {
            stage.armed_job(&busy(&["--retries", "1", "--retry-delay", "10ms", "--finally", "true"]), &["exit", "1"]);
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "wait-for-turn",
        play: |stage| {
            stage.env.start(&["--mutex", "m"], &["block"]);
            stage.armed_job(&busy(&[]), &["exit", "0"]);
            stage.env.jobdir(&["kill", "1"]).assert_code(0);
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "hold",
        play: |stage| {
            stage.armed_job(BUSY, &["block"]);
            stage.env.start(&["--mutex", "m"], &["exit", "0"]);
            stage.armed_on_first(&["kill"]);
            stage.wait_for("the end of the other", || {
                facts::facts(&stage.env, "2").is_some_and(|facts| facts.recorded() == "succeeded")
            });
        },
    },
    Scene {
        name: "after",
        play: |stage| {
            stage.env.start(&[], &["block"]);
            stage.armed_job(&busy(&["--after", "1"]), &["exit", "0"]);
            stage.env.jobdir(&["kill", "1"]).assert_code(0);
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "abandon",
        play: |stage| {
            stage.armed_job(&busy(&["--finally", "true"]), &["block"]);
            stage.armed_on_first(&["abandon"]);
        },
    },
    Scene {
        name: "abandon-suspended",
        play: |stage| {
            stage.env.start(BUSY, &["block"]);
            stage.suspend_supervisor();
            stage.armed_on_first(&["abandon"]);
        },
    },
    Scene {
        name: "recover",
        play: |stage| {
            stage.env.start(&busy(&["--finally", "true", "--on-exit", "true"]), &["block"]);
            stage.env.kill_supervisor("1");
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "recover-lost",
        play: |stage| {
            stage.env.start(BUSY, &["block"]);
            stage.env.kill_supervisor("1");
            let leader = read_json(&stage.env.job_dir("1").join("pid"))["leader"]["pid"].as_u64().expect("a pid");
            proc::signal(u32::try_from(leader).expect("a pid"), Signal::SIGKILL);
            stage.armed_on_first(&["kill"]);
        },
    },
    Scene {
        name: "delete",
        play: |stage| {
            stage.env.run_helper(&["run", "--name", "n"], &["exit", "0"]).assert_code(0);
            stage.env.run_helper(&["run", "--name", "n"], &["exit", "0"]).assert_code(0);
            stage.armed_on_first(&["delete"]);
        },
    },
    Scene {
        name: "delete-running",
        play: |stage| {
            stage.armed_job(BUSY, &["block"]);
            stage.armed_on_first(&["delete"]);
        },
    },
    Scene {
        name: "rm",
        play: |stage| {
            stage.armed_job(&busy(&["--rm"]), &["exit", "0"]);
            stage.wait_for("the deletion", || {
                facts::ids(&stage.env).is_empty() && facts::supervisors(&stage.env).is_empty()
            });
        },
    },
    Scene {
        name: "lost-ids",
        play: |stage| {
            stage.env.run_helper(&["run"], &["exit", "0"]).assert_code(0);
            let ids = std::fs::File::options().write(true).open(stage.env.state().join("ids")).expect("ids");
            // As if it were from before the job; it is as long again once the scene is over.
            ids.set_len(0).expect("is cut");
            stage.armed_job(&[], &["exit", "0"]);
            if ids.metadata().expect("ids").len() == 0 {
                ids.set_len(1).expect("is extended");
            }
            stage.wait_for_ends();
        },
    },
    Scene {
        name: "doctor",
        play: |stage| {
            stage.env.run_helper(&["run", "--name", "n"], &["exit", "0"]).assert_code(0);
            let state = stage.env.state();
            private(&state.join("jobs/1/job.json.new"), "{");
            private(&state.join("names/gone"), "7\n8\n");
            private(&state.join("names/n"), "1\n9\n");
            private(&state.join("locks/7"), "");
            drop(stage.armed(&["doctor", "--fix"]));
        },
    },
    Scene {
        name: "prune",
        play: |stage| {
            for _ in 0..2 {
                stage.env.run_helper(&["run", "--name", "n"], &["exit", "0"]).assert_code(0);
            }
            let state = stage.env.state();
            private(&state.join("trash/1-left"), "");
            private(&state.join("staging/left"), "");
            private(&state.join("names/gone"), "7\n");
            private(&state.join("locks/7"), "");
            facts::age(&state.join("staging/left"));
            // So long that it is made anew.
            private(&state.join("ended"), &"1\n2\n".repeat(20_000));
            drop(stage.armed(&["prune"]));
        },
    },
];
