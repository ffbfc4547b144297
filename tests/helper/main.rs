//! The program that tests run as jobs: it does what its arguments say, one action after the other.
//!
//! ```text
//! jobdir-test-helper witness 127.0.0.1:4000 ignore TERM tell ready block
//! ```
//!
//! A *witness* is a connection to the test: the test sees its end when this process is dead, however it died. Whatever a
//! test has to wait for is told there (`tell`), and whatever this process has to wait for is heard there (`await`), so
//! that no test sleeps. See [`ACTIONS`] for everything that it can do.

//!
//! Under the name of one of the [`TOOLS`] it is that tool, so that tests can use them on systems that have none.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program whose purpose is to print")]
#![expect(clippy::disallowed_methods, reason = "a program that does what others must not")]
#![expect(clippy::exit, reason = "exit codes are what tests ask for")]

#[cfg(windows)]
mod console;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What this program is called for, under another name.
const TOOLS: [&str; 5] = ["true", "false", "echo", "cat", "sleep"];

/// Every action and its arguments.
const ACTIONS: &str = "\
exit N               exit with this code
out TEXT, err TEXT   print a line to stdout, stderr
hex HEX              print bytes to stdout
stdout N, stderr N   print N bytes, as fast as possible
write FILE TEXT      make a file; $VAR or $VAR/… instead of FILE takes the path from the environment
append FILE TEXT     the same, at the end of the file, with a newline
unlink FILE          remove a file
lock FILE HOW REPORT lock a file until we are dead, HOW is shared, exclusive or the number of places; when it is held by
                     too many others, append a line to REPORT and exit with 99
cat FILE             copy a file to stdout; '' or - is stdin
sleep SECONDS        do nothing for so long
rest MS              do nothing for so long
mkdir-exclusive DIR  make a directory, or exit with 99 when it exists
stdin                read stdin to its end and print it as a line of JSON
line                 read a line of stdin and print it
args                 print all remaining arguments as a line of JSON
env                  print the environment as a line of JSON
report               print what this process was given as a line of JSON: descriptors, signals, session, …
witness ADDRESS      connect to a test and tell it our pid
tell TEXT            tell the test a line
await                wait for a line of the test
block                wait for ever
thread-only          end the first thread; another one stays for ever and holds the witness
burn MS              use the processor for so long
flee MS              fork and exit for so long: nobody ever lives for more than a moment
spawn K [ ACTIONS ]  start K children and print 'child PID' for each
spawn-clean K [ … ]  the same, with an empty environment
run-command FILE [ ARGUMENTS ]
                     run another program to its end
reap                 wait for all children started so far
setsid               begin a session of our own
ignore SIG,…         ignore signals
mask SIG,…           block signals
trap SIG,… LAST      take these signals, print and tell 'got SIG' for each, until LAST comes; tells 'ready' at first
die SIG              die of a signal
stop-self            stop ourselves with SIGSTOP
close N              close a descriptor
leak N               open a descriptor with this number or a higher one, inherited by whatever is executed
umask MASK           set the file mode creation mask, in octal
at-console TEXT [ … ]
                     do this in a process at a console of its own where this is typed, after an 'await' when there is a
                     witness, and print what is shown there; 'close' closes it instead; Windows alone
console              make the console our stdin, stdout and stderr; Windows alone
cd DIR               change the working directory
exec COMMAND…        become another program";

/// What one process remembers between its actions.
#[derive(Default)]
struct Helper {
    words: VecDeque<String>,
    witness: Option<BufReader<TcpStream>>,
    children: Vec<Child>,
}

fn main() {
    let mut words: VecDeque<String> = std::env::args().skip(1).collect();
    let name = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if TOOLS.contains(&name.as_str()) {
        words = be(&name, &words);
    }
    let mut helper = Helper { words, ..Helper::default() };
    while let Some(action) = helper.words.pop_front() {
        helper.act(&action);
    }
}

