//! Colour: decided once, by flag, `NO_COLOR` and terminal; never the only carrier of meaning.

use crate::domain::state::State;

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ColorChoice {
    /// On terminals, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether and how to colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    colored: bool,
}

impl Style {
    /// Decides. See <https://no-color.org>: the variable counts when it is set and not empty.
    pub fn decide(choice: ColorChoice, no_color: bool, is_terminal: bool, is_dumb: bool) -> Self {
        let colored = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !no_color && !is_dumb,
        };
        Self { colored }
    }

    /// Says whether there is colour at all.
    pub fn is_colored(self) -> bool {
        self.colored
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colored { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Emphasises.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Recedes.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Colours a text by what a state means.
    pub fn state(self, state: State, text: &str) -> String {
        let code = match tone(state) {
            Tone::Good => "32",
            Tone::Going => "36",
            Tone::Between => "33",
            Tone::Bad => "31",
            Tone::Asked => "35",
        };
        self.paint(code, text)
    }
}

/// What a state means to whoever looks at it, for those who colour it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// It ended well.
    Good,
    /// It goes on.
    Going,
    /// It is on its way to something else.
    Between,
    /// Somebody should look.
    Bad,
    /// It ended as somebody asked, or nobody can say.
    Asked,
}

/// Returns what a state means.
pub fn tone(state: State) -> Tone {
    match state {
        State::Succeeded => Tone::Good,
        State::Running | State::Starting => Tone::Going,
        State::Queued | State::Stopping | State::Finalizing => Tone::Between,
        State::Failed | State::TimedOut | State::Lost | State::Corrupt | State::Orphaned => Tone::Bad,
        State::Interrupted | State::Abandoned | State::Skipped | State::Unknown => Tone::Asked,
    }
}
