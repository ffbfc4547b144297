//! Reading the log of one stream: by offset, in bounded chunks, and past what a size limit has dropped.
//!
//! A supervisor punches a hole into the middle of a log that has outgrown its limit. The hole itself is all that says
//! so: there is no second file that could disagree with it. Where a job has no limit nobody punches, and a hole, if the
//! job or the file system has made one, is read as the zeros that it stands for.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::platform;

/// An open log.
#[derive(Debug)]
pub struct Log {
    file: File,
    limit: Option<u64>,
}

/// Walks through a log backwards, line by line.
#[derive(Debug)]
pub struct Backwards<'a> {
    log: &'a Log,
    /// Nothing before this offset is looked at.
    from: u64,
    holes: Vec<Range<u64>>,
    /// The bytes from `at` on that belong to lines that were not given out yet.
    kept: Vec<u8>,
    at: u64,
}

/// How much is read at once.
const BLOCK: u64 = 64 << 10;
/// A line that is longer is cut into several.
const LONGEST_LINE: usize = 4 << 20;
/// A file has few holes; more than so many are not looked for.
const MOST_HOLES: usize = 1024;

impl Log {
    /// Opens a log whose stream has this size limit.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` when it is no regular file.
    pub fn open(path: &Path, limit: Option<u64>) -> io::Result<Self> {
        Ok(Self { file: platform::open_regular(path)?, limit })
    }

    /// Returns how much has been written to it, dropped or not.
    ///
    /// # Errors
    /// What the system says.
    pub fn length(&self) -> io::Result<u64> {
        Ok(platform::file_facts(&self.file)?.length)
    }

    /// Finds what was dropped at or after an offset, the first such range; a range that begins before it is cut.
    ///
    /// # Errors
    /// What the system says.
    pub fn gap(&self, from: u64) -> io::Result<Option<Range<u64>>> {
        match self.limit {
            // Within the limit nothing is ever dropped.
            Some(limit) if self.length()? > limit => platform::next_hole(&self.file, from),
            _ => Ok(None),
        }
    }

    /// Returns how many bytes from an offset on were dropped.
    ///
    /// # Errors
    /// What the system says.
    pub fn dropped(&self, from: u64) -> io::Result<u64> {
        Ok(self.gaps(from)?.iter().map(|gap| gap.end - gap.start).sum())
    }

    fn gaps(&self, from: u64) -> io::Result<Vec<Range<u64>>> {
        collect(from, |from| self.gap(from))
    }

    /// Reads at an offset, or where the log goes on if that was dropped. Returns where the bytes begin and how many they
    /// are, none at the end. What is returned was written by the job, even if it is being dropped at this moment.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self, mut at: u64, buffer: &mut [u8]) -> io::Result<(u64, usize)> {
        loop {
            let room = match self.gap(at)? {
                Some(gap) if gap.start <= at => {
                    at = gap.end;
                    continue;
                }
                Some(gap) => usize::try_from(gap.start - at).unwrap_or(usize::MAX).min(buffer.len()),
                None => buffer.len(),
            };
            let n = platform::read_at(&self.file, &mut buffer[..room], at)?;
            // A hole that was made while we read would have given us zeros. Each turn begins later or reads less.
            match self.gap(at)? {
                Some(gap) if gap.start < at + n as u64 => {}
                _ => return Ok((at, n)),
            }
        }
    }

    /// Hands what comes at an offset on to our stdout or stderr, as it is, without reading it. Returns how much, nothing at the
    /// end; `None` where it has to be read: it might be dropped meanwhile, or whoever is to have it has no pipe.
    ///
    /// # Errors
    /// `BrokenPipe` when nobody takes it any more.
    pub fn hand_on(&self, at: u64, most: usize, to_stderr: bool) -> io::Result<Option<usize>> {
        if self.limit.is_some() {
            return Ok(None);
        }
        platform::hand_on(&self.file, at, most, to_stderr)
    }

    /// Walks backwards from `end` to `from`.
    ///
    /// # Errors
    /// What the system says.
    pub fn backwards(&self, from: u64, end: u64) -> io::Result<Backwards<'_>> {
        let holes = collect(from, |from| platform::next_hole(&self.file, from))?;
        Ok(Backwards { log: self, from, holes, kept: Vec::new(), at: end })
    }
}

fn collect(from: u64, next: impl Fn(u64) -> io::Result<Option<Range<u64>>>) -> io::Result<Vec<Range<u64>>> {
    let mut found: Vec<Range<u64>> = Vec::new();
    while found.len() < MOST_HOLES
        && let Some(range) = next(found.last().map_or(from, |last| last.end))?
    {
        found.push(range);
    }
    Ok(found)
}