/// Returns what to do under the name of a tool.
fn be(tool: &str, words: &VecDeque<String>) -> VecDeque<String> {
    let word = |index: usize| words.get(index).map_or("", String::as_str);
    let actions = match tool {
        "true" => vec!["exit", "0"],
        "false" => vec!["exit", "1"],
        "cat" => vec!["cat", word(0)],
        "sleep" => vec!["sleep", word(0)],
        _ => return ["out".to_owned(), words.iter().map(String::as_str).collect::<Vec<_>>().join(" ")].into(),
    };
    actions.into_iter().map(str::to_owned).collect()
}

fn fail(why: &str) -> ! {
    eprintln!("jobdir-test-helper: {why}\n{ACTIONS}");
    std::process::exit(98);
}

fn print(text: &str) {
    println!("{text}");
    std::io::stdout().flush().ok();
}

/// Writes bytes to a stream until nobody takes them.
fn fill(mut sink: impl Write, bytes: u64) {
    // Numbered lines, so that a hole or a repetition is seen.
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut block = Vec::new();
    let mut line = 0u64;
    while left > 0 {
        block.clear();
        while block.len() < (64 << 10) {
            block.extend_from_slice(format!("{line:015}\n").as_bytes());
            line += 1;
        }
        let n = left.min(block.len());
        if sink.write_all(&block[..n]).is_err() {
            return;
        }
        left -= n;
    }
    sink.flush().ok();
}

impl Helper {
    fn word(&mut self) -> String {
        self.words.pop_front().unwrap_or_else(|| fail("an argument is missing"))
    }

    fn number<T: std::str::FromStr>(&mut self) -> T {
        let word = self.word();
        word.parse().unwrap_or_else(|_| fail(&format!("'{word}' is not a number")))
    }

