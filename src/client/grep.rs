//! Choosing lines of output, and taking colours and other escape sequences out of it.

use std::borrow::Cow;
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
    /// It is looked at line by line.
    Lines(Lines),
}

/// How lines are made readable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cleaning {
    /// Without escape sequences.
    pub strip_ansi: bool,
    /// As the driver of a terminal writes them: their ends are made plain newlines, and of a line that was written over
    /// and over again, as progress is told, stays what was there last.
    pub returns: bool,
}

impl Cleaning {
    /// Cleans a line, with or without its newline.
    fn clean(self, line: &[u8]) -> Cow<'_, [u8]> {
        let line = if self.strip_ansi { Cow::Owned(strip_bytes(line).into_vec()) } else { Cow::Borrowed(line) };
        if !self.returns || !line.contains(&b'\r') {
            return line;
        }
        let (text, end) = line.strip_suffix(b"\n").map_or((&*line, &b""[..]), |text| (text, b"\n"));
        let text = &text[..text.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1)];
        let last = text.iter().rposition(|byte| *byte == b'\r').map_or(text, |at| &text[at + 1..]);
        Cow::Owned([last, end].concat())
    }
}

/// Cleans and chooses lines.
#[derive(Debug)]
pub(super) struct Lines {
    grep: Option<Grep>,
    cleaning: Cleaning,
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
    pub(super) fn matches(&self, line: &[u8], cleaning: Cleaning) -> bool {
        self.regex.is_match(&cleaning.clean(line))
    }
}

impl Filter {
    pub(super) fn new(grep: Option<&Grep>, cleaning: Cleaning) -> Self {
        match (grep, cleaning) {
            (None, Cleaning { returns: false, strip_ansi: true }) => Self::Strip(StripBytes::new()),
            (None, Cleaning { returns: false, strip_ansi: false }) => Self::All,
            (grep, cleaning) => Self::Lines(Lines {
                grep: grep.cloned(),
                cleaning,
                before: VecDeque::new(),
                after: 0,
                apart: false,
                shown: false,
            }),
        }
    }
}

impl Lines {
    /// Says whether every line stays.
    pub(super) fn keeps_all(&self) -> bool {
        self.grep.is_none()
    }

    /// Takes a line with its newline, if it has one, and appends what is to be shown. Says whether it is wanted itself.
    pub(super) fn take(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        let line = self.cleaning.clean(line);
        let Some(grep) = &self.grep else {
            out.extend_from_slice(&line);
            return true;
        };
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if grep.regex.is_match(text) {
            // As grep does it: a line between groups that do not touch.
            if self.apart && self.shown && grep.context > 0 {
                out.extend_from_slice(b"--\n");
            }
            self.before.drain(..).for_each(|line| out.extend_from_slice(&line));
            out.extend_from_slice(&line);
            (self.after, self.apart, self.shown) = (grep.context, false, true);
            return true;
        }
        if self.after > 0 {
            self.after -= 1;
            out.extend_from_slice(&line);
        } else {
            self.before.push_back(line.to_vec());
            if self.before.len() > grep.context {
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
        let cleaning = Cleaning { strip_ansi: strip, returns: false };
        let Filter::Lines(mut filter) = Filter::new(Some(&grep), cleaning) else { panic!("lines are chosen") };
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
    fn of_a_line_that_was_written_over_stays_what_was_there_last() {
        let clean = |line: &str| {
            let cleaned = Cleaning { strip_ansi: true, returns: true }.clean(line.as_bytes()).into_owned();
            String::from_utf8(cleaned).expect("text")
        };
        for (line, text) in [
            ("plain\n", "plain\n"),
            ("ended by the driver\r\n", "ended by the driver\n"),
            ("\r10 %\r\x1b[K20 %\r\r\n", "20 %\n"),
            ("no end yet\r", "no end yet"),
            ("\r\n", "\n"),
            ("", ""),
        ] {
            assert_eq!(clean(line), text, "{line:?}");
        }
        assert_eq!(&*Cleaning::default().clean(b"a\rb\r\n"), b"a\rb\r\n");
    }

    #[test]
    fn colours_do_not_hide_a_line() {
        let lines = ["\u{1b}[31mer\u{1b}[1mror\u{1b}[0m: x\n", "fine\n"];
        assert_eq!(grep("error", 0, false, &lines), "");
        assert_eq!(grep("^error", 0, true, &lines), "error: x\n");
    }
}
