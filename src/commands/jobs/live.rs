//! The live view on a terminal: this loop looks, draws, waits, and takes the steps that keys ask for.

use std::time::{Duration, Instant};

use super::Args;
use super::errands::Errands;
use crate::client::{Cleaning, Filter, LiveList, Sink, Wanted, shell_code};
use crate::commands::streams::read_part;
use crate::context::Context;
use crate::domain::job::Job;
use crate::domain::outcome::ExitStatus;
use crate::domain::signal::Signal;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform::{self, Wake, WakeQueue, WriteBell};
use crate::present::text;
use crate::store::Store;
use crate::view::{Filling, Input, Screen, Shown, Step, View};

/// However much happens, so long is rested between two looks.
const GATHERING: Duration = Duration::from_millis(100);
/// The most of a stream that is shown.
const MOST_LINES: u64 = 4000;
const MOST_BYTES: u64 = 256 << 10;

/// Shows the view until it is left.
pub(super) fn run(args: &Args, filter: &Filter, store: &Store, context: &Context) -> Result<u8, CommandError> {
    let failed = anyhow::Error::from;
    let signals = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::CONT];
    let queue = WakeQueue::new(&signals, true).map_err(failed)?;
    let mut errands = Errands::new(context.state_dir().to_owned(), context.file_mask(), queue.waker());
    let left = {
        let mut list = LiveList::new(store, &queue);
        let place = context.state_dir().to_string_lossy();
        let mut view = View::new(args.shown_columns(), &place, args.all);
        let mut reader = Reader::default();
        let mut screen = Screen::enter(context.style().is_colored()).map_err(failed)?;
        let inputs = Screen::inputs(queue.waker());
        let mut due = Instant::now();
        let mut looked = due;
        loop {
            if Instant::now() >= due {
                list.look()?;
                let admitted = list.jobs().filter(|job| filter.admits(job)).cloned().collect();
                let (jobs, hidden) = args.arrange(admitted, !view.shows_all());
                view.show(jobs, hidden, context.now());
                reader.read(&mut view, store);
                looked = Instant::now();
                due = looked + list.patience();
            }
            if screen.draw(&mut view).is_err() || WakeQueue::has_terminal_gone() {
                break Some(Signal::HUP);
            }
            platform::panic_point("view");
            let (wakes, _) = queue.wait(Some(due.saturating_duration_since(Instant::now())), None).map_err(failed)?;
            let mut signals = wakes.iter().filter_map(Wake::signal);
            if let Some(signal) = signals.find(|signal| *signal != Signal::CONT) {
                break Some(signal);
            }
            // Whoever stopped us, the shell had the terminal meanwhile. The kernel also continues whom it tells of a hang-up.
            if wakes.contains(&Wake::Signal(Signal::CONT)) && screen.again().is_err() {
                break Some(Signal::HUP);
            }
            if !wakes.is_empty() {
                due = due.min(looked + GATHERING);
            }
            let steps: Vec<Step> = inputs.try_iter().map(|input| take(&mut view, input)).collect();
            if steps.contains(&Step::Leave) {
                break None;
            }
            if steps.contains(&Step::Suspend) && screen.suspend().is_err() {
                break Some(Signal::HUP);
            }
            for step in steps {
                match step {
                    Step::Do(deed) => {
                        let says = errands.send(deed);
                        view.say(&says);
                    }
                    Step::Look => due = looked,
                    Step::Stay | Step::Suspend | Step::Leave => {}
                }
            }
            for says in errands.news() {
                view.say(&says);
            }
        }
    };
    for deed in errands.under_way() {
        context.talk(&format!("'{deed}' is still under way, and goes on"));
    }
    Ok(left.map_or(exit_code::DONE, |signal| shell_code(ExitStatus::Signaled(signal))))
}

fn take(view: &mut View, input: Input) -> Step {
    match input {
        Input::Key(key) => view.press(key),
        Input::Paste(text) => view.paste(&text),
        Input::Other => Step::Stay,
    }
}

/// Reads the end of the output that is shown, when there is more of it than before.
#[derive(Debug, Default)]
struct Reader {
    /// What was read last: whose output, of which attempt, how long it was.
    last: Option<(Shown, u32, u64)>,
    bell: Option<WriteBell>,
}

impl Reader {
    fn read(&mut self, view: &mut View, store: &Store) {
        let Some((shown, job)) = view.wants().and_then(|shown| Some((shown.clone(), view.job(shown.id)?))) else {
            self.last = None;
            self.bell = None;
            return;
        };
        let attempt = job.attempt().map_or(0, |attempt| attempt.number);
        let is_same = self.last.as_ref().is_some_and(|(s, a, _)| (s, *a) == (&shown, attempt));
        if !is_same {
            self.last = None;
            let directory = store.layout().job(shown.id).attempt(attempt);
            self.bell = WriteBell::new(&directory).ok();
        }
        // Before it is read, so that nothing is written unheard. Where there are no bells it is looked at each second.
        if let Some(bell) = self.bell.as_ref().filter(|_| job.is_stoppable()) {
            bell.arm().ok();
        }
        let known = self.last.as_ref().map(|(.., length)| *length);
        if let Some((length, filling)) = read(store, job, attempt, &shown, known) {
            view.fill(&filling);
            self.last = Some((shown, attempt, length));
        }
    }
}

/// Reads the end of a stream, with how long it is; nothing if it is as long as before.
fn read(store: &Store, job: &Job, attempt: u32, shown: &Shown, known: Option<u64>) -> Option<(u64, Filling)> {
    let (sink, name, other) =
        if shown.stderr { (Sink::Stderr, "stderr", "stdout") } else { (Sink::Stdout, "stdout", "stderr") };
    let output = job.output.as_ref();
    let paths = store.layout().job(job.id);
    let path = if shown.stderr { paths.stderr(attempt) } else { paths.stdout(attempt) };
    let length = platform::facts(&path).map_or(0, |facts| facts.length);
    if known == Some(length) {
        return None;
    }
    let cleaning = Cleaning { strip_ansi: true, returns: true };
    let wanted = Wanted { tail: Some(MOST_LINES), max_bytes: Some(MOST_BYTES), cleaning, ..Wanted::default() };
    let filling = match read_part(store, job, attempt, sink, &wanted) {
        Ok(Some(piece)) => {
            let mut note = text::bytes(piece.total);
            if piece.truncated {
                note.push_str(&format!(", its end; 'jobdir logs {}' shows more", job.id));
            }
            let elsewhere = output.is_some_and(|o| if shown.stderr { o.stdout_bytes } else { o.stderr_bytes } > 0);
            if piece.total == 0 && elsewhere {
                note.push_str(&format!("; Tab: {other} has something"));
            }
            Filling { text: String::from_utf8_lossy(&piece.bytes).into_owned(), note }
        }
        Ok(None) if shown.stderr => Filling { note: "it goes to stdout, too".into(), ..Filling::default() },
        Ok(None) => Filling { note: format!("there is no {name} yet"), ..Filling::default() },
        Err(error) => Filling { note: text::escape(&error.message), ..Filling::default() },
    };
    Some((length, filling))
}