    fn file(&mut self) -> String {
        let word = self.word();
        match word.strip_prefix('$') {
            Some(path) => {
                let (name, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
                let value = std::env::var(name).unwrap_or_else(|_| fail(&format!("there is no variable {name}")));
                value + rest
            }
            None => word,
        }
    }

    /// Takes `[ … ]`, which may contain other brackets.
    fn block(&mut self) -> Vec<String> {
        if self.word() != "[" {
            fail("'[' is missing");
        }
        let mut depth = 1;
        let mut inner = Vec::new();
        loop {
            let word = self.word();
            match word.as_str() {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return inner;
            }
            inner.push(word);
        }
    }

    fn tell(&mut self, text: &str) {
        if let Some(witness) = &mut self.witness {
            writeln!(witness.get_mut(), "{text}").ok();
        }
    }

    fn act(&mut self, action: &str) {
        match action {
            "exit" => std::process::exit(self.number()),
            "out" => print(&self.word()),
            "err" => eprintln!("{}", self.word()),
            "hex" => {
                let hex = self.word();
                let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
                let bytes: Vec<u8> =
                    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or(0)).collect();
                std::io::stdout().write_all(&bytes).ok();
                std::io::stdout().flush().ok();
            }
            "stdout" => fill(std::io::stdout().lock(), self.number()),
            "stderr" => fill(std::io::stderr().lock(), self.number()),
            "write" => {
                let (path, text) = (self.file(), self.word());
                std::fs::write(&path, text).unwrap_or_else(|error| fail(&format!("{path}: {error}")));
            }
            "append" => {
                let (path, text) = (self.file(), self.word());
                let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
                file.and_then(|mut file| writeln!(file, "{text}"))
                    .unwrap_or_else(|error| fail(&format!("{path}: {error}")));
            }
            "unlink" => std::fs::remove_file(self.file()).unwrap_or_else(|error| fail(&error.to_string())),
            "mkdir-exclusive" => {
                if std::fs::create_dir(self.file()).is_err() {
                    std::process::exit(99);
                }
            }
            "stdin" => {
                let mut bytes = Vec::new();
                std::io::stdin().read_to_end(&mut bytes).ok();
                let text = String::from_utf8_lossy(&bytes);
                print(&serde_json::json!({ "bytes": bytes.len(), "text": text }).to_string());
            }
            "line" => {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).ok();
                print(&format!("line: {}", line.trim_end()));
                let told = line.trim_end().to_owned();
                self.tell(&told);
            }
            "args" => {
                let rest: Vec<String> = self.words.drain(..).collect();
                print(&serde_json::json!(rest).to_string());
            }
            "env" => {
                let variables: std::collections::BTreeMap<String, String> = std::env::vars_os()
                    .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
                    .collect();
                print(&serde_json::json!(variables).to_string());
            }
            "witness" => {
                let address = self.word();
                match TcpStream::connect(&address) {
                    Ok(stream) => self.witness = Some(BufReader::new(stream)),
                    Err(error) => fail(&format!("{address}: {error}")),
                }
                self.tell(&std::process::id().to_string());
            }
            "tell" => {
                let text = self.word();
                self.tell(&text);
            }
            "await" => {
                let Some(witness) = &mut self.witness else { fail("there is no witness to wait for") };
                let mut line = String::new();
                // The test is gone: so are we.
                if witness.read_line(&mut line).unwrap_or(0) == 0 {
                    std::process::exit(97);
                }
            }
            "lock" => {
                let (path, how, report) = (self.file(), self.word(), self.file());
                let open = |path: &str| {
                    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
                    file.unwrap_or_else(|error| fail(&format!("{path}: {error}")))
                };
                let taken = match how.as_str() {
                    "exclusive" => Some(open(&path)).filter(|file| file.try_lock().is_ok()),
                    "shared" => Some(open(&path)).filter(|file| file.try_lock_shared().is_ok()),
                    places => (0..places.parse().unwrap_or_else(|_| fail("not a number")))
                        .map(|place: u32| open(&format!("{path}-{place}")))
                        .find(|file| file.try_lock().is_ok()),
                };
                match taken {
                    // Nothing but our death shall release it.
                    Some(file) => std::mem::forget(file),
                    None => {
                        let id = std::env::var("JOBDIR_JOB_ID").unwrap_or_default();
                        writeln!(open(&report), "job {id} finds {path} taken ({how})").ok();
                        std::process::exit(99);
                    }
                }
            }
            "cat" => {
                let file = self.word();
                let copy = |mut from: Box<dyn Read>| std::io::copy(&mut from, &mut std::io::stdout());
                let copied = match file.as_str() {
                    "" | "-" => copy(Box::new(std::io::stdin())),
                    path => std::fs::File::open(path).and_then(|file| copy(Box::new(file))),
                };
                copied.unwrap_or_else(|error| fail(&format!("{file}: {error}")));
            }
            "sleep" => std::thread::sleep(Duration::from_secs_f64(self.number())),
            "rest" => std::thread::sleep(Duration::from_millis(self.number())),
            "block" => loop {
                std::thread::park();
            },
            "burn" => {
                let until = Instant::now() + Duration::from_millis(self.number());
                while Instant::now() < until {
                    std::hint::spin_loop();
                }
            }
            "spawn" | "spawn-clean" => {
                let count: u32 = self.number();
                let inner = self.block();
                for _ in 0..count {
                    let own = std::env::current_exe().unwrap_or_else(|error| fail(&error.to_string()));
                    let mut command = Command::new(own);
                    command.args(&inner);
                    if action == "spawn-clean" {
                        command.env_clear();
                    }
                    let child = command.spawn().unwrap_or_else(|error| fail(&error.to_string()));
                    print(&format!("child {}", child.id()));
                    self.children.push(child);
                }
            }
            "run-command" => {
                let (program, arguments) = (self.word(), self.block());
                let status = Command::new(program).args(arguments).status();
                status.unwrap_or_else(|error| fail(&error.to_string()));
            }
            "reap" => {
                for mut child in self.children.drain(..) {
                    child.wait().ok();
                }
            }
            "cd" => std::env::set_current_dir(self.word()).unwrap_or_else(|error| fail(&error.to_string())),
            _ => self.act_on_unix(action),
        }
    }

    #[cfg(unix)]
    fn act_on_unix(&mut self, action: &str) {
        use std::os::unix::process::CommandExt;
        let failed = |error: nix::Error| -> ! { fail(&error.to_string()) };
        match action {
            "report" => print(&unix::report().to_string()),
            "setsid" => {
                nix::unistd::setsid().unwrap_or_else(|error| failed(error));
            }
            "ignore" => unix::ignore(&unix::signals(&self.word())),
            "mask" => unix::signals(&self.word()).thread_block().unwrap_or_else(|error| failed(error)),
            "trap" => {
                let set = unix::signals(&self.word());
                let last = self.word();
                set.thread_block().unwrap_or_else(|error| failed(error));
                print("ready");
                self.tell("ready");
                loop {
                    let signal = set.wait().unwrap_or_else(|error| failed(error));
                    let name = signal.as_str().trim_start_matches("SIG").to_owned();
                    print(&format!("got {name}"));
                    self.tell(&format!("got {name}"));
                    if name == last {
                        return;
                    }
                }
            }
            "die" => unix::die(&unix::signals(&self.word())),
            "flee" => unix::flee(Duration::from_millis(self.number())),
            "thread-only" => unix::end_first_thread(),
            "stop-self" => nix::sys::signal::raise(nix::sys::signal::SIGSTOP).unwrap_or_else(|error| failed(error)),
            "close" => nix::unistd::close(self.number::<i32>()).unwrap_or_else(|error| failed(error)),
            "leak" => unix::leak(self.number()),
            "umask" => {
                let mask = u32::from_str_radix(&self.word(), 8).unwrap_or_else(|_| fail("not a mask"));
                nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(mask as nix::libc::mode_t));
            }
            "exec" => {
                let mut words = self.words.drain(..);
                let program = words.next().unwrap_or_else(|| fail("a command is missing"));
                let error = Command::new(program).args(words).exec();
                fail(&error.to_string())
            }
            other => fail(&format!("'{other}' is no action")),
        }
    }

    #[cfg(not(unix))]
    fn act_on_unix(&mut self, action: &str) {
        match action {
            // There are no sessions, and nothing leaves a job object.
            "setsid" => {}
            "ignore" => {
                self.word();
                windows::take_breaks();
            }
            "trap" => {
                let (_which, _last) = (self.word(), self.word());
                let taken = windows::take_breaks();
                print("ready");
                self.tell("ready");
                taken.recv().unwrap_or_else(|error| fail(&error.to_string()));
                print("got BREAK");
                self.tell("got BREAK");
            }
            "close" => console::close(self.number()),
            "console" => console::take_console(),
            "at-console" => {
                let (text, actions) = (self.word(), self.block());
                // Whoever has a witness waits for it before he types.
                let has_witness = self.witness.is_some();
                console::at_console(&text, &actions, || {
                    if has_witness {
                        self.act("await");
                    }
                });
            }
            other => fail(&format!("'{other}' is no action here")),
        }
    }
}

