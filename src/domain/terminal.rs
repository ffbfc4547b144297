//! The size of a job's terminal.

use serde::{Deserialize, Serialize};

/// The value of the `schema` field of a size.
pub const TERMINAL_SCHEMA: &str = "jobdir/terminal/1";

/// How large a terminal is, in characters: the file `terminal`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TerminalSize {
    /// [`TERMINAL_SCHEMA`].
    pub schema: String,
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

impl TerminalSize {
    /// Describes a size.
    pub fn new(rows: u16, columns: u16) -> Self {
        Self { schema: TERMINAL_SCHEMA.into(), rows, columns }
    }
}

impl Default for TerminalSize {
    /// What a terminal has that nobody looks at.
    fn default() -> Self {
        Self::new(24, 80)
    }
}
