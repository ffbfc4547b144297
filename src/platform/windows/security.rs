//! Who may open what has no directory to protect it: the user alone.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::GENERIC_ALL;
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, ACL, ACL_REVISION, AddAccessAllowedAce, GetLengthSid, GetTokenInformation, InitializeAcl,
    InitializeSecurityDescriptor, PSID, SECURITY_ATTRIBUTES, SECURITY_DESCRIPTOR, SetSecurityDescriptorDacl,
    TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::SystemServices::SECURITY_DESCRIPTOR_REVISION;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::job_object::check;

/// Lets the user that this process belongs to do everything, and nobody else anything.
pub(super) struct UserAlone {
    descriptor: Box<SECURITY_DESCRIPTOR>,
    _list: Vec<usize>,
}

impl UserAlone {
    /// Looks up who the user is.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn new() -> io::Result<Self> {
        let user = token_user()?;
        // SAFETY: the kernel has written a TOKEN_USER there, whose SID lies behind it in the same memory.
        let sid = unsafe { ptr::read(user.as_ptr().cast::<TOKEN_USER>()) }.User.Sid;
        let mut list = list_of(sid)?;
        let mut descriptor = Box::new(SECURITY_DESCRIPTOR::default());
        let place = ptr::from_mut(&mut *descriptor).cast();
        // SAFETY: the descriptor is on the heap and points to the list, which is there too; both live as long as this.
        unsafe {
            check(InitializeSecurityDescriptor(place, SECURITY_DESCRIPTOR_REVISION))?;
            check(SetSecurityDescriptorDacl(place, 1, list.as_mut_ptr().cast(), 0))?;
        }
        Ok(Self { descriptor, _list: list })
    }

    /// Returns it as the system wants it, for as long as this lives; what is made with it is not inherited.
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: ptr::from_ref(&*self.descriptor).cast_mut().cast(),
            bInheritHandle: 0,
        }
    }
}

/// Returns what the kernel says of the user, in memory that is aligned for it.
fn token_user() -> io::Result<Vec<usize>> {
    let mut raw = ptr::null_mut();
    // SAFETY: the place for the handle lives; what comes back is ours.
    let token = unsafe {
        check(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut raw))?;
        OwnedHandle::from_raw_handle(raw)
    };
    let mut size = 0;
    // SAFETY: without a place it only says how much room is needed.
    unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, ptr::null_mut(), 0, &raw mut size) };
    let mut user = vec![0usize; (size as usize).max(size_of::<TOKEN_USER>()).div_ceil(size_of::<usize>())];
    // SAFETY: the memory is at least as large as was asked for.
    let told =
        unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, user.as_mut_ptr().cast(), size, &raw mut size) };
    check(told).map(|()| user)
}

fn list_of(sid: PSID) -> io::Result<Vec<usize>> {
    // SAFETY: the SID was written by the kernel.
    let sid_length = unsafe { GetLengthSid(sid) } as usize;
    // An entry holds the beginning of the SID already, which is more than enough.
    let size = (size_of::<ACL>() + size_of::<ACCESS_ALLOWED_ACE>() + sid_length).next_multiple_of(size_of::<usize>());
    let mut list = vec![0usize; size / size_of::<usize>()];
    let place: *mut ACL = list.as_mut_ptr().cast();
    // SAFETY: the memory is as large as is told, and the SID lives.
    unsafe {
        check(InitializeAcl(place, size as u32, ACL_REVISION))?;
        check(AddAccessAllowedAce(place, ACL_REVISION, GENERIC_ALL, sid))?;
    }
    Ok(list)
}

/// Tells of each entry of the list of an object whether it is for the user.
#[cfg(test)]
pub(super) fn who_may_open(object: &OwnedHandle) -> io::Result<Vec<bool>> {
    use windows_sys::Win32::Security::{
        DACL_SECURITY_INFORMATION, EqualSid, GetAce, GetKernelObjectSecurity, GetSecurityDescriptorDacl,
    };
    let user = token_user()?;
    let mut memory = vec![0usize; 512];
    let mut needed = 0;
    let (mut is_present, mut is_defaulted, mut list) = (0, 0, ptr::null_mut::<ACL>());
    // SAFETY: the descriptor is written into memory of the size that is told, and the entries lie in it.
    unsafe {
        let descriptor = memory.as_mut_ptr().cast();
        let size = size_of_val(memory.as_slice()) as u32;
        let object = object.as_raw_handle();
        check(GetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION, descriptor, size, &raw mut needed))?;
        check(GetSecurityDescriptorDacl(descriptor, &raw mut is_present, &raw mut list, &raw mut is_defaulted))?;
        if is_present == 0 || list.is_null() {
            return Err(io::Error::other("everybody may"));
        }
        let sid = ptr::read(user.as_ptr().cast::<TOKEN_USER>()).User.Sid;
        let is_for_user = |index| {
            let mut entry = ptr::null_mut();
            check(GetAce(list, index, &raw mut entry))?;
            let entry = entry.cast::<ACCESS_ALLOWED_ACE>();
            Ok(EqualSid(ptr::addr_of_mut!((*entry).SidStart).cast(), sid) != 0)
        };
        (0..u32::from((*list).AceCount)).map(is_for_user).collect()
    }
}
