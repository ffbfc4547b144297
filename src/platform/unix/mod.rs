//! Unix. Linux has everything; on macOS containment is best effort (no subreaper, no `/proc`, no pidfd).

mod blocking;
mod children;
mod command;
mod connection;
mod exec;
#[cfg(target_os = "linux")]
mod execute;
mod fifo;
mod files;
mod folder;
mod fork;
#[cfg(any(test, not(target_os = "linux")))]
mod held;
mod logs;
mod memory;
mod modes;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod process;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod process;
mod pty;
mod replace;
mod signals;
mod storage;
mod terminal;
mod title;
mod wake;

pub use children::{
    children_usage, contained, containment, leave_processes, look_at_children, peek, reap, reap_blocking,
};
pub use command::{ExecPlan, JobInput, RESOURCES_HERE, ResourceLimit, resource_limit};
pub use connection::{Connection, connection_of_supervisor, connection_pair};
pub use exec::{fork_supervisor, release_stdin, spawn_errand, spawn_supervisor};
#[cfg(target_os = "linux")]
pub use execute::execute;
pub use fifo::{
    TypedEnd, close_fifo_writer, make_fifo, open_fifo_patient, open_fifo_reader, open_fifo_writer, open_typed_reader,
};
pub use files::{
    FileFacts, OpenMark, append_private, apply_file_mask, create_private, extend_file, facts, facts_with_access,
    file_facts, has_file_masks, input_with, make_private_directory, mark_open, open_for_user, open_input,
    open_lock_file, open_null, open_regular, open_regular_with_length, open_up, os_string, os_text, path_of,
    set_file_mask, sync_directory, to_make_private, user_id, user_name,
};
pub use folder::{Folder, Listing, each_name};
#[cfg(not(target_os = "linux"))]
pub(in crate::platform) use held::HeldChild;
pub use logs::{RangeLocks, block_size, first_locked, hand_on, next_hole, open_for_punching, punch_hole, read_at};
pub use memory::release_code;
pub use modes::{RawTerminal, is_in_foreground, suspend};
pub use process::{
    become_subreaper, child_pids, descendants, environment_value, has_subreaper, is_only_child, name_process,
    open_files, out_of_memory_kills, place, process_info, process_table, signal_identity,
};
pub use pty::{Terminal, TerminalInterest, TerminalNews, has_terminals};
pub use replace::{begin_flush, exchange, open_unused, rename, rename_new};
pub use signals::{
    SIGNALS_HERE, can_signal, group_exists, ignore_write_signals, inherited_ignored, sent_as, signal_by_number,
    signal_group, signal_number,
};
pub use storage::{free_space, network_file_system, watch_limits};
pub use terminal::{
    StdinKind, TypingNews, is_at_terminal, read_typed, same_destination, stdin_kind, suspend_self, terminal_size,
    wait_for_typing,
};
pub(in crate::platform) use terminal::{may_write_status, write_stream};
pub use wake::{WakeQueue, Waker, WatchedDirectory, WriteBell, watch_by_signal};

use crate::domain::identity::ProcessIdentity;

/// Ends this process at once, as _exit(2) does.
pub fn exit(code: u8) -> ! {
    // SAFETY: it takes a number and does not return.
    unsafe { nix::libc::_exit(code.into()) }
}

/// Returns the identity of this process.
///
/// # Errors
/// When the process table cannot be read.
pub fn own_identity() -> std::io::Result<ProcessIdentity> {
    process_info(std::process::id())
        .map(|info| info.identity)
        .ok_or_else(|| std::io::Error::other("cannot find this process in the process table; is /proc mounted?"))
}
