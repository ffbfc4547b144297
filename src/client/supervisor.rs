//! Starting supervisors, and giving them their orders.

use std::io;
use std::mem::ManuallyDrop;
use std::sync::{Mutex, PoisonError};

use crate::domain::job_id::JobId;
use crate::domain::notice::{Order, Task};
use crate::platform::{self, Connection};
use crate::store::Store;

/// A supervisor that waits for its order.
static AHEAD: Mutex<Option<Connection>> = Mutex::new(None);

/// Starts a supervisor before it is known what for: it takes as long to begin as its client to learn what is wanted, and the
/// two do it at the same time. It goes when this process does, or at [`dismiss`], as if it had never been.
///
/// It is a copy of this process, if the system can make one, and then runs `supervise`. To be called first of all.
pub fn call_ahead(supervise: fn() -> u8) {
    // When this fails, so will the next try, and that one tells of it.
    let Ok((connection, theirs)) = platform::connection_pair() else { return };
    if platform::fork_supervisor(theirs, supervise).is_ok() {
        platform::crash_point("client.ahead");
        *ahead() = Some(connection);
    }
}

/// Sends away the supervisor that was called ahead: for now something else is to be done, and that may take long.
pub fn dismiss() {
    *ahead() = None;
}

fn ahead() -> std::sync::MutexGuard<'static, Option<Connection>> {
    AHEAD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn call() -> io::Result<Connection> {
    let (connection, theirs) = platform::connection_pair()?;
    platform::spawn_supervisor(theirs)?;
    platform::crash_point("client.supervisor");
    Ok(connection)
}

/// Gives a supervisor its order.
///
/// # Errors
/// What the system says.
pub(super) fn order(store: &Store, id: JobId, keep_stdin: bool, task: Task) -> io::Result<Connection> {
    let state_dir = platform::os_text(store.layout().root().as_os_str());
    // Not taken down: it has hundreds of parts, and somebody waits for the start.
    let order = ManuallyDrop::new(Order { state_dir, id, keep_stdin, task });
    let order = serde_json::to_string(&*order).expect("orders have no failing serialiser");
    if let Some(mut connection) = ahead().take()
        && connection.send(&order).is_ok()
    {
        return Ok(connection);
    }
    // None was called, or it has lost patience.
    let mut connection = call()?;
    connection.send(&order)?;
    Ok(connection)
}
