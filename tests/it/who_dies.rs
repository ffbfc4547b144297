//! Who dies, and who is suspended while others act: a table of everybody who takes part, and what must be seen then.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::env::{Client, with_helper};
use crate::support::witness::Witnessed;
use crate::support::{TestEnv, Witness, eventually, proc, words};

/// Who takes part in a foreground job. The group is the leader and its child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Who {
    Client,
    Supervisor,
    Leader,
    Child,
}

use Who::{Child, Client as TheClient, Leader, Supervisor};

/// Everybody.
const ALL: &[Who] = &[TheClient, Supervisor, Leader, Child];

/// A job in the foreground, with all who take part.
struct Play {
    env: TestEnv,
    client: Client,
    supervisor: (u32, u64),
    leader: Witnessed,
    child: Witnessed,
}

impl Play {
    fn new() -> Self {
        let env = TestEnv::new();
        let (first, second) = (Witness::new(), Witness::new());
        let child = ["spawn", "1", "[", "witness", &second.address, "block", "]"];
        let actions = [&child[..], &["witness", &first.address, "block"]].concat();
        let line = with_helper(&["run", "--name", "n", "--mutex", "m"], &actions);
        let client = env.prepare(&words(&line)).spawn();
        let (leader, child) = (first.accept(), second.accept());
        eventually("a running job", || (env.job_state("1") == "running").then_some(()));
        let supervisor = env.supervisor("1");
        Self { env, client, supervisor, leader, child }
    }

    fn pid(&self, who: Who) -> u32 {
        match who {
            TheClient => self.client.pid(),
            Supervisor => self.supervisor.0,
            Leader => self.leader.pid,
            Child => self.child.pid,
        }
    }

    /// Sends a signal to all of them as nearly at once as can be, and waits until it has taken effect.
    fn signal(&self, whom: &[Who], signal: Signal) {
        // Whoever would notice the end of others goes first.
        for who in whom {
            proc::signal_if_there(self.pid(*who), Signal::SIGSTOP);
        }
        for who in whom {
            proc::signal_if_there(self.pid(*who), signal);
        }
        for who in whom {
            let pid = self.pid(*who);
            let is_done = |stat: proc::Stat| match signal {
                Signal::SIGSTOP => stat.state == 'T',
                _ => matches!(stat.state, 'Z' | 'X'),
            };
            eventually("the effect of the signal", || proc::stat(pid).is_none_or(is_done).then_some(()));
        }
        if signal == Signal::SIGKILL && whom.contains(&Supervisor) {
            let claim = self.env.state().join("locks/1");
            eventually("a free claim", || (!crate::support::is_held(&claim)).then_some(()));
        }
    }

    /// Runs a verb on the job. Returns its exit code and its result.
    fn act(&self, verb: &str) -> (i32, String) {
        let output = self.env.jobdir(&[verb, "--json", "1"]);
        let result = output.json()["results"][0]["result"].as_str().unwrap_or_default().to_owned();
        (output.code(), result)
    }

    /// What is seen of the job.
    fn seen(&self) -> Value {
        let output = self.env.jobdir(&["jobs", "--json"]);
        output.assert_code(0);
        output.json()["jobs"][0].clone()
    }

    /// Ends what is left, and waits for the client, if it lives.
    fn end(self) -> Option<i32> {
        for pid in [self.supervisor.0, self.client.pid()] {
            proc::signal_if_there(pid, Signal::SIGCONT);
        }
        if self.env.job_dir("1").exists() {
            self.env.jobdir(&["kill", "--force", "1"]).assert_code(0);
        }
        self.leader.assert_dead();
        self.child.assert_dead();
        // Its mutex and its name are free.
        let line = with_helper(&["run", "--name", "n", "--mutex", "m", "--queue-timeout", "10s"], &["exit", "0"]);
        self.env.jobdir(&words(&line)).assert_code(0);
        Some(self.client.wait().code())
    }
}

/// What must be seen when somebody was killed.
struct Death {
    of: &'static [Who],
    /// State and liveness in `jobs`.
    state: &'static str,
    alive: bool,
    /// What `wait --timeout 0` returns.
    wait: i32,
    /// What a kill says then, and what the job is afterwards.
    kill: &'static str,
    afterwards: &'static str,
    /// What the client may return: of a loss it may hear before or after somebody records it.
    client: &'static [i32],
}

const DEATHS: &[Death] = &[
    Death {
        of: &[TheClient],
        state: "running",
        alive: true,
        wait: 122,
        kill: "stopped",
        afterwards: "interrupted",
        client: &[137],
    },
    Death {
        of: &[Supervisor],
        state: "orphaned",
        alive: true,
        wait: 122,
        kill: "stopped",
        afterwards: "interrupted",
        client: &[130],
    },
    Death {
        of: &[Leader],
        state: "failed",
        alive: false,
        wait: 137,
        kill: "already_ended",
        afterwards: "failed",
        client: &[137],
    },
    Death {
        of: &[Leader, Child],
        state: "failed",
        alive: false,
        wait: 137,
        kill: "already_ended",
        afterwards: "failed",
        client: &[137],
    },
    Death {
        of: &[TheClient, Leader],
        state: "failed",
        alive: false,
        wait: 137,
        kill: "already_ended",
        afterwards: "failed",
        client: &[137],
    },
    Death {
        of: &[TheClient, Supervisor],
        state: "orphaned",
        alive: true,
        wait: 122,
        kill: "stopped",
        afterwards: "interrupted",
        client: &[137],
    },
    Death {
        of: &[Supervisor, Leader],
        state: "orphaned",
        alive: true,
        wait: 122,
        kill: "stopped",
        afterwards: "interrupted",
        client: &[130],
    },
    Death {
        of: &[Supervisor, Leader, Child],
        state: "lost",
        alive: false,
        wait: 121,
        kill: "already_ended",
        afterwards: "interrupted",
        client: &[121, 130],
    },
    Death {
        of: ALL,
        state: "lost",
        alive: false,
        wait: 121,
        kill: "already_ended",
        afterwards: "interrupted",
        client: &[137],
    },
];

