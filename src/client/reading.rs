//! Reading a part of what a job has printed: bounded, from where it is wanted, past what was dropped.

use std::io;
use std::ops::Range;

use super::grep::{Cleaning, Filter, Grep};
use super::tail::tail_start;
use crate::store::Log;

/// How much is read at once.
const CHUNK: u64 = 256 << 10;
/// A line that is longer is cut into several when lines are chosen.
const LONGEST_LINE: usize = 4 << 20;

/// What is wanted of a stream.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Nothing before this offset.
    pub from: u64,
    /// Nothing from this offset on.
    pub until: Option<u64>,
    /// Only so many lines from the beginning on; with `grep` so many that match.
    pub head: Option<u64>,
    /// Only so many lines from the end; with `grep` so many that match.
    pub tail: Option<u64>,
    /// Only so many bytes: the newest with `tail`, else the first.
    pub max_bytes: Option<u64>,
    /// Only these lines.
    pub grep: Option<Grep>,
    /// How it is made readable.
    pub cleaning: Cleaning,
}

/// A part of a stream.
#[derive(Debug, Default)]
pub struct Piece {
    /// What was printed, as far as it was wanted.
    pub bytes: Vec<u8>,
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// How much had been printed.
    pub total: u64,
    /// Whether something after the offset that was asked for is not among the bytes.
    pub truncated: bool,
    /// How much of the whole stream was dropped.
    pub dropped: u64,
    /// What was dropped between `start` and `end`.
    pub gaps: Vec<Range<u64>>,
}

impl Piece {
    /// Leaves out the rest of a line at the beginning, unless there is nothing else.
    pub fn begin_with_a_line(&mut self) {
        let before_gap = self.gaps.first().map_or(self.end, |gap| gap.start) - self.start;
        let searched = self.bytes.iter().take(usize::try_from(before_gap).unwrap_or(usize::MAX));
        let line = searched.enumerate().find(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        if let Some(line) = line.filter(|line| self.start > 0 && *line < self.bytes.len()) {
            self.bytes.drain(..line);
            self.start += line as u64;
        }
    }
}

/// A stream that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    log: Log,
    at: u64,
    until: Option<u64>,
    lines_left: Option<u64>,
    bytes_left: Option<u64>,
    filter: Filter,
    /// A line whose end has not been read.
    partial: Vec<u8>,
    gaps: Vec<Range<u64>>,
    has_shown: bool,
    is_over: bool,
    /// What was read last, and how much of it is to be shown as it is. Made once: a new one for each reading costs more than
    /// the reading.
    buffer: Vec<u8>,
    raw: usize,
    /// What is to be shown when it is not what was read.
    chosen: Vec<u8>,
}

impl Reading {
    /// Finds where to begin.
    pub(super) fn new(log: Log, wanted: &Wanted) -> io::Result<Self> {
        let mut at = wanted.from;
        if let Some(lines) = wanted.tail {
            let end = wanted.until.map_or_else(|| log.length(), Ok)?;
            at = tail_start(&log, wanted, lines, end)?;
        }
        // What is wanted of the end is cut at its beginning, by whoever collects it.
        let bytes_left = wanted.max_bytes.filter(|_| wanted.tail.is_none());
        Ok(Self {
            log,
            at,
            until: wanted.until,
            lines_left: wanted.head,
            bytes_left,
            filter: Filter::new(wanted.grep.as_ref(), wanted.cleaning),
            partial: Vec::new(),
            gaps: Vec::new(),
            has_shown: false,
            is_over: wanted.head == Some(0),
            buffer: Vec::new(),
            raw: 0,
            chosen: Vec::new(),
        })
    }

