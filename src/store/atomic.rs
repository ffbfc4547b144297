//! Writing so that readers see the old file or the new one, never a part: the only caller of rename.
//!
//! Each file that is replaced has one writer, the holder of the job's claim, so its temporary name is fixed: what a
//! crash leaves there is overwritten by the next replacement and never piles up. What several processes create
//! (requests, new jobs) gets an unguessable name in `staging/` first.
//!
//! The record is replaced often, and somebody waits: its two names are exchanged, and the former record is the file that the next
//! one is written to, so that no file is made or freed, but only when nobody else has it open; otherwise a new one is made.
//!
//! After a system crash a file that was replaced with [`Flush::Yes`] has its new content; with [`Flush::No`] it has
//! its new or an older content, or is missing. See rename(2) and fsync(2).

#![expect(clippy::disallowed_methods, reason = "the one place that renames and removes")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::{Context, StoreError};
use crate::platform;

/// Whether a change shall survive a power loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// The content is flushed before the name changes, and the directory afterwards.
    Yes,
    /// The same, and what the former file holds is not emptied but written over, which is quicker. As long as the last exchange is not
    /// on disk the former file has the file's name there, and half of the new content: only for a former file that was never flushed.
    Over,
    /// Left to the system. A record is on its way before it has its name: the one that it replaces may be on disk.
    No,
    /// Left to the system altogether, for a record that replaces none that was flushed; see [`super::Store::begin_flush`].
    Later,
}

impl Flush {
    fn is_durable(self) -> bool {
        matches!(self, Self::Yes | Self::Over)
    }
}

/// Creates a file with this content; nothing may be there.
pub(super) fn create(path: &Path, content: &[u8], flush: Flush) -> Result<(), StoreError> {
    let file = platform::create_private(path).context("create", path)?;
    fill(file, path, content, flush).map(drop)
}

fn fill(mut file: File, path: &Path, content: &[u8], flush: Flush) -> Result<File, StoreError> {
    file.write_all(content).context("write", path)?;
    if flush.is_durable() {
        cut(&file, path, content.len() as u64)?;
        file.sync_data().context("flush", path)?;
    }
    Ok(file)
}

/// Cuts what is longer than that.
fn cut(file: &File, path: &Path, length: u64) -> Result<(), StoreError> {
    let is_longer = platform::file_facts(file).context("look at", path)?.length > length;
    if is_longer { file.set_len(length).context("cut", path) } else { Ok(()) }
}

/// Makes the temporary file of the next replacement ahead, from an empty file if there is one. It is no matter when this fails.
pub(super) fn prepare(path: &Path, mut empties: impl Iterator<Item = PathBuf>) {
    let temporary = temporary_of(path);
    if !empties.any(|empty| rename(&empty, &temporary).is_ok()) {
        platform::create_private(&temporary).ok();
    }
}

/// Moves the temporary file of the next replacement elsewhere, when none comes any more: what was made ahead, or the former file.
/// Says whether there is such a file; what cannot be moved is removed.
pub(super) fn move_temporary(path: &Path, to: &Path) -> bool {
    let temporary = temporary_of(path);
    let is_moved = platform::rename(&temporary, to).is_ok();
    if !is_moved {
        remove_any(&temporary).ok();
    }
    is_moved
}

/// Removes the temporary file of the next replacement, when none comes any more.
pub(super) fn remove_temporary(path: &Path) {
    remove_any(&temporary_of(path)).ok();
}

/// Returns the names of a file and of the one that it is replaced by.
pub(super) fn both_names(path: &Path) -> [PathBuf; 2] {
    [path.to_owned(), temporary_of(path)]
}

fn temporary_of(path: &Path) -> PathBuf {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    temporary.into()
}

/// Opens the temporary file of a replacement, new and empty. Returns it and its name. Only the one writer of `path` may call this.
pub(super) fn begin_replacement(path: &Path) -> Result<(File, PathBuf), StoreError> {
    let temporary = temporary_of(path);
    let file = open_temporary(&temporary)?;
    cut(&file, &temporary, 0)?;
    Ok((file, temporary))
}

/// Opens a temporary file, with what is in it: made ahead, the former file, or left by a writer that died.
fn open_temporary(temporary: &Path) -> Result<File, StoreError> {
    match platform::open_unused(temporary) {
        Ok(unused) => return Ok(unused),
        // What somebody still reads stays as it is for him, and a link that somebody has put there is never written through.
        Err(error) if error.kind() != io::ErrorKind::NotFound => remove_any(temporary)?,
        Err(_) => {}
    }
    platform::create_private(temporary).context("create", temporary)
}

/// Replaces a file as a whole. Only the one writer of `path` may call this.
pub(super) fn replace(path: &Path, content: &[u8], flush: Flush) -> Result<(), StoreError> {
    let (file, temporary) = begin_replacement(path)?;
    fill(file, &temporary, content, flush).map(drop)?;
    put_in_place(&temporary, path, flush, rename)
}

