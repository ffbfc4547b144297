//! The process table of Linux, `/proc`.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::libc;

use super::signals;
use crate::domain::identity::{Place, ProcessIdentity};
use crate::domain::os_text::OsText;
use crate::domain::signal::Signal;
use crate::domain::tree::{ProcessInfo, ProcessTable};
use crate::platform::Delivery;

/// Says whether this system has subreapers.
pub fn has_subreaper() -> bool {
    true
}

/// Makes this process the parent of every descendant whose own parent dies. Says whether that worked.
pub fn become_subreaper() -> bool {
    // SAFETY: this prctl(2) takes one integer and touches no memory of ours.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 }
}

/// Gives this process the name that `top` and `pstree` show, of which the kernel keeps 15 bytes, and shows these words as its
/// arguments.
pub fn name_process(name: &str, words: &[OsText]) {
    if let Ok(name) = std::ffi::CString::new(name) {
        // SAFETY: the string ends with a zero byte and outlives the call.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    }
    super::title::show(words, &crate::platform::crash::switches());
}

/// Returns where pids mean something: the same for as long as this process lives.
pub fn place() -> Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(look_around).clone()
}

fn look_around() -> Place {
    let boot_id = read_virtual("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let boot_id = String::from_utf8_lossy(&boot_id).trim().to_owned();
    let host = nix::unistd::gethostname().map(|h| h.to_string_lossy().into_owned()).unwrap_or_default();
    let pid_namespace =
        fs::read_link("/proc/self/ns/pid").map(|l| l.to_string_lossy().into_owned()).unwrap_or_default();
    Place { boot_id, host, pid_namespace }
}

/// Looks one process up; `None` when there is none of this number.
pub fn process_info(pid: u32) -> Option<ProcessInfo> {
    // It is made as a whole for the first read.
    let mut line = [0; 4096];
    let length = fs::File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut line).ok()?;
    parse_stat(&line[..length])
}

/// Reads a file that the kernel makes up while it is read. It says that it is empty, so std would begin with 32 bytes.
fn read_virtual(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    read_virtual_with(path, 4096)
}

/// The same, beginning with so many bytes, at least one.
fn read_virtual_with(path: impl AsRef<Path>, bytes: usize) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    let mut content = vec![0; bytes];
    let mut length = 0;
    loop {
        match file.read(&mut content[length..]) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if length == content.len() {
            content.resize(length * 2, 0);
        }
    }
    content.truncate(length);
    Ok(content)
}

/// Parses `/proc/<pid>/stat`, see proc_pid_stat(5). The command may contain blanks and parentheses, hence the search
/// for the last `)`.
pub(super) fn parse_stat(stat: &[u8]) -> Option<ProcessInfo> {
    let open = stat.iter().position(|b| *b == b'(')?;
    let close = stat.iter().rposition(|b| *b == b')')?;
    let pid = std::str::from_utf8(&stat[..open]).ok()?.trim().parse().ok()?;
    let mut fields = std::str::from_utf8(stat.get(close + 2..)?).ok()?.split(' ');
    let mut state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    // Fields 20 and 22; four have been taken after the command, which is field 2.
    let threads: u32 = fields.nth(20 - 7)?.parse().ok()?;
    let start_time = fields.nth(1)?.parse().ok()?;
    if state == 'Z' && threads > 1 {
        // Only its first thread has ended; the others go on.
        state = 'S';
    }
    Some(ProcessInfo { identity: ProcessIdentity { pid, start_time }, parent, group, session, state })
}

/// Takes one look at every process.
pub fn process_table() -> ProcessTable {
    let pids = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ProcessTable::new(pids.filter_map(process_info).collect())
}

/// Returns the pids of our direct children, zombies included.
pub fn child_pids() -> Vec<u32> {
    let own = std::process::id();
    // A kernel without CONFIG_PROC_CHILDREN tells it in another way.
    children_of(own).unwrap_or_else(|| {
        process_table().rows().iter().filter(|row| row.parent == own).map(ProcessInfo::pid).collect()
    })
}

/// Returns the pids of the direct children of a process, zombies included; `None` when the kernel does not tell.
fn children_of(pid: u32) -> Option<Vec<u32>> {
    let mut children = None;
    // Orphans are given to any thread of the subreaper.
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        if let Ok(text) = read_virtual(task.path().join("children")) {
            children.get_or_insert_with(Vec::new).extend(numbers(&text));
        }
    }
    children
}

fn numbers(text: &[u8]) -> impl Iterator<Item = u32> {
    text.split(u8::is_ascii_whitespace).filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok())
}

/// Says whether this process is the only child of ours as far as our first thread knows, which is whom Linux gives orphans to
/// while it lives. A quick look, and no proof: when it says no, or another thread has children, [`child_pids`] tells.
pub fn is_only_child(pid: u32) -> bool {
    let own = std::process::id();
    read_virtual(format!("/proc/{own}/task/{own}/children")).is_ok_and(|text| numbers(&text).eq([pid]))
}

/// How often the descendants are asked for until two answers are the same.
const WALKS: usize = 8;

