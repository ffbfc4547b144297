//! The inbox of a job: requests are written elsewhere, moved in by rename, and removed once they have been answered.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Context, StoreError};
use super::{Flush, Store, atomic, format, random};
use crate::domain::job_id::JobId;
use crate::domain::request::{BARE_KILL, Kill, Request, Verb};
use crate::domain::state::Reason;
use crate::platform::{self, Listing};

/// The largest request that is read.
const MAX_REQUEST: u64 = 64 << 10;

/// How the names of files begin that only ring.
pub(super) const BELL: &str = ".bell-";

/// The inbox of a claimed job. Only the claim's holder drains it.
#[derive(Debug)]
pub struct Inbox {
    dir: PathBuf,
    /// Kept open: then a look is no event for the watch of it.
    listing: RefCell<Option<Listing>>,
}

/// Something that lay in the inbox.
#[derive(Clone, PartialEq, Debug)]
pub struct Delivered {
    /// The name of its file.
    pub name: String,
    /// What it asks, or why it cannot be understood.
    pub content: Result<Asked, String>,
}

/// What a file in the inbox asks.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// The attempt that it is meant for; `None` for a bare `kill`, which means the one that is there.
    pub attempt: Option<u32>,
    /// What is asked.
    pub verb: Verb,
}

/// Delivers a request to a job. Returns the name of its file, under which the answer will appear in the events.
///
/// # Errors
/// `NoSuchJob` when the job is gone, or what the system says.
pub fn deliver(store: &Store, id: JobId, request: &Request) -> Result<String, StoreError> {
    let name = format!("{}-{}", request.verb.name(), random()?);
    put(store, id, &name, &name, &format::render(request))?;
    log::info!("job {id}: request '{name}' delivered, for attempt {}", request.attempt);
    Ok(name)
}

/// Moves a file into the inbox of a job that was written under another name in `staging/`.
fn put(store: &Store, id: JobId, staged: &str, name: &str, content: &[u8]) -> Result<(), StoreError> {
    let paths = store.layout().job(id);
    paths.check_directories()?;
    let staged = store.layout().staged(staged);
    atomic::create(&staged, content, Flush::No)?;
    platform::crash_point("request.staged");
    if let Err(error) = atomic::rename(&staged, &paths.kill_signals().join(name)) {
        atomic::remove_any(&staged)?;
        return Err(if error.is_not_found() { StoreError::NoSuchJob } else { error });
    }
    platform::crash_point("request.delivered");
    Ok(())
}

/// Takes a request back that nobody has answered: the job has ended before it was seen.
pub fn withdraw(store: &Store, id: JobId, name: &str) {
    // When this fails it is answered as too late one day.
    atomic::remove_any(&store.layout().job(id).kill_signals().join(name)).ok();
    log::info!("job {id}: request '{name}' withdrawn, since nobody has seen it");
    platform::crash_point("request.withdrawn");
}

/// Delivers a bare kill: what can be asked of a job whose record cannot be read.
///
/// # Errors
/// `NoSuchJob` when the job is gone, or what the system says.
pub fn deliver_bare_kill(store: &Store, id: JobId) -> Result<(), StoreError> {
    put(store, id, &format!("kill-{}", random()?), BARE_KILL, b"")
}

