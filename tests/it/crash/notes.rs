//! What the sweep has done, and the state directories that its crashes have left. In a folder that was asked for these
//! outlive the run, so that the deep sweep, which takes hours, can be interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The notes of one sweep.
pub(super) struct Notes {
    folder: PathBuf,
    /// The folder, when nobody asked for another one.
    _temporary: Option<tempfile::TempDir>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// What has passed, by name.
    done: BTreeSet<String>,
    /// The points at which somebody was killed.
    hit: BTreeSet<String>,
    /// The state directories that crashes have left, one of each kind, with nothing alive.
    ruins: BTreeMap<String, PathBuf>,
}

/// Names the boot and the pid namespace.
fn here() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    let namespace = std::fs::read_link("/proc/self/ns/pid").expect("a pid namespace");
    format!("{} {}", boot.trim(), namespace.display())
}

impl Notes {
    /// Begins notes, or goes on with those in the folder that `JOBDIR_TEST_SWEEP` names.
    pub(super) fn open() -> Self {
        let wanted = std::env::var_os("JOBDIR_TEST_SWEEP").map(PathBuf::from);
        let temporary = wanted.is_none().then(|| tempfile::tempdir().expect("a directory"));
        let folder = wanted.unwrap_or_else(|| temporary.as_ref().expect("was made").path().to_owned());
        std::fs::create_dir_all(&folder).expect("a folder for notes");
        let mut kept = Kept::default();
        let text = std::fs::read_to_string(folder.join("notes")).unwrap_or_default();
        for line in text.lines() {
            match line.split_once('\t') {
                // What is kept is of processes that mean something here alone.
                Some(("place", place)) => assert_eq!(place, here(), "the notes in {folder:?} were begun elsewhere"),
                Some(("done", name)) => drop(kept.done.insert(name.to_owned())),
                Some(("hit", point)) => drop(kept.hit.insert(point.to_owned())),
                Some(("ruin", shape)) => {
                    let place = folder.join(format!("ruin-{}", kept.ruins.len()));
                    kept.ruins.insert(shape.to_owned(), place);
                }
                _ => {}
            }
        }
        let notes = Self { folder, _temporary: temporary, kept: Mutex::new(kept) };
        if text.is_empty() {
            notes.note("place", &here());
        }
        notes
    }

    /// Does what has not been done yet. What fails has not.
    pub(super) fn once(&self, name: &str, work: impl FnOnce()) {
        if self.kept.lock().expect("no panic").done.contains(name) {
            return;
        }
        work();
        self.kept.lock().expect("no panic").done.insert(name.to_owned());
        self.note("done", name);
    }

    /// Notes that somebody was killed at this point.
    pub(super) fn hit(&self, point: &str) {
        if self.kept.lock().expect("no panic").hit.insert(point.to_owned()) {
            self.note("hit", point);
        }
    }

    /// Keeps a copy of a state directory, if there is none of its kind.
    pub(super) fn keep(&self, shape: &str, state: &Path) {
        let mut kept = self.kept.lock().expect("no panic");
        if !kept.ruins.contains_key(shape) {
            let place = self.folder.join(format!("ruin-{}", kept.ruins.len()));
            // What a run left that was interrupted here.
            std::fs::remove_dir_all(&place).ok();
            std::fs::create_dir(&place).expect("a folder");
            let copied = std::process::Command::new("cp").arg("-a").arg(state).arg(place.join("state")).status();
            assert!(copied.expect("cp can be run").success());
            kept.ruins.insert(shape.to_owned(), place);
            self.note("ruin", shape);
        }
    }

    /// Returns the state directories of every kind.
    pub(super) fn ruins(&self) -> BTreeMap<String, PathBuf> {
        let kept = self.kept.lock().expect("no panic");
        kept.ruins.iter().map(|(shape, place)| (shape.clone(), place.join("state"))).collect()
    }

    /// Returns all points at which somebody was killed.
    pub(super) fn all_hit(&self) -> BTreeSet<String> {
        self.kept.lock().expect("no panic").hit.clone()
    }

    fn note(&self, kind: &str, what: &str) {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(self.folder.join("notes"));
        let file = file.as_mut().expect("notes can be written");
        file.write_all(format!("{kind}\t{what}\n").as_bytes()).expect("notes can be written");
    }
}
