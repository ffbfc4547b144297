//! Choosing lines of output, and taking colours and other escape sequences out of it.

use std::collections::VecDeque;

use anstream::adapter::{StripBytes, strip_bytes};
use regex::bytes::Regex;

/// Which lines are wanted.
#[derive(Clone, Debug)]
pub struct Grep {
    /// What they match.
    pub regex: Regex,
    /// How many lines around each are wanted, too.
    pub context: usize,
}

/// What becomes of the bytes of a stream.
#[derive(Debug)]
pub(super) enum Filter {
    /// They stay as they are.
    All,
    /// Escape sequences are taken out, also those that are cut between two reads.
    Strip(StripBytes),
    /// Only some lines stay.
    Lines(Lines),
}

/// Chooses lines.
#[derive(Debug)]
pub(super) struct Lines {
    grep: Grep,
    strip: bool,
    before: VecDeque<Vec<u8>>,
    /// How many lines after a match are still to be shown.
    pub(super) after: usize,
    /// Whether lines were left out since the last one that was shown.
    apart: bool,
    shown: bool,
}

/// The context that is asked for at most; it is kept in memory.
pub const MOST_CONTEXT: usize = 10_000;

impl Grep {
    /// Says whether a line, without its newline, is wanted.
    pub(super) fn matches(&self, line: &[u8], strip: bool) -> bool {
        if strip { self.regex.is_match(&strip_bytes(line).into_vec()) } else { self.regex.is_match(line) }
    }
}

impl Filter {
    pub(super) fn new(grep: Option<&Grep>, strip: bool) -> Self {
        match (grep, strip) {
            (Some(grep), strip) => Self::Lines(Lines {
                grep: grep.clone(),
                strip,
                before: VecDeque::new(),
                after: 0,
                apart: false,
                shown: false,
            }),
            (None, true) => Self::Strip(StripBytes::new()),
            (None, false) => Self::All,
        }
    }
}

impl Lines {
    /// Takes a line with its newline, if it has one, and appends what is to be shown. Says whether it matched.
    pub(super) fn take(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let stripped;
        let mut line = line;
        if self.strip {
            stripped = strip_bytes(line).into_vec();
            line = &stripped;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        if self.grep.regex.is_match(text) {
            // As grep does it: a line between groups that do not touch.
            if self.apart && self.shown && self.grep.context > 0 {
                out.extend_from_slice(b"--\n");
            }
            self.before.drain(..).for_each(|line| out.extend_from_slice(&line));
            out.extend_from_slice(line);
            (self.after, self.apart, self.shown) = (self.grep.context, false, true);
            return true;
        }
        if self.after > 0 {
            self.after -= 1;
            out.extend_from_slice(line);
        } else {
            self.before.push_back(line.to_vec());
            if self.before.len() > self.grep.context {
                self.before.pop_front();
                self.apart = true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grep(pattern: &str, context: usize, strip: bool, lines: &[&str]) -> String {
        let grep = Grep { regex: Regex::new(pattern).expect("a pattern"), context };
        let Filter::Lines(mut filter) = Filter::new(Some(&grep), strip) else { panic!("lines are chosen") };
        let mut out = Vec::new();
        for line in lines {
            filter.take(line.as_bytes(), &mut out);
        }
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn lines_and_their_context() {
        let lines = ["a\n", "b\n", "X\n", "c\n", "d\n", "e\n", "X\n", "f"];
        assert_eq!(grep("X", 0, false, &lines), "X\nX\n");
        assert_eq!(grep("X", 1, false, &lines), "b\nX\nc\n--\ne\nX\nf");
        assert_eq!(grep("X", 2, false, &lines), "a\nb\nX\nc\nd\ne\nX\nf");
        assert_eq!(grep("X$|^a", 0, false, &lines), "a\nX\nX\n");
        assert_eq!(grep("no", 3, false, &lines), "");
    }

    #[test]
    fn colours_do_not_hide_a_line() {
        let lines = ["\u{1b}[31mer\u{1b}[1mror\u{1b}[0m: x\n", "fine\n"];
        assert_eq!(grep("error", 0, false, &lines), "");
        assert_eq!(grep("^error", 0, true, &lines), "error: x\n");
    }
}
