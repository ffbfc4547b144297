//! Reading and writing the JSON of the protocol: the only caller of `serde_json` that touches the state directory.
//!
//! Reading is bounded and suspicious: a file is regular, not a link, not larger than [`MAX_FILE`], and says what it
//! should. Whatever else is there is [`StoreError::Damaged`], never a panic.

use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Context, StoreError};
use crate::domain::record::{JobRecord, RECORD_FORMAT};
use crate::domain::spec::JobSpec;
use crate::platform;

/// The largest file that is read as a whole: far above two megabytes of arguments with as much environment.
const MAX_FILE: u64 = 64 << 20;

/// Renders a value as the content of a file.
pub(super) fn render(value: &impl Serialize) -> Vec<u8> {
    let mut content = serde_json::to_vec(value).expect("our own types have string keys and no failing serialiser");
    content.push(b'\n');
    content
}

/// Reads a whole file, if it is a regular one of at most `limit` bytes.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, StoreError> {
    let (mut file, length) = platform::open_regular_with_length(path).context("read", path)?;
    if length > limit {
        return Err(StoreError::Damaged { path: path.to_owned(), why: format!("it has {length} bytes") });
    }
    // Files of the protocol are replaced, never extended, so one read gets all of it; the others are read to their end.
    let mut content = vec![0; usize::try_from(length).unwrap_or(0) + 1];
    let mut filled = 0;
    loop {
        let n = match file.read(&mut content[filled..]) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other.context("read", path)?,
        };
        filled += n;
        if n == 0 || filled as u64 == length {
            break;
        }
        if filled as u64 > limit {
            return Err(StoreError::Damaged { path: path.to_owned(), why: format!("it has more than {limit} bytes") });
        }
        if filled == content.len() {
            content.resize(filled * 2, 0);
        }
    }
    content.truncate(filled);
    Ok(content)
}

/// Reads a JSON file of the protocol.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let look = || {
        let content = read_bounded(path, MAX_FILE)?;
        serde_json::from_slice(&content)
            .map_err(|error| StoreError::Damaged { path: path.to_owned(), why: error.to_string() })
    };
    match look() {
        // Whoever is held up inside open(2) while a record is replaced may open the former one while that is emptied, see
        // `platform::open_unused`. The next look finds what is there now.
        Err(error) if !error.is_not_found() => look(),
        other => other,
    }
}

/// Parses the content of a request.
pub(super) fn parse<T: DeserializeOwned>(content: &[u8]) -> Option<T> {
    serde_json::from_slice(content).ok()
}

/// Checks what the types cannot express about a record.
pub(super) fn check_record(path: &Path, record: &JobRecord) -> Result<(), StoreError> {
    let damaged = |why: &str| Err(StoreError::Damaged { path: path.to_owned(), why: why.into() });
    if !record.schema.starts_with("jobdir/record/") {
        return damaged("it is not a record");
    }
    let numbers: Vec<u32> = record.attempts.iter().map(|a| a.number).collect();
    if numbers.is_empty() || numbers.windows(2).any(|pair| pair[0] >= pair[1]) || numbers[0] == 0 {
        return damaged("its attempts are not in order");
    }
    if numbers.last() == Some(&u32::MAX) {
        return damaged("no attempt could follow its last one");
    }
    if record.state.is_recorded_end() && record.attempt().outcome.is_none() {
        return damaged("it has ended without an outcome");
    }
    Ok(())
}

/// Checks what the types cannot express about a spec.
pub(super) fn check_spec<E>(path: &Path, spec: &JobSpec<E>) -> Result<(), StoreError> {
    if spec.command.is_empty() || !spec.schema.starts_with("jobdir/spec/") {
        return Err(StoreError::Damaged { path: path.to_owned(), why: "it is not a spec".into() });
    }
    Ok(())
}

/// Refuses to write over what a later version has written.
pub(super) fn may_write(path: &Path, record: &JobRecord) -> Result<(), StoreError> {
    if record.format > RECORD_FORMAT {
        return Err(StoreError::NewerFormat { path: path.to_owned(), found: record.format.into() });
    }
    Ok(())
}
