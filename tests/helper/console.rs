//! A console of our own, at which a test types, for programs that want one at stdin.

#![expect(unsafe_code, reason = "consoles are made by the system alone")]

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::System::Console::{
    COORD, ClosePseudoConsole, CreatePseudoConsole, HPCON, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
    SetStdHandle,
};
use windows_sys::Win32::System::Threading::{
    CreateProcessW, EXTENDED_STARTUPINFO_PRESENT, INFINITE, InitializeProcThreadAttributeList,
    PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW,
    UpdateProcThreadAttribute, WaitForSingleObject,
};

use super::fail;

fn or_fail<T>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| fail(&error.to_string()))
}

fn check(answer: i32) {
    if answer == 0 {
        fail(&io::Error::last_os_error().to_string());
    }
}

/// Does this in a process that is at a console of its own, types the text there, waits for the end, and prints what is shown.
pub(super) fn at_console(text: &str, actions: &[String], before: impl FnOnce()) {
    let (their_input, mut typing) = or_fail(io::pipe());
    let (mut shown, their_output) = or_fail(io::pipe());
    let mut console: HPCON = 0;
    // SAFETY: two handles that are open, and a place that lives.
    let answer = unsafe {
        let size = COORD { X: 80, Y: 24 };
        CreatePseudoConsole(size, their_input.as_raw_handle(), their_output.as_raw_handle(), 0, &raw mut console)
    };
    if answer < 0 {
        fail(&format!("there is no console: {answer:x}"));
    }
    drop((their_input, their_output));
    let shows = std::thread::spawn(move || io::copy(&mut shown, &mut io::stdout()));
    let process = start_at(console, actions);
    before();
    // SAFETY: a handle that is open; the console is closed once.
    unsafe {
        if text != "close" {
            or_fail(typing.write_all(text.as_bytes()));
            WaitForSingleObject(process.as_raw_handle(), INFINITE);
        }
        ClosePseudoConsole(console);
    }
    shows.join().ok();
}

fn start_at(console: HPCON, actions: &[String]) -> OwnedHandle {
    let own = or_fail(std::env::current_exe()).to_string_lossy().into_owned();
    let words: Vec<String> = std::iter::once(&own).chain(actions).map(|word| format!("\"{word}\"")).collect();
    let mut line: Vec<u16> = words.join(" ").encode_utf16().chain([0]).collect();
    let mut size = 0;
    // SAFETY: without a list it only says how much room one attribute needs.
    unsafe { InitializeProcThreadAttributeList(ptr::null_mut(), 1, 0, &raw mut size) };
    let mut memory = vec![0usize; size.div_ceil(size_of::<usize>())];
    let list = memory.as_mut_ptr().cast();
    let mut startup = STARTUPINFOEXW { lpAttributeList: list, ..Default::default() };
    startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
    // Else it would be given what we have, which is no console.
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: everything lives through the calls; the handles that come back are ours.
    unsafe {
        check(InitializeProcThreadAttributeList(list, 1, 0, &raw mut size));
        let attribute = PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE as usize;
        let value = console as *const std::ffi::c_void;
        check(UpdateProcThreadAttribute(list, 0, attribute, value, size_of::<HPCON>(), ptr::null_mut(), ptr::null()));
        check(CreateProcessW(
            ptr::null(),
            line.as_mut_ptr(),
            ptr::null(),
            ptr::null(),
            0,
            EXTENDED_STARTUPINFO_PRESENT,
            ptr::null(),
            ptr::null(),
            (&raw const startup).cast(),
            &raw mut made,
        ));
        drop(OwnedHandle::from_raw_handle(made.hThread));
        OwnedHandle::from_raw_handle(made.hProcess)
    }
}

/// Makes the console our stdin, stdout and stderr.
pub(super) fn take_console() {
    for (name, numbers) in [("CONIN$", &[STD_INPUT_HANDLE][..]), ("CONOUT$", &[STD_OUTPUT_HANDLE, STD_ERROR_HANDLE])] {
        let console = or_fail(OpenOptions::new().read(true).write(true).open(name)).into_raw_handle();
        // SAFETY: a handle that is open, and never closed from here on.
        unsafe {
            check(SetHandleInformation(console, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
            numbers.iter().for_each(|number| check(SetStdHandle(*number, console)));
        }
    }
}

/// Closes stdin.
pub(super) fn close(number: u32) {
    if number != 0 {
        fail("only 0 can be closed here");
    }
    // SAFETY: nothing reads it any more.
    drop(unsafe { OwnedHandle::from_raw_handle(io::stdin().as_raw_handle()) });
}
