//! Signals by name. Numbers differ between systems, so only names are stored and shown.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A signal, known by its full name such as `SIGTERM`. The platform layer maps names to numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(&'static str);

#[rustfmt::skip]
const NAMES: &[&str] = &[
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
    "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
    "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
    "SIGSYS", "SIGEMT", "SIGINFO",
    "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6", "SIGRTMIN+7",
    "SIGRTMIN+8", "SIGRTMIN+9", "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14",
    "SIGRTMIN+15", "SIGRTMIN+16", "SIGRTMIN+17", "SIGRTMIN+18", "SIGRTMIN+19", "SIGRTMIN+20", "SIGRTMIN+21",
    "SIGRTMIN+22", "SIGRTMIN+23", "SIGRTMIN+24", "SIGRTMIN+25", "SIGRTMIN+26", "SIGRTMIN+27", "SIGRTMIN+28",
    "SIGRTMIN+29", "SIGRTMIN+30",
];

/// Other spellings that kill(1) accepts.
const ALIASES: &[(&str, &str)] = &[("SIGPOLL", "SIGIO"), ("SIGIOT", "SIGABRT"), ("SIGCLD", "SIGCHLD")];

impl Signal {
    /// `SIGHUP`.
    pub const HUP: Self = Self("SIGHUP");
    /// `SIGINT`.
    pub const INT: Self = Self("SIGINT");
    /// `SIGQUIT`.
    pub const QUIT: Self = Self("SIGQUIT");
    /// `SIGTERM`.
    pub const TERM: Self = Self("SIGTERM");
    /// `SIGKILL`.
    pub const KILL: Self = Self("SIGKILL");
    /// `SIGCONT`.
    pub const CONT: Self = Self("SIGCONT");
    /// `SIGSTOP`.
    pub const STOP: Self = Self("SIGSTOP");
    /// `SIGPIPE`.
    pub const PIPE: Self = Self("SIGPIPE");
    /// Suspension, as a terminal asks for it.
    pub const TSTP: Self = Self("SIGTSTP");
    /// The terminal has another size.
    pub const WINCH: Self = Self("SIGWINCH");

    /// Returns the signal with this full name (`SIGTERM`), exactly spelled.
    pub fn by_full_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|n| **n == name).map(|n| Self(n))
    }

    /// Returns every signal that has a name.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|n| Self(n))
    }

    /// Returns the full name, `SIGTERM`.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Returns the name without `SIG`, `TERM`, as plans and messages write it.
    pub fn short_name(self) -> &'static str {
        &self.0[3..]
    }

    /// Parses a name in any case, with or without `SIG`, or a number that `by_number` knows.
    ///
    /// # Errors
    /// A sentence for the user when the text is none of these.
    pub fn parse(text: &str, by_number: impl Fn(i32) -> Option<Self>) -> Result<Self, String> {
        if let Ok(number) = text.parse::<i32>() {
            return by_number(number).ok_or_else(|| format!("there is no signal with the number {number}"));
        }
        let upper = text.to_ascii_uppercase();
        let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
        let full = ALIASES.iter().find(|(alias, _)| *alias == full).map_or(full.as_str(), |(_, name)| name);
        Self::by_full_name(full)
            .ok_or_else(|| format!("unknown signal '{text}'; use a name such as TERM, SIGINT or USR1, or a number"))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Signal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl JsonSchema for Signal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Signal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A signal by its full name.", "type": "string", "pattern": "^SIG[A-Z0-9+-]+$" })
    }
}

impl<'de> Deserialize<'de> for Signal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::by_full_name(&text).ok_or_else(|| serde::de::Error::custom(format!("unknown signal '{text}'")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let by_number = |n| (n == 15).then_some(Signal::TERM);
        for good in ["TERM", "term", "SIGTERM", "SigTerm", "15"] {
            assert_eq!(Signal::parse(good, by_number), Ok(Signal::TERM), "{good}");
        }
        assert_eq!(Signal::parse("rtmin+3", by_number).map(Signal::name), Ok("SIGRTMIN+3"));
        assert_eq!(Signal::parse("POLL", by_number).map(Signal::name), Ok("SIGIO"));
        for bad in ["", "SIG", "FOO", "0", "99", "-9", "TERM "] {
            assert!(Signal::parse(bad, by_number).is_err(), "{bad:?}");
        }
    }
}
