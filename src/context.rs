//! What a command works in: where the state is, what time it is, where it writes. Built once, passed to every command.

#![expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]

use std::cell::{OnceCell, RefCell};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::domain::signal::Signal;
use crate::domain::spec::Variables;
use crate::platform::{self, RawTerminal, WakeQueue};
use crate::present::style::{ColorChoice, Style};
use crate::settings::{Settings, SettingsError};
use crate::store::{Store, StoreError};

/// Where a choice comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// From an option.
    CommandLine,
    /// From a variable.
    Environment,
    /// From nowhere else.
    BuiltIn,
}

/// The surroundings of one invocation.
#[derive(Debug)]
pub struct Context {
    state_dir: PathBuf,
    origin_of_state_dir: Origin,
    color: ColorChoice,
    json: bool,
    verb: &'static str,
    file_mask: u32,
    settings: OnceCell<Result<Settings, SettingsError>>,
    /// The first failure to print, and what was to be printed.
    lost: RefCell<Option<(std::io::Error, String)>>,
}

impl Context {
    /// Looks around. `state_dir` is what `--state-dir` says, `json` whether one JSON document is wanted.
    pub fn new(state_dir: Option<PathBuf>, color: ColorChoice, json: bool) -> Self {
        // What we create is for the user alone; jobs and the user's own files get the caller's mask.
        let file_mask = platform::set_file_mask(0o077);
        // That a file may not grow is told by whoever wanted to write it.
        platform::ignore_write_signals();
        let named = std::env::var_os("JOBDIR_STATE_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let (state_dir, origin_of_state_dir) = match (state_dir, named) {
            (Some(dir), _) => (dir, Origin::CommandLine),
            (None, Some(dir)) => (dir, Origin::Environment),
            (None, None) => (default_state_dir().unwrap_or_else(|| PathBuf::from(".jobdir")), Origin::BuiltIn),
        };
        Self {
            origin_of_state_dir,
            state_dir: std::path::absolute(&state_dir).unwrap_or(state_dir),
            color,
            json,
            verb: "COMMAND",
            file_mask,
            settings: OnceCell::new(),
            lost: RefCell::default(),
        }
    }

    /// Remembers which command this is.
    #[must_use]
    pub fn of(mut self, verb: &'static str) -> Self {
        self.verb = verb;
        self
    }

