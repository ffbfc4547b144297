//! Waiting before an attempt: for other jobs to end, for mutexes and slots, for the delay of a retry.
//!
//! Whoever releases something rings at those who may go. What rings no bell is a holder's sudden death; so a waiter
//! whom only holders block waits for their claims, and everybody else for the claim of the waiter right before it. When
//! one of them is free, just that waiter wakes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::run::Run;
use crate::domain::job_id::JobId;
use crate::domain::notice::Notice;
use crate::domain::outcome::Cause;
use crate::domain::queue::{Entry, blocked, going};
use crate::domain::record::Waiting;
use crate::domain::spec::{After, RequiredEnd};
use crate::domain::state::{Reason, State};
use crate::platform::{self, Wake};
use crate::store::{Flush, QueueView, Store, Surroundings};

/// How many claims one waiter waits for at once; of more holders the slow look must do.
const WATCHED: usize = 32;
/// How often to look although nothing rang.
const SLOW_LOOK: Duration = Duration::from_secs(15);
/// How often to look at everything although nothing has changed.
const THOROUGH_LOOK: Duration = Duration::from_secs(600);
/// How often to look at an orphaned holder: nobody tells of the end of its processes.
const ORPHAN_LOOK: Duration = Duration::from_secs(1);

/// What the waiting came to.
enum Turn {
    /// Go.
    Now,
    /// Wait for this; look again after that time at the latest.
    Wait(Vec<Waiting>, Duration),
    /// It can never go.
    Never(String),
}

/// Claims that are waited for, each by a thread of its own.
#[derive(Default)]
struct Watches {
    free: HashMap<JobId, Arc<AtomicBool>>,
}

/// Our place in the queue.
struct Line {
    own: Entry,
    view: QueueView,
    /// What we waited for when we last looked, and when, if nothing but a bell or a claim can change it.
    asleep: Option<(Vec<Waiting>, Instant)>,
}

impl Watches {
    fn is_any_free(&self) -> bool {
        self.free.values().any(|free| free.load(Ordering::SeqCst))
    }

    /// Forgets claims that were free: what follows from that is looked at next.
    fn forget_the_free(&mut self) {
        self.free.retain(|_, free| !free.load(Ordering::SeqCst));
    }

    /// Waits for the claim of a job, if that is not done already. Once it was free, it is waited for anew.
    fn watch(&mut self, store: &Store, id: JobId, waker: platform::Waker) {
        if self.free.get(&id).is_some_and(|free| !free.load(Ordering::SeqCst)) {
            return;
        }
        let free = Arc::new(AtomicBool::new(false));
        self.free.insert(id, free.clone());
        let store = store.clone();
        std::thread::spawn(move || {
            store.wait_until_unclaimed(id).ok();
            free.store(true, Ordering::SeqCst);
            waker.wake();
        });
    }
}

impl Run {
    /// Waits until the attempt may begin. Returns what ended the waiting instead, with a sentence for people.
    pub(super) fn wait_for_turn(&mut self) -> Option<(Cause, Option<String>)> {
        let coordination = self.spec.coordination.clone();
        let since = self.driver.now();
        let limit = coordination.queue_timeout_ms.map(Duration::from_millis);
        let mut watches = Watches::default();
        let mut line = None;
        loop {
            // A bell that rings from here on is heard by the wait below.
            if let Some(cause) = self.stopped_before_start() {
                return Some((cause, None));
            }
            let turn = match self.others_ended(&coordination.after, &mut watches) {
                Turn::Now if coordination.wants.is_empty() => Turn::Now,
                Turn::Now => self.holds_everything(&mut line, &mut watches),
                other => other,
            };
            match turn {
                Turn::Now => {
                    platform::crash_point("queue.turn");
                    return None;
                }
                Turn::Never(why) => return Some((Cause { reason: Reason::Dependency, reason_text: None }, Some(why))),
                Turn::Wait(waiting, look) => {
                    self.record_waiting(waiting);
                    let spent = self.driver.now().saturating_sub(since);
                    if limit.is_some_and(|limit| spent >= limit) {
                        return Some((Cause { reason: Reason::QueueTimeout, reason_text: None }, None));
                    }
                    let left = limit.map(|limit| limit.saturating_sub(spent));
                    if self.sleep_in_queue(left.map_or(look, |left| left.min(look))) {
                        return Some((Cause { reason: Reason::SupervisorSignal, reason_text: None }, None));
                    }
                }
            }
        }
    }

    /// Sleeps until something rings or the time is over. Says whether somebody signalled the supervisor.
    pub(super) fn sleep_in_queue(&mut self, time: Duration) -> bool {
        let Ok((wakes, _)) = self.driver.queue.wait(Some(time), None) else { return false };
        wakes.iter().any(|wake| matches!(wake, Wake::Signal(_)))
    }

