//! Kernel locks: the only caller of `fs2`.
//!
//! fs2's methods are called by their path: since Rust 1.89 std has methods of the same names that would be taken
//! instead and mean something slightly else. Probing takes a *shared* lock for a moment, so two probes never disturb
//! each other, but one can make a claim fail at that moment; hence claims are tried for a while.

#![expect(clippy::disallowed_methods, reason = "the one place that locks, and that sleeps between two tries")]

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::{Context, StoreError};
use crate::platform::{self, Wake, WakeQueue};

/// How long a claim is tried while something else holds the lock. A probe holds it for microseconds.
const PATIENCE: Duration = Duration::from_millis(250);

fn is_contended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == fs2::lock_contended_error().raw_os_error()
}

fn try_exclusive_once(file: &File) -> io::Result<bool> {
    loop {
        match fs2::FileExt::try_lock_exclusive(file) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_contended(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Takes the exclusive lock of the file at `path`, created if need be; `None` when somebody else keeps it.
///
/// The file may be unlinked by whoever holds its lock, so what was locked is compared with what the path names now.
pub(super) fn try_exclusive(path: &Path) -> Result<Option<File>, StoreError> {
    let deadline = Instant::now() + PATIENCE;
    // What is no file nobody can hold, and nobody could ever take.
    super::atomic::remove_unusable(path, u64::MAX)?;
    loop {
        let file = platform::open_lock_file(path, true).context("open", path)?;
        if try_exclusive_once(&file).context("lock", path)? {
            let locked = platform::file_facts(&file).context("look at", path)?.identity;
            if platform::facts(path).is_ok_and(|named| named.identity == locked) {
                return Ok(Some(file));
            }
        } else if Instant::now() >= deadline {
            return Ok(None);
        } else {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Takes the exclusive lock of a file that nobody else knows, and makes it the lock file at `path`; `None` when there is no such
/// file, or something is at `path` already: then that decides.
pub(super) fn exclusive_of(prepared: &Path, path: &Path) -> Option<File> {
    let file = platform::open_lock_file(prepared, false).ok()?;
    let is_ours = try_exclusive_once(&file).unwrap_or(false) && platform::rename_new(prepared, path).is_ok();
    is_ours.then_some(file)
}

/// Takes the exclusive lock of the file at `path`, waiting for it. Only for locks that are held for moments.
pub(super) fn exclusive(path: &Path) -> Result<File, StoreError> {
    // What is no file nobody can hold, and nobody could ever take.
    super::atomic::remove_unusable(path, u64::MAX)?;
    loop {
        let file = platform::open_lock_file(path, true).context("open", path)?;
        match fs2::FileExt::lock_exclusive(&file) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.context("lock", path)?,
        }
        let locked = platform::file_facts(&file).context("look at", path)?.identity;
        if platform::facts(path).is_ok_and(|named| named.identity == locked) {
            return Ok(file);
        }
    }
}

/// Says whether a lock that is held here is seen by another opening of the same file.
pub(super) fn works(path: &Path) -> Result<bool, StoreError> {
    let file = platform::open_lock_file(path, false).context("open", path)?;
    if !try_exclusive_once(&file).context("lock", path)? {
        // Somebody else tries it at this moment, and is seen.
        return Ok(true);
    }
    is_held(path)
}

/// Says whether somebody holds the lock exclusively. A missing file is a free lock.
pub(super) fn is_held(path: &Path) -> Result<bool, StoreError> {
    let Some(file) = open_to_wait(path)? else { return Ok(false) };
    loop {
        match fs2::FileExt::try_lock_shared(&file) {
            // Closing the file releases it.
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if is_contended(&error) => return Ok(true),
            Err(error) => return Err(error).context("test the lock of", path),
        }
    }
}

/// Waits until the lock is free, however long that takes. Meant for a thread of its own.
pub(super) fn wait_until_free(path: &Path) -> Result<(), StoreError> {
    let Some(file) = open_to_wait(path)? else { return Ok(()) };
    loop {
        match fs2::FileExt::lock_shared(&file) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.context("wait for the lock of", path),
        }
    }
}

/// Waits until the lock is free, something else wakes the queue, or the time is over. Returns the wake-ups, and whether the
/// lock was free at some moment; `None` where a thread that waits for a lock cannot be woken otherwise.
pub(super) fn wait_until_free_or_woken(
    path: &Path,
    queue: &WakeQueue,
    timeout: Option<Duration>,
) -> Result<Option<(Vec<Wake>, bool)>, StoreError> {
    let Some(file) = open_to_wait(path)? else { return Ok(Some((Vec::new(), true))) };
    match queue.wait_in(timeout, || fs2::FileExt::lock_shared(&file)) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        other => other.map(Some).context("wait for the lock of", path),
    }
}

/// Opens a lock file; a missing one is a free lock.
fn open_to_wait(path: &Path) -> Result<Option<File>, StoreError> {
    match platform::open_lock_file(path, false) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("open", path),
    }
}

/// Releases a lock at once, instead of when the file is closed.
pub(super) fn release(file: &File) {
    // It fails only for what is no file; then closing it releases it.
    fs2::FileExt::unlock(file).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_seen_and_a_missing_file_is_free() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("1");
        assert!(!is_held(&path).expect("probes"));
        let file = try_exclusive(&path).expect("locks").expect("free");
        assert!(is_held(&path).expect("probes"));
        assert!(try_exclusive(&path).expect("tries").is_none());
        release(&file);
        assert!(!is_held(&path).expect("probes"));
        assert!(try_exclusive(&path).expect("tries").is_some());
    }

    #[test]
    fn a_waiter_wakes_when_the_lock_is_free() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("1");
        let file = try_exclusive(&path).expect("locks").expect("free");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_until_free(&path));
            drop(file);
            waiter.join().expect("no panic").expect("waits");
        });
    }

    #[test]
    fn the_lock_of_an_unlinked_file_is_not_taken_for_the_claim() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("1");
        let old = try_exclusive(&path).expect("locks").expect("free");
        std::fs::remove_file(&path).expect("unlinks");
        let new = try_exclusive(&path).expect("locks").expect("the new file is free");
        drop(old);
        assert!(is_held(&path).expect("probes"));
        drop(new);
    }
}
