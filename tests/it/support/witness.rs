//! Witnesses: a process of a job connects to the test, tells what it does, hears what it shall do, and the end of the
//! connection is the proof that it is dead.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};

use super::{eventually, patience, proc};

/// Where processes connect to.
#[derive(Debug)]
pub(crate) struct Witness {
    listener: TcpListener,
    pub(crate) address: String,
}

/// One connected process.
#[derive(Debug)]
pub(crate) struct Witnessed {
    stream: BufReader<TcpStream>,
    pub(crate) pid: u32,
    pub(crate) start_time: u64,
}

impl Witness {
    /// Begins to listen.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        listener.set_nonblocking(true).expect("does not block");
        let address = listener.local_addr().expect("has an address").to_string();
        Self { listener, address }
    }

    /// Waits for the next process.
    #[track_caller]
    pub(crate) fn accept(&self) -> Witnessed {
        let stream = eventually("a process that connects", || self.listener.accept().ok()).0;
        stream.set_nonblocking(false).expect("blocks");
        stream.set_read_timeout(Some(patience())).expect("has a limit");
        let mut witnessed = Witnessed { stream: BufReader::new(stream), pid: 0, start_time: 0 };
        witnessed.pid = witnessed.line().parse().expect("the first line is the pid");
        witnessed.start_time = proc::start_time(witnessed.pid).unwrap_or(0);
        witnessed
    }

    /// Says whether a process is waiting to be accepted.
    pub(crate) fn is_called(&self) -> bool {
        self.listener.accept().is_ok()
    }
}

impl Witnessed {
    /// Waits for what the process tells next.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let n = self.stream.read_line(&mut line).unwrap_or_else(|error| panic!("the process says nothing: {error}"));
        assert!(n > 0, "process {} is dead instead of saying something", self.pid);
        line.trim_end().to_owned()
    }

    /// Lets it go on after `await`.
    #[track_caller]
    pub(crate) fn go(&mut self) {
        self.stream.get_mut().write_all(b"go\n").expect("the process still listens");
    }

    /// Waits until it is dead. What it still tells is passed over.
    #[track_caller]
    pub(crate) fn wait_for_death(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            match self.stream.read_line(&mut line) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
                Err(error) => panic!("process {} does not die: {error}", self.pid),
            }
        }
    }

    /// Asserts that it is dead already: nothing is waited for.
    #[track_caller]
    pub(crate) fn assert_dead(&self) {
        assert!(!self.is_alive(), "process {} lives", self.pid);
    }

    /// Asserts that it lives.
    #[track_caller]
    pub(crate) fn assert_alive(&self) {
        assert!(self.is_alive(), "process {} is dead", self.pid);
    }

    /// Says whether it lives; zombies are dead.
    pub(crate) fn is_alive(&self) -> bool {
        proc::is_same_alive(self.pid, self.start_time)
    }
}
