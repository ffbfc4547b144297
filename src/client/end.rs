//! Waiting for the end of runs without polling: the claim of a job is held for the whole run, so waiting for its lock
//! is waiting for the end, and the kernel wakes every waiter however the supervisor ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::state::State;
use crate::platform::{self, Wake, WakeQueue, Waker};
use crate::store::{Store, StoreError, Surroundings};

/// How often the processes of an orphaned job are looked for: nobody tells us of their end.
const ORPHAN_POLL: Duration = Duration::from_millis(200);

/// Tells when nobody supervises a job any more.
#[derive(Debug)]
pub struct EndWatch {
    is_free: Arc<AtomicBool>,
}

impl EndWatch {
    /// Starts waiting, in a thread of its own that ends with the wait or with the process.
    pub fn new(store: &Store, id: JobId, waker: Waker) -> Self {
        log::info!("job {id}: its claim is waited for, which its supervisor holds to the end");
        let is_free = Arc::new(AtomicBool::new(false));
        let (store, flag) = (store.clone(), is_free.clone());
        std::thread::spawn(move || {
            // Where locks cannot be waited for, the caller's own slow look must do.
            match store.wait_until_unclaimed(id) {
                Ok(()) => flag.store(true, Ordering::SeqCst),
                Err(error) => log::info!("job {id}: its claim cannot be waited for: {error}"),
            }
            waker.wake();
        });
        Self { is_free }
    }

    /// Says whether the claim has been free at some moment since this was made.
    pub fn is_free(&self) -> bool {
        self.is_free.load(Ordering::SeqCst)
    }
}

/// Why the waiting came back.
#[derive(Debug)]
pub enum Woken {
    /// What was waited for has happened.
    Done,
    /// The time is over.
    TimedOut,
    /// This process got a signal.
    Interrupted,
}

/// One job that is waited for.
#[derive(Debug)]
struct Awaited {
    id: JobId,
    watch: Option<EndWatch>,
    job: Option<Job>,
    told: bool,
    released: bool,
}

/// Gives a supervisor the moment between recording an end and giving up the claim, in which it tells the end in the events.
/// Somebody else may hold the claim for longer, to delete the job or to stop what is left of it: that is not waited for.
pub(super) fn until_released(store: &Store, id: JobId) {
    const MOMENT: Duration = Duration::from_millis(100);
    let deadline = Instant::now() + MOMENT;
    while store.is_claimed(id).unwrap_or(false) && Instant::now() < deadline {
        platform::pause(Duration::from_millis(1));
    }
}

/// Waits until all (or any) of these jobs have ended, or until `deadline`. Returns what each is then, in the order
/// given, `None` for one that was deleted meanwhile. `on_orphaned` is called once for each job found orphaned.
///
/// # Errors
/// When waiting itself fails.
pub fn wait_for_ends(
    store: &Store,
    queue: &WakeQueue,
    ids: &[JobId],
    any: bool,
    deadline: Option<Instant>,
    mut on_orphaned: impl FnMut(&Job),
) -> Result<(Woken, Vec<Option<Job>>), StoreError> {
    let mut awaited: Vec<Awaited> =
        ids.iter().map(|id| Awaited { id: *id, watch: None, job: None, told: false, released: false }).collect();
    loop {
        let surroundings = Surroundings::new();
        let (mut ended, mut orphans) = (0, false);
        for one in &mut awaited {
            let has_ended = one.watch.as_ref().is_some_and(EndWatch::is_free) || one.job.is_none();
            if has_ended || one.job.as_ref().is_some_and(|job| job.state() == State::Orphaned) {
                one.job = store.load(one.id, &surroundings).ok();
                one.watch = None;
                let state = one.job.as_ref().map_or("deleted", |job| job.state().as_str());
                log::debug!("job {}: looked at: {state}", one.id);
            }
            let Some(job) = &one.job else {
                ended += 1;
                continue;
            };
            if job.state().is_terminal() {
                if !std::mem::replace(&mut one.released, true) {
                    until_released(store, one.id);
                }
                ended += 1;
            } else if job.state() == State::Orphaned {
                orphans = true;
                if !std::mem::replace(&mut one.told, true) {
                    on_orphaned(job);
                }
            } else if one.watch.is_none() {
                one.watch = Some(EndWatch::new(store, one.id, queue.waker()));
            }
        }
        let take = |awaited: Vec<Awaited>, woken| {
            let surroundings = Surroundings::new();
            let jobs = awaited
                .into_iter()
                .map(|one| match one.job {
                    Some(job) if job.state().is_terminal() => Some(job),
                    _ => store.load(one.id, &surroundings).ok(),
                })
                .collect();
            Ok((woken, jobs))
        };
        if ended == awaited.len() || (any && ended > 0) {
            return take(awaited, Woken::Done);
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return take(awaited, Woken::TimedOut);
        }
        let timeout = [left, orphans.then_some(ORPHAN_POLL)].into_iter().flatten().min();
        let (wakes, _) = queue.wait(timeout, None).map_err(|source| StoreError::Io {
            action: "wait in",
            path: store.layout().root().to_owned(),
            source,
        })?;
        if wakes.iter().any(|wake| matches!(wake, Wake::Signal(_))) {
            return take(awaited, Woken::Interrupted);
        }
    }
}
