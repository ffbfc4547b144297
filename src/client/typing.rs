//! Typing to a job that has a terminal: what is typed at ours goes into the job's FIFO, in a thread of its own, and our
//! terminal lets every key through meanwhile. Dropping it puts the terminal back.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::keys::{Keys, Pressed};
use super::screen::Screen;
use crate::domain::job_id::JobId;
use crate::domain::signal::Signal;
use crate::platform::{self, RawTerminal, StdinKind, WakeQueue, Waker};
use crate::store::{Store, StoreError};

/// How much that is typed is kept for a job that does not read it.
const MOST_KEPT: usize = 1 << 20;

/// Somebody who types to a job.
#[derive(Debug)]
pub(super) struct Typing<'a> {
    store: &'a Store,
    id: JobId,
    shared: Arc<Shared>,
    screen: Arc<Mutex<Screen>>,
    _terminal: Option<RawTerminal>,
}

/// What has happened at our stdin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Typed {
    /// A key that is meant for us.
    Pressed(Pressed),
    /// Our input, which is no terminal, has ended: the job is to see the end of its own.
    End,
}

#[derive(Debug, Default)]
struct Shared {
    news: Mutex<Vec<Typed>>,
}

/// The signals by which a terminal tells of itself.
pub(super) const TERMINAL_SIGNALS: [Signal; 3] = [Signal::WINCH, Signal::TSTP, Signal::CONT];

impl<'a> Typing<'a> {
    /// Begins, and tells the job's supervisor how large our terminal is.
    ///
    /// # Errors
    /// When the job's input cannot be opened.
    pub(super) fn start(
        store: &'a Store,
        id: JobId,
        queue: &WakeQueue,
        screen: Arc<Mutex<Screen>>,
    ) -> Result<Self, StoreError> {
        let path = store.layout().job(id).stdin();
        let failed = |path: PathBuf| move |source| StoreError::Io { action: "type into", path, source };
        let fifo = platform::open_fifo_patient(&path).map_err(failed(path))?;
        let kind = platform::stdin_kind();
        let shared = Arc::new(Shared::default());
        let terminal = (kind == StdinKind::Terminal).then(RawTerminal::new);
        let is_terminal = terminal.is_some();
        let typing = Self { store, id, shared: shared.clone(), screen, _terminal: terminal };
        typing.tell_size();
        if kind != StdinKind::Closed {
            let waker = queue.waker();
            std::thread::spawn(move || {
                // A terminal that has gone is told by a signal.
                if copy(fifo, is_terminal, &shared, &waker).is_ok() && !is_terminal {
                    shared.tell(Typed::End, &waker);
                }
            });
        }
        Ok(typing)
    }

    /// Tells the job's supervisor how large our terminal is now.
    pub(super) fn tell_size(&self) {
        if let Some(size) = platform::terminal_size() {
            // Nobody needs it when the job is gone.
            self.store.set_terminal_size(self.id, &size).ok();
        }
    }

    /// Takes what has happened, oldest first.
    pub(super) fn take(&self) -> Vec<Typed> {
        std::mem::take(&mut *self.shared.news.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// After this process was continued: the terminal may have other modes, and another size.
    pub(super) fn come_back(&self) {
        RawTerminal::renew();
        self.tell_size();
    }
}

impl Drop for Typing<'_> {
    fn drop(&mut self) {
        // Before the modes of the terminal are put back, which the fields do that are dropped next.
        let restore = self.screen.lock().unwrap_or_else(PoisonError::into_inner).restore();
        if std::io::stdout().is_terminal() {
            platform::write_all(false, &restore).ok();
        }
    }
}

impl Shared {
    fn tell(&self, typed: Typed, waker: &Waker) {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).push(typed);
        waker.wake();
    }
}

/// Copies until the end of what is typed, or until somebody detaches.
fn copy(mut fifo: File, is_terminal: bool, shared: &Shared, waker: &Waker) -> io::Result<()> {
    let mut keys = Keys::default();
    let mut buffer = [0u8; 4096];
    let mut to_job = Vec::new();
    let mut is_open = true;
    while is_open || !to_job.is_empty() {
        if is_terminal {
            // Whoever was brought to the foreground is told by nobody.
            RawTerminal::renew();
        }
        let held = keys.held_for(Instant::now());
        let room = (!to_job.is_empty()).then_some(&fifo);
        let news = platform::wait_for_typing(is_open && to_job.len() < MOST_KEPT, room, held)?;
        let mut pressed = Vec::new();
        if news.typed {
            match platform::read_typed(&mut buffer) {
                Ok(0) => is_open = false,
                Ok(length) if is_terminal => {
                    pressed = keys.take(&buffer[..length], Instant::now(), &mut to_job);
                    is_open = !pressed.contains(&Pressed::Detach);
                }
                Ok(length) => to_job.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        keys.let_go(Instant::now(), &mut to_job);
        if !to_job.is_empty() {
            match fifo.write(&to_job) {
                Ok(length) => {
                    to_job.drain(..length);
                    platform::crash_point("input.typed");
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
        // After what was typed before has gone its way.
        for pressed in pressed {
            shared.tell(Typed::Pressed(pressed), waker);
        }
    }
    Ok(())
}