/// Returns the rows of our descendants, zombies included, by asking each process for its children: what else runs on
/// this host costs nothing.
///
/// While one walk asks, a child that it has not reached may be given to a parent that it has passed; so the walk is
/// repeated until it finds the same processes twice. When they keep changing the whole table has to do.
pub fn descendants() -> ProcessTable {
    let mut before = None;
    for _ in 0..WALKS {
        let Some(rows) = walk(std::process::id()) else { break };
        let found: HashSet<ProcessIdentity> = rows.iter().map(|row| row.identity).collect();
        if before.as_ref() == Some(&found) {
            return ProcessTable::new(rows);
        }
        before = Some(found);
    }
    process_table()
}

fn walk(root: u32) -> Option<Vec<ProcessInfo>> {
    let mut rows = Vec::new();
    let mut seen = HashSet::from([root]);
    let mut queue = children_of(root)?;
    while let Some(pid) = queue.pop() {
        // One that ends and is given to another parent meanwhile may be met twice.
        if seen.insert(pid)
            && let Some(row) = process_info(pid)
        {
            rows.push(row);
            queue.extend(children_of(pid).unwrap_or_default());
        }
    }
    Some(rows)
}

/// Returns a variable of the environment that a process was started with. `None` also when we may not look.
pub fn environment_value(pid: u32, name: &str) -> Option<String> {
    let environment = read_virtual(format!("/proc/{pid}/environ")).ok()?;
    let value =
        environment.split(|b| *b == 0).find_map(|entry| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

/// Returns how many processes the kernel has killed for want of memory since boot, if it tells.
pub fn out_of_memory_kills() -> Option<u64> {
    // The kernel counts everything anew for each read.
    let vmstat = String::from_utf8(read_virtual_with("/proc/vmstat", 32 << 10).ok()?).ok()?;
    vmstat.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

/// Returns the files that a process holds open, as far as we may look.
pub fn open_files(pid: u32) -> Vec<PathBuf> {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .collect()
}

/// Signals exactly this process: its number is pinned by a pidfd before its start time is compared, so a stranger with
/// the same number is never hit.
///
/// # Errors
/// Only for a signal this system lacks, or when pidfds and the fallback both fail in an unknown way.
pub fn signal_identity(identity: ProcessIdentity, signal: Signal) -> io::Result<Delivery> {
    let number = signals::signal_number(signal).ok_or_else(|| signals::unsupported(signal))?;
    let pid = i32::try_from(identity.pid).ok().filter(|pid| *pid > 1).ok_or(io::ErrorKind::InvalidInput)?;
    let is_same = || process_info(identity.pid).is_some_and(|info| info.identity == identity && info.is_live());
    // SAFETY: pidfd_open(2) takes two integers.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if pidfd < 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ESRCH) => Ok(Delivery::Gone),
            // An old kernel or a filter: the check and the signal are then not one step, but as close as can be.
            // SAFETY: kill(2) takes two integers.
            _ if is_same() => signals::delivery(unsafe { libc::kill(pid, number) }),
            _ => Ok(Delivery::Gone),
        };
    }
    // SAFETY: pidfd_open has just made this descriptor, and nobody else owns it.
    let pidfd = unsafe { <std::os::fd::OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(pidfd as i32) };
    if !is_same() {
        return Ok(Delivery::Gone);
    }
    // SAFETY: a null siginfo is allowed and means what kill(2) would send.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            std::os::fd::AsRawFd::as_raw_fd(&pidfd),
            number,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    signals::delivery(result as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_contain_anything() {
        let stat = b"42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2\n";
        let info = parse_stat(stat).expect("parses");
        assert_eq!(info.identity, ProcessIdentity { pid: 42, start_time: 987_654 });
        assert_eq!((info.parent, info.group, info.session, info.state), (7, 42, 42, 'S'));
        let stat = String::from_utf8_lossy(stat).replace(" S 7", " Z 7");
        assert_eq!(parse_stat(stat.as_bytes()).expect("parses").state, 'Z');
        let threads_go_on = stat.replace(" 0 1 0 987654", " 0 2 0 987654");
        assert_eq!(parse_stat(threads_go_on.as_bytes()).expect("parses").state, 'S');
        for torn in [&b""[..], b"42", b"42 (x", b"42 (x)", b"42 (x) S 1", b"x (y) S 1 2 3"] {
            assert!(parse_stat(torn).is_none());
        }
    }

    #[test]
    fn this_process_is_in_its_table() {
        let own = process_info(std::process::id()).expect("we exist");
        assert!(process_table().find(own.identity).is_some());
    }

    #[test]
    fn our_descendants_are_in_their_table() {
        let spawn = || std::process::Command::new("sleep").arg("60").spawn().expect("starts");
        let mut children = [spawn(), spawn()];
        let table = descendants();
        for child in &mut children {
            let row = process_info(child.id()).expect("it lives");
            assert!(table.find(row.identity).is_some_and(|row| row.parent == std::process::id()));
            child.kill().expect("kills");
            child.wait().expect("reaps");
        }
        assert!(table.find(process_info(std::process::id()).expect("we exist").identity).is_none());
    }

    #[test]
    fn a_stranger_is_not_signalled() {
        let mut own = process_info(std::process::id()).expect("we exist").identity;
        own.start_time += 1;
        assert_eq!(signal_identity(own, Signal::KILL).expect("answers"), Delivery::Gone);
    }
}
