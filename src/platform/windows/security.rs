//! Who owns what, and who may do what with it.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::path::{Component, Path, PathBuf, Prefix};
use std::ptr;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED, ERROR_SUCCESS, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1,
    SE_FILE_OBJECT, SE_KERNEL_OBJECT, SE_OBJECT_TYPE,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACL, DACL_SECURITY_INFORMATION, EqualSid, GetAce, GetTokenInformation, INHERIT_ONLY_ACE,
    IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES, TOKEN_QUERY,
    TokenUser, WinBuiltinAdministratorsSid, WinCreatorOwnerRightsSid, WinLocalSystemSid,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_OPEN_REPARSE_POINT, FILE_WRITE_DATA, READ_CONTROL, WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::SystemServices::{ACCESS_ALLOWED_ACE_TYPE, ACCESS_ALLOWED_CALLBACK_ACE_TYPE};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::command_line::wide;
use super::job_object::check;

const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
/// Whoever has one of these rights to a directory changes what is in it, or takes that right.
const WRITING: u32 = FILE_WRITE_DATA
    | FILE_APPEND_DATA
    | FILE_DELETE_CHILD
    | DELETE
    | WRITE_DAC
    | WRITE_OWNER
    | GENERIC_WRITE
    | GENERIC_ALL;
/// No access list is read beyond so many entries: it has at most 64 KiB.
const MOST_ENTRIES: u32 = 4096;

/// Something of the system's that is given back.
#[derive(Debug)]
struct Local(*mut core::ffi::c_void);

// SAFETY: what it points to is never changed, and freed once.
unsafe impl Send for Local {}
// SAFETY: as above.
unsafe impl Sync for Local {}

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: the system allocated it so, and nobody else has it.
        unsafe { LocalFree(self.0) };
    }
}

/// The user of this process: words that begin with a pointer to a SID further on in them.
#[derive(Debug)]
struct User(Vec<usize>);

impl User {
    fn read() -> io::Result<Self> {
        // A SID has at most 68 bytes.
        let mut words = vec![0usize; 32];
        let mut length = 0;
        // SAFETY: the token is ours to close; the system writes at most as much as it is told there is.
        unsafe {
            let mut token = ptr::null_mut();
            check(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token))?;
            let token = OwnedHandle::from_raw_handle(token);
            let size = size_of_val(words.as_slice()) as u32;
            check(GetTokenInformation(
                token.as_raw_handle(),
                TokenUser,
                words.as_mut_ptr().cast(),
                size,
                &raw mut length,
            ))?;
        }
        Ok(Self(words))
    }

    fn sid(&self) -> PSID {
        self.0[0] as PSID
    }

    fn is(&self, other: PSID) -> bool {
        // SAFETY: two SIDs that live.
        unsafe { EqualSid(self.sid(), other) != 0 }
    }
}

/// Says whether a SID is that of the system or of its administrators, whom nothing is kept from. What an administrator makes
/// may belong to the latter.
fn is_mighty(sid: PSID) -> bool {
    // SAFETY: a SID that lives.
    [WinLocalSystemSid, WinBuiltinAdministratorsSid].iter().any(|known| unsafe { IsWellKnownSid(sid, *known) != 0 })
}

/// What the system knows of the access to something.
struct Guard {
    owner: PSID,
    list: *const ACL,
    /// What the other two lie in.
    _descriptor: Local,
}

impl Guard {
    fn of(object: BorrowedHandle<'_>, kind: SE_OBJECT_TYPE) -> io::Result<Self> {
        let (mut owner, mut list, mut descriptor) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: a handle that is open, and three places that live; the descriptor is ours to free.
        let code = unsafe {
            GetSecurityInfo(
                object.as_raw_handle(),
                kind,
                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                &raw mut owner,
                ptr::null_mut(),
                &raw mut list,
                ptr::null_mut(),
                &raw mut descriptor,
            )
        };
        if code != ERROR_SUCCESS {
            return Err(io::Error::from_raw_os_error(code.cast_signed()));
        }
        Ok(Self { owner, list, _descriptor: Local(descriptor) })
    }
}

