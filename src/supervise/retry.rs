//! One run after another: retries of a failed attempt, and the waiting between them.

use std::time::Duration;

use super::run::Run;
use crate::domain::event::Happening;
use crate::domain::outcome::{Cause, conclude};
use crate::domain::record::{Attempt, Waiting};
use crate::domain::state::{ErrorKind, Reason, State};
use crate::platform;
use crate::store::Flush;

/// This many failures within [`CRASH_WINDOW`] end the retries.
const CRASH_LOOP: usize = 5;
const CRASH_WINDOW: Duration = Duration::from_secs(10);

fn crashes_in_a_row(ends: &[Duration]) -> bool {
    let first = ends.len().checked_sub(CRASH_LOOP).map(|first| ends[first]);
    first.zip(ends.last()).is_some_and(|(first, last)| *last - first < CRASH_WINDOW)
}

impl Run {
    /// Runs attempts until one needs no retry. The outcome of the last is in the record, not yet saved.
    pub(super) fn all_attempts(&mut self) {
        let mut ends: Vec<Duration> = Vec::new();
        for nth in 1.. {
            if self.attempt() {
                self.run_finally_steps();
            }
            ends.push(self.driver.now());
            let retry = &self.spec.retry;
            let failed = self.driver.journal.record().attempt().outcome.as_ref().is_some_and(|outcome| {
                outcome.state == State::Failed
                    && outcome.error_kind == Some(ErrorKind::JobFailure)
                    && outcome.reason != Some(Reason::Signal)
            });
            if !failed || nth > retry.retries {
                return;
            }
            if crashes_in_a_row(&ends) {
                let message =
                    format!("not retried any more: it failed {CRASH_LOOP} times within {} s", CRASH_WINDOW.as_secs());
                self.driver.journal.tell(&self.driver.claim, Happening::Note { message: message.clone() });
                self.driver.journal.attempt().message = Some(message);
                return;
            }
            let delay = Duration::from_millis(retry.delay_before(nth));
            // What it held is for others meanwhile; it queues anew.
            self.leave_queue();
            platform::crash_point("retry.left");
            if let Some(cause) = self.wait_for_retry(delay) {
                self.driver.journal.change().run_outcome = Some(conclude(Some(&cause), None, None));
                return;
            }
            self.next_attempt();
        }
    }

    /// Waits before a retry. Returns what ended the waiting, if something did.
    fn wait_for_retry(&mut self, delay: Duration) -> Option<Cause> {
        let until = self.driver.now() + delay;
        let waiting = Waiting { kind: "retry".into(), until: Some(platform::now() + delay), ..Waiting::default() };
        let record = self.driver.journal.change();
        (record.stop, record.waiting_for) = (None, Some(vec![waiting]));
        self.driver.journal.enter(&self.driver.claim, State::Queued);
        self.driver.journal.save(&self.driver.claim, Flush::No).ok();
        platform::crash_point("retry.waiting");
        loop {
            if let Some(cause) = self.stopped_before_start() {
                return Some(cause);
            }
            let now = self.driver.now();
            if now >= until {
                return None;
            }
            if self.sleep_in_queue((until - now).min(self.driver.watch.poll())) {
                return Some(Cause { reason: Reason::SupervisorSignal, reason_text: None });
            }
        }
    }

    fn next_attempt(&mut self) {
        let record = self.driver.journal.change();
        let last = record.attempt();
        let (command, pty) = (last.command.clone(), last.pty);
        let attempt = Attempt { number: last.number + 1, command, pty, ..Attempt::default() };
        let number = attempt.number;
        record.attempts.push(attempt);
        record.waiting_for = None;
        // The same attempt spec, if there was one, holds for the retry.
        if let Ok(spec) = self.driver.claim.load_attempt_spec(number - 1)
            && self.driver.claim.make_attempt(number).is_ok()
            && self.driver.claim.load_spec().is_ok_and(|own| own != spec)
        {
            self.driver.claim.save_attempt_spec(number, &spec).ok();
        }
        platform::crash_point("retry.attempt");
        self.driver.journal.enter(&self.driver.claim, State::Starting);
        self.driver.journal.save(&self.driver.claim, Flush::No).ok();
        platform::crash_point("retry.recorded");
    }
}