    fn record_waiting(&mut self, waiting: Vec<Waiting>) {
        let is_queued = self.driver.journal.record().state == State::Queued;
        let record = self.driver.journal.change();
        // Positions and holders are found anew by every reader; only what is waited for is written down.
        let kinds = |list: &[Waiting]| list.iter().map(|w| (w.kind.clone(), w.name.clone())).collect::<Vec<_>>();
        let same = record.waiting_for.as_ref().is_some_and(|known| kinds(known) == kinds(&waiting));
        if is_queued && same {
            return;
        }
        record.waiting_for = Some(waiting);
        self.driver.journal.enter(&self.driver.claim, State::Queued);
        self.driver.journal.save(&self.driver.claim, Flush::No).ok();
        platform::crash_point("queue.waiting");
        if !is_queued {
            self.client.tell(&Notice::Queued);
        }
    }

    /// Looks whether the jobs that this one depends on have ended as required.
    fn others_ended(&mut self, after: &[After], watches: &mut Watches) -> Turn {
        let surroundings = Surroundings::new();
        let mut waiting = Vec::new();
        for one in after {
            let (id, end) = (one.id, one.end);
            let Ok(job) = self.store.load(id, &surroundings) else {
                if end == RequiredEnd::Any {
                    continue;
                }
                return Turn::Never(format!(
                    "job {id}, which it was to follow, was deleted; how it ended is not known"
                ));
            };
            let state = job.state();
            let ended = state.is_terminal() && !job.has_survivors();
            match (ended, end) {
                (false, _) => {
                    watches.watch(&self.store, id, self.driver.queue.waker());
                    waiting.push(Waiting {
                        kind: "after".into(),
                        name: Some(id.to_string()),
                        holders: vec![id],
                        ..Waiting::default()
                    });
                }
                (true, RequiredEnd::Any) => {}
                (true, RequiredEnd::Ok) if state == State::Succeeded => {}
                (true, RequiredEnd::Failed) if state != State::Succeeded => {}
                (true, _) => return Turn::Never(format!("job {id}, which it was to follow, is {state}")),
            }
        }
        if waiting.is_empty() { Turn::Now } else { Turn::Wait(waiting, ORPHAN_LOOK.max(SLOW_LOOK)) }
    }

    /// Looks whether everything that is wanted is free of earlier jobs; the entry is made at the first look.
    fn holds_everything(&mut self, line: &mut Option<Line>, watches: &mut Watches) -> Turn {
        let (id, attempt) = (self.spec.id, self.driver.journal.record().attempt().number);
        let line = match line {
            Some(line) => line,
            None => match self.store.join_queue(id, attempt, &self.spec.coordination.wants) {
                Ok(own) => line.insert(Line { view: QueueView::up_to(own.ticket), own, asleep: None }),
                Err(error) => return unavailable(&error),
            },
        };
        // A look that was not asked for, while nothing has changed: there is nothing to find.
        if let Some((waiting, since)) = &line.asleep
            && since.elapsed() < THOROUGH_LOOK
            && line.view.is_current(&self.store)
            && !watches.is_any_free()
        {
            return Turn::Wait(waiting.clone(), SLOW_LOOK);
        }
        watches.forget_the_free();
        if let Err(error) = line.view.refresh(&self.store) {
            return unavailable(&error);
        }
        let surroundings = Surroundings::new();
        let mut look = SLOW_LOOK;
        loop {
            let entries = line.view.entries();
            let blocks = blocked(&line.own, entries);
            let mut before: Vec<&Entry> = blocks.iter().flat_map(|blocked| blocked.by.iter().copied()).collect();
            before.sort_by_key(|entry| entry.ticket);
            before.dedup_by_key(|entry| entry.ticket);
            let Some(last) = before.last() else { return Turn::Now };
            let going: HashSet<u64> =
                entries.iter().zip(going(entries)).filter(|(_, goes)| *goes).map(|(entry, _)| entry.ticket).collect();
            // Only those that are watched are judged: the holders by the first in line, else the one right before.
            let watched: Vec<&Entry> = if before.iter().all(|entry| going.contains(&entry.ticket)) {
                before.iter().rev().take(WATCHED).copied().collect()
            } else {
                vec![last]
            };
            let dead = watched.iter().find(|entry| !self.store.entry_counts(entry, &surroundings));
            if let Some(dead) = dead {
                let dead = (*dead).clone();
                self.store.remove_dead_entry(&dead).ok();
                line.view.forget(&dead);
                continue;
            }
            for entry in &watched {
                if self.store.is_claimed(entry.id).unwrap_or(true) {
                    watches.watch(&self.store, entry.id, self.driver.queue.waker());
                } else {
                    look = ORPHAN_LOOK;
                }
            }
            let waiting: Vec<Waiting> = blocks
                .iter()
                .map(|blocked| Waiting {
                    kind: blocked.kind.into(),
                    name: Some(blocked.name.to_owned()),
                    holders: blocked.by.iter().map(|entry| entry.id).collect(),
                    ..Waiting::default()
                })
                .collect();
            line.asleep = (look == SLOW_LOOK).then(|| (waiting.clone(), Instant::now()));
            return Turn::Wait(waiting, look);
        }
    }
}

fn unavailable(error: &dyn std::fmt::Display) -> Turn {
    let name = Some(format!("(the queue cannot be read: {error})"));
    Turn::Wait(vec![Waiting { kind: "mutex".into(), name, ..Waiting::default() }], ORPHAN_LOOK)
}
