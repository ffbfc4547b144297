//! The narrative of a job, one JSON line for everything that happened: appended by the claim's holder alone.
//!
//! A line is written by one write(2). A crash can leave a last line without its end; whoever opens the file for
//! appending next ends it, and readers pass over what does not parse.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::error::{Context, StoreError};
use super::{Store, format};
use crate::domain::event::{EVENT_SCHEMA, Event, Happening};
use crate::domain::job_id::JobId;
use crate::platform;

/// An open narrative.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    id: JobId,
    next: u64,
}

impl EventLog {
    pub(super) fn open(path: &Path, id: JobId) -> Result<Self, StoreError> {
        let mut file = platform::append_private(path).context("open", path)?;
        let mut next = 1;
        let length = platform::file_facts(&file).context("read", path)?.length;
        if length > 0 {
            next = last_sequence(path, length)? + 1;
            let mut reader = platform::open_regular(path).context("read", path)?;
            let mut last = [0u8];
            reader.seek(SeekFrom::End(-1)).and_then(|_| reader.read_exact(&mut last)).context("read", path)?;
            if last != *b"\n" {
                file.write_all(b"\n").context("extend", path)?;
            }
        }
        Ok(Self { file, id, next })
    }

    /// Appends one event. Failing to do so must not stop a job, so nothing is returned: the record has the outcome.
    pub fn append(&mut self, attempt: u32, what: Happening) {
        let event =
            Event { schema: EVENT_SCHEMA.into(), seq: self.next, time: platform::now(), id: self.id, attempt, what };
        if self.file.write_all(&format::render(&event)).is_ok() {
            self.next += 1;
        }
    }
}

impl Store {
    /// Reads the events of a job that come after the one with this number, in order. What does not parse is passed
    /// over: a line that is being written, or one of a later version.
    ///
    /// # Errors
    /// `NoSuchJob` when the job is gone, or what the system says.
    pub fn events(&self, id: JobId, since: u64) -> Result<Vec<Event>, StoreError> {
        let paths = self.layout().job(id);
        let content = match format::read_bounded(&paths.events(), MAX_EVENTS) {
            Ok(content) => content,
            Err(error) if error.is_not_found() && platform::facts(paths.dir()).is_ok() => Vec::new(),
            Err(error) if error.is_not_found() => return Err(StoreError::NoSuchJob),
            Err(error) => return Err(error),
        };
        let events = content.split(|byte| *byte == b'\n').filter_map(format::parse::<Event>);
        Ok(events.filter(|event| event.seq > since).collect())
    }
}

/// The longest narrative that is read.
const MAX_EVENTS: u64 = 64 << 20;

/// Finds the number of the last whole event, looking at the end of the file only.
fn last_sequence(path: &Path, length: u64) -> Result<u64, StoreError> {
    let mut file = platform::open_regular(path).context("read", path)?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(256 << 10)))
        .and_then(|_| file.take(256 << 10).read_to_end(&mut tail))
        .context("read", path)?;
    Ok(tail.split(|b| *b == b'\n').rev().find_map(format::parse::<Event>).map_or(0, |event| event.seq))
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
        assert_eq!(sequence, [1, 2, 3]);
    }
}