impl Inbox {
    /// Describes the inbox in this directory.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, listing: RefCell::default() }
    }

    fn names(&self) -> io::Result<Vec<OsString>> {
        let mut kept = self.listing.borrow_mut();
        if let Some(listing) = &mut *kept
            && listing.is_at(&self.dir)
        {
            return listing.names();
        }
        let mut listing = Listing::open(&self.dir)?;
        let names = listing.names();
        // Network file systems ask what other hosts have done when a directory is opened.
        *kept = Some(listing).filter(|_| platform::network_file_system(&self.dir).is_none());
        names
    }

    /// Returns the directory, for watching.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Reads everything that lies there, oldest first. Nothing is removed.
    ///
    /// # Errors
    /// What the system says of the directory.
    pub fn look(&self) -> Result<Vec<Delivered>, StoreError> {
        let mut found = Vec::new();
        for name in self.names().context("look into", &self.dir)? {
            let path = self.dir.join(&name);
            let Ok(name) = name.into_string() else {
                // No request of ours has such a name; it is removed unread.
                atomic::remove_any(&path)?;
                continue;
            };
            // Temporary names of other programs.
            if name.starts_with('.') {
                if name.starts_with(BELL) {
                    // Whoever rang has died before it could take the bell away again.
                    atomic::remove_any(&path)?;
                }
                continue;
            }
            match read(&path, &name) {
                Ok((age, content)) => found.push((age, Delivered { name, content })),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => found.push((None, Delivered { name, content: Err(error.to_string()) })),
            }
        }
        found.sort_by(|(age, a), (other_age, b)| (age, &a.name).cmp(&(other_age, &b.name)));
        Ok(found.into_iter().map(|(_, delivered)| delivered).collect())
    }

    /// Removes a request that has been answered. Acting on it twice, after a crash before this, must be harmless.
    ///
    /// # Errors
    /// What the system says.
    pub fn remove(&self, delivered: &Delivered) -> Result<(), StoreError> {
        atomic::remove_any(&self.dir.join(&delivered.name))
    }
}

type Read = (Option<std::time::SystemTime>, Result<Asked, String>);

fn read(path: &Path, name: &str) -> io::Result<Read> {
    let facts = platform::facts(path)?;
    // A bare `kill` is known by its name: what is in it does not matter, unless it is a whole request.
    let bare = Asked { attempt: None, verb: Verb::Kill(Kill { reason: Some(Reason::Kill), ..Kill::default() }) };
    let request = facts.is_regular.then(|| format::read_bounded(path, MAX_REQUEST)).and_then(Result::ok);
    let asked = match request.as_deref().and_then(format::parse::<Request>) {
        Some(Request { verb: Verb::Unknown, .. }) => {
            Err("it asks for something that this version does not know".into())
        }
        Some(Request { attempt, verb, .. }) => Ok(Asked { attempt: Some(attempt), verb }),
        None if name == BARE_KILL => Ok(bare),
        None => Err("it is not a request".into()),
    };
    Ok((facts.modified, asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_kill_is_known_by_its_name_and_garbage_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("writes");
        write("kill", "");
        write("kill-1", r#"{"schema":"jobdir/request/1","attempt":3,"verb":"kill","force":true}"#);
        write("other", "{");
        write(".temporary", "{");
        std::fs::create_dir(dir.path().join("folder")).expect("makes");
        let inbox = Inbox::new(dir.path().to_owned());
        let mut found = inbox.look().expect("looks");
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<_> = found.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["folder", "kill", "kill-1", "other"]);
        assert_eq!(found[1].content.as_ref().map(|a| a.attempt), Ok(None));
        assert_eq!(found[2].content.as_ref().map(|a| a.attempt), Ok(Some(3)));
        assert!(found[0].content.is_err() && found[3].content.is_err());
        for delivered in &found {
            inbox.remove(delivered).expect("removes");
        }
        assert!(inbox.look().expect("looks").is_empty());
    }

    #[test]
    fn each_look_sees_what_is_there_now_and_in_whichever_directory() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, aside) = (dir.path().join("kill-signals"), dir.path().join("aside"));
        std::fs::create_dir(&path).expect("makes");
        let inbox = Inbox::new(path.clone());
        let names = || inbox.look().expect("looks").into_iter().map(|delivered| delivered.name).collect::<Vec<_>>();
        assert!(names().is_empty());
        std::fs::write(path.join("kill"), "").expect("writes");
        assert_eq!(names(), ["kill"]);
        std::fs::rename(&path, &aside).expect("moves");
        assert!(inbox.look().is_err());
        std::fs::create_dir(&path).expect("makes");
        std::fs::write(path.join("other"), "").expect("writes");
        assert_eq!(names(), ["other"]);
    }
}
