//! The terminal of a job: a thread carries what the job prints to its log, and what is typed into the job's FIFO to the
//! job. Jobs without a terminal have no such thread.
//!
//! Neither way waits for the other. What cannot be written to the log (a full disk) is kept and tried again, and the
//! job waits meanwhile, as at a terminal that is stopped: nothing is lost.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::driver::Driver;
use crate::domain::event::Happening;
use crate::platform::{self, Terminal, TerminalInterest};
use crate::store::SizeWatch;

/// How long after a typed ^C the end of the leader is taken for its consequence.
const INTERRUPT_COUNTS: Duration = Duration::from_secs(10);
/// How long what is left in the terminal is carried to the log, at the end.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How soon a log that could not be written is tried again.
const WRITE_AGAIN: Duration = Duration::from_millis(200);
/// How much is carried at one go.
const CHUNK: usize = 64 << 10;
/// How much that is typed is kept for a job that does not read it; more stays in the FIFO.
const MOST_TYPED: usize = 4096;

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;

/// A terminal with somebody who carries.
#[derive(Debug)]
pub(super) struct JobTerminal {
    terminal: Arc<Terminal>,
    shared: Arc<Shared>,
    done: mpsc::Receiver<io::Result<()>>,
    size: SizeWatch,
}

#[derive(Debug, Default)]
struct Shared {
    is_ending: AtomicBool,
    /// Somebody wants the job to see the end of its input.
    wants_end: AtomicBool,
    /// When ^C was typed, if nothing was typed since.
    interrupted: Mutex<Option<Instant>>,
}

