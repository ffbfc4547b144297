//! Stop plans: the ordered rungs of (signal, wait) by which an attempt is stopped, the last one KILL.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;
use super::signal::Signal;

/// How long a rung lasts that names no time.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// One rung: send the signal, then wait so long for the tree to be empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rung {
    /// What is sent.
    pub signal: Signal,
    /// How long to wait afterwards, in milliseconds; 0 for KILL.
    pub wait_ms: u64,
}

impl Rung {
    fn wait(self) -> Duration {
        Duration::from_millis(self.wait_ms)
    }
}

/// A plan: never empty, ends with KILL, has no KILL before that.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<Rung>", into = "Vec<Rung>")]
pub struct StopPlan {
    rungs: Vec<Rung>,
}

/// The named plans, with their spelling in full.
pub const PRESETS: &[(&str, &str)] = &[
    ("default", "TERM:10s,KILL"),
    ("docker", "TERM:10s,KILL"),
    ("github", "INT:7.5s,TERM:2.5s,KILL"),
    ("gitlab", "TERM:30s,KILL"),
    ("buildkite", "TERM:10s,KILL"),
    ("kubernetes", "TERM:30s,KILL"),
    ("systemd", "TERM:90s,KILL"),
];

const KILL: Rung = Rung { signal: Signal::KILL, wait_ms: 0 };

impl Default for StopPlan {
    fn default() -> Self {
        Self::from_rungs(vec![Rung { signal: Signal::TERM, wait_ms: duration::to_ms(DEFAULT_WAIT) }])
    }
}

impl StopPlan {
    /// Builds a plan; what follows the first KILL is dropped, and a plan that does not end with KILL gets it.
    pub fn from_rungs(mut rungs: Vec<Rung>) -> Self {
        if let Some(kill) = rungs.iter().position(|r| r.signal == Signal::KILL) {
            rungs.truncate(kill);
        }
        rungs.push(KILL);
        Self { rungs }
    }

    /// The plan that is KILL alone.
    pub fn kill_only() -> Self {
        Self::from_rungs(Vec::new())
    }

    /// Parses `INT:7.5s,TERM:2.5s,KILL` or the name of a preset.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str, by_number: impl Fn(i32) -> Option<Signal>) -> Result<Self, String> {
        let text = PRESETS.iter().find(|(name, _)| *name == text).map_or(text, |(_, plan)| plan);
        let mut rungs = Vec::new();
        for part in text.split(',') {
            let (signal, wait) = match part.split_once(':') {
                Some((signal, wait)) => (signal, duration::parse(wait)?),
                None => (part, DEFAULT_WAIT),
            };
            let signal = Signal::parse(signal, &by_number).map_err(|why| {
                let names: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
                format!("{why} (a plan is written INT:7.5s,TERM:2.5s,KILL or is one of {})", names.join(", "))
            })?;
            if rungs.iter().any(|r: &Rung| r.signal == Signal::KILL) {
                return Err(format!("'{part}' comes after KILL, which is always the last rung"));
            }
            rungs.push(Rung { signal, wait_ms: duration::to_ms(wait) });
        }
        Ok(Self::from_rungs(rungs))
    }

    /// Returns the rungs, the last one being KILL.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// Returns how long the plan lasts before KILL.
    pub fn grace(&self) -> Duration {
        self.rungs.iter().map(|r| r.wait()).sum()
    }

    /// Replaces the first rung's signal. KILL as the first signal makes the plan KILL alone.
    #[must_use]
    pub fn with_first_signal(mut self, signal: Signal) -> Self {
        let first = self.rungs[0];
        if first.signal == Signal::KILL && signal != Signal::KILL {
            self.rungs.insert(0, Rung { signal, wait_ms: duration::to_ms(DEFAULT_WAIT) });
        } else {
            self.rungs[0].signal = signal;
        }
        Self::from_rungs(self.rungs)
    }

    /// Puts a signal in front, with the first rung's wait, unless it is the first rung already.
    #[must_use]
    pub fn with_signal_in_front(mut self, signal: Signal) -> Self {
        let first = self.rungs[0];
        if first.signal != signal {
            self.rungs.insert(0, Rung { signal, wait_ms: first.wait_ms });
        }
        Self::from_rungs(self.rungs)
    }

    /// Gives the first rung all the time before KILL, for a plan that is one signal and KILL.
    #[must_use]
    pub fn with_only_wait(mut self, wait: Duration) -> Self {
        if self.rungs[0].signal != Signal::KILL {
            self.rungs[0].wait_ms = duration::to_ms(wait);
        }
        self
    }

    /// Bounds the sum of the waits before KILL, used up in order.
    #[must_use]
    pub fn bounded_by(mut self, grace: Duration) -> Self {
        let mut left = grace;
        for rung in &mut self.rungs {
            let wait = rung.wait().min(left);
            rung.wait_ms = duration::to_ms(wait);
            left -= wait;
        }
        self
    }
}

