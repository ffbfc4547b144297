//! Creating processes: the supervisor, and the commands of jobs.
//!
//! A command is created suspended and put into a job object of its own before its first thread runs; only then can it
//! be recorded, and only `release` lets it execute. Whoever creates it may die at any moment: the job object goes with
//! its last handle, and the command with it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_DIRECTORY, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND,
};
use windows_sys::Win32::System::Console::{GetStdHandle, STD_INPUT_HANDLE, SetStdHandle};
use windows_sys::Win32::System::Threading::{
    CREATE_BREAKAWAY_FROM_JOB, CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_SUSPENDED, ResumeThread,
    TerminateProcess,
};

use super::children::{self, KILLED};
use super::command_line::{command_line, environment_block, program, variable, wide};
use super::connection::{self, FarEnd};
use super::create::{Request, create, inheritable};
use super::files;
use super::job_object::{JobObject, check};
use super::limits::{Limits, ResourceLimit};
use super::process;
use crate::domain::identity::ProcessIdentity;
use crate::domain::os_text::OsText;
use crate::domain::state::Reason;
use crate::platform::ExecFailure;

/// By this the processes of a job are known everywhere; here it names what holds them together.
const COOKIE: &str = "JOBDIR_JOB_UID";

/// What a child is to become.
#[derive(Clone, Debug)]
pub struct ExecPlan {
    /// The command and its arguments; never empty. Looked up in the `PATH` of `variables`.
    pub command: Vec<OsText>,
    /// Its whole environment.
    pub variables: Vec<(OsText, OsText)>,
    /// Its working directory.
    pub cwd: OsText,
    /// Without meaning here.
    pub umask: u32,
    /// The niceness, which stands for a priority class.
    pub nice: Option<i32>,
    /// Resource limits.
    pub limits: Vec<ResourceLimit>,
}

/// The input of a command.
#[derive(Debug)]
pub enum JobInput {
    /// Nothing.
    Null,
    /// Standard input of this process.
    Own,
    /// An open file.
    File(File),
    /// A terminal of its own; there is none here.
    Terminal(File),
}

/// A child that waits before it executes its command. Dropping it ends the child.
#[derive(Debug)]
pub struct HeldChild {
    identity: ProcessIdentity,
    state: Held,
}

#[derive(Debug)]
enum Held {
    /// Its process, and the thread that waits.
    Waiting(OwnedHandle, OwnedHandle),
    /// There is no process: what is wrong was found before.
    Failed(ExecFailure),
    Released,
}

impl HeldChild {
    /// Creates the child, suspended, in a job object and a process group of its own, on the console that it shares with
    /// us, with no handles but these three. A command that cannot be executed is told by `release`.
    ///
    /// # Errors
    /// When something cannot be prepared.
    pub fn create(plan: &ExecPlan, input: &JobInput, stdout: &File, stderr: &File) -> io::Result<Self> {
        let stdin = match input {
            JobInput::Null => inheritable(files::open_null()?.as_handle())?,
            // What cannot be inherited is as good as closed.
            JobInput::Own => {
                inheritable(io::stdin().as_handle()).or_else(|_| inheritable(files::open_null()?.as_handle()))?
            }
            JobInput::File(file) | JobInput::Terminal(file) => inheritable(file.as_handle())?,
        };
        let (stdout, stderr) = (inheritable(stdout.as_handle())?, inheritable(stderr.as_handle())?);
        let line = command_line(&plan.command)?;
        let environment = environment_block(&plan.variables)?;
        let cwd = files::path_of(&plan.cwd);
        let failed = |failure| {
            let identity = ProcessIdentity { pid: 0, start_time: 0 };
            Ok(Self { identity, state: Held::Failed(failure) })
        };
        if let Err(error) = std::fs::read_dir(&cwd) {
            return failed(ExecFailure { reason: Reason::Cwd, error });
        }
        let program = match program(&plan.command[0], &cwd, &plan.variables) {
            Ok(program) => program,
            Err(failure) => return failed(failure),
        };
        let request = Request {
            program: &wide(program.as_os_str())?,
            command_line: line,
            environment: &environment,
            cwd: Some(&wide(cwd.as_os_str())?),
            stdio: [&stdin, &stdout, &stderr],
            others: &[],
            flags: CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP,
        };
        let created = match create(request) {
            Ok(created) => created,
            Err(error) => return failed(ExecFailure { reason: reason_of(&error), error }),
        };
        // From here on an error ends the child.
        let waiting = Held::Waiting(created.process.try_clone()?, created.thread);
        let mut child = Self { identity: ProcessIdentity { pid: created.pid, start_time: 0 }, state: waiting };
        child.identity.start_time = process::created(&created.process)?;
        let cookie = variable(&plan.variables, COOKIE).map(OsText::lossy);
        let limits = Limits::of(plan.nice, &plan.limits);
        let job = JobObject::new(cookie.as_deref(), limits)
            .and_then(|job| job.assign(created.process.as_handle()).map(|()| job));
        let job = match job {
            // Nothing else can keep them.
            Err(error) if !limits.is_none() => return failed(ExecFailure { reason: Reason::Setup, error }),
            other => other.ok(),
        };
        children::adopt(child.identity, created.process, job)?;
        Ok(child)
    }

