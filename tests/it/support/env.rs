//! An isolated place for one test: own directories, own environment, and a check at the end that nothing is left.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(windows)]
use std::os::windows::io::OwnedHandle as OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::documents::Printed;
use super::{eventually_within, invariants, patience, proc};

/// One test's place in the world.
#[derive(Debug)]
pub(crate) struct TestEnv {
    root: TempDir,
    variables: BTreeMap<OsString, OsString>,
    /// Processes that may be left, see [`TestEnv::leave_running`].
    may_leave: AtomicBool,
    /// Whether the state directory was damaged on purpose.
    damaged: AtomicBool,
}

/// What a finished invocation has done.
#[must_use = "assert something about it, its exit code at least"]
#[derive(Clone, Debug)]
pub(crate) struct Output {
    line: String,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) status: ExitStatus,
}

/// An invocation to be.
#[must_use = "run it"]
#[derive(Debug)]
pub(crate) struct Invocation {
    command: Command,
    stdin: Option<Vec<u8>>,
    line: String,
    printed: Printed,
}

/// A running invocation.
#[must_use = "wait for it"]
#[derive(Debug)]
pub(crate) struct Client {
    child: Child,
    line: String,
    printed: Printed,
    stdout: Option<Receiver<Vec<u8>>>,
    stderr: Option<Receiver<Vec<u8>>>,
}

impl TestEnv {
    /// Makes a place.
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("jobdir-test-").tempdir().expect("a temporary directory");
        let mut variables = BTreeMap::new();
        for name in ["home", "tmp", "work"] {
            std::fs::create_dir(root.path().join(name)).expect("makes a directory");
        }
        variables.insert("PATH".into(), std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        variables.insert("HOME".into(), root.path().join("home").into());
        variables.insert("TMPDIR".into(), root.path().join("tmp").into());
        variables.insert("JOBDIR_STATE_DIR".into(), root.path().join("state").into());
        if cfg!(windows) {
            let system = variables[OsStr::new("PATH")].clone();
            let path = std::env::join_paths([tools().to_owned()].into_iter().chain(std::env::split_paths(&system)));
            variables.insert("PATH".into(), path.expect("has no quotes"));
            for (name, place) in [("LOCALAPPDATA", "home"), ("TEMP", "tmp"), ("TMP", "tmp")] {
                variables.insert(name.into(), root.path().join(place).into());
            }
            // No library of the system loads without these.
            for name in ["SystemRoot", "SystemDrive", "windir"] {
                variables.extend(std::env::var_os(name).map(|value| (name.into(), value)));
            }
        }
        Self { root, variables, may_leave: AtomicBool::new(false), damaged: AtomicBool::new(false) }
    }

    /// Returns the state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// Returns the directory in which invocations are started.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Returns the directory that holds everything of this test.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns the directory of a job.
    pub(crate) fn job_dir(&self, id: &str) -> PathBuf {
        self.state().join("jobs").join(id)
    }

    /// Says that processes are left running on purpose: they are still killed at the end, but that is no failure.
    pub(crate) fn leave_running(&self) {
        self.may_leave.store(true, Ordering::SeqCst);
    }

    /// Says that files are damaged on purpose: the invariants are not checked at the end.
    pub(crate) fn damage(&self) {
        self.damaged.store(true, Ordering::SeqCst);
    }

