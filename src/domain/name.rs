//! Names and labels that users give to jobs, mutexes and slot groups.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name, in bytes.
pub const MAX_NAME: usize = 64;
/// The longest label value, in bytes.
pub const MAX_LABEL_VALUE: usize = 256;

/// A name that is safe as a file name on every platform.
///
/// Letters, digits and `._-`, at most 64 bytes, compared without case. See [`NameError`] for what is refused.
#[derive(Clone, Debug)]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a name must not be empty")]
    Empty,
    /// The text is longer than [`MAX_NAME`].
    #[error("a name has at most {MAX_NAME} characters, this one has {0}")]
    TooLong(usize),
    /// A character that is not allowed.
    #[error("a name consists of letters, digits, '.', '_' and '-'; {0:?} is none of them")]
    BadCharacter(char),
    /// Starts with `-` or `.`, or ends with `.`.
    #[error("a name must not start with '-' or '.', nor end with '.'")]
    BadEdge,
    /// Digits only would look like a job id.
    #[error("a name must not be all digits: that would look like a job id")]
    AllDigits,
    /// Reserved on Windows, such as `CON` or `nul.txt`.
    #[error("'{0}' is reserved on Windows and would make the state directory unportable")]
    Reserved(String),
}

impl Name {
    /// Returns the name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form that names are compared by, which is also the file name that stands for them.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "._-".contains(*c))) {
            return Err(NameError::BadCharacter(bad));
        }
        if text.len() > MAX_NAME {
            return Err(NameError::TooLong(text.len()));
        }
        if text.starts_with(['-', '.']) || text.ends_with('.') {
            return Err(NameError::BadEdge);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NameError::AllDigits);
        }
        if is_reserved_on_windows(text) {
            return Err(NameError::Reserved(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Device names are reserved with any extension, see Microsoft's "Naming Files, Paths, and Namespaces".
fn is_reserved_on_windows(text: &str) -> bool {
    let stem = text.split('.').next().unwrap_or(text).to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|n| n.len() == 1 && n != "0" && n.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Parses `KEY=VALUE` as a label: the key is a [`Name`], the value at most [`MAX_LABEL_VALUE`] bytes of any text.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "a label has the form KEY=VALUE".to_owned())?;
    let key: Name = key.parse().map_err(|e: NameError| e.to_string().replace("a name", "a label's key"))?;
    if value.len() > MAX_LABEL_VALUE {
        return Err(format!("a label's value has at most {MAX_LABEL_VALUE} bytes, this one has {}", value.len()));
    }
    Ok((key.0, value.to_owned()))
}

/// Parses what selects labels: `KEY=VALUE`, or `KEY` alone for whatever value.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_wanted_label(text: &str) -> Result<(String, Option<String>), String> {
    if text.contains('=') {
        return parse_label(text).map(|(key, value)| (key, Some(value)));
    }
    parse_label(&format!("{text}=")).map(|(key, _)| (key, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_name_and_what_is_not() {
        for good in ["a", "build", "Build_1.2-x", "1a", "console", "com0", "lpt", "x".repeat(64).as_str()] {
            assert!(good.parse::<Name>().is_ok(), "{good:?}");
        }
        for bad in
            ["", "../x", "a/b", "-a", ".a", "a.", "123", "CON", "con.txt", "nul", "COM1", "lpt9.x", "a b", "a\n", "é"]
        {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        assert_eq!("x".repeat(300).parse::<Name>(), Err(NameError::TooLong(300)));
    }

    #[test]
    fn names_are_compared_without_case() {
        assert_eq!("Build".parse::<Name>(), "bUILD".parse::<Name>());
    }

    #[test]
    fn labels() {
        assert_eq!(parse_label("k=v=w"), Ok(("k".into(), "v=w".into())));
        assert!(parse_label("k").is_err());
        assert!(parse_label("=v").is_err());
        assert!(parse_label(&format!("k={}", "x".repeat(257))).is_err());
        assert_eq!(parse_wanted_label("k=v"), Ok(("k".into(), Some("v".into()))));
        assert_eq!(parse_wanted_label("k"), Ok(("k".into(), None)));
        assert!(parse_wanted_label("").is_err());
    }
}
