//! Creating supervisors, and other processes of this program.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::libc;

use super::files;
use super::fork::{Prepared, c_string, fork, fork_and_run};
use crate::domain::os_text::OsText;

/// What a supervisor inherits: its end of the connection and our stdin, which it may keep for its job.
fn of_supervisor(variables: &[(OsText, OsText)], connection: &OwnedFd, null: &File) -> io::Result<Prepared<'static>> {
    let null = null.as_raw_fd();
    let mut prepared = Prepared::new(&["jobdir".into(), "supervise".into()], variables, [0, null, null])?;
    prepared.cwd = Some(c"/".to_owned());
    prepared.supervisor_end = Some(connection.as_raw_fd());
    Ok(prepared)
}

/// Starts `jobdir supervise` in a session of its own, with nothing of ours but its end of the connection and our stdin, which it
/// may keep for its job; above all not the cookie of a job that we may be part of. Whether it works is told by the connection.
///
/// # Errors
/// When the process cannot be created.
pub fn spawn_supervisor(connection: OwnedFd) -> io::Result<()> {
    let null = files::open_null()?;
    // Room for it to show what it supervises.
    let room = ("JOBDIR_ROOM".into(), OsText(vec![b' '; 300]));
    let variables = [vec![room], crate::platform::crash::switches()].concat();
    let mut prepared = of_supervisor(&variables, &connection, &null)?;
    // `/proc/self/exe` still works after the binary was replaced; elsewhere its path must do.
    let own = std::env::current_exe()?;
    prepared.candidates = vec![c"/proc/self/exe".to_owned(), c_string(&files::os_text(own.as_os_str()))?];
    fork(&prepared, None)?;
    Ok(())
}

/// Makes a supervisor of a copy of this process, which is as [`spawn_supervisor`] would make it and then runs `supervise`. To be
/// called by a process with one thread that has done nothing yet: so there is little to copy, and nothing to execute once more.
///
/// # Errors
/// When the process cannot be created.
pub fn fork_supervisor(connection: OwnedFd, supervise: fn() -> u8) -> io::Result<()> {
    let null = files::open_null()?;
    let variables = crate::platform::crash::switches();
    let prepared = of_supervisor(&variables, &connection, &null)?;
    fork_and_run(&prepared, || {
        let switches = variables.iter().map(|(name, value)| OsText([name.0.as_slice(), b"=", &value.0].concat()));
        let title: Vec<OsText> = ["jobdir".into(), "supervise".into()].into_iter().chain(switches).collect();
        super::title::show(&title, &variables);
        supervise()
    })?;
    Ok(())
}

/// Starts this program with these arguments, in a process group of its own, so that what happens to us at the terminal is
/// nothing to it; its stderr is ours to read. Meant for clients with a single thread that creates files.
///
/// # Errors
/// When the process cannot be created.
pub fn spawn_errand(arguments: &[&OsStr], mask: u32) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    // As for a supervisor: the binary may have been replaced.
    let own = Path::new("/proc/self/exe");
    let own = if own.exists() { own.to_owned() } else { std::env::current_exe()? };
    let mut command = Command::new(own);
    command.arg0("jobdir").args(arguments).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let ours = files::set_file_mask(mask);
    let child = command.spawn();
    files::set_file_mask(ours);
    child
}

/// Lets go of our own stdin, once the job has it: whoever writes to it must see when the job stops reading.
///
/// # Errors
/// What the system says.
pub fn release_stdin() -> io::Result<()> {
    let null = files::open_null()?;
    // SAFETY: dup2 of two descriptors that are open.
    if unsafe { libc::dup2(null.as_raw_fd(), 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
