//! Waiting for something short of the end: a state, readiness, a pause, a line of output, deletion.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use super::end::{EndWatch, Woken};
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::likeness::meant;
use crate::domain::state::State;
use crate::platform::{Wake, WakeQueue};
use crate::store::{Log, Store, StoreError, Surroundings, Watch};

const SLOW_POLL: Duration = Duration::from_secs(1);
const BLIND_POLL: Duration = Duration::from_millis(100);
/// What of the output before is kept for matching across two looks.
const OVERLAP: usize = 64 << 10;

/// What is waited for.
#[derive(Clone, Debug)]
pub enum Condition {
    /// The job is in this state.
    State(State),
    /// The job has said that it is ready.
    Ready,
    /// The job is paused.
    Paused,
    /// The job is gone.
    Deleted,
    /// The job has printed something that matches.
    Output(Box<Regex>),
}

impl std::str::FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ready" => Ok(Self::Ready),
            "paused" => Ok(Self::Paused),
            "deleted" => Ok(Self::Deleted),
            _ => match text.strip_prefix("output=") {
                Some(pattern) => Regex::new(pattern)
                    .map(|regex| Self::Output(Box::new(regex)))
                    .map_err(|error| format!("'{pattern}' is not a regular expression: {error}")),
                None => text.parse().map(Self::State).map_err(|_| {
                    let states = State::ALL.iter().map(|state| state.as_str());
                    let known: Vec<&str> =
                        ["ready", "paused", "deleted", "output=REGEX"].into_iter().chain(states).collect();
                    match meant(text, known.iter().copied()) {
                        Some(guess) => format!("'{text}' is no condition; did you mean '{guess}'?"),
                        None => format!("'{text}' is none of {}", known.join(", ")),
                    }
                }),
            },
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::State(state) => f.write_str(state.as_str()),
            Self::Ready => f.write_str("ready"),
            Self::Paused => f.write_str("paused"),
            Self::Deleted => f.write_str("deleted"),
            Self::Output(regex) => write!(f, "output={regex}"),
        }
    }
}

impl Condition {
    /// Says why it cannot come true any more of a job that has ended, or is gone.
    pub fn missed(&self, job: Option<&Job>) -> String {
        match (self, job) {
            (_, None) => "it was deleted".into(),
            (Self::State(state), Some(_)) => format!("it ended without being {state}"),
            (Self::Ready, Some(_)) => "it ended without being ready".into(),
            (Self::Paused, Some(_)) => "it ended without being paused".into(),
            (Self::Output(_), Some(_)) => "it ended without printing it".into(),
            (Self::Deleted, Some(_)) => "it is still there".into(),
        }
    }
}

/// How far one job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It has come true.
    True,
    /// It may come true.
    Open,
    /// It cannot come true any more.
    Impossible,
}

/// How far a job is, and what it is now; `None` when it is gone.
pub type Seen = (Progress, Option<Job>);

/// One job that is looked at.
struct Looked<'a> {
    id: JobId,
    /// The attempt whose output is being searched; 0 before the first look.
    searched: u32,
    job: Option<Job>,
    progress: Progress,
    output: [OutputSearch; 2],
    end: Option<EndWatch<'a>>,
}

#[derive(Default)]
struct OutputSearch {
    path: PathBuf,
    position: u64,
    kept: Vec<u8>,
}

