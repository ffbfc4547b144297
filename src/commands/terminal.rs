//! The options by which a job gets a terminal of its own, and what goes with it.

use clap::Args;

use crate::error::CommandError;
use crate::platform;

/// Whether a job has a terminal.
#[derive(Debug, Clone, Args)]
pub struct TerminalArgs {
    /// Give the job a terminal of its own
    ///
    /// The default in the foreground when stdin, stdout and stderr are the terminal, unless --stdin says otherwise. What is
    /// typed goes to the job, ^C and ^Z included; ctrl-p ctrl-q leaves and lets it go on, and 'jobdir attach' comes back.
    /// There is one stream of output, and the job is hung up when its supervisor goes, as by 'jobdir abandon'.
    #[arg(long, conflicts_with_all = ["stdin", "no_pty"], help_heading = "Input and output")]
    pty: bool,
    /// Give it files instead, in the foreground too
    #[arg(long, help_heading = "Input and output")]
    no_pty: bool,
}

impl TerminalArgs {
    /// Decides. `has_input` is whether the input was said to be something else, `before` what a job has whose next attempt
    /// is to be started out of sight.
    ///
    /// # Errors
    /// Where there are no terminals for jobs.
    pub(super) fn decide(&self, detach: bool, has_input: bool, before: bool) -> Result<bool, CommandError> {
        if self.pty && !platform::has_terminals() {
            return Err(CommandError::usage("--pty: jobdir has no terminals for jobs on this system")
                .hint("leave it out; 'jobdir logs' shows what the job writes, and with '--stdin fifo' 'jobdir send' types to it"));
        }
        let by_default = !has_input && if detach { before } else { platform::is_at_terminal() };
        Ok(self.pty || (!self.no_pty && by_default))
    }
}