    /// Returns up to where has been read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Takes the ranges that were passed over because they were dropped.
    pub(super) fn take_gaps(&mut self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.gaps)
    }

    /// Reads on, to where [`Reading::shown`] is what is to be shown, perhaps nothing. Says whether there was more.
    pub(super) fn next(&mut self) -> io::Result<bool> {
        self.forget_shown();
        let raw = !matches!(self.filter, Filter::Lines(_));
        let mut room = self.until.map_or(CHUNK, |until| until.saturating_sub(self.at).min(CHUNK));
        if let Some(left) = self.bytes_left.filter(|_| raw) {
            room = room.min(left);
        }
        if self.is_over || room == 0 {
            return Ok(false);
        }
        let room = usize::try_from(room).unwrap_or(0);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        let (start, mut n) = self.log.read(self.at, &mut self.buffer[..room])?;
        if start > self.at {
            self.gaps.push(self.at..start);
            // The two sides of a gap are no line.
            self.take_partial();
            if self.is_over {
                return Ok(!self.chosen.is_empty());
            }
        }
        if let Some(until) = self.until {
            n = n.min(usize::try_from(until.saturating_sub(start)).unwrap_or(usize::MAX));
        }
        self.at = start;
        if n == 0 {
            return Ok(!self.chosen.is_empty());
        }
        if raw {
            self.take_bytes(n);
        } else {
            self.take_lines(n);
        }
        Ok(true)
    }

    /// Hands on what comes next without reading it, if it is wanted as it is. Returns how much; `None` where it has to be read.
    pub(super) fn hand_on(&mut self, to_stderr: bool) -> io::Result<Option<usize>> {
        const AT_ONCE: usize = 1 << 20;
        let takes_all = matches!(self.filter, Filter::All) && !self.is_over;
        if !takes_all || self.until.is_some() || self.lines_left.is_some() || self.bytes_left.is_some() {
            return Ok(None);
        }
        let handed = self.log.hand_on(self.at, AT_ONCE, to_stderr)?;
        self.at += handed.unwrap_or(0) as u64;
        Ok(handed)
    }

    /// Returns what is to be shown of what was read last.
    pub(super) fn shown(&self) -> &[u8] {
        if self.raw > 0 { &self.buffer[..self.raw] } else { &self.chosen }
    }

    /// Reads no more: what is left of a last line that has no end is what is to be shown.
    pub(super) fn finish(&mut self) -> &[u8] {
        self.forget_shown();
        self.take_partial();
        &self.chosen
    }

    fn forget_shown(&mut self) {
        self.raw = 0;
        self.chosen.clear();
    }

    fn take_bytes(&mut self, mut n: usize) {
        if let Some(left) = &mut self.lines_left {
            let ends =
                self.buffer[..n].iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
            let ends: Vec<usize> = ends.take(usize::try_from(*left).unwrap_or(usize::MAX)).collect();
            *left -= ends.len() as u64;
            if let (0, Some(end)) = (*left, ends.last()) {
                n = *end;
                self.is_over = true;
            }
        }
        self.at += n as u64;
        if let Some(left) = &mut self.bytes_left {
            *left -= (n as u64).min(*left);
        }
        match &mut self.filter {
            Filter::Strip(strip) => {
                strip.strip_next(&self.buffer[..n]).for_each(|part| self.chosen.extend_from_slice(part));
            }
            Filter::All | Filter::Lines(_) => self.raw = n,
        }
    }

    fn take_lines(&mut self, n: usize) {
        let buffer = std::mem::take(&mut self.buffer);
        for part in buffer[..n].split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            self.at += part.len() as u64;
            if part.ends_with(b"\n") || self.partial.len() >= LONGEST_LINE {
                self.take_partial();
            }
            if self.is_over {
                break;
            }
        }
        self.buffer = buffer;
    }

    fn take_partial(&mut self) {
        let Filter::Lines(lines) = &mut self.filter else { return };
        if self.partial.is_empty() || self.is_over {
            return;
        }
        let before = self.chosen.len();
        let is_wanted = lines.take(&self.partial, &mut self.chosen);
        let more = (self.chosen.len() - before) as u64;
        if lines.keeps_all() && self.has_shown && self.bytes_left.is_some_and(|left| more > left) {
            // It comes whole the next time, from where we have read up to.
            self.chosen.truncate(before);
            self.at -= self.partial.len() as u64;
            self.partial.clear();
            self.is_over = true;
            return;
        }
        self.has_shown = true;
        if let (true, Some(left)) = (is_wanted, &mut self.lines_left) {
            *left -= 1;
        }
        self.partial.clear();
        self.is_over = self.lines_left == Some(0) && lines.after == 0;
        if let Some(left) = &mut self.bytes_left {
            if more > *left {
                self.chosen.truncate(before + usize::try_from(*left).unwrap_or(0));
            }
            *left -= more.min(*left);
            self.is_over |= *left == 0;
        }
    }
}

