//! Private files: created for the user alone, never through links, whatever the caller's umask.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::libc;

use crate::domain::os_text::OsText;

/// What is known of a path without following a link at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileFacts {
    /// It is a directory.
    pub is_directory: bool,
    /// It is a regular file.
    pub is_regular: bool,
    /// The user that owns it.
    pub owner: u32,
    /// Whether users other than the owner may write it.
    pub others_may_write: bool,
    /// Its length in bytes.
    pub length: u64,
    /// Changes when the path names another file.
    pub identity: (u64, u64),
    /// When it was last written.
    pub modified: Option<SystemTime>,
}

fn facts_of(metadata: &fs::Metadata) -> FileFacts {
    FileFacts {
        is_directory: metadata.is_dir(),
        is_regular: metadata.is_file(),
        owner: metadata.uid(),
        others_may_write: metadata.mode() & 0o022 != 0,
        length: metadata.len(),
        identity: (metadata.dev(), metadata.ino()),
        modified: metadata.modified().ok(),
    }
}

/// Looks at a path, not following a link at its end.
///
/// # Errors
/// What the system says, `NotFound` above all.
pub fn facts(path: &Path) -> io::Result<FileFacts> {
    Ok(facts_of(&fs::symlink_metadata(path)?))
}

/// Looks at a directory, and at who may use it, which is told with everything else here.
///
/// # Errors
/// What the system says.
pub fn facts_with_access(path: &Path) -> io::Result<FileFacts> {
    facts(path)
}

/// Returns the command by which a directory becomes its owner's alone.
pub fn to_make_private(path: &Path) -> String {
    format!("chmod 700 '{}'", path.display())
}

/// Says to `open_files` that this process has a file open: here the kernel does.
#[derive(Debug)]
pub struct OpenMark;

/// Nothing to do: the kernel tells it.
pub fn mark_open(_path: &Path) -> OpenMark {
    OpenMark
}

/// Looks at an open file.
///
/// # Errors
/// What the system says.
pub fn file_facts(file: &File) -> io::Result<FileFacts> {
    Ok(facts_of(&file.metadata()?))
}

/// Creates a file that must not exist, readable and writable by its owner alone.
///
/// # Errors
/// What the system says, `AlreadyExists` when anything is there, a link included.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(path)
}

/// Opens a file for appending, creating it for its owner alone. Refuses links and waits for nobody.
///
/// # Errors
/// What the system says.
pub fn append_private(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    regular(file)
}

/// Makes a file at least so long, with a hole; never cuts it. Refuses links and waits for nobody.
///
/// # Errors
/// What the system says.
pub fn extend_file(path: &Path, length: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = regular(OpenOptions::new().write(true).custom_flags(flags).open(path)?)?;
    length.checked_sub(1).map_or(Ok(()), |last| file.write_all_at(b".", last))
}

/// Opens a regular file for reading. Refuses links and anything else, and waits for nobody.
///
/// # Errors
/// What the system says; `InvalidInput` when it is no regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    regular(OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?)
}

/// Opens a regular file for reading, as [`open_regular`] does, and says how long it is.
///
/// # Errors
/// What the system says; `InvalidInput` when it is no regular file.
pub fn open_regular_with_length(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata.len()))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

/// Opens or creates the empty file whose lock is a claim. Never truncates, refuses links.
///
/// # Errors
/// What the system says.
pub fn open_lock_file(path: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    if create {
        options.write(true).create(true).truncate(false);
    }
    regular(options.open(path)?)
}

/// Creates a directory for its owner alone.
///
/// # Errors
/// What the system says.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Gives the owner every right to a directory and the directories below it. Links are not followed.
pub fn open_up(path: &Path) {
    use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
    let mut queue = vec![path.to_owned()];
    while let Some(path) = queue.pop() {
        fchmodat(nix::fcntl::AT_FDCWD, &path, Mode::S_IRWXU, FchmodatFlags::NoFollowSymlink).ok();
        for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                queue.push(entry.path());
            }
        }
    }
}

/// Flushes a directory, so that names created, renamed or removed in it survive a power loss.
///
/// # Errors
/// What the system says.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Opens a regular file of the user's for reading, through links too, and waits for nobody.
///
/// # Errors
/// What the system says; `InvalidInput` when it is no regular file.
pub fn open_for_user(path: &Path) -> io::Result<File> {
    regular(OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?)
}

/// Opens a file of the user's as the input of a job.
///
/// # Errors
/// What the system says.
pub fn open_input(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Opens `/dev/null` for reading and writing.
///
/// # Errors
/// What the system says.
pub fn open_null() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/null")
}

/// Returns an input from which this can be read, once. A thread writes it, and gives up when nobody has it open any more.
///
/// # Errors
/// What the system says.
pub fn input_with(content: Vec<u8>) -> io::Result<File> {
    let (reader, mut writer) = io::pipe()?;
    std::thread::Builder::new().name("input".into()).spawn(move || writer.write_all(&content).ok())?;
    Ok(File::from(OwnedFd::from(reader)))
}

/// Says whether files have modes, and programs masks for them.
pub fn has_file_masks() -> bool {
    true
}

/// Sets the file mode creation mask of this process and returns the former one.
pub fn set_file_mask(mask: u32) -> u32 {
    let mask = nix::sys::stat::Mode::from_bits_truncate(mask as libc::mode_t);
    nix::sys::stat::umask(mask).bits() as u32
}

/// Gives a file the mode that a program with this mask would have created it with.
///
/// # Errors
/// What the system says.
pub fn apply_file_mask(file: &File, mask: u32) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(0o666 & !mask))
}

/// Returns the user that this process acts as.
pub fn user_id() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Returns a user's name, or the number when it has none.
pub fn user_name(id: u32) -> String {
    nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(id))
        .ok()
        .flatten()
        .map_or_else(|| format!("user {id}"), |user| user.name)
}

/// Takes text from the system.
pub fn os_text(text: &OsStr) -> OsText {
    OsText(text.as_bytes().to_vec())
}

/// Gives text to the system.
pub fn os_string(text: &OsText) -> OsString {
    OsString::from_vec(text.0.clone())
}

/// Gives text to the system as a path.
pub fn path_of(text: &OsText) -> PathBuf {
    os_string(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_opened_through_a_link_and_no_fifo_is_waited_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        std::os::unix::fs::symlink("/etc/passwd", path("link")).expect("links");
        crate::platform::make_fifo(&path("fifo")).expect("makes a FIFO");
        for name in ["link", "fifo"] {
            assert!(open_regular(&path(name)).is_err(), "{name}");
            assert!(append_private(&path(name)).is_err(), "{name}");
            assert!(create_private(&path(name)).is_err(), "{name}");
            assert!(open_lock_file(&path(name), true).is_err(), "{name}");
        }
    }
}