/// Says whether something of the kernel's was made by ourselves: anybody in the session can take a name.
pub(super) fn is_ours(object: BorrowedHandle<'_>) -> bool {
    let guard = Guard::of(object, SE_KERNEL_OBJECT);
    guard.is_ok_and(|guard| User::read().is_ok_and(|user| user.is(guard.owner)))
}

/// What is known of who may use a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Access {
    pub(super) is_ours: bool,
    pub(super) others_may_write: bool,
}

/// Looks at who may use a directory. The system and its administrators do not count as others.
///
/// # Errors
/// What the system says.
pub(super) fn access(path: &Path) -> io::Result<Access> {
    let flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    let directory = OpenOptions::new().access_mode(READ_CONTROL).custom_flags(flags).open(path)?;
    let guard = match Guard::of(directory.as_handle(), SE_FILE_OBJECT) {
        // A file system without lists, as on most sticks: whoever has it may do everything.
        Err(error) if is_unsupported(&error) => return Ok(Access { is_ours: true, others_may_write: true }),
        other => other?,
    };
    let user = User::read()?;
    let is_ours = |sid: PSID| is_mighty(sid) || user.is(sid);
    Ok(Access { is_ours: is_ours(guard.owner), others_may_write: others_may_write(guard.list, &is_ours) })
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(i32::cast_unsigned), Some(ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED))
}

fn others_may_write(list: *const ACL, is_ours: &dyn Fn(PSID) -> bool) -> bool {
    if list.is_null() {
        // No list at all: everybody may do everything.
        return true;
    }
    (0..MOST_ENTRIES).map_while(|index| entry(list, index)).any(|(entry, sid)| {
        let kind = u32::from(entry.Header.AceType);
        let allows = matches!(kind, ACCESS_ALLOWED_ACE_TYPE | ACCESS_ALLOWED_CALLBACK_ACE_TYPE);
        let is_inherited_only = u32::from(entry.Header.AceFlags) & INHERIT_ONLY_ACE != 0;
        // SAFETY: a SID that lives. Its rights are those of the owner, whoever that is.
        let is_owners = || unsafe { IsWellKnownSid(sid, WinCreatorOwnerRightsSid) != 0 };
        allows && !is_inherited_only && entry.Mask & WRITING != 0 && !is_ours(sid) && !is_owners()
    })
}

/// Returns one entry of a list, of which only those that allow something have this form, and its SID.
fn entry(list: *const ACL, index: u32) -> Option<(ACCESS_ALLOWED_ACE, PSID)> {
    let mut place = ptr::null_mut();
    // SAFETY: the list lives; an entry of any kind is at least as long as the head of this one, and its SID begins in
    // the last field, which is looked at for those kinds alone that have one there.
    unsafe {
        check(GetAce(list, index, &raw mut place)).ok()?;
        let sid = &raw mut (*place.cast::<ACCESS_ALLOWED_ACE>()).SidStart;
        Some((ptr::read_unaligned(place.cast()), sid.cast()))
    }
}

/// Creates a directory that the user and the system's administrators may use, whatever those above it allow.
///
/// # Errors
/// What the system says.
pub(super) fn make_private_directory(path: &Path) -> io::Result<()> {
    static DESCRIPTOR: OnceLock<Local> = OnceLock::new();
    // Protected from what would be inherited; all that is made below inherits this.
    let private = private(&DESCRIPTOR, |user| format!("D:P(A;OICI;FA;;;{user})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"))?;
    let path = wide(long(path)?.as_os_str())?;
    // SAFETY: the path ends with a NUL, and the attributes live through the call.
    check(unsafe { CreateDirectoryW(path.as_ptr(), &raw const private) })
}

/// Returns the command by which a directory becomes its owner's alone, in each of the usual shells.
pub fn to_make_private(path: &Path) -> String {
    let user = own_name().unwrap_or_default();
    format!("icacls \"{}\" /inheritance:r /grant:r \"*{user}:(OI)(CI)F\"", path.display())
}

