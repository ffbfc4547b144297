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
pub struct EndWatch<'a> {
    store: &'a Store,
    id: JobId,
    is_free: Arc<AtomicBool>,
    has_thread: bool,
}

impl<'a> EndWatch<'a> {
    /// For whoever waits for this and nothing else, by [`EndWatch::wait`].
    pub fn alone(store: &'a Store, id: JobId) -> Self {
        log::info!("job {id}: its claim is waited for, which its supervisor holds to the end");
        Self { store, id, is_free: Arc::default(), has_thread: false }
    }

    /// Starts waiting, in a thread of its own that ends with the wait or with the process.
    pub fn beside(store: &'a Store, id: JobId, waker: Waker) -> Self {
        let mut watch = Self::alone(store, id);
        watch.start_thread(waker);
        watch
    }

    fn start_thread(&mut self, waker: Waker) {
        self.has_thread = true;
        let (store, id, flag) = (self.store.clone(), self.id, self.is_free.clone());
        std::thread::spawn(move || {
            // Where locks cannot be waited for, the caller's own slow look must do.
            match store.wait_until_unclaimed(id) {
                Ok(()) => flag.store(true, Ordering::SeqCst),
                Err(error) => log::info!("job {id}: its claim cannot be waited for: {error}"),
            }
            waker.wake();
        });
    }

    /// Says whether the claim has been free at some moment since this was made.
    pub fn is_free(&self) -> bool {
        self.is_free.load(Ordering::SeqCst)
    }

    /// Waits until the claim is free, something wakes the queue, or the time is over. Returns the wake-ups. In this very
    /// thread, where that can be: a thread costs more than all the rest of waiting, and a hundred clients that each wake one
    /// that wakes another are slow together.
    ///
    /// # Errors
    /// When waiting itself fails.
    pub fn wait(&mut self, queue: &WakeQueue, timeout: Option<Duration>) -> Result<Vec<Wake>, StoreError> {
        if !self.has_thread {
            // A lock that cannot be waited for is no reason to end the waiting: the thread says so, and that is it.
            if let Ok(Some((wakes, is_free))) = self.store.wait_until_unclaimed_or_woken(self.id, queue, timeout) {
                self.is_free.fetch_or(is_free, Ordering::SeqCst);
                return Ok(wakes);
            }
            self.start_thread(queue.waker());
        }
        wait_at(queue, self.store, timeout)
    }
}

fn wait_at(queue: &WakeQueue, store: &Store, timeout: Option<Duration>) -> Result<Vec<Wake>, StoreError> {
    let (wakes, _) = queue.wait(timeout, None).map_err(|source| StoreError::Io {
        action: "wait in",
        path: store.layout().root().to_owned(),
        source,
    })?;
    Ok(wakes)
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
struct Awaited<'a> {
    id: JobId,
    watch: Option<EndWatch<'a>>,
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
    let mut awaited: Vec<Awaited<'_>> =
        ids.iter().map(|id| Awaited { id: *id, watch: None, job: None, told: false, released: false }).collect();
    let is_alone = ids.len() == 1;
    loop {
        let surroundings = Surroundings::new();
        let (mut ended, mut orphans) = (0, false);
        for one in &mut awaited {
            let is_free = one.watch.as_ref().is_some_and(EndWatch::is_free);
            if is_free || one.job.is_none() || one.job.as_ref().is_some_and(|job| job.state() == State::Orphaned) {
                one.job = match one.job.take() {
                    Some(job) => store.load_again(job, &surroundings).ok(),
                    None => store.load(one.id, &surroundings).ok(),
                };
                one.watch = None;
                one.released |= is_free;
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
                one.watch = Some(match is_alone {
                    true => {
                        // What the last look will need is in memory then, and nothing else.
                        platform::release_code();
                        store.rehearse(one.id);
                        EndWatch::alone(store, one.id)
                    }
                    false => EndWatch::beside(store, one.id, queue.waker()),
                });
            }
        }
        let take = |awaited: Vec<Awaited<'_>>, woken| {
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
        let wakes = match &mut awaited[..] {
            [Awaited { watch: Some(watch), .. }] => watch.wait(queue, timeout)?,
            _ => wait_at(queue, store, timeout)?,
        };
        if wakes.iter().any(|wake| matches!(wake, Wake::Signal(_))) {
            return take(awaited, Woken::Interrupted);
        }
    }
}