    /// Prepares an invocation of any program.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> Invocation {
        let mut command = Command::new(&program);
        command.args(arguments).env_clear().envs(&self.variables).current_dir(self.work());
        let words = std::iter::once(program.as_ref()).chain(arguments.iter().map(AsRef::as_ref));
        let line: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        Invocation { command, stdin: None, line: line.join(" "), printed: Printed::Text }
    }

    /// Prepares an invocation of jobdir.
    pub(crate) fn prepare(&self, arguments: &[impl AsRef<OsStr>]) -> Invocation {
        Invocation { printed: Printed::by(arguments), ..self.program(jobdir(), arguments) }
    }

    /// Runs jobdir to its end, with nothing at stdin.
    #[track_caller]
    pub(crate) fn jobdir(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.prepare(arguments).run()
    }

    /// Runs `jobdir OPTIONS -- helper ACTIONS` to its end.
    #[track_caller]
    pub(crate) fn run_helper(&self, options: &[&str], actions: &[&str]) -> Output {
        self.jobdir(&with_helper(options, actions))
    }

    /// Starts a detached job of the helper with `jobdir run -d OPTIONS -- helper ACTIONS`. Returns its id.
    #[track_caller]
    pub(crate) fn start(&self, options: &[&str], actions: &[&str]) -> String {
        let options: Vec<&str> = ["run", "-d"].into_iter().chain(options.iter().copied()).collect();
        let output = self.run_helper(&options, actions);
        output.assert_code(0);
        output.id()
    }

    /// Returns the document of a job from `status --json`.
    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> Value {
        let output = self.jobdir(&["status", "--json", id]);
        output.assert_code(0);
        output.json()
    }

    /// Returns the state of a job.
    #[track_caller]
    pub(crate) fn job_state(&self, id: &str) -> String {
        self.status(id)["state"].as_str().expect("a state").to_owned()
    }

    /// Reads the record of a job from the disk.
    #[track_caller]
    pub(crate) fn record(&self, id: &str) -> Value {
        read_json(&self.job_dir(id).join("job.json"))
    }

    /// Reads the events of a job from the disk.
    #[track_caller]
    pub(crate) fn events(&self, id: &str) -> Vec<Value> {
        let path = self.job_dir(id).join("events.ndjson");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines().map(|line| serde_json::from_str(line).expect("an event is JSON")).collect()
    }

    /// Returns what was captured of a job's stdout in its first attempt.
    #[track_caller]
    pub(crate) fn captured(&self, id: &str) -> Vec<u8> {
        std::fs::read(self.job_dir(id).join("attempts/1/stdout.log")).expect("stdout was captured")
    }

    /// Returns the pid and start time of a job's supervisor.
    #[track_caller]
    pub(crate) fn supervisor(&self, id: &str) -> (u32, u64) {
        identity(&read_json(&self.job_dir(id).join("pid"))["supervisor"]).expect("a supervisor")
    }

    /// Kills the supervisor of a job, and waits until it is dead.
    #[track_caller]
    pub(crate) fn kill_supervisor(&self, id: &str) {
        let (pid, start_time) = self.supervisor(id);
        assert!(proc::is_same_alive(pid, start_time), "the supervisor of job {id} is dead already");
        proc::kill(pid);
        super::eventually("the death of the supervisor", || (!proc::is_same_alive(pid, start_time)).then_some(()));
        // The kernel takes its lock away when its last thread has gone, a moment after it became a zombie.
        let lock = std::fs::File::open(self.state().join("locks").join(id)).expect("the claim's file is there");
        super::eventually("the release of the claim", || lock.try_lock_shared().is_ok().then_some(()));
    }

    /// Stops every active job at once.
    #[track_caller]
    pub(crate) fn stop_all(&self) {
        self.jobdir(&["kill", "--all", "--force"]).assert_code(0);
    }

    /// Moves a file into the inbox of a job, as a shell would do it.
    #[track_caller]
    pub(crate) fn deliver(&self, id: &str, name: &str, content: &str) {
        let prepared = self.root().join(format!("request-{id}-{name}"));
        std::fs::write(&prepared, content).expect("writes");
        std::fs::rename(&prepared, self.job_dir(id).join("kill-signals").join(name)).expect("moves");
    }

    /// Finds the live processes that were started here: recorded ones, and those with a mention of our directory.
    fn live_processes(&self) -> Vec<(u32, u64, String)> {
        let mut found: Vec<(u32, u64, String)> = Vec::new();
        let mut add = |pid: u32, start_time: u64, what: String| {
            if proc::is_same_alive(pid, start_time) && !found.iter().any(|(known, ..)| *known == pid) {
                found.push((pid, start_time, what));
            }
        };
        let marker = format!("{}", self.root().display());
        for (pid, start_time) in proc::mentioning(&marker) {
            add(pid, start_time, "knows our directory".into());
        }
        for dir in std::fs::read_dir(self.state().join("jobs")).into_iter().flatten().flatten() {
            let id = dir.file_name().to_string_lossy().into_owned();
            let read = |name: &str| -> Value {
                // A test may have put a FIFO there.
                Some(dir.path().join(name))
                    .filter(|path| path.is_file())
                    .and_then(|path| std::fs::read(path).ok())
                    .and_then(|text| serde_json::from_slice(&text).ok())
                    .unwrap_or(Value::Null)
            };
            let (pid_file, record) = (read("pid"), read("job.json"));
            for (who, value) in [("supervisor", &pid_file["supervisor"]), ("leader", &pid_file["leader"])] {
                if let Some((pid, start_time)) = identity(value) {
                    add(pid, start_time, format!("{who} of job {id}"));
                }
            }
            for attempt in record["attempts"].as_array().into_iter().flatten() {
                for adopted in attempt["adopted"].as_array().into_iter().flatten() {
                    if let Some((pid, start_time)) = identity(adopted) {
                        add(pid, start_time, format!("recorded as adopted by job {id}"));
                    }
                }
            }
        }
        found
    }

    /// Kills what still lives. Returns what it was.
    fn clean_up(&self) -> Vec<String> {
        // A supervisor needs a moment to leave after its client has.
        let grace = if self.may_leave.load(Ordering::SeqCst) || std::thread::panicking() {
            Duration::ZERO
        } else {
            patience() / 4
        };
        if eventually_within(grace, || self.live_processes().is_empty().then_some(())).is_some() {
            return Vec::new();
        }
        let mut killed = Vec::new();
        eventually_within(patience(), || {
            let live = self.live_processes();
            for (pid, _, what) in &live {
                killed.push(format!("{pid}: {what}"));
                proc::kill_if_there(*pid);
            }
            live.is_empty().then_some(())
        });
        killed
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        let killed = self.clean_up();
        if std::thread::panicking() {
            let talk =
                format!("the state directory at the failure:\n{}", invariants::listing(&self.state()).join("\n"));
            std::io::stderr().write_all(talk.as_bytes()).ok();
            return;
        }
        assert!(killed.is_empty() || self.may_leave.load(Ordering::SeqCst), "left running:\n{}", killed.join("\n"));
        if !self.damaged.load(Ordering::SeqCst) {
            invariants::assert_store_invariants(self);
        }
    }
}

