//! The terminal: taken, drawn on, and given back as it was, however that comes about.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::Once;
use std::sync::mpsc::{Receiver, channel};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyEvent, KeyEventKind};
use ratatui::crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::crossterm::{cursor, execute, style};

use super::draw::draw;
use super::model::View;
use crate::platform::{self, Waker};

/// What comes from the keyboard.
#[derive(Clone, Debug)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// A text that was pasted: its characters are no keys.
    Paste(String),
    /// Something that only makes it necessary to draw again.
    Other,
}

/// Stdout, written to as everywhere else. A failure is told once: when the terminal has gone, whoever takes leave of it
/// shall not complain, since that would go to the same terminal.
#[derive(Debug, Default)]
struct Out {
    has_failed: bool,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.has_failed {
            platform::write_all(false, bytes).inspect_err(|_| self.has_failed = true)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Drawing = Terminal<CrosstermBackend<BufWriter<Out>>>;

/// The whole terminal, as long as this exists.
#[derive(Debug)]
pub struct Screen {
    terminal: Drawing,
    colored: bool,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// What the system says.
    pub fn enter(colored: bool) -> io::Result<Self> {
        // It has an opinion of its own about colour, and ours is decided.
        style::force_color_output(colored);
        give_back_on_panic();
        Ok(Self { terminal: take()?, colored })
    }

    /// Draws.
    ///
    /// # Errors
    /// What the system says; above all that the terminal has gone.
    pub fn draw(&mut self, view: &mut View) -> io::Result<()> {
        self.terminal.draw(|frame| draw(view, self.colored, frame)).map(|_| ())
    }

    /// Takes the terminal once more, after somebody else had it.
    ///
    /// # Errors
    /// What the system says.
    pub fn again(&mut self) -> io::Result<()> {
        // One that knows nothing of what it has drawn. To clear the old one would ask the terminal where the cursor is, and
        // the answer would come to the thread that reads keys.
        self.terminal = take()?;
        Ok(())
    }

    /// Lets the shell have the terminal until it brings us back.
    ///
    /// # Errors
    /// What the system says.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        platform::suspend_self();
        self.again()
    }

    /// Reads what comes from the keyboard, in a thread of its own. Nothing comes where stdin is no terminal: then signals
    /// end the view, those of the keyboard too.
    pub fn inputs(waker: Waker) -> Receiver<Input> {
        let (sender, inputs) = channel();
        let read = move || {
            while let Ok(event) = event::read() {
                let input = match event {
                    Event::Key(key) if key.kind != KeyEventKind::Release => Input::Key(key),
                    Event::Paste(text) => Input::Paste(text),
                    _ => Input::Other,
                };
                if sender.send(input).is_err() {
                    break;
                }
                waker.wake();
            }
        };
        if io::stdin().is_terminal() {
            std::thread::spawn(read);
        }
        inputs
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // See `Out`.
        execute!(self.terminal.backend_mut(), cursor::Show).ok();
        give_back();
    }
}

fn take() -> io::Result<Drawing> {
    if io::stdin().is_terminal() {
        terminal::enable_raw_mode()?;
    }
    let clear = terminal::Clear(terminal::ClearType::All);
    execute!(Out::default(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide, clear)
        .and_then(|()| Terminal::new(CrosstermBackend::new(BufWriter::new(Out::default()))))
        .inspect_err(|_| give_back())
}

/// Nobody is left to be told of a failure: the terminal has gone then.
fn give_back() {
    execute!(Out::default(), DisableBracketedPaste, cursor::Show, LeaveAlternateScreen).ok();
    terminal::disable_raw_mode().ok();
}

/// A release binary does not unwind when it panics: what is dropped is not enough.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
    });
}
