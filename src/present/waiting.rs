//! The line that tells a person what a command waits for, and for how long at most.

use chrono::{DateTime, TimeDelta, Utc};

use super::text::{self, escape};
use crate::domain::job::Job;
use crate::domain::record::{Attempt, FinallyState, Waiting};
use crate::domain::signal::Signal;
use crate::domain::state::State;

/// A wait that goes on.
#[derive(Clone, Debug)]
pub struct Wait<'a> {
    /// The command that waits.
    pub what: &'a str,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it gives up, at the latest.
    pub until: Option<DateTime<Utc>>,
    /// How many jobs are waited for.
    pub jobs: usize,
    /// Those of them that it is not done with, as they are.
    pub left: &'a [Job],
}

/// Renders it.
pub fn line(wait: &Wait<'_>, now: DateTime<Utc>) -> String {
    let mut facts = Vec::new();
    if wait.jobs > 1 {
        facts.push(format!("{} of {} jobs done", wait.jobs - wait.left.len(), wait.jobs));
    }
    // What has ended and is only to be removed needs no words.
    if let Some(job) = wait.left.iter().find(|job| !job.state().is_terminal() || job.has_survivors()) {
        facts.push(format!("job {} is {}{}", job.id, job.state(), detail(job, now)));
    }
    if let Some(until) = wait.until {
        facts.push(format!("at most {} more", left(until, now)));
    }
    format!("jobdir {}, {}: {}", escape(wait.what), text::ago(wait.since, now), facts.join("; "))
}

/// Renders how far a command is that goes through many jobs.
pub fn count(what: &str, since: DateTime<Utc>, (done, jobs): (usize, usize), now: DateTime<Utc>) -> String {
    format!("jobdir {what}, {}: {done} of {jobs} jobs done", text::ago(since, now))
}

/// How long it is until then, in seconds begun: what is near is not called over.
fn left(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    text::span(then - now + TimeDelta::milliseconds(999))
}

/// What is awaited of a job.
fn detail(job: &Job, now: DateTime<Utc>) -> String {
    let pids = || {
        let pids: Vec<String> = job.observation.survivors.iter().map(|one| one.identity.pid.to_string()).collect();
        if pids.is_empty() { String::new() } else { format!(", process {} lives", pids.join(", ")) }
    };
    match job.state() {
        State::Queued => {
            let list: Vec<String> = job.waiting_for.iter().flatten().map(|one| waits(one, now)).collect();
            if list.is_empty() { String::new() } else { format!(": it waits {}", list.join("; ")) }
        }
        State::Stopping => stop(job, now).unwrap_or_default(),
        State::Finalizing => job.attempt().and_then(step).unwrap_or_default(),
        State::Orphaned => pids(),
        state if state.is_terminal() => pids(),
        _ if job.is_paused() => ", paused".to_owned(),
        _ => progress(job).unwrap_or_default(),
    }
}

fn waits(waiting: &Waiting, now: DateTime<Utc>) -> String {
    let until = waiting.until.map(|until| format!(" in {}", left(until, now))).unwrap_or_default();
    format!("{}{until}", text::waiting(waiting))
}

/// How far its stop plan is, and when KILL comes.
fn stop(job: &Job, now: DateTime<Utc>) -> Option<String> {
    let stop = job.record()?.stop.as_ref()?;
    if !stop.not_stopped.is_empty() {
        let pids: Vec<String> = stop.not_stopped.iter().map(|one| one.identity.pid.to_string()).collect();
        return Some(format!(": KILL did not end {}", pids.join(", ")));
    }
    let sent = format!(": {} sent {} ago", stop.signal.short_name(), text::ago(stop.since, now));
    let Some(next) = &stop.next else { return Some(sent) };
    let mut steps = format!("{sent}, {} in {}", next.signal.short_name(), left(next.at, now));
    if next.signal != Signal::KILL {
        let waits = stop.rungs.iter().skip(stop.rung + 1).map(|rung| rung.wait_ms).sum::<u64>();
        let kill = next.at + TimeDelta::milliseconds(i64::try_from(waits).unwrap_or(i64::MAX / 2));
        steps.push_str(&format!(", KILL in {}", left(kill, now)));
    }
    Some(steps)
}

/// Which of its finally steps runs.
fn step(attempt: &Attempt) -> Option<String> {
    let finally = attempt.finally.as_ref().filter(|finally| finally.state == FinallyState::Running)?;
    let at = finally.steps.iter().position(|step| step.started_at.is_some() && step.ended_at.is_none())?;
    Some(format!(": finally step {} of {}, {}", at + 1, finally.steps.len(), escape(&finally.steps[at].command)))
}