/// Waits until the condition is true of all (or any) of these jobs, cannot come true any more, or the time is over.
/// Returns why it came back, and for each job how far it is and what it is now.
///
/// # Errors
/// When waiting itself fails.
pub fn wait_for(
    store: &Store,
    queue: &WakeQueue,
    ids: &[JobId],
    any: bool,
    condition: &Condition,
    deadline: Option<Instant>,
) -> Result<(Woken, Vec<Seen>), StoreError> {
    let mut looked: Vec<Looked<'_>> = ids
        .iter()
        .map(|id| Looked {
            id: *id,
            searched: 0,
            job: None,
            progress: Progress::Open,
            output: Default::default(),
            end: None,
        })
        .collect();
    // The directory itself for the record, the attempts for output and readiness.
    let watch = Watch::new(queue.waker()).and_then(|mut watch| {
        let add = |id: &JobId| {
            let paths = store.layout().job(*id);
            watch.add(paths.dir()) && watch.add_all_below(&paths.attempts())
        };
        ids.iter().all(add).then_some(watch)
    });
    loop {
        let surroundings = Surroundings::new();
        for one in looked.iter_mut().filter(|one| one.progress == Progress::Open) {
            one.job = store.load(one.id, &surroundings).ok();
            one.progress = one.look(store, condition);
            if one.end.is_none() && one.progress == Progress::Open {
                one.end = Some(EndWatch::beside(store, one.id, queue.waker()));
            }
        }
        let count = |progress| looked.iter().filter(|one| one.progress == progress).count();
        let (done, impossible) = (count(Progress::True), count(Progress::Impossible));
        let is_over = if any { done > 0 || impossible == looked.len() } else { impossible > 0 || done == looked.len() };
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let woken = if is_over {
            Some(Woken::Done)
        } else if left.is_some_and(|left| left.is_zero()) {
            Some(Woken::TimedOut)
        } else {
            let poll = if watch.is_some() { SLOW_POLL } else { BLIND_POLL };
            let timeout = left.map_or(poll, |left| left.min(poll));
            let (wakes, _) = queue.wait(Some(timeout), None).map_err(|source| StoreError::Io {
                action: "wait in",
                path: store.layout().root().to_owned(),
                source,
            })?;
            wakes.iter().any(|wake| matches!(wake, Wake::Signal(_))).then_some(Woken::Interrupted)
        };
        if let Some(woken) = woken {
            return Ok((woken, looked.into_iter().map(|one| (one.progress, one.job)).collect()));
        }
    }
}

impl Looked<'_> {
    fn look(&mut self, store: &Store, condition: &Condition) -> Progress {
        let Some(job) = &self.job else {
            return if matches!(condition, Condition::Deleted) { Progress::True } else { Progress::Impossible };
        };
        let (state, attempt) = (job.state(), job.attempt().map_or(1, |a| a.number));
        let is_true = match condition {
            Condition::State(wanted) => state == *wanted,
            Condition::Ready => job.ready,
            Condition::Paused => job.record().is_some_and(|record| record.paused),
            Condition::Deleted => false,
            Condition::Output(regex) => {
                let paths = store.layout().job(self.id);
                let [out, err] = &mut self.output;
                // Of the whole run: a retry may have begun since the last look.
                let first = job.record().map_or(attempt, |record| record.run_started_with).min(attempt);
                let limit = job.output.as_ref().and_then(|output| output.limit_bytes);
                let mut found = false;
                for attempt in self.searched.max(first)..=attempt {
                    // Both are looked at, so that neither falls behind.
                    found |= out.is_found(regex, paths.stdout(attempt), limit);
                    found |= err.is_found(regex, paths.stderr(attempt), limit);
                }
                self.searched = attempt;
                found
            }
        };
        // Gone for ever: an ended run brings nothing more, but its deletion.
        match (is_true, state.is_terminal() && !matches!(condition, Condition::Deleted)) {
            (true, _) => Progress::True,
            (false, true) => Progress::Impossible,
            (false, false) => Progress::Open,
        }
    }
}

impl OutputSearch {
    fn is_found(&mut self, regex: &Regex, path: PathBuf, limit: Option<u64>) -> bool {
        if self.path != path {
            *self = Self { path, ..Self::default() };
        }
        let Ok(log) = Log::open(&self.path, limit) else { return false };
        let mut chunk = vec![0u8; 1 << 20];
        while let Ok((start, n @ 1..)) = log.read(self.position, &mut chunk) {
            if start > self.position {
                // What was dropped between them is not known: the two sides are no text together.
                self.kept.clear();
            }
            self.position = start + n as u64;
            self.kept.extend_from_slice(&chunk[..n]);
            if regex.is_match(&self.kept) {
                return true;
            }
            let surplus = self.kept.len().saturating_sub(OVERLAP);
            self.kept.drain(..surplus);
        }
        false
    }
}
