//! The memory that holds the arguments and the environment of this process, which is what other processes see of both.
//!
//! A supervisor that was not executed but forked has those of its client there. It must not keep the environment, in which the
//! cookie of a job may be that the client belongs to; and it has something to say in the place of the arguments.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

use nix::libc::c_char;

use crate::domain::os_text::OsText;

unsafe extern "C" {
    static mut environ: *const *const c_char;
}

/// Where that memory is, and how long.
static ROOM: OnceLock<Option<(usize, usize)>> = OnceLock::new();

/// Returns the strings of the environment where the kernel has put them: one behind the other.
fn environment() -> Vec<&'static CStr> {
    let mut strings = Vec::new();
    // SAFETY: the array ends with a null, and its strings are never freed; nobody changes either while this runs, since it is
    // called by a process with one thread.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            strings.push(CStr::from_ptr(*next));
            next = next.add(1);
        }
    }
    strings
}

/// Finds the memory: the arguments lie right before the environment.
fn find() -> Option<(usize, usize)> {
    let strings = environment();
    let middle = strings.first()?.as_ptr().addr();
    let mut end = middle;
    for string in &strings {
        if string.as_ptr().addr() != end {
            return None;
        }
        end += string.count_bytes() + 1;
    }
    let arguments: Vec<u8> = std::env::args_os().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
    let start = middle.checked_sub(arguments.len())?;
    // SAFETY: below the environment lie the arguments, above the rest of the stack: this is readable either way.
    let there = unsafe { std::slice::from_raw_parts(start as *const u8, arguments.len()) };
    (there == arguments).then_some((start, end - start))
}

/// Forgets the environment but for these variables, and so that nobody can read it any more. To be called by a process with
/// one thread.
fn forget_environment(keep: &[(OsText, OsText)]) {
    let room = *ROOM.get_or_init(find);
    let strings = environment();
    let entry = |(name, value): &(OsText, OsText)| CString::new([name.0.as_slice(), b"=", &value.0].concat()).ok();
    let kept = keep.iter().filter_map(entry).map(|entry| entry.into_raw().cast_const());
    let array: Vec<*const c_char> = kept.chain([std::ptr::null()]).collect();
    // SAFETY: array and entries live as long as the process. What is overwritten is nobody's any more.
    unsafe {
        environ = array.leak().as_ptr();
        match room {
            Some((start, length)) => std::ptr::write_bytes(start as *mut u8, 0, length),
            None => strings.iter().for_each(|s| std::ptr::write_bytes(s.as_ptr().cast_mut(), 0, s.count_bytes())),
        }
    }
}

/// Shows these words as the arguments of this process, as far as there is room for them; its environment is gone then, but for
/// these variables. To be called by a process with one thread.
pub(super) fn show(words: &[OsText], keep: &[(OsText, OsText)]) {
    forget_environment(keep);
    let Some((start, length)) = *ROOM.get_or_init(find) else { return };
    // One string, see proc_pid_cmdline(5): what is longer than the arguments were may have no zero byte in it.
    let mut title = words.iter().map(|word| word.0.as_slice()).collect::<Vec<_>>().join(&b' ');
    title.truncate(length - 1);
    title.resize(length, 0);
    // SAFETY: the memory is as long as that, on our own stack, and only the kernel still looks at it.
    unsafe { std::ptr::copy_nonoverlapping(title.as_ptr(), start as *mut u8, length) };
}