/// Returns the path of the program under test.
pub(crate) fn jobdir() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    // It may have been built on another system, which knows no drives.
    PATH.get_or_init(|| std::path::absolute(env!("CARGO_BIN_EXE_jobdir")).expect("has a place"))
}

/// Returns a directory with the helper program under the names of tools that this system may lack.
fn tools() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let tools = jobdir().with_file_name("tools");
        std::fs::create_dir_all(&tools).expect("makes a directory");
        for tool in ["true", "false", "echo", "cat", "sleep"] {
            let path = tools.join(format!("{tool}{}", std::env::consts::EXE_SUFFIX));
            // One left by an earlier build may be of an older helper.
            std::fs::copy(helper(), path).expect("copies the helper");
        }
        tools
    })
}

/// Returns the path of the helper program.
#[track_caller]
pub(crate) fn helper() -> String {
    let name = format!("jobdir-test-helper{}", std::env::consts::EXE_SUFFIX);
    let path = jobdir().parent().expect("has a directory").join("examples").join(name);
    assert!(path.exists(), "'{}' is missing: plain 'cargo test' or 'cargo build --examples' makes it", path.display());
    path.to_string_lossy().into_owned()
}

/// Appends `-- helper ACTIONS` to a command line.
pub(crate) fn with_helper(options: &[&str], actions: &[&str]) -> Vec<String> {
    let helper = helper();
    let words = options.iter().copied().chain(["--", helper.as_str()]).chain(actions.iter().copied());
    words.map(str::to_owned).collect()
}

/// Reads a whole JSON file.
#[track_caller]
pub(crate) fn read_json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads `{"pid": …, "start_time": …}`.
fn identity(value: &Value) -> Option<(u32, u64)> {
    Some((u32::try_from(value["pid"].as_u64()?).ok()?, value["start_time"].as_u64()?))
}

