//! Directories for jobs to come, made when nobody waits for it: to create files is most of what there is to do on disk at a
//! start, and takes long where many were removed before.
//!
//! A spare has one of a few names in `spares/`, and is complete and empty. Whoever starts a job takes one by renaming it, which
//! only one can; without one the directory is made as it is needed. Losing them costs time alone.

use std::path::{Path, PathBuf};

use super::error::{Context, StoreError};
use super::layout::JobPaths;
use super::{Store, atomic, random};
use crate::domain::job_id::JobId;
use crate::platform;

/// How many there are at most: as many starts at once are quick.
const SPARES: u64 = 4;
/// How many empty files there are at most, and how their names begin. A job that has ended leaves two, and a spare takes two.
const EMPTIES: u64 = 8;
const EMPTY: &str = "empty-";
/// How the names begin of what is on its way out.
const OLD: &str = "old-";

impl Store {
    /// Returns where the spares may be; first the one that is meant for the job of this number.
    fn spares(&self, number: u64) -> impl Iterator<Item = PathBuf> {
        let directory = self.layout.spares();
        (0..SPARES).map(move |n| directory.join(((number + n) % SPARES).to_string()))
    }

    /// Makes a spare if there are too few, for the job after this one first of all. What fails is left to later jobs.
    pub fn stock(&self, id: JobId) {
        let is_missing =
            |path: &PathBuf| platform::facts(path).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound);
        let Some(place) = self.spares(id.number() + 1).find(is_missing) else { return };
        let Ok(random) = random() else { return };
        let paths = JobPaths::at(self.layout.spares().join(format!("new-{random}")));
        let made = lay_out(&paths).and_then(|()| {
            for file in [paths.spec(), paths.record(), paths.events(), paths.stdout(1), paths.stderr(1), paths.claim()]
            {
                atomic::create(&file, b"", atomic::Flush::No)?;
            }
            // The job before this one has often left two.
            let mut empties = self.empties(id.number() + EMPTIES - 1);
            atomic::prepare(&paths.pid(), &mut empties);
            atomic::prepare(&paths.record(), &mut empties);
            platform::crash_point("spare.made");
            atomic::rename(paths.dir(), &place)
        });
        platform::crash_point("spare.placed");
        if made.is_err() {
            atomic::remove_any(paths.dir()).ok();
        }
    }

    /// Does away with an empty file: it becomes a part of the next spare. Where inodes are freed, those that are made next are
    /// looked for behind all of them.
    pub(super) fn put_aside(&self, id: JobId, file: &Path) -> Result<(), StoreError> {
        match self.empties(id.number()).take(2).any(|place| platform::rename_new(file, &place).is_ok()) {
            true => Ok(()),
            false => atomic::remove_any(file),
        }
    }

    /// Returns where files may be that were put aside; first the two places where the job of this number puts its own.
    fn empties(&self, number: u64) -> impl Iterator<Item = PathBuf> {
        let directory = self.layout.spares();
        (0..EMPTIES).map(move |n| directory.join(format!("{EMPTY}{}", (2 * number + n) % EMPTIES)))
    }

    /// Takes the former record from a job that has ended: under a name that nobody else knows, since it must not be emptied
    /// while somebody waits, nor when the job may be somebody else's.
    pub(super) fn take_former(&self, id: JobId, record: &Path) -> Former {
        let taken = random().map(|random| self.layout.spares().join(format!("{OLD}{random}")));
        let path = match taken {
            Ok(path) => atomic::move_temporary(record, &path).then_some(path),
            Err(_) => {
                atomic::remove_temporary(record);
                None
            }
        };
        platform::crash_point("end.cleared");
        Former { store: self.clone(), id, path }
    }

    /// Lets the system begin to write the record of a job to the disk, and the former one, which the outcome is written over: a
    /// block that has its place on the disk is flushed sooner. For whoever holds its claim, or a thread of theirs.
    pub fn begin_flush(&self, id: JobId) {
        for path in atomic::both_names(&self.layout.job(id).record()) {
            if let Ok(file) = platform::open_regular(&path) {
                platform::begin_flush(&file);
            }
        }
    }

    /// Removes the spares: what can be done without must not take the room that an outcome needs.
    pub fn clear_out(&self) {
        for spare in self.spares(0).chain(self.empties(0)) {
            let Ok(random) = random() else { return };
            // In two steps: somebody may take it at this moment, whole or not at all.
            let removed = self.layout.spares().join(format!("{OLD}{random}"));
            if atomic::rename(&spare, &removed).is_ok() {
                atomic::remove_any(&removed).ok();
            }
        }
    }

    /// Takes a spare for this job, if there is one.
    pub(super) fn take_spare(&self, id: JobId, paths: &JobPaths) -> bool {
        let is_taken = self.spares(id.number()).any(|spare| atomic::rename(&spare, paths.dir()).is_ok());
        if is_taken {
            platform::crash_point("create.taken");
        }
        is_taken
    }
}

