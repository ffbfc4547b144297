//! Who may do what with something of ours.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::command_line::wide;
use super::job_object::check;

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

/// Returns with what something of the kernel's is made that has a name, so that nobody else may use it.
///
/// # Errors
/// What the system says.
pub(super) fn of_ours() -> io::Result<SECURITY_ATTRIBUTES> {
    static DESCRIPTOR: OnceLock<Local> = OnceLock::new();
    let made = match DESCRIPTOR.get() {
        Some(made) => made,
        None => {
            let user = own_name()?;
            let made = descriptor_of(&format!("O:{user}D:P(A;;GA;;;{user})(A;;GA;;;SY)"))?;
            DESCRIPTOR.get_or_init(|| made)
        }
    };
    let length = size_of::<SECURITY_ATTRIBUTES>() as u32;
    Ok(SECURITY_ATTRIBUTES { nLength: length, lpSecurityDescriptor: made.0, bInheritHandle: 0 })
}

/// Returns the user's SID as text.
fn own_name() -> io::Result<String> {
    let (mut raw, mut size) = (ptr::null_mut(), 0);
    // As large as any SID, which follows behind.
    let mut user = [0usize; 32];
    let mut text = ptr::null_mut();
    // SAFETY: every place lives and is as large as is told; the SID lies in `user`. What comes back is ours, and the text ends
    // with a NUL.
    unsafe {
        check(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut raw))?;
        let token = OwnedHandle::from_raw_handle(raw);
        let (place, length) = (user.as_mut_ptr().cast(), size_of_val(&user) as u32);
        check(GetTokenInformation(token.as_raw_handle(), TokenUser, place, length, &raw mut size))?;
        check(ConvertSidToStringSidW(ptr::read(user.as_ptr().cast::<TOKEN_USER>()).User.Sid, &raw mut text))?;
        let _text = Local(text.cast());
        let length = (0..256).take_while(|at| *text.add(*at) != 0).count();
        Ok(String::from_utf16_lossy(std::slice::from_raw_parts(text, length)))
    }
}

fn descriptor_of(text: &str) -> io::Result<Local> {
    let text = wide(text.as_ref())?;
    let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
    let place = &raw mut descriptor;
    // SAFETY: the text ends with a NUL; the descriptor is ours to free.
    check(unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(text.as_ptr(), SDDL_REVISION_1, place, ptr::null_mut())
    })?;
    Ok(Local(descriptor))
}