/// Reads a part of a stream into memory. `has_ended` says that nothing more will be written: else a character that is cut
/// in two at the end is left for the next time.
///
/// # Errors
/// What the system says of the log.
pub fn read_piece(log: Log, wanted: &Wanted, has_ended: bool) -> io::Result<Piece> {
    let total = log.length()?;
    let mut wanted = wanted.clone();
    if wanted.from > total {
        // The job has emptied its log, as `> /dev/stderr` does.
        wanted.from = 0;
    }
    wanted.until = Some(total);
    let mut reading = Reading::new(log, &wanted)?;
    let mut piece = Piece { total, start: reading.at(), ..Piece::default() };
    let keep = wanted.max_bytes.filter(|_| wanted.tail.is_some()).and_then(|max| usize::try_from(max).ok());
    let mut was_cut = reading.at() > wanted.from && wanted.tail.is_some() && wanted.max_bytes.is_some();
    while reading.next()? {
        piece.bytes.extend_from_slice(reading.shown());
        was_cut |= cut_front(&mut piece.bytes, keep);
    }
    piece.bytes.extend_from_slice(reading.finish());
    was_cut |= cut_front(&mut piece.bytes, keep);
    piece.end = reading.at();
    piece.gaps = reading.take_gaps();
    piece.dropped = reading.log.dropped(0)?;
    if let Some(first) = piece.gaps.first().filter(|gap| gap.start == piece.start).cloned() {
        piece.start = first.end;
        piece.gaps.remove(0);
    }
    // Offsets and bytes run in step only while nothing is taken out.
    if wanted.grep.is_none() && wanted.cleaning == Cleaning::default() {
        if was_cut {
            let rest = piece.bytes.iter().take(3).take_while(|byte| is_continuation(**byte)).count();
            piece.bytes.drain(..rest);
            piece.start += rest as u64;
        }
        if piece.end < total || !has_ended {
            let rest = half_character(&piece.bytes);
            piece.bytes.truncate(piece.bytes.len() - rest);
            piece.end -= rest as u64;
        }
    }
    piece.truncated = piece.start > wanted.from || piece.end < total || !piece.gaps.is_empty();
    Ok(piece)
}