impl Invocation {
    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes a variable.
    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Starts it in this directory.
    pub(crate) fn cwd(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Gives it this input, then the end of it.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Output {
        self.spawn().wait()
    }

    /// Starts it; its stdout and stderr are collected.
    #[track_caller]
    pub(crate) fn spawn(mut self) -> Client {
        self.command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut client = self.spawn_with_stdio();
        client.stdout = client.child.stdout.take().map(collect);
        client.stderr = client.child.stderr.take().map(collect);
        client
    }

    /// Starts it with these descriptors; nothing is collected of those that are given.
    #[track_caller]
    pub(crate) fn spawn_with(mut self, stdin: Option<OwnedFd>, stdout: OwnedFd, stderr: Option<OwnedFd>) -> Client {
        self.command.stdin(stdin.map_or_else(Stdio::null, Stdio::from)).stdout(stdout);
        self.command.stderr(stderr.map_or_else(Stdio::piped, Stdio::from));
        let mut client = self.spawn_with_stdio();
        client.stderr = client.child.stderr.take().map(collect);
        client
    }

    #[track_caller]
    fn spawn_with_stdio(mut self) -> Client {
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.line));
        if let (Some(bytes), Some(mut pipe)) = (self.stdin, child.stdin.take()) {
            std::thread::spawn(move || pipe.write_all(&bytes));
        }
        Client { child, line: self.line, printed: self.printed, stdout: None, stderr: None }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).ok();
        sender.send(bytes).ok();
    });
    receiver
}

impl Client {
    /// Returns its pid.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        proc::signal(self.child.id(), signal);
    }

    /// Waits until it has ended, and until nobody holds its stdout and stderr any more.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Output {
        let line = self.line.clone();
        let ended = eventually_within(patience(), || self.child.try_wait().expect("can be waited for"));
        let Some(status) = ended else {
            self.child.kill().ok();
            let status = self.child.wait().expect("can be waited for");
            panic!("it does not end: {line}\n{:?}", self.finish(status));
        };
        self.finish(status)
    }

    #[track_caller]
    fn finish(&mut self, status: ExitStatus) -> Output {
        let take = |receiver: Option<Receiver<Vec<u8>>>, name: &str| {
            receiver.map_or_else(Vec::new, |receiver| {
                receiver
                    .recv_timeout(patience())
                    .unwrap_or_else(|_| panic!("somebody still holds the {name} of: {}", self.line))
            })
        };
        let (stdout, stderr) = (take(self.stdout.take(), "stdout"), take(self.stderr.take(), "stderr"));
        let output = Output { line: self.line.clone(), stdout, stderr, status };
        // Whoever was killed may have printed a part.
        if proc::signal_of(status) != Some(9)
            && let Err(complaint) = self.printed.check(&output.stdout)
        {
            panic!("{complaint}\n{output}");
        }
        output
    }
}

impl Output {
    /// Returns the exit code as a shell sees it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + proc::signal_of(self.status).unwrap_or(0))
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code(), code, "{self}");
        self
    }

    /// Asserts all of stdout.
    #[track_caller]
    pub(crate) fn assert_stdout(&self, text: &str) -> &Self {
        assert_eq!(String::from_utf8_lossy(&self.stdout), text, "{self}");
        self
    }

    /// Asserts all of stderr.
    #[track_caller]
    pub(crate) fn assert_stderr(&self, text: &str) -> &Self {
        assert_eq!(String::from_utf8_lossy(&self.stderr), text, "{self}");
        self
    }

    /// Asserts that stderr contains this.
    #[track_caller]
    pub(crate) fn assert_says(&self, text: &str) -> &Self {
        assert!(String::from_utf8_lossy(&self.stderr).contains(text), "does not say '{text}':\n{self}");
        self
    }

    /// Returns stdout.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap_or_else(|_| panic!("is no UTF-8:\n{self}"))
    }

    /// Returns the only line of stdout.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        let text = self.text();
        let id = text.strip_suffix('\n').unwrap_or_else(|| panic!("is no line:\n{self}"));
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()), "is no id:\n{self}");
        id.to_owned()
    }

    /// Returns stdout as exactly one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("is no JSON document: {error}\n{self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let excerpt = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
        writeln!(f, "$ {}", self.line)?;
        writeln!(f, "{}------- stderr -------\n{}", excerpt(&self.stdout), excerpt(&self.stderr))?;
        write!(f, "[exit status: {}]", self.code())
    }
}