impl JobTerminal {
    /// Opens a terminal of the size that is said in this file, and begins to carry.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn start(size: &Path, typed: File, log: File) -> io::Result<Self> {
        let mut size = SizeWatch::new(size);
        let terminal = Arc::new(Terminal::open(&size.look().unwrap_or_default())?);
        let shared = Arc::new(Shared::default());
        let (tell, done) = mpsc::channel();
        let mut carrier = Carrier {
            terminal: terminal.clone(),
            shared: shared.clone(),
            typed,
            log,
            printed: Vec::new(),
            waiting: Vec::new(),
            is_line_begun: false,
            is_hung_up: false,
        };
        // When nobody listens any more, nobody wants to know.
        std::thread::Builder::new().name("terminal".into()).spawn(move || tell.send(carrier.carry()).ok())?;
        platform::crash_point("terminal.opened");
        Ok(Self { terminal, shared, done, size })
    }

    /// Returns the end for the job.
    pub(super) fn job_end(&self) -> &File {
        self.terminal.job_end()
    }

    /// Passes on the size that was said last, if there is a new one.
    pub(super) fn follow_size(&mut self) {
        if let Some(size) = self.size.look() {
            self.terminal.resize(&size).ok();
            platform::crash_point("terminal.resized");
        }
    }

    /// Lets the job see the end of its input, as ^D does.
    pub(super) fn type_end(&self) {
        self.shared.wants_end.store(true, Ordering::SeqCst);
        self.terminal.ring();
    }

    /// Says whether ^C was typed a moment ago, and nothing since.
    pub(super) fn was_interrupted(&self) -> bool {
        let interrupted = *self.shared.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
        interrupted.is_some_and(|at| at.elapsed() <= INTERRUPT_COUNTS)
    }

    /// Carries the rest to the log, and hangs the terminal up. Says what went wrong.
    pub(super) fn end(self) -> io::Result<()> {
        self.shared.is_ending.store(true, Ordering::SeqCst);
        self.terminal.ring();
        self.done.recv_timeout(DRAIN_LIMIT * 2).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// What the thread works with.
#[derive(Debug)]
struct Carrier {
    terminal: Arc<Terminal>,
    shared: Arc<Shared>,
    typed: File,
    log: File,
    /// What the job has printed and is not in the log.
    printed: Vec<u8>,
    /// What was typed and the job's terminal has not taken.
    waiting: Vec<u8>,
    /// Whether the last character typed was not the end of a line.
    is_line_begun: bool,
    is_hung_up: bool,
}

impl Carrier {
    /// Carries both ways until the end is asked for and everything is in the log. Returns why not all of it is.
    fn carry(&mut self) -> io::Result<()> {
        let mut buffer = vec![0u8; CHUNK];
        let mut ending_since = None;
        loop {
            let written = self.write_log();
            if self.shared.is_ending.load(Ordering::SeqCst) {
                let since = *ending_since.get_or_insert_with(Instant::now);
                let is_late = since.elapsed() > DRAIN_LIMIT;
                let is_through = self.printed.is_empty() && !self.take_printed(&mut buffer);
                if is_through || is_late {
                    return if self.printed.is_empty() { Ok(()) } else { written };
                }
                if written.is_err() {
                    let nothing = TerminalInterest { output: false, input: None, room: false };
                    self.terminal.wait(&nothing, Some(WRITE_AGAIN))?;
                }
                continue;
            }
            if self.shared.wants_end.swap(false, Ordering::SeqCst) {
                // After what was sent before.
                self.take_typed(&mut buffer);
                let keys: &[u8] = if self.is_line_begun { &[CTRL_D, CTRL_D] } else { &[CTRL_D] };
                self.waiting.extend_from_slice(keys);
            }
            let interest = TerminalInterest {
                output: self.printed.is_empty() && !self.is_hung_up,
                input: (self.waiting.len() < MOST_TYPED && !self.is_hung_up).then_some(&self.typed),
                room: !self.waiting.is_empty() && !self.is_hung_up,
            };
            let news = self.terminal.wait(&interest, (!self.printed.is_empty()).then_some(WRITE_AGAIN))?;
            if news.output {
                self.take_printed(&mut buffer);
            }
            if news.input {
                self.take_typed(&mut buffer[..MOST_TYPED]);
            }
            if news.room {
                self.pass_on();
            }
        }
    }

    /// Takes what the job has printed. Says whether there was something.
    fn take_printed(&mut self, buffer: &mut [u8]) -> bool {
        match self.terminal.read(buffer) {
            Ok(0) => {
                self.is_hung_up = true;
                false
            }
            Ok(length) => {
                self.printed.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error) => error.kind() == io::ErrorKind::Interrupted,
        }
    }

    fn write_log(&mut self) -> io::Result<()> {
        while !self.printed.is_empty() {
            match self.log.write(&self.printed) {
                Ok(length) => {
                    self.printed.drain(..length);
                    platform::crash_point("terminal.logged");
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take_typed(&mut self, buffer: &mut [u8]) {
        // An error is nothing typed: it does not wait, and whoever types has it open, as we do.
        let Ok(length @ 1..) = self.typed.read(buffer) else { return };
        platform::crash_point("terminal.typed");
        let typed = &buffer[..length];
        let last = typed[length - 1];
        *self.shared.interrupted.lock().unwrap_or_else(PoisonError::into_inner) = (last == CTRL_C).then(Instant::now);
        self.is_line_begun = !matches!(last, b'\n' | b'\r' | CTRL_C | CTRL_D);
        self.waiting.extend_from_slice(typed);
    }

    fn pass_on(&mut self) {
        if let Ok(length) = self.terminal.write(&self.waiting) {
            self.waiting.drain(..length);
        }
    }
}

impl Driver {
    /// Carries what is left to the log, once everything that printed is dead or given up, and hangs the terminal up.
    pub(super) fn end_terminal(&mut self) {
        let Some(terminal) = self.terminal.take() else { return };
        if let Err(error) = terminal.end() {
            let message = format!("the end of what the job printed is not in its log: {error}");
            self.journal.tell(&self.claim, Happening::Note { message });
        }
        platform::crash_point("terminal.ended");
    }
}
