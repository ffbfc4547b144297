//! What our standard input is.

/// What descriptor 0 is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StdinKind {
    /// A terminal.
    Terminal,
    /// Anything else.
    Other,
    /// Not open at all.
    Closed,
}

/// Looks at stdin.
pub fn stdin_kind() -> StdinKind {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() { StdinKind::Terminal } else { StdinKind::Other }
}

/// Not known here.
pub fn same_destination() -> bool {
    false
}
