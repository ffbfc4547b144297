//! Giving memory back to the system while nothing happens.

/// Lets go of the code and the constants in memory, all that can be read again from the files that they are in. What is needed
/// again is mapped again, some microseconds for each 64 KiB of it.
///
/// For a process that sleeps now and ends soon after: what it needed to begin need not be taken down when somebody waits for
/// its end. To do so takes the kernel longer than all else that it does then, for every page singly.
#[cfg(target_os = "linux")]
pub fn release_code() {
    use nix::libc;

    unsafe extern "C" fn release(
        object: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        _data: *mut libc::c_void,
    ) -> libc::c_int {
        // SAFETY: the caller passes one object with as many headers as it says.
        let (base, headers) = unsafe {
            let object = &*object;
            (object.dlpi_addr, std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)))
        };
        // SAFETY: it takes a number and returns one.
        let Ok(page) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else { return 0 };
        // What may be written holds what was written.
        let constant =
            headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0);
        for header in constant {
            let begin = (base + header.p_vaddr) as usize;
            let start = begin & !(page - 1);
            let length = begin + header.p_memsz as usize - start;
            // SAFETY: these pages are mapped from a file and cannot be written: each is as it was when it is read again, see
            // MADV_DONTNEED in madvise(2).
            unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
        }
        0
    }

    // SAFETY: the function above is what is expected, and looks at nothing else.
    unsafe { libc::dl_iterate_phdr(Some(release), std::ptr::null_mut()) };
}

/// Nothing is gained where it was not measured.
#[cfg(not(target_os = "linux"))]
pub fn release_code() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::Mutex;

    #[test]
    fn what_was_written_stays() {
        static WRITTEN: Mutex<[u64; 1024]> = Mutex::new([1; 1024]);
        WRITTEN.lock().expect("no panic").fill(7);
        super::release_code();
        assert!(WRITTEN.lock().expect("no panic").iter().all(|number| *number == 7));
    }
}
