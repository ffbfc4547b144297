//! What a command reads from and writes to: files, or a terminal of its own.

use std::fs::File;

use super::run::Run;
use super::terminal::JobTerminal;
use crate::domain::spec::Stdin;
use crate::platform::{self, JobInput};
use crate::store::StoreError;

/// The ends for the command, and what stays with its supervisor.
#[derive(Debug)]
pub(super) struct Stdio {
    pub(super) input: JobInput,
    pub(super) stdout: File,
    /// `None` when it goes where stdout goes.
    pub(super) stderr: Option<File>,
    pub(super) terminal: Option<JobTerminal>,
}

impl Run {
    /// Opens everything for one attempt.
    pub(super) fn open_stdio(&self, number: u32) -> Result<Stdio, String> {
        let (stdout, stderr) = self.open_logs(number).map_err(|error| error.to_string())?;
        if !self.spec.pty {
            return Ok(Stdio { input: self.open_input()?, stdout, stderr, terminal: None });
        }
        let paths = self.driver.claim.paths();
        let failed = |error: std::io::Error| format!("cannot make a terminal: {error}");
        let typed = platform::open_fifo_patient(&paths.stdin())
            .map_err(|error| format!("cannot open the job's input '{}': {error}", paths.stdin().display()))?;
        let terminal = JobTerminal::start(&paths.terminal(), typed, stdout).map_err(failed)?;
        let end = || terminal.job_end().try_clone().map_err(failed);
        Ok(Stdio { input: JobInput::Terminal(end()?), stdout: end()?, stderr: None, terminal: Some(terminal) })
    }

    fn open_logs(&self, number: u32) -> Result<(File, Option<File>), StoreError> {
        let claim = &self.driver.claim;
        claim.make_attempt(number)?;
        let stdout = claim.open_log(&claim.paths().stdout(number))?;
        let stderr = match self.spec.merge_output {
            true => None,
            false => Some(claim.open_log(&claim.paths().stderr(number))?),
        };
        Ok((stdout, stderr))
    }

    fn open_input(&self) -> Result<JobInput, String> {
        let fifo = self.driver.claim.paths().stdin();
        let of_fifo = |opened: std::io::Result<File>| {
            let failed = |error| format!("cannot open the job's input '{}': {error}", fifo.display());
            opened.map(JobInput::File).map_err(failed)
        };
        match &self.spec.stdin {
            Stdin::Null => Ok(JobInput::Null),
            Stdin::Inherit => Ok(JobInput::Own),
            Stdin::Typed => of_fifo(platform::open_typed_reader(&fifo)),
            Stdin::Fifo => of_fifo(platform::open_fifo_reader(&fifo)),
            Stdin::File(path) => {
                let path = platform::path_of(&self.spec.cwd).join(platform::path_of(path));
                platform::open_input(&path)
                    .map(JobInput::File)
                    .map_err(|error| format!("cannot open the input '{}': {error}", path.display()))
            }
        }
    }
}