#[test]
fn who_dies() {
    for death in DEATHS {
        let play = Play::new();
        play.signal(death.of, Signal::SIGKILL);
        let job = eventually("what must be seen", || {
            let job = play.seen();
            (job["state"] == death.state).then_some(job)
        });
        let of = death.of;
        assert_eq!(job["alive"], death.alive, "{of:?}: {job}");
        assert_eq!(job["supervised"], death.state == "running", "{of:?}: {job}");
        if death.state == "failed" {
            assert_eq!((&job["signal"], &job["error_kind"]), (&"SIGKILL".into(), &"job_failure".into()), "{of:?}");
        } else {
            assert!(job["signal"].is_null() && job["exit_code"].is_null(), "{of:?}: {job}");
        }
        play.env.jobdir(&["wait", "--timeout", "0", "1"]).assert_code(death.wait);
        assert_eq!(play.act("kill"), (0, death.kill.to_owned()), "{of:?}");
        let after = play.env.status("1");
        assert_eq!(after["state"], death.afterwards, "{of:?}: {after}");
        assert_eq!((&after["alive"], &after["supervised"]), (&false.into(), &false.into()), "{of:?}: {after}");
        let code = play.end();
        assert!(code.is_some_and(|code| death.client.contains(&code)), "{of:?}: the client returned {code:?}");
    }
}

/// What must come of a verb while somebody is suspended.
struct Suspension {
    of: &'static [Who],
    verb: &'static str,
    result: &'static str,
    /// What the job is afterwards; nothing when it is gone.
    afterwards: Option<&'static str>,
}

const GROUP: &[Who] = &[Leader, Child];

const SUSPENSIONS: &[Suspension] = &[
    Suspension { of: &[TheClient], verb: "kill", result: "stopped", afterwards: Some("interrupted") },
    Suspension { of: &[TheClient], verb: "abandon", result: "abandoned", afterwards: Some("abandoned") },
    Suspension { of: &[TheClient], verb: "delete", result: "deleted", afterwards: None },
    Suspension { of: &[Supervisor], verb: "kill", result: "stopped", afterwards: Some("interrupted") },
    Suspension { of: &[Supervisor], verb: "abandon", result: "abandoned", afterwards: Some("abandoned") },
    Suspension { of: &[Supervisor], verb: "delete", result: "deleted", afterwards: None },
    Suspension { of: GROUP, verb: "kill", result: "stopped", afterwards: Some("interrupted") },
    Suspension { of: GROUP, verb: "abandon", result: "abandoned", afterwards: Some("abandoned") },
    Suspension { of: GROUP, verb: "delete", result: "deleted", afterwards: None },
    Suspension { of: ALL, verb: "kill", result: "stopped", afterwards: Some("interrupted") },
    Suspension { of: ALL, verb: "abandon", result: "abandoned", afterwards: Some("abandoned") },
    Suspension { of: ALL, verb: "delete", result: "deleted", afterwards: None },
];

#[test]
fn who_is_suspended_while_others_act() {
    for row in SUSPENSIONS {
        let play = Play::new();
        play.signal(row.of, Signal::SIGSTOP);
        let (of, verb) = (row.of, row.verb);
        let job = play.seen();
        assert_eq!((&job["state"], &job["alive"]), (&"running".into(), &true.into()), "{of:?}: {job}");
        assert_eq!(job["supervised"], true, "{of:?}: suspended is not dead: {job}");
        let is_told = job["message"].as_str().is_some_and(|message| message.contains("suspended"));
        assert_eq!(is_told, of.contains(&Supervisor), "{of:?}: {job}");
        play.env.jobdir(&["status", "1"]).assert_code(0);
        play.env.jobdir(&["wait", "--timeout", "0", "1"]).assert_code(122);
        assert_eq!(play.act(verb), (0, row.result.to_owned()), "{of:?} {verb}");
        match row.afterwards {
            None => assert!(!play.env.job_dir("1").exists(), "{of:?} {verb}"),
            Some(state) => {
                let after = play.env.status("1");
                assert_eq!((&after["state"], &after["supervised"]), (&state.into(), &false.into()), "{of:?} {verb}");
                assert_eq!(after["alive"], verb == "abandon", "{of:?} {verb}: {after}");
            }
        }
        let code = play.end();
        let expected: &[i32] = match (verb, row.of.contains(&TheClient)) {
            ("kill", _) => &[143],
            ("abandon", _) => &[120],
            // It may see the end before the job is gone, or find it gone.
            _ => &[143, 125],
        };
        assert!(code.is_some_and(|code| expected.contains(&code)), "{of:?} {verb}: the client returned {code:?}");
    }
}
