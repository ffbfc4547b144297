//! Fuzzing: every parser of what others may write, and whole job directories, fed with mutations of real files.
//!
//! `tests/data/fuzz/` holds inputs by kind: real ones, and those that once did harm. `fuzz-found.hex` holds, a line each,
//! inputs that fuzzing guided by coverage (`fuzz/run`) has found to reach something new. Each is replayed as it is; then
//! mutations follow from a seed, which is told when something fails. `JOBDIR_TEST_DEEP=1` goes on for minutes, and
//! `JOBDIR_FUZZ_SEED` repeats one run. What is fed is in `fuzz/feed.rs`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jobdir::store::{Store, Surroundings};

use crate::support::is_deep;

#[path = "../../fuzz/feed.rs"]
mod feed;

use feed::feed;

/// A small generator, so that a seed says everything.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*, see Vigna, "An experimental exploration of Marsaglia's xorshift generators".
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap_or(0) % sides.max(1)
    }
}

/// What breaks parsers most often.
const SPLINTERS: &[&str] = &[
    "null",
    "-1",
    "0",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
    "4294967295",
    "\"\"",
    "[]",
    "{}",
    "[[[[",
    "\\u0000",
    "\\ud800",
    "\"+262142-12-31T23:59:59Z\"",
    "\"-262143-01-01T00:00:00Z\"",
    "true",
    "\u{1b}[31m",
    "\n",
    "=",
    "/",
    "{\"hex\":\"f\"}",
    "lost",
    "unknown",
];

fn mutate(input: &[u8], corpus: &[(PathBuf, Vec<u8>)], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len() + 1);
        let end = (at + dice.roll(24)).min(bytes.len());
        match dice.roll(7) {
            0 => drop(bytes.splice(at..end, SPLINTERS[dice.roll(SPLINTERS.len())].bytes())),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
            4 => {
                let other = &corpus[dice.roll(corpus.len())].1;
                let from = dice.roll(other.len() + 1);
                let piece = other[from..(from + dice.roll(200)).min(other.len())].to_vec();
                drop(bytes.splice(at..end, piece));
            }
            // The value of a field, whole.
            _ => {
                let colons: Vec<usize> =
                    bytes.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at + 1).collect();
                let Some(from) = colons.get(dice.roll(colons.len())).copied() else { continue };
                let length = bytes[from..].iter().position(|byte| matches!(byte, b',' | b'}' | b']')).unwrap_or(0);
                drop(bytes.splice(from..from + length, SPLINTERS[dice.roll(SPLINTERS.len())].bytes()));
            }
        }
    }
    bytes
}

fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&root).expect("a corpus").flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(files.len() > 10, "the corpus was not found in '{}'", root.display());
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("reads"))).collect()
}

/// What fuzzing has found.
fn found() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz-found.hex");
    let text = std::fs::read_to_string(path).expect("reads");
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8;
    let byte = |pair: &[u8]| digit(pair[0]) << 4 | digit(pair[1]);
    text.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect()
}

fn seed() -> u64 {
    let given = std::env::var("JOBDIR_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        u64::try_from(std::time::UNIX_EPOCH.elapsed().expect("a clock").as_nanos() & 0xffff_ffff).expect("small") | 1
    })
}

fn time_for_it() -> Duration {
    if is_deep() { Duration::from_secs(300) } else { Duration::from_secs(2) }
}

/// Feeds, and tells what was fed when that fails.
fn try_it(seed: u64, what: &str, bytes: &[u8], feed: impl Fn(&[u8])) {
    let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| feed(bytes)));
    assert!(tried.is_ok(), "JOBDIR_FUZZ_SEED={seed}, from {what}: {}", String::from_utf8_lossy(bytes));
}

#[test]
fn no_parser_panics() {
    let (corpus, seed) = (corpus(), seed());
    for (path, bytes) in &corpus {
        try_it(seed, &path.display().to_string(), bytes, feed);
    }
    let found = found();
    assert!(found.len() > 100, "only {} inputs of fuzzing", found.len());
    for bytes in &found {
        try_it(seed, "fuzz-found.hex", bytes, feed);
    }
    let (mut dice, until) = (Dice(seed), Instant::now() + time_for_it());
    while Instant::now() < until {
        let (path, input) = &corpus[dice.roll(corpus.len())];
        let bytes = mutate(input, &corpus, &mut dice);
        try_it(seed, &path.display().to_string(), &bytes, feed);
    }
}

#[test]
fn no_job_directory_makes_a_reader_panic_or_hang() {
    let (corpus, seed) = (corpus(), seed());
    let root = tempfile::tempdir().expect("a directory");
    let state = root.path().join("state");
    let store = Store::open_for_writing(&state).expect("opens");
    let dir = state.join("jobs/1");
    for folder in ["kill-signals", "attempts/1"] {
        std::fs::create_dir_all(dir.join(folder)).expect("makes");
    }
    let real =
        |kind: &str| &corpus.iter().find(|(path, _)| path.ends_with(kind)).unwrap_or_else(|| panic!("no {kind}")).1;
    let files = [
        ("spec.json", "spec"),
        ("job.json", "record"),
        ("pid", "pid"),
        ("events.ndjson", "events"),
        ("meta", "meta"),
        ("attempts/1/progress", "progress"),
    ];
    let (mut dice, until) = (Dice(seed), Instant::now() + time_for_it());
    let id = "1".parse().expect("an id");
    let mut read = 0;
    while Instant::now() < until {
        let broken = dice.roll(files.len());
        for (nth, (file, kind)) in files.iter().enumerate() {
            let bytes = if nth == broken { mutate(real(kind), &corpus, &mut dice) } else { real(kind).clone() };
            std::fs::write(dir.join(file), bytes).expect("writes");
        }
        let bytes = std::fs::read(dir.join(files[broken].0)).expect("reads");
        try_it(seed, files[broken].0, &bytes, |_| {
            let job = store.load(id, &Surroundings::new()).expect("it is there");
            let document = jobdir::present::json::JobDocument::new(&job, true);
            let text = jobdir::present::json::render(&document);
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "its document is JSON");
            drop(store.events(id, 0));
        });
        read += 1;
    }
    assert!(read > 20, "too slow to find anything: {read}");
}