    /// Returns who the child is.
    pub fn identity(&self) -> ProcessIdentity {
        self.identity
    }

    /// Lets the child execute.
    ///
    /// # Errors
    /// Which step failed, and why. The child has then ended, or never was.
    pub fn release(mut self) -> Result<(), ExecFailure> {
        match std::mem::replace(&mut self.state, Held::Released) {
            Held::Waiting(process, thread) => {
                // SAFETY: a handle that is open.
                if unsafe { ResumeThread(thread.as_raw_handle()) } == u32::MAX {
                    let error = io::Error::last_os_error();
                    self.state = Held::Waiting(process, thread);
                    return Err(ExecFailure { reason: Reason::Setup, error });
                }
                Ok(())
            }
            Held::Failed(failure) => Err(failure),
            Held::Released => Ok(()),
        }
    }
}

impl Drop for HeldChild {
    fn drop(&mut self) {
        if let Held::Waiting(process, _) = &self.state {
            // SAFETY: a handle that is open.
            unsafe { TerminateProcess(process.as_raw_handle(), KILLED) };
        }
    }
}

fn reason_of(error: &io::Error) -> Reason {
    match error.raw_os_error().map(i32::cast_unsigned) {
        Some(ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND) => Reason::NotFound,
        Some(ERROR_DIRECTORY) => Reason::Cwd,
        _ => Reason::NotExecutable,
    }
}

/// Starts `jobdir supervise` on a console of its own without a window, outside the job object that we may be part of where that
/// is allowed, with nothing of ours but its end of the connection and our stdin, which it may keep for its job. Whether it works
/// is told by the connection.
///
/// # Errors
/// When the process cannot be created.
pub fn spawn_supervisor(connection: FarEnd) -> io::Result<()> {
    let null = inheritable(files::open_null()?.as_handle())?;
    let also_null = [inheritable(null.as_handle())?, inheritable(null.as_handle())?];
    let stdin = inheritable(io::stdin().as_handle()).unwrap_or(null);
    let (reader, writer) = (inheritable(connection.reader.as_handle())?, inheritable(connection.writer.as_handle())?);
    let words: [OsText; 2] = ["jobdir".into(), "supervise".into()];
    // Libraries of the system do not load without these.
    let system = ["SystemRoot", "SystemDrive", "windir"];
    let system = system.iter().filter_map(|name| Some(((*name).into(), files::os_text(&std::env::var_os(name)?))));
    let mut environment: Vec<(OsText, OsText)> = system.collect();
    environment.extend(crate::platform::crash::switches());
    environment.push(connection::variable(&reader, &writer));
    let environment = environment_block(&environment)?;
    let own = std::env::current_exe()?;
    // The directory that we are in can be removed while the supervisor lives.
    let cwd = own.ancestors().last().map(|root| wide(root.as_os_str())).transpose()?;
    let own = wide(own.as_os_str())?;
    let line = command_line(&words)?;
    let spawn = |flags| {
        create(Request {
            program: &own,
            command_line: line.clone(),
            environment: &environment,
            cwd: cwd.as_deref(),
            stdio: [&stdin, &also_null[0], &also_null[1]],
            others: &[&reader, &writer],
            flags: flags | CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP,
        })
    };
    let created = match spawn(CREATE_BREAKAWAY_FROM_JOB) {
        // Whoever made the job object that we are in does not let anybody out.
        Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED as i32) => spawn(0),
        other => other,
    }?;
    drop(created);
    Ok(())
}

/// Starts a supervisor as [`spawn_supervisor`] does: processes cannot be copied here.
///
/// # Errors
/// When the process cannot be created.
pub fn fork_supervisor(connection: FarEnd, _supervise: fn() -> u8) -> io::Result<()> {
    spawn_supervisor(connection)
}

/// Lets go of our own stdin, once the job has it: whoever writes to it must see when the job stops reading.
///
/// # Errors
/// What the system says.
pub fn release_stdin() -> io::Result<()> {
    use std::os::windows::io::IntoRawHandle;
    let null = files::open_null()?.into_raw_handle();
    // SAFETY: the handle of stdin is replaced before it is closed, and the new one is never closed.
    unsafe {
        let old = GetStdHandle(STD_INPUT_HANDLE);
        check(SetStdHandle(STD_INPUT_HANDLE, null))?;
        check(CloseHandle(old))
    }
}

/// Starts this program with these arguments; its stderr is ours to read.
///
/// # Errors
/// What the system says.
pub fn spawn_errand(arguments: &[&OsStr], _mask: u32) -> io::Result<std::process::Child> {
    use std::process::{Command, Stdio};
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn()
}
