//! Windows: job objects hold processes together, two pipes connect client and supervisor, the console says what
//! signals say elsewhere. What does not work yet answers `Unsupported`, so that nothing is claimed that did not happen.

mod children;
mod command_line;
mod connection;
mod create;
mod exec;
mod fifo;
mod files;
mod folder;
mod job_object;
mod limits;
mod logs;
mod marks;
mod process;
mod relay;
mod security;
mod stdio;
mod storage;
mod terminal;
mod wake;

pub use children::{
    child_pids, children_usage, containment, group_exists, is_only_child, leave_processes, look_at_children, peek,
    reap, reap_blocking, signal_group, signal_identity,
};
pub use connection::{Connection, FarEnd, connection_of_supervisor, connection_pair};
pub use exec::{ExecPlan, HeldChild, JobInput, fork_supervisor, release_stdin, spawn_errand, spawn_supervisor};
pub use fifo::{
    TypedEnd, close_fifo_writer, make_fifo, open_fifo_patient, open_fifo_reader, open_fifo_writer, open_typed_reader,
};
pub use files::{
    FileFacts, append_private, apply_file_mask, begin_flush, create_private, exchange, extend_file, facts,
    facts_with_access, file_facts, has_file_masks, input_with, make_private_directory, open_for_user, open_input,
    open_lock_file, open_null, open_regular, open_regular_with_length, open_unused, open_up, os_string, os_text,
    path_of, rename, rename_new, set_file_mask, sync_directory, user_id, user_name,
};
pub use folder::{Folder, Listing, each_name};
pub use job_object::contained;
pub use limits::{RESOURCES_HERE, ResourceLimit, resource_limit};
pub use logs::{
    RangeLocks, WriteBell, block_size, first_locked, hand_on, next_hole, open_for_punching, punch_hole, read_at,
};
pub use marks::{OpenMark, mark_open, open_files};
pub use process::{
    SIGNALS_HERE, become_subreaper, can_signal, descendants, environment_value, has_subreaper, ignore_write_signals,
    inherited_ignored, name_process, out_of_memory_kills, own_identity, place, process_info, process_table,
    release_code, sent_as, signal_by_number, signal_number,
};
pub use security::to_make_private;
pub use stdio::{StdinKind, read_typed, same_destination, stdin_kind, suspend_self};
pub(in crate::platform) use stdio::{may_write_status, write_stream};
pub use storage::{free_space, network_file_system, watch_limits};
pub use terminal::{
    RawTerminal, Terminal, TerminalInterest, TerminalNews, TypingNews, has_terminals, is_at_terminal, is_in_foreground,
    suspend, terminal_size, wait_for_typing,
};
pub use wake::{WakeQueue, Waker, WatchedDirectory, watch_by_signal};

/// Ends this process at once.
#[expect(clippy::disallowed_methods, clippy::exit, reason = "it is called when everything is done")]
pub fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}

fn not_yet<T>() -> std::io::Result<T> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "not yet available on Windows"))
}