/// Replaces a file as a whole, and keeps the former one for the next replacement, where the system can exchange two names. Only the
/// one writer of `path` may call this.
pub(super) fn exchange(path: &Path, content: &[u8], flush: Flush) -> Result<(), StoreError> {
    let temporary = temporary_of(path);
    let file = open_temporary(&temporary)?;
    if flush != Flush::Over {
        // Written over, and on disk with the name of the record before all of its new content is, it would be neither.
        cut(&file, &temporary, 0)?;
    }
    let file = fill(file, &temporary, content, flush)?;
    if flush == Flush::No {
        platform::begin_flush(&file);
    }
    drop(file);
    let publish = |from: &Path, to: &Path| match platform::exchange(from, to) {
        // Nothing is there yet, or such a thing is not known here.
        Err(error) if says_that_nothing_is_exchanged(&error) => rename(from, to),
        // Of anything else nobody knows whether it was done: a rename might put the former record back into its place.
        other => other.context("move into place", to),
    };
    put_in_place(&temporary, path, flush, publish)
}

fn says_that_nothing_is_exchanged(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotFound, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | NotFound | PermissionDenied | Unsupported)
}

fn put_in_place(
    temporary: &Path,
    path: &Path,
    flush: Flush,
    publish: impl Fn(&Path, &Path) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    platform::crash_point("replace.written");
    match publish(temporary, path) {
        // Damage: nothing of ours is a directory and replaced, and what is to be written must not wait for ever.
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::IsADirectory => {
            remove_any(path)?;
            rename(temporary, path)?;
        }
        other => other?,
    }
    platform::crash_point("replace.renamed");
    if let (true, Some(directory)) = (flush.is_durable(), path.parent()) {
        platform::sync_directory(directory).context("flush", directory)?;
    }
    Ok(())
}

/// Moves something to its place in one step. A directory there that is not empty is an error, a file is replaced.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    platform::rename(from, to).context("move into place", to)
}

/// Removes what is no regular file, or a larger one than there can be, from the place of a file that can be made anew.
pub(super) fn remove_unusable(path: &Path, largest: u64) -> Result<(), StoreError> {
    match platform::facts(path) {
        Ok(facts) if !facts.is_regular || facts.length > largest => remove_any(path),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Removes a file or link, or a directory with all that is in it; links are removed, never followed. What is not
/// there is no error.
pub(super) fn remove_any(path: &Path) -> Result<(), StoreError> {
    let facts = match platform::facts(path) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("look at", path),
    };
    let remove = || if facts.is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    let removed = match remove() {
        // A job may take its own permissions away, as tools do with their caches.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && facts.is_directory => {
            platform::open_up(path);
            remove()
        }
        other => other,
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.context("remove", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_writer_left_is_overwritten_and_links_are_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, victim) = (dir.path().join("job.json"), dir.path().join("victim"));
        fs::write(&victim, "precious").expect("writes");
        fs::write(dir.path().join("job.json.new"), "half").expect("writes");
        replace(&file, b"whole", Flush::Yes).expect("replaces");
        assert_eq!(fs::read(&file).expect("reads"), b"whole");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&victim, dir.path().join("job.json.new")).expect("links");
        replace(&file, b"again", Flush::No).expect("replaces");
        assert_eq!(fs::read(&file).expect("reads"), b"again");
        assert_eq!(fs::read(&victim).expect("reads"), b"precious");
    }

    // Windows keeps what somebody reads from being replaced, and there the record is renamed, in turns.
    #[cfg(unix)]
    #[test]
    fn the_former_file_is_used_again_unless_somebody_still_reads_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("job.json");
        let exchange = |content: &str| {
            exchange(&file, content.as_bytes(), Flush::No).expect("replaces");
            assert_eq!(fs::read_to_string(&file).expect("reads"), content);
            platform::facts(&file).expect("is there").identity
        };
        let first = exchange("a long first record");
        let second = exchange("second");
        let mut slow = File::open(&file).expect("opens");
        // Where names cannot be exchanged files are made and removed, as ever.
        let can_exchange = dir.path().join("job.json.new").exists();
        assert!(exchange("third") == first || !can_exchange);
        // That would be written to what is being read.
        assert!(exchange("fourth") != second || !can_exchange);
        assert!(exchange("the fifth") == first || !can_exchange);
        assert_eq!(std::io::read_to_string(&mut slow).expect("reads"), "second");
    }

    #[test]
    fn what_was_made_ahead_is_used_once_and_only_while_it_is_empty_and_has_no_other_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, other) = (dir.path().join("job.json"), dir.path().join("other"));
        let identity = |path: &Path| platform::facts(path).expect("is there").identity;
        prepare(&file, std::iter::empty());
        let prepared = identity(&dir.path().join("job.json.new"));
        replace(&file, b"first", Flush::No).expect("replaces");
        assert_eq!(identity(&file), prepared);
        assert!(platform::facts(&dir.path().join("job.json.new")).is_err());
        fs::write(&other, "").expect("writes");
        fs::hard_link(&other, dir.path().join("job.json.new")).expect("links");
        replace(&file, b"second", Flush::No).expect("replaces");
        assert_eq!(fs::read(&file).expect("reads"), b"second");
        assert_eq!(fs::read(&other).expect("reads"), b"");
    }
}