/// Keeps the last bytes only. Says whether others were cut off.
fn cut_front(bytes: &mut Vec<u8>, keep: Option<usize>) -> bool {
    let surplus = keep.map_or(0, |keep| bytes.len().saturating_sub(keep));
    bytes.drain(..surplus);
    surplus > 0
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Returns how many bytes at the end are the beginning of a character of UTF-8.
fn half_character(bytes: &[u8]) -> usize {
    let back = bytes.iter().rev().take(3).take_while(|byte| is_continuation(**byte)).count() + 1;
    let Some(first) = bytes.len().checked_sub(back).map(|at| bytes[at]) else { return 0 };
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return 0,
    };
    if length > back { back } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(content: &[u8], wanted: &Wanted) -> (String, u64, u64, bool) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        std::fs::write(&path, content).expect("writes");
        let piece = read_piece(Log::open(&path, None).expect("opens"), wanted, false).expect("reads");
        (String::from_utf8_lossy(&piece.bytes).into_owned(), piece.start, piece.end, piece.truncated)
    }

    fn grep(pattern: &str, context: usize) -> Option<Grep> {
        Some(Grep { regex: regex::bytes::Regex::new(pattern).expect("a pattern"), context })
    }

    const LINES: &[u8] = b"a1\nb2\na3\nb4\na5\n";

    #[test]
    fn parts_and_their_places() {
        let all = Wanted::default;
        let text = |text: &str, start, end, truncated| (text.to_owned(), start, end, truncated);
        assert_eq!(piece(LINES, &all()), text("a1\nb2\na3\nb4\na5\n", 0, 15, false));
        assert_eq!(piece(LINES, &Wanted { from: 12, ..all() }), text("a5\n", 12, 15, false));
        assert_eq!(piece(LINES, &Wanted { from: 15, ..all() }), text("", 15, 15, false));
        assert_eq!(piece(LINES, &Wanted { from: 99, ..all() }).0.len(), 15, "the log was emptied");
        assert_eq!(piece(LINES, &Wanted { head: Some(2), ..all() }), text("a1\nb2\n", 0, 6, true));
        assert_eq!(piece(LINES, &Wanted { head: Some(0), ..all() }), text("", 0, 0, true));
        assert_eq!(piece(LINES, &Wanted { head: Some(2), from: 3, ..all() }), text("b2\na3\n", 3, 9, true));
        assert_eq!(piece(LINES, &Wanted { tail: Some(2), ..all() }), text("b4\na5\n", 9, 15, true));
        assert_eq!(piece(LINES, &Wanted { tail: Some(9), ..all() }), text("a1\nb2\na3\nb4\na5\n", 0, 15, false));
        assert_eq!(piece(LINES, &Wanted { tail: Some(9), from: 12, ..all() }), text("a5\n", 12, 15, false));
        assert_eq!(piece(LINES, &Wanted { tail: Some(0), ..all() }), text("", 15, 15, true));
        assert_eq!(piece(LINES, &Wanted { max_bytes: Some(4), ..all() }), text("a1\nb", 0, 4, true));
        assert_eq!(piece(LINES, &Wanted { max_bytes: Some(4), tail: Some(9), ..all() }), text("\na5\n", 11, 15, true));
    }

    #[test]
    fn chosen_lines() {
        let chosen = |wanted: Wanted| piece(LINES, &wanted).0;
        let all = || Wanted { grep: grep("a", 0), ..Wanted::default() };
        assert_eq!(chosen(all()), "a1\na3\na5\n");
        assert_eq!(chosen(Wanted { head: Some(2), ..all() }), "a1\na3\n");
        assert_eq!(chosen(Wanted { tail: Some(2), ..all() }), "a3\na5\n");
        assert_eq!(chosen(Wanted { tail: Some(1), grep: grep("3", 1), ..all() }), "b2\na3\nb4\n");
        assert_eq!(chosen(Wanted { max_bytes: Some(5), ..all() }), "a1\na3");
        assert_eq!(chosen(Wanted { max_bytes: Some(5), tail: Some(9), ..all() }), "3\na5\n");
        assert_eq!(chosen(Wanted { tail: Some(3), grep: grep("z", 2), ..all() }), "");
        // Where to go on: behind the last line that was looked at.
        assert_eq!(piece(LINES, &Wanted { head: Some(2), ..all() }).2, 9);
    }

    #[test]
    fn characters_are_not_cut_in_two() {
        let text = "aé€😀".as_bytes();
        for max in 1..=text.len() as u64 {
            let first = piece(text, &Wanted { max_bytes: Some(max), ..Wanted::default() });
            assert!(!first.0.contains('\u{fffd}') && first.2 <= max, "{max}: {first:?}");
            let last = piece(text, &Wanted { max_bytes: Some(max), tail: Some(1), ..Wanted::default() });
            assert!(!last.0.contains('\u{fffd}') && last.2 == text.len() as u64, "{max}: {last:?}");
        }
        // What is no text is given out as it is.
        assert_eq!(piece(b"a\xff", &Wanted::default()).2, 2);
        assert_eq!(piece(b"a\x80\x80\x80\x80", &Wanted::default()).2, 5);
        assert_eq!(half_character("x€".as_bytes()), 0);
        assert_eq!(half_character(&"x€".as_bytes()[..3]), 2);
    }

    #[test]
    fn escape_sequences_are_taken_out() {
        let cleaning = Cleaning { strip_ansi: true, returns: false };
        let wanted = Wanted { cleaning, ..Wanted::default() };
        assert_eq!(piece(b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\n", &wanted).0, "red x\n");
    }

    #[test]
    fn a_terminal_is_read_in_parts_without_a_loss() {
        let log = b"one\r\n\r1 %\r\x1b[K99 %\r\nthree is longer\r\nend";
        let cleaning = Cleaning { strip_ansi: true, returns: true };
        for max in [5, 6, 9, 40] {
            let (mut text, mut from) = (String::new(), 0);
            while from < log.len() as u64 {
                let part = piece(log, &Wanted { from, max_bytes: Some(max), cleaning, ..Wanted::default() });
                assert!(part.2 > from && part.0.len() as u64 <= max, "{max}: {part:?}");
                text.push_str(&part.0);
                from = part.2;
            }
            // A line that is longer than what is taken at once is cut.
            let whole = if max < 16 { &"three is longer\n"[..max as usize] } else { "three is longer\n" };
            assert_eq!(text, format!("one\n99 %\n{whole}end"), "{max}");
        }
    }
}
