//! Text from the operating system (arguments, paths, environment), byte-exact, that need not be UTF-8.

use std::borrow::Cow;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes as the platform encodes them. On disk: a JSON string when they are UTF-8, else `{"hex": "ff00"}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OsText(pub Vec<u8>);

impl OsText {
    /// Returns the text for people, with U+FFFD for what is not UTF-8.
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl From<&str> for OsText {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl std::fmt::Debug for OsText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.lossy())
    }
}

#[derive(Serialize)]
struct Bytes {
    hex: String,
}

impl Serialize for OsText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let hex = self.0.iter().fold(String::new(), |mut hex, byte| {
                    write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
                    hex
                });
                Bytes { hex }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for OsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By hand, because an untagged enum would copy every text twice, and there are many in an environment.
        deserializer.deserialize_any(OsTextVisitor)
    }
}

struct OsTextVisitor;

impl<'de> Visitor<'de> for OsTextVisitor {
    type Value = OsText;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string or an object with \"hex\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OsText, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<OsText, E> {
        Ok(OsText(text.into_bytes()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OsText, A::Error> {
        let mut bytes = None;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == "hex" {
                let hex = map.next_value::<Cow<'_, str>>()?;
                bytes = Some(from_hex(&hex).ok_or_else(|| A::Error::custom("not hexadecimal"))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        bytes.map(OsText).ok_or_else(|| A::Error::missing_field("hex"))
    }
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_survive_the_disk(bytes: Vec<u8>) {
            let text = OsText(bytes);
            let json = serde_json::to_string(&text).expect("serialises");
            prop_assert_eq!(serde_json::from_str::<OsText>(&json).expect("parses"), text);
        }
    }
}
