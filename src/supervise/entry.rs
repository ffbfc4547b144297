//! Where a supervisor process begins: `jobdir supervise`, started by a client and by nobody else.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{begin, recover};
use crate::domain::job_id::JobId;
use crate::domain::notice::{Notice, Order, Refusal, Task};
use crate::domain::retention::Keep;
use crate::domain::signal::Signal;
use crate::platform::{self, Connection, WakeQueue};
use crate::store::{Store, StoreError};

/// How long the client may take to say what it wants.
const ORDER_LIMIT: Duration = Duration::from_secs(60);

/// The line to the client. It may be gone at any time, which changes nothing for the job.
#[derive(Debug)]
pub(super) struct Client(Option<Connection>);

impl Client {
    /// Tells the client something, if it is still there.
    pub(super) fn tell(&mut self, notice: &Notice) {
        let line = serde_json::to_string(notice).expect("notices have no failing serialiser");
        if self.0.as_mut().is_some_and(|connection| connection.send(&line).is_err()) {
            self.0 = None;
        }
    }

    /// Waits for a line of the client's. `None` when it is gone, or says nothing.
    pub(super) fn hear(&mut self) -> Option<String> {
        self.0.as_mut()?.receive(Some(ORDER_LIMIT)).ok().flatten()
    }

    /// Waits until the client has closed its end, at most so long. At once when it is gone already.
    pub(super) fn wait_for_hang_up(&mut self, limit: Duration) {
        if let Some(connection) = &mut self.0 {
            while let Ok(Some(_)) = connection.receive(Some(limit)) {}
        }
    }

    /// Refuses, with what the store said.
    pub(super) fn refuse(&mut self, error: &StoreError) {
        let refusal = match error {
            StoreError::Busy => Refusal::Busy,
            other => Refusal::Failed { message: other.to_string() },
        };
        self.tell(&Notice::Refused(refusal));
    }
}

/// What every way to supervise starts from.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) store: Store,
    pub(super) id: JobId,
    pub(super) client: Client,
    pub(super) queue: WakeQueue,
    pub(super) epoch: Instant,
    pub(super) keep: Option<Keep>,
}

/// Runs a supervisor to its end. Returns the exit code of the process, which nobody looks at: everything is told by the
/// connection and the state directory.
pub fn supervise() -> u8 {
    let epoch = Instant::now();
    let Ok(connection) = platform::connection_of_supervisor() else { return 2 };
    platform::set_file_mask(0o077);
    platform::become_subreaper();
    let signals = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];
    let Ok(queue) = WakeQueue::new(&signals, false) else { return 1 };
    platform::ignore_write_signals();
    let mut client = Client(Some(connection));
    // The end of the stream means that the client died, or wants nothing after all.
    let Some(line) = client.hear() else { return 1 };
    let Order { state_dir, id, keep_stdin, task } = match serde_json::from_str(&line) {
        Ok(order) => order,
        Err(error) => {
            client.tell(&Notice::Refused(Refusal::Failed { message: format!("the order is unreadable: {error}") }));
            return 1;
        }
    };
    if !keep_stdin {
        platform::release_stdin().ok();
    }
    platform::name_process(
        &format!("jobdir-{id}"),
        &["jobdir".into(), "supervise".into(), state_dir.clone(), id.to_string().as_str().into()],
    );
    let store = Store::opened(PathBuf::from(platform::os_string(&state_dir)));
    platform::as_role(if matches!(task, Task::Recover { .. }) { "recovery" } else { "supervisor" });
    platform::crash_point("supervise.order");
    let beginning = Beginning { store, id, client, queue, epoch, keep: None };
    match task {
        Task::Start { staging, spec, record, variables, keep } => {
            begin::start(Beginning { keep, ..beginning }, &staging, *spec, *record, variables);
        }
        Task::Resume { spec, fifo, variables, keep } => {
            begin::resume(Beginning { keep, ..beginning }, spec.map(|spec| *spec), fifo, variables);
        }
        Task::Recover { verb } => recover::recover(beginning, &verb),
    }
    0
}
