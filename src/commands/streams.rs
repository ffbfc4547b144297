//! Parts of what a job has printed, for the documents that carry them.

use std::path::PathBuf;

use crate::client::{Piece, Sink, Wanted, read_piece};
use crate::domain::job::Job;
use crate::error::CommandError;
use crate::present::output::{GapDocument, StreamDocument, TailDocument, decode};
use crate::store::{Log, Store};

/// The most of one stream that a document carries unless it is told otherwise.
pub(super) const DOCUMENT_MAX: u64 = 16 << 20;
/// The most of one stream that is handed back with a job.
const TAIL_MAX: u64 = 1 << 20;

/// Reads a part of a stream; without `wanted` nothing of it, and `known` is how far it has been read.
pub(super) fn read_stream(
    store: &Store,
    job: &Job,
    attempt: u32,
    sink: Sink,
    wanted: Option<&Wanted>,
    known: u64,
) -> Result<StreamDocument, CommandError> {
    let Some(wanted) = wanted else { return Ok(StreamDocument::empty(known)) };
    Ok(read_part(store, job, attempt, sink, wanted)?.map_or_else(|| StreamDocument::empty(0), describe))
}

fn describe(piece: Piece) -> StreamDocument {
    let (text, encoding) = decode(piece.bytes);
    StreamDocument {
        text,
        encoding,
        start: piece.start,
        end: piece.end,
        total: piece.total,
        truncated: piece.truncated,
        dropped_bytes: piece.dropped,
        gaps: piece.gaps.iter().map(|gap| GapDocument { start: gap.start, end: gap.end }).collect(),
    }
}

/// Reads the newest bytes of a stream of the present attempt, from the beginning of a line if one is among them. What cannot
/// be read is told as empty: the job is what counts.
pub(super) fn end_of(store: &Store, job: &Job, sink: Sink, max_bytes: u64) -> StreamDocument {
    let attempt = job.attempt().map_or(1, |attempt| attempt.number);
    let wanted = Wanted { tail: Some(u64::MAX), max_bytes: Some(max_bytes), ..Wanted::default() };
    let Ok(Some(mut piece)) = read_part(store, job, attempt, sink, &wanted) else { return StreamDocument::empty(0) };
    piece.begin_with_a_line();
    describe(piece)
}

/// Reads a part of a stream; `None` when there is no such log: it was merged, or the attempt never started.
pub(super) fn read_part(
    store: &Store,
    job: &Job,
    attempt: u32,
    sink: Sink,
    wanted: &Wanted,
) -> Result<Option<Piece>, CommandError> {
    let paths = store.layout().job(job.id);
    let path: PathBuf = match sink {
        Sink::Stdout => paths.stdout(attempt),
        Sink::Stderr => paths.stderr(attempt),
    };
    let failed = |error: std::io::Error| CommandError::new("io", format!("cannot read '{}': {error}", path.display()));
    let known = job.record().and_then(|record| record.attempts.iter().find(|known| known.number == attempt));
    let log = match Log::open(&path, known.and_then(|known| known.log_limit).map(|limit| limit.max_bytes)) {
        Ok(log) => log,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let is_latest = job.attempt().is_some_and(|latest| latest.number == attempt);
    let has_ended = !is_latest || (job.state().is_terminal() && !job.has_survivors());
    read_piece(log, wanted, has_ended).map(Some).map_err(failed)
}

/// Reads the last lines of the present attempt. What cannot be read is left out: the job's end is what counts.
pub(super) fn tail_of(store: &Store, job: &Job, lines: u64) -> Option<TailDocument> {
    let attempt = job.attempt()?.number;
    let wanted = Wanted { tail: Some(lines), max_bytes: Some(TAIL_MAX), ..Wanted::default() };
    let read = |sink| read_stream(store, job, attempt, sink, Some(&wanted), 0).ok();
    Some(TailDocument { stdout: read(Sink::Stdout)?, stderr: read(Sink::Stderr)? })
}
