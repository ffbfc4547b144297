//! Named points at which a test can kill this process: between two steps that others can see.
//!
//! [`crash_point`] does nothing, and is compiled to nothing, in builds without debug assertions. With them a test says by
//! `JOBDIR_TEST_CRASH=ROLE/NAME[:NTH]` where a process of this role shall kill itself, and by `JOBDIR_TEST_CRASH_LOG=FILE`
//! that every point shall be written down, as a line `ROLE/NAME`, before it is passed; a line `ROLE/NAME!` is a death.
//! Supervisors are handed both, commands of jobs never. The names are those of the crash matrix in `docs/protocol.md`.
//!
//! In the same builds `JOBDIR_TEST_PANIC=NAME` makes a client panic at the place of this name, and
//! `JOBDIR_TEST_UNKILLABLE=MILLISECONDS` makes processes that no KILL ends: the signal is withheld, by the supervisor and
//! by a recovery, which give killing up after that time. Whoever acts under it says so in the job itself.

#[cfg(target_os = "linux")]
pub(super) use points::crash_point_of_parent;
pub(super) use points::switches;
pub use points::{as_role, crash_point, is_switch, panic_point, unkillable};

#[cfg(debug_assertions)]
mod points {
    use std::io::Write;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Mutex, OnceLock, PoisonError};
    use std::time::Duration;

    use crate::domain::os_text::OsText;

    const CRASH: &str = "JOBDIR_TEST_CRASH";
    const LOG: &str = "JOBDIR_TEST_CRASH_LOG";
    const PANIC: &str = "JOBDIR_TEST_PANIC";
    const UNKILLABLE: &str = "JOBDIR_TEST_UNKILLABLE";

    #[derive(Debug)]
    struct Plan {
        /// Where to die: the point, and at which passing of it.
        crash: Option<(String, u32)>,
        log: Option<std::ffi::OsString>,
    }

    static PLAN: OnceLock<Plan> = OnceLock::new();
    static PASSED: AtomicU32 = AtomicU32::new(0);
    static ROLE: Mutex<&'static str> = Mutex::new("client");

    fn plan() -> &'static Plan {
        PLAN.get_or_init(|| {
            let crash = std::env::var(CRASH).ok().map(|text| match text.split_once(':') {
                Some((point, nth)) => (point.to_owned(), nth.parse().unwrap_or(1)),
                None => (text, 1),
            });
            Plan { crash, log: std::env::var_os(LOG) }
        })
    }

    /// Says what this process is: `supervisor` or `recovery`; all others are `client`.
    pub fn as_role(role: &'static str) {
        *ROLE.lock().unwrap_or_else(PoisonError::into_inner) = role;
    }

    /// Marks a moment between two steps at which a test may want this process to die.
    pub fn crash_point(name: &'static str) {
        if is_to_die(name) {
            die();
        }
    }

    /// Marks such a moment of a parent that stands still while its child, which calls this, has its memory.
    #[cfg(target_os = "linux")]
    pub(in crate::platform) fn crash_point_of_parent(name: &'static str) {
        if is_to_die(name) {
            nix::sys::signal::kill(nix::unistd::getppid(), nix::sys::signal::SIGKILL).ok();
            // It takes the child with it.
            nix::unistd::pause();
        }
    }

    fn is_to_die(name: &'static str) -> bool {
        let plan = plan();
        if plan.crash.is_none() && plan.log.is_none() {
            return false;
        }
        let point = format!("{}/{name}", ROLE.lock().unwrap_or_else(PoisonError::into_inner));
        let dies = plan
            .crash
            .as_ref()
            .is_some_and(|(wanted, nth)| *wanted == point && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth);
        let mark = if dies { "!" } else { "" };
        if let Some(log) = &plan.log
            && let Ok(mut log) = std::fs::OpenOptions::new().append(true).create(true).open(log)
        {
            log.write_all(format!("{point}{mark}\n").as_bytes()).ok();
        }
        dies
    }

    #[cfg(unix)]
    fn die() {
        nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::SIGKILL).ok();
    }

    #[cfg(not(unix))]
    fn die() {
        std::process::abort();
    }

    /// Marks a place at which a test may want this process to panic.
    pub fn panic_point(name: &str) {
        static WANTED: OnceLock<Option<String>> = OnceLock::new();
        let wanted = WANTED.get_or_init(|| std::env::var(PANIC).ok());
        assert!(wanted.as_deref() != Some(name), "a test has asked for this");
    }

    /// Says whether a test wants every KILL to be withheld, and how soon killing is to be given up then.
    pub fn unkillable() -> Option<Duration> {
        static LIMIT: OnceLock<Option<Duration>> = OnceLock::new();
        *LIMIT.get_or_init(|| Some(Duration::from_millis(std::env::var(UNKILLABLE).ok()?.parse().ok()?)))
    }

    /// Says whether a variable of the caller's is meant for this process, and not for the commands of jobs.
    pub fn is_switch(name: &std::ffi::OsStr) -> bool {
        name == CRASH || name == LOG || name == PANIC || name == UNKILLABLE
    }

    /// Returns the variables by which a supervisor learns what the test wants.
    pub(in crate::platform) fn switches() -> Vec<(OsText, OsText)> {
        let set = |name: &str| Some((name.into(), super::super::os_text(&std::env::var_os(name)?)));
        [CRASH, LOG, UNKILLABLE].into_iter().filter_map(set).collect()
    }
}

#[cfg(not(debug_assertions))]
mod points {
    use crate::domain::os_text::OsText;

    /// Says what this process is; only tests want to know.
    #[inline(always)]
    pub fn as_role(_role: &'static str) {}

    /// Marks a moment between two steps at which a test may want this process to die. Does nothing here.
    #[inline(always)]
    pub fn crash_point(_name: &'static str) {}

    /// Marks a moment of a parent at which a test may want it to die. Does nothing here.
    #[cfg(target_os = "linux")]
    #[inline(always)]
    pub(in crate::platform) fn crash_point_of_parent(_name: &'static str) {}

    /// Marks a place at which a test may want this process to panic. Does nothing here.
    #[inline(always)]
    pub fn panic_point(_name: &str) {}

    /// Says that no signal is withheld here.
    #[inline(always)]
    pub fn unkillable() -> Option<std::time::Duration> {
        None
    }

    /// Says whether a variable of the caller's is not meant for the commands of jobs. None is.
    #[inline(always)]
    pub fn is_switch(_name: &std::ffi::OsStr) -> bool {
        false
    }

    /// Returns nothing here.
    pub(in crate::platform) fn switches() -> Vec<(OsText, OsText)> {
        Vec::new()
    }
}
