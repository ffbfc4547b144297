//! The narrative of a job, one JSON line for everything that happened: appended by the claim's holder alone.
//!
//! A line is written by one write(2). A crash or a full disk can leave a line without its end; whoever appends next ends it,
//! and passes over its number. Readers tell of what is missing by a `gap`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::error::{Context, StoreError};
use super::{Store, format};
use crate::domain::event::{EVENT_SCHEMA, Event, Happening};
use crate::domain::job_id::JobId;
use crate::platform;

/// The most that one call reads; there may be more.
const PORTION: u64 = 16 << 20;
/// The longest line that is an event.
const LONGEST_LINE: usize = 8 << 20;

/// An open narrative.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    id: JobId,
    next: u64,
    /// Whether the last line may have no end.
    is_torn: bool,
}

impl EventLog {
    pub(super) fn open(path: &Path, id: JobId) -> Result<Self, StoreError> {
        let file = platform::append_private(path).context("open", path)?;
        let length = platform::file_facts(&file).context("read", path)?.length;
        let (last, is_torn) = if length > 0 { last_sequence(path, length)? } else { (0, false) };
        Ok(Self { file, id, next: last + 1, is_torn })
    }

    /// Appends one event. Failing to do so must not stop a job, so nothing is returned: the record has the outcome. The
    /// number is used up all the same, so that readers see what is missing.
    pub fn append(&mut self, attempt: u32, what: Happening) {
        let event =
            Event { schema: EVENT_SCHEMA.into(), seq: self.next, time: platform::now(), id: self.id, attempt, what };
        let mut line = format::render(&event);
        if self.is_torn {
            line.insert(0, b'\n');
        }
        self.is_torn = self.file.write_all(&line).is_err();
        platform::crash_point("event.told");
        self.next += 1;
    }
}

/// Finds the number that was used last, looking at the end of the file only, and whether the last line has no end. What
/// cannot be read has had a number each.
fn last_sequence(path: &Path, length: u64) -> Result<(u64, bool), StoreError> {
    let mut file = platform::open_regular(path).context("read", path)?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(256 << 10)))
        .and_then(|_| file.take(256 << 10).read_to_end(&mut tail))
        .context("read", path)?;
    let mut unreadable = 0;
    for line in tail.split(|byte| *byte == b'\n').rev().filter(|line| !line.is_empty()) {
        if let Some(event) = format::parse::<Event>(line) {
            return Ok((event.seq + unreadable, !tail.ends_with(b"\n")));
        }
        unreadable += 1;
    }
    Ok((unreadable, !tail.ends_with(b"\n")))
}

/// Reads the narrative of one job, and goes on where it was.
#[derive(Debug)]
pub struct EventReader {
    id: JobId,
    since: u64,
    position: u64,
    /// The beginning of a line whose end is not there yet.
    begun: Vec<u8>,
    /// The event that was read last.
    last: Option<Event>,
    /// Why something before the next event is missing, if it is.
    unreadable: Option<&'static str>,
}

impl EventReader {
    /// Shows only what comes after the event with the number `since`.
    pub fn new(id: JobId, since: u64) -> Self {
        Self { id, since, position: 0, begun: Vec::new(), last: None, unreadable: None }
    }

    /// Reads what is new, in order, and tells of what is missing. It may be a part only: call it until there is nothing.
    ///
    /// # Errors
    /// `NoSuchJob` when the job is gone, or what the system says.
    pub fn read(&mut self, store: &Store) -> Result<Vec<Event>, StoreError> {
        let paths = store.layout().job(self.id);
        let path = paths.events();
        let mut file = match platform::open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let is_there = platform::facts(paths.dir()).is_ok();
                return if is_there { Ok(Vec::new()) } else { Err(StoreError::NoSuchJob) };
            }
            Err(error) => return Err(error).context("read", &path),
        };
        let mut content = std::mem::take(&mut self.begun);
        let before = content.len();
        file.seek(SeekFrom::Start(self.position))
            .and_then(|_| file.take(PORTION).read_to_end(&mut content))
            .context("read", &path)?;
        self.position += (content.len() - before) as u64;
        let end = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.begun = content.split_off(end);
        if self.begun.len() > LONGEST_LINE {
            self.begun.clear();
            self.unreadable = Some("a line has no end");
        }
        let mut events = Vec::new();
        for line in content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.take(line, &mut events);
        }
        Ok(events)
    }

    fn take(&mut self, line: &[u8], events: &mut Vec<Event>) {
        let last = self.last.as_ref().map_or(0, |event| event.seq);
        let event = format::parse::<Event>(line).filter(|event| event.seq > last && event.id == self.id);
        let Some(event) = event else {
            self.unreadable = Some("a line cannot be read");
            return;
        };
        let missing = event.seq - last - 1;
        let why = self.unreadable.take().or((missing > 0).then_some("it is not there"));
        if event.seq > self.since {
            events.extend(why.map(|why| gap(&event, event.seq - 1, missing, why)));
            events.push(event.clone());
        }
        self.last = Some(event);
    }

    /// Tells of what is missing at the end, where no event follows; to be asked when nothing more is waited for.
    pub fn rest(&mut self, store: &Store) -> Option<Event> {
        // As long as somebody may be writing it, a line without its end is none.
        let is_torn = !self.begun.is_empty() && matches!(store.is_claimed(self.id), Ok(false));
        let why = self.unreadable.take().or(is_torn.then_some("the last line has no end"))?;
        let nothing = Event {
            schema: EVENT_SCHEMA.into(),
            seq: 0,
            time: platform::now(),
            id: self.id,
            attempt: 1,
            what: Happening::Unknown,
        };
        let last = self.last.as_ref().unwrap_or(&nothing);
        (last.seq + 1 > self.since).then(|| gap(last, last.seq + 1, 1, why))
    }
}

