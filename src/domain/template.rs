//! Templates for what `resume` runs: words in which `{args}` and `{meta.KEY}` stand for what is known then.
//!
//! A template is cut into words as a shell does it, before anything is filled in, and no shell ever sees the result: so
//! blanks, quotes, newlines and `$` in arguments and values stay what they are. `{{` and `}}` are single braces.

use std::collections::BTreeMap;

use super::os_text::OsText;

/// A parsed template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    words: Vec<Vec<Piece>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Args,
    Meta(String),
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = shell_words::split(text).map_err(|_| "a quote in it is not closed".to_owned())?;
        if words.is_empty() {
            return Err("it has no command".into());
        }
        Ok(Self { words: words.iter().map(|word| pieces(word)).collect::<Result<_, _>>()? })
    }

    /// Fills it in. A word that is `{args}` alone becomes as many words as there are arguments; inside a longer word
    /// they are joined by blanks.
    ///
    /// # Errors
    /// A sentence for the user when a key of `meta` is not known.
    pub fn fill(&self, args: &[OsText], meta: &BTreeMap<String, String>) -> Result<Vec<OsText>, String> {
        let mut filled = Vec::new();
        for word in &self.words {
            if word.as_slice() == [Piece::Args] {
                filled.extend(args.iter().cloned());
                continue;
            }
            let mut bytes = Vec::new();
            for piece in word {
                match piece {
                    Piece::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                    Piece::Args => {
                        let joined: Vec<&[u8]> = args.iter().map(|arg| arg.0.as_slice()).collect();
                        bytes.extend_from_slice(&joined.join(&b' '));
                    }
                    Piece::Meta(key) => match meta.get(key) {
                        Some(value) => bytes.extend_from_slice(value.as_bytes()),
                        None => return Err(unknown_key(key, meta)),
                    },
                }
            }
            filled.push(OsText(bytes));
        }
        Ok(filled)
    }
}

fn unknown_key(key: &str, meta: &BTreeMap<String, String>) -> String {
    let known: Vec<&str> = meta.keys().map(String::as_str).collect();
    let known =
        if known.is_empty() { "it has written none".to_owned() } else { format!("known: {}", known.join(", ")) };
    format!("the job has not written the meta key '{key}' ({known})")
}

fn pieces(word: &str) -> Result<Vec<Piece>, String> {
    let parts = split(word)?.into_iter().map(|part| match part {
        Part::Text(text) => Ok(Piece::Text(text)),
        Part::Place(name) => match (name.as_str(), name.strip_prefix("meta.")) {
            ("args", _) => Ok(Piece::Args),
            (_, Some(key)) if !key.is_empty() => Ok(Piece::Meta(key.to_owned())),
            _ => Err(format!("unknown placeholder '{{{name}}}'; there are {{args}} and {{meta.KEY}}")),
        },
    });
    parts.collect()
}

/// A part of any template: text as it is, or what is between two braces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Text.
    Text(String),
    /// The name of what is to be filled in.
    Place(String),
}

/// Splits a template into its parts; there is at least one.
///
/// # Errors
/// A sentence for the user when a brace stands alone.
pub fn split(template: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let close = rest.find('}').filter(|_| brace == "{");
        let Some(close) = close else {
            return Err(format!("'{template}' has a single '{brace}'; write it twice to mean itself"));
        };
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Place(rest[..close].to_owned()));
        rest = &rest[close + 1..];
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(template: &str, args: &[&str], meta: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let args: Vec<OsText> = args.iter().map(|a| OsText::from(*a)).collect();
        let meta = meta.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let words = Template::parse(template)?.fill(&args, &meta)?;
        Ok(words.iter().map(|word| word.lossy().into_owned()).collect())
    }

    #[test]
    fn placeholders() {
        let meta = [("session", "a b$c")];
        assert_eq!(
            fill("agent --session {meta.session} {args}", &["look at x", "y"], &meta),
            Ok(["agent", "--session", "a b$c", "look at x", "y"].map(String::from).to_vec())
        );
        assert_eq!(
            fill("sh -c 'echo {args}'", &["a", "b"], &[]),
            Ok(["sh", "-c", "echo a b"].map(String::from).to_vec())
        );
        assert_eq!(fill("a {{x}} {args}", &[], &[]), Ok(["a", "{x}"].map(String::from).to_vec()));
        for bad in ["", "a {nope}", "a {", "a }", "a 'b", "a {meta.}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
        assert!(fill("a {meta.x}", &[], &meta).is_err());
    }

    proptest! {
        #[test]
        fn arguments_come_through_exactly(args: Vec<Vec<u8>>) {
            let args: Vec<OsText> = args.into_iter().map(OsText).collect();
            let filled = Template::parse("cmd {args}").expect("parses").fill(&args, &BTreeMap::new()).expect("fills");
            prop_assert_eq!(&filled[1..], &args[..]);
        }

        #[test]
        fn no_template_panics(text: String) {
            if let Ok(template) = Template::parse(&text) {
                drop(template.fill(&[], &BTreeMap::new()));
            }
        }
    }
}