/// What a job that has ended no longer needs, and whoever drops this empties and puts aside: when nobody waits any more.
#[derive(Debug)]
pub struct Former {
    store: Store,
    id: JobId,
    path: Option<PathBuf>,
}

impl Drop for Former {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        // Emptied before others can take it: they write into it.
        let emptied = platform::open_unused(&path).and_then(|file| file.set_len(0)).is_ok();
        platform::crash_point("spare.emptied");
        // What somebody still reads is left to him.
        if emptied { self.store.put_aside(self.id, &path) } else { atomic::remove_any(&path) }.ok();
    }
}

/// Says whether a spare that was taken is as it was made.
pub(super) fn is_sound(paths: &JobPaths) -> bool {
    let directories = [paths.kill_signals(), paths.attempts(), paths.attempt(1), paths.scratch()];
    let files = [paths.spec(), paths.record()];
    directories.iter().all(|path| platform::facts(path).is_ok_and(|facts| facts.is_directory))
        && files.iter().all(|path| platform::facts(path).is_ok_and(|facts| facts.is_regular && facts.length == 0))
}

/// Says whether a name in `spares/` is that of a spare or of an empty file, and not of one that is being made.
pub(super) fn is_finished(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.strip_prefix(EMPTY).unwrap_or(name).parse::<u64>().is_ok())
}

/// Makes the directories of a job.
pub(super) fn lay_out(paths: &JobPaths) -> Result<(), StoreError> {
    let make = |path: &std::path::Path| platform::make_private_directory(path).context("create", path);
    make(paths.dir())?;
    platform::crash_point("create.directory");
    make(&paths.kill_signals())?;
    make(&paths.attempts())?;
    make(&paths.attempt(1))?;
    make(&paths.scratch())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_is_used_or_cleared_out() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open_for_writing(dir.path()).expect("opens");
        let id = JobId::new(1).expect("not zero");
        for number in 1..20 {
            let id = JobId::new(number).expect("not zero");
            let file = store.layout.claim(id);
            drop(platform::create_private(&file).expect("creates"));
            store.put_aside(id, &file).expect("puts aside");
            assert!(platform::facts(&file).is_err());
        }
        let empties = || store.empties(0).filter(|empty| platform::facts(empty).is_ok()).count();
        let kept = empties();
        store.stock(id);
        assert_eq!(empties(), kept.saturating_sub(2));
        let spare = store.spares(2).next().expect("a place");
        assert!(is_sound(&JobPaths::at(spare.clone())));
        for file in ["pid.new", "job.json.new"] {
            assert_eq!(platform::facts(&spare.join(file)).map(|facts| facts.length).ok(), Some(0));
        }
        store.clear_out();
        assert_eq!(std::fs::read_dir(store.layout.spares()).expect("is there").count(), 0);
    }

    // Windows keeps what somebody reads from being removed: it stays for the sweep.
    #[cfg(unix)]
    #[test]
    fn a_former_record_is_kept_empty_or_left_to_who_reads_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open_for_writing(dir.path()).expect("opens");
        let id = JobId::new(1).expect("not zero");
        let paths = store.layout.job(id);
        lay_out(&paths).expect("creates");
        let former = paths.dir().join("job.json.new");
        let left = || {
            let entries = std::fs::read_dir(store.layout.spares()).expect("is there").flatten();
            entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).expect("a file"))).collect::<Vec<_>>()
        };
        let end = || store.take_former(id, &paths.record());
        let write = || atomic::create(&former, b"record", atomic::Flush::No).expect("writes");
        write();
        let taken = end();
        assert!(platform::facts(&former).is_err());
        // Nobody takes it as long as it has content.
        assert!(matches!(&left()[..], [(name, content)] if content == b"record" && !is_finished(name)));
        drop(taken);
        // It is emptied where the system tells that nobody reads it.
        assert!(left().iter().all(|(name, content)| content.is_empty() && is_finished(name)));
        store.clear_out();
        write();
        let reader = std::fs::File::open(&former).expect("opens");
        drop(end());
        assert_eq!(left(), []);
        assert_eq!(std::io::read_to_string(reader).expect("reads"), "record");
        // There may be none, and what is no file is no matter.
        drop(end());
        std::fs::create_dir(&former).expect("creates");
        drop(end());
        assert_eq!(left(), []);
    }
}
