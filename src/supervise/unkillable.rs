//! Processes that no KILL ends, as a test plays them: never in a release build, and never without saying so.

use super::driver::{Drive, Driver};
use super::machine::Machine;
use crate::domain::event::Happening;
use crate::platform;

const WARNING: &str =
    "THIS IS A TEST: JOBDIR_TEST_UNKILLABLE is set, so KILL is withheld from the processes of this job";

impl Driver {
    /// Says that KILL is withheld, if it is, and shortens the time for which killing goes on.
    pub(super) fn warn_of_the_unkillable(&mut self, machine: &mut Machine, drive: Drive) {
        let Some(limit) = platform::unkillable() else { return };
        machine.kill_limit = limit;
        self.journal.tell(&self.claim, Happening::Note { message: WARNING.into() });
        if drive == Drive::Command {
            self.journal.attempt().message = Some(WARNING.into());
        }
    }
}