/// Returns with what something of the kernel's is made that has a name, so that [`is_ours`] knows it and nobody else may
/// use it.
///
/// # Errors
/// What the system says.
pub(super) fn of_ours() -> io::Result<SECURITY_ATTRIBUTES> {
    static DESCRIPTOR: OnceLock<Local> = OnceLock::new();
    private(&DESCRIPTOR, |user| format!("O:{user}D:P(A;;GA;;;{user})(A;;GA;;;SY)"))
}

/// Returns attributes with the descriptor that this text stands for, made once.
fn private(descriptor: &'static OnceLock<Local>, text: impl Fn(String) -> String) -> io::Result<SECURITY_ATTRIBUTES> {
    let made = match descriptor.get() {
        Some(made) => made,
        None => {
            let made = descriptor_of(&text(own_name()?))?;
            descriptor.get_or_init(|| made)
        }
    };
    let length = size_of::<SECURITY_ATTRIBUTES>() as u32;
    Ok(SECURITY_ATTRIBUTES { nLength: length, lpSecurityDescriptor: made.0, bInheritHandle: 0 })
}

/// Returns a path that may be as long as the system lets it be, which needs another form of it.
fn long(path: &Path) -> io::Result<PathBuf> {
    const LONGEST_PLAIN: usize = 240;
    let path = std::path::absolute(path)?;
    let is_on_disk =
        matches!(path.components().next(), Some(Component::Prefix(it)) if matches!(it.kind(), Prefix::Disk(_)));
    if !is_on_disk || path.as_os_str().len() < LONGEST_PLAIN {
        return Ok(path);
    }
    let mut long = OsString::from(r"\\?\");
    long.push(path);
    Ok(long.into())
}

/// Returns the user's SID as text.
fn own_name() -> io::Result<String> {
    let user = User::read()?;
    let mut text = ptr::null_mut();
    // SAFETY: a SID that lives; the text is ours to free, and ends with a NUL.
    unsafe {
        check(ConvertSidToStringSidW(user.sid(), &raw mut text))?;
        let _text = Local(text.cast());
        let length = (0..256).take_while(|at| *text.add(*at) != 0).count();
        Ok(String::from_utf16_lossy(std::slice::from_raw_parts(text, length)))
    }
}

fn descriptor_of(text: &str) -> io::Result<Local> {
    let text = wide(text.as_ref())?;
    let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
    // SAFETY: the text ends with a NUL; the descriptor is ours to free.
    check(unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            ptr::null_mut(),
        )
    })?;
    Ok(Local(descriptor))
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Security::GetSecurityDescriptorDacl;

    use super::*;

    #[test]
    fn a_private_directory_is_ours_and_nobody_elses() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("private");
        make_private_directory(&path).expect("creates");
        assert_eq!(access(&path).expect("looks"), Access { is_ours: true, others_may_write: false });
        let again = make_private_directory(&path).expect_err("is there");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        let missing = make_private_directory(&path.join("not/there")).expect_err("is not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let deep = ["a", "b", "c"].iter().try_fold(path, |path, letter| {
            let path = path.join(letter.repeat(100));
            make_private_directory(&path).map(|()| path)
        });
        assert!(deep.expect("creates").is_dir());
    }

    #[test]
    fn rights_to_write_are_seen_whoever_has_them() {
        let may = |text: &str| {
            let descriptor = descriptor_of(text).expect("converts");
            let (mut list, mut is_there, mut is_default) = (ptr::null_mut(), 0, 0);
            // SAFETY: the list lives as long as the descriptor.
            let told = check(unsafe {
                GetSecurityDescriptorDacl(descriptor.0, &raw mut is_there, &raw mut list, &raw mut is_default)
            });
            told.expect("has a list");
            others_may_write(list, &is_mighty)
        };
        assert!(may("D:(A;;FA;;;WD)") && may("D:(A;;0x2;;;AU)") && may("D:(A;OICI;GA;;;BU)"));
        assert!(may("D:(A;;FA;;;SY)(A;;WD;;;BU)"), "who writes the list takes every right");
        assert!(!may("D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;WD)"), "to read is not to write");
        assert!(!may("D:(D;;FA;;;WD)(A;OICIIO;FA;;;WD)(A;;FA;;;OW)"));
        // SAFETY: no list is looked at.
        assert!(others_may_write(ptr::null(), &is_mighty));
    }
}
