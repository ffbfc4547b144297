//! Where a reader of output has got to: an attempt, and an offset in each of its two logs.

use std::fmt;
use std::str::FromStr;

/// `ATTEMPT:STDOUT:STDERR`. Offsets count what was written, so that dropping old output changes none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The attempt, counted from 1.
    pub attempt: u32,
    /// How much of its stdout is known.
    pub stdout: u64,
    /// How much of its stderr is known.
    pub stderr: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.attempt, self.stdout, self.stderr)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let mut parts = text.split(':');
            let cursor = Self {
                attempt: parts.next()?.parse().ok().filter(|attempt| *attempt > 0)?,
                stdout: parts.next()?.parse().ok()?,
                stderr: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(cursor)
        };
        parse().ok_or_else(|| format!("'{text}' is not a cursor; take it from 'jobdir logs --json', such as 1:4096:0"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_parses_back(attempt in 1u32.., stdout: u64, stderr: u64) {
            let cursor = Cursor { attempt, stdout, stderr };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn nothing_else_parses(text in "[0-9:x-]{0,12}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(text.split(':').count(), 3);
                prop_assert!(cursor.attempt > 0);
            }
        }
    }
}