/// Makes the event that stands for what is missing beside `near`.
fn gap(near: &Event, seq: u64, missing: u64, why: &str) -> Event {
    let message = format!("{missing} events up to number {seq} are missing: {why}");
    Event { seq, what: Happening::Gap { missing, message }, ..near.clone() }
}

impl Store {
    /// Reads the events of a job that come after the one with this number, in order.
    ///
    /// # Errors
    /// `NoSuchJob` when the job is gone, or what the system says.
    pub fn events(&self, id: JobId, since: u64) -> Result<Vec<Event>, StoreError> {
        let mut reader = EventReader::new(id, since);
        let mut events = Vec::new();
        loop {
            let more = reader.read(self)?;
            if more.is_empty() {
                return Ok(events);
            }
            events.extend(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_after_a_torn_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("events.ndjson");
        let id = "1".parse().expect("an id");
        let note = || Happening::Note { message: "hello".into() };
        let mut log = EventLog::open(&path, id).expect("opens");
        log.append(1, note());
        log.append(1, note());
        drop(log);
        let mut content = std::fs::read(&path).expect("reads");
        content.extend_from_slice(br#"{"schema":"jobdir/ev"#);
        std::fs::write(&path, content).expect("writes");
        EventLog::open(&path, id).expect("opens").append(1, note());
        let text = std::fs::read_to_string(&path).expect("reads");
        let sequence: Vec<u64> =
            text.lines().filter_map(|l| format::parse::<Event>(l.as_bytes())).map(|e| e.seq).collect();
        assert_eq!(sequence, [1, 2, 4], "the torn line has had a number");
    }

    #[test]
    fn what_is_missing_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open_for_reading(dir.path()).expect("opens");
        let id: JobId = "1".parse().expect("an id");
        let path = store.layout().job(id).events();
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("makes");
        let mut log = EventLog::open(&path, id).expect("opens");
        for _ in 0..6 {
            log.append(1, Happening::Paused);
        }
        let text = std::fs::read_to_string(&path).expect("reads");
        let lines: Vec<&str> = text.lines().collect();
        let read = |content: &str, since: u64| {
            std::fs::write(&path, content).expect("writes");
            let mut reader = EventReader::new(id, since);
            let mut events = reader.read(&store).expect("reads");
            assert_eq!(reader.read(&store).expect("reads"), [], "everything once");
            events.extend(reader.rest(&store));
            let missing = |event: &Event| match &event.what {
                Happening::Gap { missing, .. } => Some(*missing),
                _ => None,
            };
            events.iter().map(|event| (event.seq, missing(event))).collect::<Vec<_>>()
        };
        let whole = |lines: &[&str]| lines.join("\n") + "\n";
        assert_eq!(read(&whole(&lines[..2]), 0), [(1, None), (2, None)]);
        // A line that is not there, one that cannot be read, and a beginning that is gone.
        assert_eq!(read(&whole(&[lines[0], lines[3]]), 0), [(1, None), (3, Some(2)), (4, None)]);
        assert_eq!(read(&whole(&[lines[0], "{", lines[2]]), 0), [(1, None), (2, Some(1)), (3, None)]);
        assert_eq!(read(&whole(&[lines[4]]), 0), [(4, Some(4)), (5, None)]);
        // An older writer gave the number again.
        assert_eq!(read(&whole(&[lines[0], "{", lines[1]]), 0), [(1, None), (1, Some(0)), (2, None)]);
        // At the end, with and without an end of the line.
        assert_eq!(read(&whole(&[lines[0], "garbage"]), 0), [(1, None), (2, Some(1))]);
        assert_eq!(read(&(whole(&lines[..1]) + "{\"half"), 0), [(1, None), (2, Some(1))]);
        // Who has seen it before is not told again.
        assert_eq!(read(&whole(&[lines[0], "{", lines[2]]), 2), [(2, Some(1)), (3, None)]);
        assert_eq!(read(&whole(&[lines[0], "{", lines[2], lines[3]]), 3), [(4, None)]);
        assert_eq!(read(&whole(&[lines[0], "garbage"]), 2), []);
    }

    #[test]
    fn a_full_disk_leaves_a_gap_and_no_garbage() {
        let path = Path::new("/dev/full");
        let Ok(file) = std::fs::OpenOptions::new().append(true).open(path) else { return };
        let dir = tempfile::tempdir().expect("a directory");
        let real = dir.path().join("events.ndjson");
        let id = "1".parse().expect("an id");
        let mut log = EventLog { file, id, next: 5, is_torn: false };
        log.append(1, Happening::Paused);
        log.file = platform::append_private(&real).expect("opens");
        log.append(1, Happening::Paused);
        let text = std::fs::read_to_string(&real).expect("reads");
        assert!(text.starts_with("\n{") && text.contains("\"seq\":6"), "{text}");
    }
}