#[cfg(windows)]
mod windows {
    #![expect(unsafe_code, reason = "the console calls back")]

    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};

    static TAKEN: Mutex<Option<Sender<()>>> = Mutex::new(None);

    unsafe extern "system" fn on_console(event: u32) -> i32 {
        if let Some(taken) = TAKEN.lock().ok().filter(|_| event == CTRL_BREAK_EVENT).and_then(|taken| taken.clone()) {
            taken.send(()).ok();
        }
        matches!(event, CTRL_BREAK_EVENT | CTRL_C_EVENT).into()
    }

    /// Takes every CTRL_BREAK from now on: all that INT, TERM, HUP and QUIT are here.
    pub(super) fn take_breaks() -> Receiver<()> {
        let (sender, receiver) = channel();
        *TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(sender);
        // SAFETY: the handler is a function that lives for ever.
        unsafe { SetConsoleCtrlHandler(Some(on_console), 1) };
        receiver
    }
}

#[cfg(unix)]
mod unix {
    #![expect(unsafe_code, reason = "dispositions cannot be changed without")]

    use nix::sys::signal::{self, SigHandler, SigSet, Signal};
    use serde_json::{Value, json};

    use super::fail;

    pub(super) fn signals(names: &str) -> SigSet {
        let one = |name: &str| -> Signal {
            format!("SIG{name}").parse().unwrap_or_else(|_| fail(&format!("'{name}' is no signal")))
        };
        names.split(',').map(one).collect()
    }

