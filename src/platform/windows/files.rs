//! Private files: what is in the user's own directories is private here by default.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, GetFileInformationByHandle,
};

use super::job_object::check;
use super::security;
use crate::domain::os_text::OsText;

/// The last of the pauses, each twice as long as the one before, between attempts to replace a file that is in use.
const LONGEST_PAUSE: Duration = Duration::from_millis(512);
/// The number of every user but ourselves.
const SOMEBODY_ELSE: u32 = 1;

/// What is known of a path without following a link at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileFacts {
    /// It is a directory.
    pub is_directory: bool,
    /// It is a regular file.
    pub is_regular: bool,
    /// The user that owns it: 0 is ourselves. Only [`facts_with_access`] asks.
    pub owner: u32,
    /// Whether users other than the owner may write it. Only [`facts_with_access`] asks.
    pub others_may_write: bool,
    /// Its length in bytes.
    pub length: u64,
    /// Volume and index: changes when the path names another file.
    pub identity: (u64, u64),
    /// When it was last written.
    pub modified: Option<SystemTime>,
}

/// Looks at a path, not following a link at its end.
///
/// # Errors
/// What the system says.
pub fn facts(path: &Path) -> io::Result<FileFacts> {
    // No access is asked for, so nobody who has it open can refuse it; links are not followed.
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    file_facts(&OpenOptions::new().access_mode(0).custom_flags(flags).open(path)?)
}

/// Looks at a directory, and at who may use it.
///
/// # Errors
/// What the system says.
pub fn facts_with_access(path: &Path) -> io::Result<FileFacts> {
    let access = security::access(path)?;
    let owner = if access.is_ours { user_id() } else { SOMEBODY_ELSE };
    Ok(FileFacts { owner, others_may_write: access.others_may_write, ..facts(path)? })
}

/// Looks at an open file.
///
/// # Errors
/// What the system says.
pub fn file_facts(file: &File) -> io::Result<FileFacts> {
    let metadata = file.metadata()?;
    let information = information(file)?;
    let index = u64::from(information.nFileIndexHigh) << 32 | u64::from(information.nFileIndexLow);
    Ok(FileFacts {
        is_directory: metadata.is_dir(),
        is_regular: metadata.is_file(),
        owner: 0,
        others_may_write: false,
        length: metadata.len(),
        identity: (information.dwVolumeSerialNumber.into(), index),
        modified: metadata.modified().ok(),
    })
}

fn information(file: &File) -> io::Result<BY_HANDLE_FILE_INFORMATION> {
    let mut information = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and the place lives through the call.
    check(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut information) })?;
    Ok(information)
}

/// Creates a file that must not exist.
///
/// # Errors
/// What the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// There is no such thing here that an open file would not be in the way of.
///
/// # Errors
/// Always.
pub fn rename_new(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// There is no such thing here.
///
/// # Errors
/// Always.
pub fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Opens a regular file for writing that is empty and has no other name. Whether a file that is not empty is open elsewhere is not
/// asked: names are never exchanged here, so there is none that could be used again.
///
/// # Errors
/// What the system says; `InvalidInput` when it is anything else.
pub fn open_unused(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() == 0 && information(&file)?.nNumberOfLinks == 1 {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not an empty file of one name"))
    }
}

/// The system writes it to the disk when it likes.
pub fn begin_flush(_file: &File) {}

/// Moves something to its place in one step, replacing a file. Whoever has that file open at the moment without letting
/// others replace it (virus scanners, indexers, editors) is waited for, for about a second.
///
/// # Errors
/// What the system says; `IsADirectory` when a directory is there.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let mut pause = Duration::from_millis(1);
    loop {
        let Err(error) = fs::rename(from, to) else { return Ok(()) };
        let number = error.raw_os_error().map(i32::cast_unsigned);
        if !matches!(number, Some(ERROR_ACCESS_DENIED | ERROR_LOCK_VIOLATION | ERROR_SHARING_VIOLATION)) {
            return Err(error);
        }
        if facts(from).is_ok_and(|facts| !facts.is_directory) && facts(to).is_ok_and(|facts| facts.is_directory) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // What is missing is not in use.
        if pause > LONGEST_PAUSE || facts(from).is_err() {
            return Err(error);
        }
        crate::platform::pause(pause);
        pause *= 2;
    }
}

/// Opens a file for appending, creating it.
///
/// # Errors
/// What the system says.
pub fn append_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Makes a file at least so long; never cuts it.
///
/// # Errors
/// What the system says.
pub fn extend_file(path: &Path, length: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    let file = OpenOptions::new().write(true).open(path)?;
    length.checked_sub(1).map_or(Ok(()), |last| file.seek_write(b".", last).map(drop))
}

/// Opens a regular file for reading.
///
/// # Errors
/// What the system says.
pub fn open_regular(path: &Path) -> io::Result<File> {
    if facts(path)?.is_regular {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

/// Opens a regular file for reading and says how long it is.
///
/// # Errors
/// What the system says.
pub fn open_regular_with_length(path: &Path) -> io::Result<(File, u64)> {
    let file = open_regular(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// Opens or creates the empty file whose lock is a claim.
///
/// # Errors
/// What the system says.
pub fn open_lock_file(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(create).create(create).truncate(false).open(path)
}

/// Creates a directory that the user and the system's administrators may use, whatever those above it allow.
///
/// # Errors
/// What the system says.
pub fn make_private_directory(path: &Path) -> io::Result<()> {
    security::make_private_directory(path)
}

/// Nothing to do: what is below the user's local data is the user's.
pub fn open_up(_path: &Path) {}

/// Directories cannot be flushed here, and need not be: NTFS journals names.
///
/// # Errors
/// Never.
pub fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens `NUL`.
///
/// # Errors
/// What the system says.
pub fn open_null() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("NUL")
}

/// Returns an input from which this can be read, once. A thread writes it, and gives up when nobody has it open any more.
///
/// # Errors
/// What the system says.
pub fn input_with(content: Vec<u8>) -> io::Result<File> {
    let (reader, mut writer) = io::pipe()?;
    std::thread::Builder::new().name("input".into()).spawn(move || writer.write_all(&content).ok())?;
    Ok(File::from(OwnedHandle::from(reader)))
}

/// Says whether files have modes, and programs masks for them.
pub fn has_file_masks() -> bool {
    false
}

/// There is no such mask here.
pub fn set_file_mask(_mask: u32) -> u32 {
    0o022
}

/// There is no such mask here.
///
/// # Errors
/// Never.
pub fn apply_file_mask(_file: &File, _mask: u32) -> io::Result<()> {
    Ok(())
}

/// Users have no numbers here: this is ourselves.
pub fn user_id() -> u32 {
    0
}

/// Users have no numbers here.
pub fn user_name(_id: u32) -> String {
    "another user".into()
}

/// Takes text from the system, in the encoding that Rust uses for it.
pub fn os_text(text: &OsStr) -> OsText {
    OsText(text.as_encoded_bytes().to_vec())
}

/// Gives text to the system.
pub fn os_string(text: &OsText) -> OsString {
    text.lossy().into_owned().into()
}

/// Gives text to the system as a path.
pub fn path_of(text: &OsText) -> PathBuf {
    os_string(text).into()
}

/// Opens a regular file of the user's for reading, through links too.
///
/// # Errors
/// What the system says; `InvalidInput` when it is no regular file.
pub fn open_for_user(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

/// Opens a file of the user's as the input of a job.
///
/// # Errors
/// What the system says.
pub fn open_input(path: &Path) -> io::Result<File> {
    File::open(path)
}
