//! The operating system, behind one small interface.
//!
//! Owns everything that differs between systems: processes, signals, spawning, wake-ups, private files. The only
//! place with `unsafe`, and the only one (tests aside) with `cfg`. Every system offers the same functions; where one
//! lacks a concept, the function says so by an `Unsupported` error or an empty answer, never by pretending.
//! Uses `domain` for its types and nothing else of the crate.

#![expect(unsafe_code, reason = "the one place that talks to the operating system directly")]
#![expect(clippy::disallowed_methods, reason = "the wrappers that everybody else must use are made here")]

#[cfg(unix)]
#[path = "unix/mod.rs"]
mod os;

#[cfg(windows)]
#[path = "windows/mod.rs"]
mod os;

mod clock;
mod crash;
mod details;
#[cfg(not(target_os = "linux"))]
mod execute;
mod waiting;

pub use clock::{local_time, now, random_hex};
pub use crash::{as_role, crash_point, is_switch, panic_point, unkillable};
pub use details::{ProcessDetails, process_details};
#[cfg(not(target_os = "linux"))]
pub use execute::execute;
pub use os::*;
pub use waiting::{Meanwhile, clear_status, meanwhile, show_status, write_all};

use crate::domain::state::Reason;

/// musl's allocator gives memory back to the system whenever it can, and asks for it again: at the length of a start that is most
/// of what there is to do.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// How much room a file system has left for this user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// In bytes.
    pub free_bytes: u64,
    /// In files, where that is told.
    pub free_inodes: Option<u64>,
    /// How many files there can be; 0 where that has no limit.
    pub total_inodes: u64,
}

/// One reason to look again, taken from a [`WakeQueue`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// This signal came.
    Signal(crate::domain::signal::Signal),
    /// A child changed state.
    Child,
    /// A thread of ours asked us to look again.
    Look,
    /// A file was written to that a bell stands beside.
    Written,
}

impl Wake {
    /// Returns the signal, if it was one.
    pub fn signal(&self) -> Option<crate::domain::signal::Signal> {
        match self {
            Self::Signal(signal) => Some(*signal),
            Self::Child | Self::Look | Self::Written => None,
        }
    }
}

/// Why a child that was created did not come to execute its command.
#[derive(Debug)]
pub struct ExecFailure {
    /// Which step failed: `Cwd`, `Setup`, `NotFound` or `NotExecutable`.
    pub reason: Reason,
    /// What the system said.
    pub error: std::io::Error,
}

/// What a child says of itself before it executes, so that nobody executes who is not known. A file is replaced, as a whole.
#[derive(Debug)]
pub struct Announcement {
    /// What is written to: new, empty, and known as `temporary`.
    pub file: std::fs::File,
    /// The name that it has meanwhile.
    pub temporary: std::path::PathBuf,
    /// The name that it gets.
    pub path: std::path::PathBuf,
    /// What comes before the number of the child, between that and its start time, and behind that.
    pub text: [Vec<u8>; 3],
}

/// What is known of the children of this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Children {
    /// The kernel says that there is none: a proof.
    None,
    /// There are some, none of which has ended.
    Living,
    /// This one has ended and waits to be reaped.
    Ended(u32),
}

/// Whether a signal reached a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// It was sent.
    Sent,
    /// That process is gone; another one may bear its number.
    Gone,
    /// We may not signal it.
    Refused,
}

/// Moves a file of the user's to its place, replacing what is there.
///
/// # Errors
/// What the system says.
pub fn rename_file(from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
    rename(from, to)
}

/// Replaces a file of the user's as a whole, with the mode that a program with this mask would create it with. What is
/// missing of its directory is made.
///
/// # Errors
/// What the system says.
pub fn replace_file(path: &std::path::Path, content: &[u8], mask: u32) -> std::io::Result<()> {
    use std::io::Write;
    if let Some(directory) = path.parent() {
        let ours = set_file_mask(mask);
        let made = std::fs::create_dir_all(directory);
        set_file_mask(ours);
        made?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = std::path::Path::new(&temporary);
    let write = |mut file: std::fs::File| {
        apply_file_mask(&file, mask)?;
        file.write_all(content)?;
        rename_file(temporary, path)
    };
    create_private(temporary).and_then(write).inspect_err(|_| remove_file(temporary))
}

/// Removes a file of the user's, if it is there.
pub fn remove_file(path: &std::path::Path) {
    std::fs::remove_file(path).ok();
}

/// Lets this thread rest. For pauses between looks at what tells nobody of its changes; never as synchronisation.
pub fn pause(duration: std::time::Duration) {
    std::thread::sleep(duration);
}