    fn dispose(set: &SigSet, handler: SigHandler) {
        for one in set {
            // SAFETY: no handler function is installed, so nothing can run at a wrong time.
            unsafe { signal::signal(one, handler) }.unwrap_or_else(|error| fail(&error.to_string()));
        }
    }

    pub(super) fn ignore(set: &SigSet) {
        dispose(set, SigHandler::SigIgn);
    }

    pub(super) fn die(set: &SigSet) {
        // Tests shall not leave core files.
        nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0).ok();
        let takes_a_disposition = |one: &Signal| !matches!(one, Signal::SIGKILL | Signal::SIGSTOP);
        dispose(&set.iter().filter(takes_a_disposition).collect(), SigHandler::SigDfl);
        set.thread_unblock().ok();
        for one in set {
            signal::raise(one).ok();
        }
        fail("did not die")
    }

    pub(super) fn end_first_thread() {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
        // Descriptors belong to the process and stay open.
        // SAFETY: nothing on this thread's stack is used by the other one, and no destructor has to run.
        unsafe { nix::libc::syscall(nix::libc::SYS_exit, 0) };
    }

    pub(super) fn flee(limit: std::time::Duration) {
        let end = std::time::Instant::now() + limit;
        while std::time::Instant::now() < end {
            // SAFETY: this program has one thread, and the child goes on with this very loop.
            match unsafe { nix::unistd::fork() } {
                Ok(nix::unistd::ForkResult::Parent { .. }) => std::process::exit(0),
                Ok(nix::unistd::ForkResult::Child) => {}
                Err(error) => fail(&error.to_string()),
            }
        }
    }

    pub(super) fn leak(number: i32) {
        let null = std::fs::File::open("/dev/null").unwrap_or_else(|error| fail(&error.to_string()));
        nix::fcntl::fcntl(&null, nix::fcntl::FcntlArg::F_DUPFD(number)).unwrap_or_else(|e| fail(&e.to_string()));
        // Both stay open; the first one is closed by exec.
        std::mem::forget(null);
    }

    pub(super) fn report() -> Value {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| -> Option<String> {
            status.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()))
        };
        let mut fds: Vec<Value> = Vec::new();
        for entry in std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            // What we look with.
            if target.ends_with(format!("{}/fd", std::process::id())) {
                continue;
            }
            fds.push(json!({ "fd": entry.file_name().to_string_lossy(), "target": target }));
        }
        let umask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
        nix::sys::stat::umask(umask);
        json!({
            "pid": std::process::id(),
            "ppid": nix::unistd::getppid().as_raw(),
            "pgid": nix::unistd::getpgrp().as_raw(),
            "sid": nix::unistd::getsid(None).map(nix::unistd::Pid::as_raw).unwrap_or(-1),
            "cwd": std::env::current_dir().ok(),
            "umask": format!("{:03o}", umask.bits()),
            "fds": fds,
            "ignored": field("SigIgn"),
            "blocked": field("SigBlk"),
        })
    }
}
