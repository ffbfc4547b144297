//! The id of a job: a small positive integer, safe as a file name everywhere.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Identifies one job within one state directory. Printed in decimal, written to JSON as a string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JobId(u64);

impl JobId {
    /// The first one.
    pub const FIRST: Self = Self(1);

    /// Returns the id with this number, or `None` for zero, which is never handed out.
    pub fn new(number: u64) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// Returns the number itself.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for JobId {
    type Err = NotAnId;

    /// Accepts only the canonical spelling (`7`, never `07` or `+7`), so that one job has one path.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::from_ascii(text.as_bytes()).ok_or(NotAnId)
    }
}

impl JobId {
    /// Reads an id in its canonical spelling.
    pub fn from_ascii(text: &[u8]) -> Option<Self> {
        // Lists of a hundred thousand go through this.
        let mut number = 0_u64;
        for byte in text {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 || (number == 0 && digit == 0) {
                return None;
            }
            number = number.checked_mul(10)?.checked_add(digit.into())?;
        }
        Self::new(number)
    }
}

/// The text is not a job id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a job id")]
pub struct NotAnId;

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for JobId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "The id of a job.", "type": "string", "pattern": "^[1-9][0-9]*$" })
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of ids: a bit for each, in blocks, since the ids of a state directory lie close together.
#[derive(Clone, Debug, Default)]
pub struct IdSet(BTreeMap<u64, [u64; Self::WORDS]>);

impl IdSet {
    const WORDS: usize = 64;

    /// Returns the block, the word in it and the bit in that.
    fn place(id: JobId) -> (u64, usize, u64) {
        let word = id.0 / 64;
        (word / Self::WORDS as u64, (word % Self::WORDS as u64) as usize, 1 << (id.0 % 64))
    }

    /// Adds an id.
    pub fn insert(&mut self, id: JobId) {
        let (block, word, bit) = Self::place(id);
        self.0.entry(block).or_insert([0; Self::WORDS])[word] |= bit;
    }

    /// Says whether an id is there.
    pub fn contains(&self, id: JobId) -> bool {
        let (block, word, bit) = Self::place(id);
        self.0.get(&block).is_some_and(|words| words[word] & bit != 0)
    }

    /// Takes an id out. Says whether it was there.
    pub fn remove(&mut self, id: JobId) -> bool {
        let (block, word, bit) = Self::place(id);
        let Some(words) = self.0.get_mut(&block) else { return false };
        let was_there = words[word] & bit != 0;
        words[word] &= !bit;
        was_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        assert_eq!("7".parse::<JobId>(), Ok(JobId(7)));
        for bad in ["", "0", "07", "+7", "-7", " 7", "7 ", "x", "18446744073709551616"] {
            assert_eq!(bad.parse::<JobId>(), Err(NotAnId), "{bad:?}");
        }
    }
    #[test]
    fn a_set_knows_each_id_once() {
        let mut set = IdSet::default();
        let ids = [1, 63, 64, 4095, 4096, 1 << 40, u64::MAX].map(JobId);
        ids.iter().for_each(|id| set.insert(*id));
        assert!(!set.remove(JobId(2)) && !set.remove(JobId(8192)) && !set.contains(JobId(62)));
        assert!(ids.iter().all(|id| set.contains(*id) && set.remove(*id)) && !ids.iter().any(|id| set.remove(*id)));
    }
}