impl fmt::Display for StopPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rung in &self.rungs[..self.rungs.len() - 1] {
            write!(f, "{}:{},", rung.signal.short_name(), duration::render(rung.wait()))?;
        }
        f.write_str("KILL")
    }
}

impl From<Vec<Rung>> for StopPlan {
    fn from(rungs: Vec<Rung>) -> Self {
        Self::from_rungs(rungs)
    }
}

impl From<StopPlan> for Vec<Rung> {
    fn from(plan: StopPlan) -> Self {
        plan.rungs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StopPlan, String> {
        StopPlan::parse(text, |n| (n == 15).then_some(Signal::TERM))
    }

    fn show(text: &str) -> String {
        parse(text).expect(text).to_string()
    }

    #[test]
    fn plans_and_presets() {
        assert_eq!(show("INT:7.5s,TERM:2.5s,KILL"), "INT:7.5s,TERM:2.5s,KILL");
        assert_eq!(show("github"), "INT:7.5s,TERM:2.5s,KILL");
        assert_eq!(show("sigint:500ms,15"), "INT:500ms,TERM:10s,KILL");
        assert_eq!(show("KILL"), "KILL");
        assert_eq!(show("TERM:0"), "TERM:0s,KILL");
        for bad in ["", "TERM,", "FOO", "TERM:x", "KILL,TERM", "TERM:1s:2s"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for (name, plan) in PRESETS {
            assert_eq!(parse(name), parse(plan), "{name}");
        }
    }

    #[test]
    fn grace_is_used_up_in_order() {
        let plan = parse("github").expect("preset");
        assert_eq!(plan.grace(), Duration::from_secs(10));
        assert_eq!(plan.clone().bounded_by(Duration::from_secs(8)).to_string(), "INT:7.5s,TERM:500ms,KILL");
        assert_eq!(plan.clone().bounded_by(Duration::from_secs(1)).to_string(), "INT:1s,TERM:0s,KILL");
        assert_eq!(plan.bounded_by(Duration::from_secs(60)).to_string(), "INT:7.5s,TERM:2.5s,KILL");
    }

    #[test]
    fn the_front_can_be_changed() {
        let plan = StopPlan::default();
        assert_eq!(plan.clone().with_signal_in_front(Signal::INT).to_string(), "INT:10s,TERM:10s,KILL");
        assert_eq!(plan.clone().with_signal_in_front(Signal::TERM).to_string(), "TERM:10s,KILL");
        assert_eq!(plan.clone().with_first_signal(Signal::INT).to_string(), "INT:10s,KILL");
        assert_eq!(plan.with_first_signal(Signal::KILL).to_string(), "KILL");
        assert_eq!(StopPlan::kill_only().with_first_signal(Signal::INT).to_string(), "INT:10s,KILL");
        assert_eq!(StopPlan::kill_only().with_signal_in_front(Signal::INT).to_string(), "INT:0s,KILL");
    }
}