/// What it says of its own progress.
fn progress(job: &Job) -> Option<String> {
    let progress = job.progress.as_ref()?;
    let percent = progress.fraction.map(|fraction| format!("{:.0} %", fraction * 100.0));
    let message = progress.message.as_deref().map(escape);
    let said: Vec<String> = percent.into_iter().chain(message).collect();
    (!said.is_empty()).then(|| format!(", {}", said.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::tests::job;
    use crate::domain::record::{Finally, NextRung, Step, StopProgress, Waiting};
    use crate::domain::stop_plan::StopPlan;

    fn now() -> DateTime<Utc> {
        job(1, State::Running, "", &["x"]).observed_at
    }

    fn seconds(seconds: i64) -> TimeDelta {
        TimeDelta::seconds(seconds)
    }

    fn said(job: Job, until: Option<DateTime<Utc>>) -> String {
        let wait = Wait { what: "wait", since: now() - seconds(63), until, jobs: 1, left: &[job] };
        line(&wait, now())
    }

    fn changed(state: State, change: impl FnOnce(&mut crate::domain::record::JobRecord)) -> Job {
        let mut job = job(12, state, "", &["x"]);
        change(&mut job.files.as_mut().expect("has files").1);
        job
    }

    #[test]
    fn what_is_awaited() {
        let running = job(12, State::Running, "", &["x"]);
        assert_eq!(said(running.clone(), None), "jobdir wait, 1m 3s: job 12 is running");
        let until = Some(now() + TimeDelta::milliseconds(4001));
        assert_eq!(said(running.clone(), until), "jobdir wait, 1m 3s: job 12 is running; at most 5s more");
        let mut busy = running;
        busy.progress = crate::domain::job::Progress::parse("42/84 link\x1b[2J");
        assert_eq!(said(busy, None), "jobdir wait, 1m 3s: job 12 is running, 50 % link\\u{1b}[2J");
        let mut queued = job(12, State::Queued, "", &["x"]);
        let mutex = Waiting { kind: "mutex".into(), name: Some("build".into()), ..Waiting::default() };
        queued.waiting_for = Some(vec![Waiting { holders: vec!["7".parse().expect("an id")], ..mutex }]);
        assert_eq!(
            said(queued.clone(), None),
            "jobdir wait, 1m 3s: job 12 is queued: it waits for mutex build, held by job 7"
        );
        let retry = Waiting { kind: "retry".into(), until: Some(now() + seconds(9)), ..Waiting::default() };
        queued.waiting_for = Some(vec![retry]);
        assert_eq!(said(queued, None), "jobdir wait, 1m 3s: job 12 is queued: it waits to be retried in 9s");
        let finally = changed(State::Finalizing, |record| {
            let step = |command: &str, started_at| Step { command: command.into(), started_at, ..Step::default() };
            let steps = vec![step("make clean", Some(now())), step("rm x", None)];
            record.attempts[0].finally = Some(Finally { state: FinallyState::Running, steps });
        });
        assert_eq!(said(finally, None), "jobdir wait, 1m 3s: job 12 is finalizing: finally step 1 of 2, make clean");
    }

    #[test]
    fn how_far_a_stop_is_and_when_kill_comes() {
        let stopping = |rung: usize, next: Option<(Signal, i64)>| {
            changed(State::Stopping, |record| {
                let plan = StopPlan::parse("INT:5s,TERM:7s,KILL", |_| None).expect("a plan");
                let rungs = plan.rungs().to_vec();
                let next = next.map(|(signal, left)| NextRung { signal, at: now() + seconds(left) });
                let signal = rungs[rung].signal;
                let since = now() - seconds(2);
                let (reason, reason_text, not_stopped) = (None, None, Vec::new());
                let plan = String::new();
                record.stop =
                    Some(StopProgress { plan, rungs, rung, signal, since, next, reason, reason_text, not_stopped });
            })
        };
        for (rung, next, text) in [
            (0, Some((Signal::TERM, 3)), "INT sent 2s ago, TERM in 3s, KILL in 10s"),
            (1, Some((Signal::KILL, 5)), "TERM sent 2s ago, KILL in 5s"),
            (2, None, "KILL sent 2s ago"),
        ] {
            let said = said(stopping(rung, next), None);
            assert_eq!(said, format!("jobdir wait, 1m 3s: job 12 is stopping: {text}"));
        }
    }

    #[test]
    fn several_are_counted() {
        let left = [job(3, State::Succeeded, "", &["x"]), job(4, State::Running, "", &["x"])];
        let wait = Wait { what: "delete", since: now() - seconds(2), until: None, jobs: 5, left: &left };
        assert_eq!(line(&wait, now()), "jobdir delete, 2s: 3 of 5 jobs done; job 4 is running");
        assert_eq!(count("prune", now() - seconds(2), (40, 900), now()), "jobdir prune, 2s: 40 of 900 jobs done");
    }
}
