//! What keys of the live view ask for is done as if it had been typed: by another client, which may wait for the end of a
//! job as long as it takes, and goes on when the view is left.

use std::ffi::OsStr;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::platform::{self, Waker};
use crate::view::Deed;

/// How many may be under way at once.
const MOST: usize = 16;
/// How much one may have to say.
const LONGEST: u64 = 16 << 10;

/// Clients under way.
#[derive(Debug)]
pub(super) struct Errands {
    state_dir: PathBuf,
    mask: u32,
    waker: Waker,
    sender: Sender<(Deed, String)>,
    ended: Receiver<(Deed, String)>,
    under_way: Vec<Deed>,
}

impl Errands {
    /// None is under way.
    pub(super) fn new(state_dir: PathBuf, mask: u32, waker: Waker) -> Self {
        let (sender, ended) = channel();
        Self { state_dir, mask, waker, sender, ended, under_way: Vec::new() }
    }

    /// Sends a client. Returns what is to be said of that.
    pub(super) fn send(&mut self, deed: Deed) -> String {
        if self.under_way.contains(&deed) {
            return format!("'{deed}' is under way already");
        }
        if self.under_way.len() >= MOST {
            return format!("'{deed}' has to wait: {MOST} others are under way");
        }
        let id = deed.id.to_string();
        let mut words: Vec<&OsStr> = vec![OsStr::new("--state-dir"), self.state_dir.as_os_str()];
        words.extend(deed.words.iter().map(OsStr::new));
        words.push(OsStr::new(&id));
        let mut child = match platform::spawn_errand(&words, self.mask) {
            Ok(child) => child,
            Err(error) => return format!("'{deed}' cannot be started: {error}"),
        };
        let says = format!("'{deed}' …");
        self.under_way.push(deed.clone());
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        std::thread::spawn(move || {
            let mut talk = Vec::new();
            if let Some(stderr) = child.stderr.take() {
                // More than that is read by nobody, and the pipe closes.
                stderr.take(LONGEST).read_to_end(&mut talk).ok();
            }
            let talk = String::from_utf8_lossy(&talk).into_owned();
            let says = match child.wait() {
                Ok(status) if status.success() && talk.trim().is_empty() => format!("'{deed}': done"),
                Ok(_) if !talk.trim().is_empty() => talk,
                Ok(status) => format!("'{deed}' failed: {status}"),
                Err(error) => format!("'{deed}': {error}"),
            };
            // The view may have been left.
            sender.send((deed, says)).ok();
            waker.wake();
        });
        says
    }

    /// Returns what those that have ended have to say.
    pub(super) fn news(&mut self) -> Vec<String> {
        let ended: Vec<(Deed, String)> = self.ended.try_iter().collect();
        self.under_way.retain(|deed| !ended.iter().any(|(ended, _)| ended == deed));
        ended.into_iter().map(|(_, says)| says).collect()
    }

    /// Returns what has not ended yet.
    pub(super) fn under_way(&self) -> &[Deed] {
        &self.under_way
    }
}