impl Backwards<'_> {
    /// Returns where the line before the one given out last begins, and its bytes without the newline; for an endless
    /// line its last part. A hole ends a line.
    ///
    /// # Errors
    /// What the system says.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        // The newline at the very end closes the last line; it does not begin another.
        let mut searched = self.kept.len().saturating_sub(usize::from(self.kept.last() == Some(&b'\n')));
        loop {
            if let Some(newline) = self.kept[..searched].iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(self.take_from(newline + 1)));
            }
            let too_long = self.kept.len() >= LONGEST_LINE;
            let hole = self.holes.iter().find(|hole| hole.start < self.at && self.at <= hole.end);
            if let Some(hole) = hole.cloned() {
                let line = (!self.kept.is_empty()).then(|| self.take_from(0));
                self.at = hole.start.max(self.from);
                match line {
                    Some(line) => return Ok(Some(line)),
                    None => continue,
                }
            }
            if self.at <= self.from || too_long {
                return Ok((!self.kept.is_empty()).then(|| self.take_from(0)));
            }
            let floor = self.holes.iter().map(|hole| hole.end).filter(|end| *end < self.at).max().unwrap_or(0);
            let start = self.at.saturating_sub(BLOCK).max(self.from).max(floor);
            let mut block = vec![0; usize::try_from(self.at - start).unwrap_or(0)];
            let mut filled = 0;
            while filled < block.len() {
                match platform::read_at(&self.log.file, &mut block[filled..], start + filled as u64)? {
                    0 => break,
                    n => filled += n,
                }
            }
            block.truncate(filled);
            let was_empty = self.kept.is_empty();
            block.append(&mut self.kept);
            self.kept = block;
            self.at = start;
            searched = if was_empty {
                self.kept.len().saturating_sub(usize::from(self.kept.last() == Some(&b'\n')))
            } else {
                filled
            };
        }
    }

    /// Takes what is kept from this index on as a line.
    fn take_from(&mut self, index: usize) -> (u64, Vec<u8>) {
        let mut line = self.kept.split_off(index);
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        (self.at + index as u64, line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn log(bytes: &[u8]) -> Log {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("writes");
        Log { file, limit: Some(1) }
    }

    fn lines(log: &Log, from: u64) -> Vec<(u64, String)> {
        let mut unread = log.backwards(from, log.length().expect("looks")).expect("begins");
        let mut found = Vec::new();
        while let Some((start, line)) = unread.next_line().expect("reads") {
            found.push((start, String::from_utf8_lossy(&line).into_owned()));
        }
        found
    }

    #[test]
    fn lines_come_backwards() {
        let text = |found: &[(u64, &str)]| found.iter().map(|(at, line)| (*at, (*line).to_owned())).collect::<Vec<_>>();
        assert_eq!(lines(&log(b"one\ntwo\n\nthree\n"), 0), text(&[(9, "three"), (8, ""), (4, "two"), (0, "one")]));
        assert_eq!(lines(&log(b"one\ntwo"), 0), text(&[(4, "two"), (0, "one")]));
        assert_eq!(lines(&log(b"one\ntwo"), 2), text(&[(4, "two"), (2, "e")]));
        assert_eq!(lines(&log(b"\n"), 0), text(&[(0, "")]));
        assert!(lines(&log(b""), 0).is_empty());
    }

    #[test]
    fn lines_may_be_longer_than_what_is_read_at_once() {
        let long = "x".repeat(200_000);
        let found = lines(&log(format!("a\n{long}\nb\n").as_bytes()), 0);
        assert_eq!(
            found.iter().map(|(at, line)| (*at, line.len())).collect::<Vec<_>>(),
            [(200_003, 1), (2, 200_000), (0, 1)]
        );
    }

    #[test]
    fn a_hole_is_passed_over() {
        let mut log = log(&b"0123456789abcde\n".repeat(64 << 10));
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log");
        std::fs::write(&path, b"0123456789abcde\n".repeat(64 << 10)).expect("writes");
        let file = platform::open_for_punching(&path).expect("opens");
        platform::punch_hole(&file, &(65536..(1 << 20) - 65536)).expect("punches");
        log.file = platform::open_regular(&path).expect("opens");
        assert_eq!(log.dropped(0).expect("looks"), (1 << 20) - 131_072);
        assert_eq!(lines(&log, 0).len(), 8192);
        let mut buffer = vec![0; 1 << 20];
        assert_eq!(log.read(0, &mut buffer).expect("reads"), (0, 65536));
        assert_eq!(log.read(65536, &mut buffer).expect("reads"), ((1 << 20) - 65536, 65536));
        assert_eq!(log.read(1 << 20, &mut buffer).expect("reads"), (1 << 20, 0));
        // Without a limit a hole is what the job has made, and it is read as it is.
        log.limit = None;
        assert_eq!(log.read(65536, &mut buffer).expect("reads"), (65536, (1 << 20) - 65536));
    }
}