    /// Returns which command this is.
    pub fn verb(&self) -> &'static str {
        self.verb
    }

    /// Returns where the state is, absolute.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Says why the state is there.
    pub fn origin_of_state_dir(&self) -> Origin {
        self.origin_of_state_dir
    }

    /// Says whether one JSON document is wanted on stdout, errors included.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// Says whether one JSON document is wanted, once more is known.
    pub fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    /// Opens the state directory for reading.
    ///
    /// # Errors
    /// See [`Store::open_for_reading`].
    pub fn reading(&self) -> Result<Store, StoreError> {
        Store::open_for_reading(&self.state_dir)
    }

    /// Opens the state directory for writing.
    ///
    /// # Errors
    /// See [`Store::open_for_writing`].
    pub fn writing(&self) -> Result<Store, StoreError> {
        Store::open_for_writing(&self.state_dir)
    }

    /// Returns what the configuration file says. It is read when it is first asked for.
    ///
    /// # Errors
    /// See [`Settings::load`].
    pub fn settings(&self) -> Result<&Settings, SettingsError> {
        self.settings.get_or_init(|| Settings::load(config_file())).as_ref().map_err(Clone::clone)
    }

    /// Returns the present moment.
    pub fn now(&self) -> DateTime<Utc> {
        platform::now()
    }

    /// Returns the file mode creation mask that the caller had.
    pub fn file_mask(&self) -> u32 {
        self.file_mask
    }

    /// Returns the caller's environment.
    pub fn variables(&self) -> Variables {
        let own = std::env::vars_os().filter(|(name, _)| !platform::is_switch(name));
        own.map(|(name, value)| (platform::os_text(&name), platform::os_text(&value))).collect()
    }

    /// Returns one variable of the caller's environment.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }

    /// Returns the caller's working directory.
    ///
    /// # Errors
    /// When it is gone.
    pub fn current_dir(&self) -> std::io::Result<PathBuf> {
        std::env::current_dir()
    }

    /// Returns the home directory of the user.
    pub fn home(&self) -> Option<PathBuf> {
        directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned())
    }

    /// Makes a queue that the signals for a client reach; those that are ignored stay ignored.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn queue(&self) -> std::io::Result<WakeQueue> {
        WakeQueue::new(&[Signal::INT, Signal::TERM, Signal::HUP], true)
    }

    /// Says whether stdout is a terminal.
    pub fn stdout_is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Says whether stderr is a terminal.
    pub fn stderr_is_terminal(&self) -> bool {
        std::io::stderr().is_terminal()
    }

    /// Returns the width of the terminal at stdout, if it is one.
    pub fn width(&self) -> Option<usize> {
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        self.stdout_is_terminal()
            .then(|| columns.or_else(|| platform::terminal_size().map(|size| usize::from(size.columns))).unwrap_or(80))
    }

    /// Returns how many rows the terminal at stdout has; `None` when nothing can be redrawn there.
    pub fn height(&self) -> Option<usize> {
        (self.stdout_is_terminal() && !is_dumb())
            .then(|| platform::terminal_size().map_or(24, |size| usize::from(size.rows).max(4)))
    }

    /// Returns how wide a line may be that tells of a long wait: only where a person reads what is said, and where it does
    /// not get between the lines of a document.
    pub fn status_columns(json: bool) -> Option<usize> {
        let disturbs = json && std::io::stdout().is_terminal();
        // In the last column some terminals begin a new line.
        (std::io::stderr().is_terminal() && !is_dumb() && !disturbs)
            .then(|| platform::terminal_size().map_or(79, |size| usize::from(size.columns).saturating_sub(1)))
    }

    /// Decides on colour for stdout.
    pub fn style(&self) -> Style {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Style::decide(self.color, no_color, self.stdout_is_terminal(), dumb)
    }

    /// Prints data. Says whether that worked; if it did not, the failure is reported at the end.
    pub fn out(&self, text: &str) -> bool {
        self.out_bytes(text.as_bytes())
    }

    /// As [`Context::out`], for bytes.
    pub fn out_bytes(&self, bytes: &[u8]) -> bool {
        match platform::write_all(false, bytes) {
            Ok(()) => true,
            Err(error) => {
                let beginning = &bytes[..bytes.len().min(200)];
                self.lost.borrow_mut().get_or_insert_with(|| (error, String::from_utf8_lossy(beginning).into_owned()));
                false
            }
        }
    }

    /// Returns why something could not be printed, and the beginning of it. That nobody reads it any more is no failure.
    pub fn lost_output(&self) -> Option<(std::io::Error, String)> {
        self.lost.borrow_mut().take().filter(|(error, _)| error.kind() != std::io::ErrorKind::BrokenPipe)
    }

    /// Prints talk, a line. Whatever is quoted in it, from a record say, reaches the terminal without control characters.
    pub fn talk(&self, text: &str) {
        say(text);
    }

    /// From now on what the parts of this program do is told on stderr: with 1 what matters, with 2 everything.
    pub fn set_verbosity(&self, verbosity: u8) {
        let level = match verbosity {
            0 => return,
            1 => log::LevelFilter::Info,
            _ => log::LevelFilter::Debug,
        };
        if log::set_logger(&Teller).is_ok() {
            log::set_max_level(level);
        }
        let from = match self.origin_of_state_dir {
            Origin::CommandLine => "--state-dir",
            Origin::Environment => "JOBDIR_STATE_DIR",
            Origin::BuiltIn => "the default",
        };
        log::info!("state directory '{}', from {from}", self.state_dir.display());
    }
}

/// Tells what the parts of this program say of their work.
struct Teller;

impl log::Log for Teller {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        // Libraries talk, too.
        metadata.target().starts_with("jobdir")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            say(&format!("jobdir: {}", record.args()));
        }
    }

    fn flush(&self) {}
}

fn say(text: &str) {
    let text = text.split('\n').map(crate::present::text::escape).collect::<Vec<_>>().join("\n");
    let mut line = format!("{text}\n");
    if RawTerminal::is_active() {
        // The job has the terminal at the moment, and nobody makes line ends of ours whole.
        line = format!("\r{}", line.replace('\n', "\r\n"));
    }
    // Nobody to talk to is no reason to fail.
    platform::write_all(true, line.as_bytes()).ok();
}

/// Says whether the terminal cannot draw over what it has shown.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// The file in the platform's directory for the configuration of users.
fn config_file() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "jobdir")?;
    Some(dirs.config_dir().join("config.toml"))
}

/// The platform's directory for the state of users, see the `directories` crate; on macOS and Windows there is none,
/// and the one for local data is the closest.
fn default_state_dir() -> Option<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "jobdir")?;
    Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())
}
