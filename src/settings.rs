//! The configuration file: defaults for `run`, profiles of them, and how long ended jobs are kept.
//!
//! It is read by `run`, `resume` and `config` alone, so that no mistake in it keeps anybody from looking at jobs or stopping
//! them. Since it can name commands that are run, it must be ours (or the superuser's) and nobody else may write it.
//! What its keys mean is not known here: they are the long options of `run`.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::duration;
use crate::domain::likeness::meant;
use crate::domain::retention::Keep;
use crate::platform;

/// Far more than anybody writes by hand.
const LARGEST: u64 = 64 << 10;

/// What the configuration says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Settings {
    /// Where the file is, or would be; nothing when the user has no home.
    pub path: Option<PathBuf>,
    /// Whether there is one.
    pub found: bool,
    /// The defaults for every `run`.
    pub run: Section,
    /// Those of each profile.
    pub profiles: BTreeMap<String, Section>,
    /// What is said of how long jobs are kept.
    pub retention: Section,
    /// What follows from that.
    pub keep: Keep,
}

/// A table of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Section {
    /// As the file has it, in brackets.
    pub name: String,
    /// What is in it, in the order of the file.
    pub entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it is, counted from 1.
    pub line: usize,
}

/// A value, as a command line could bear it.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// Text or a number.
    Text(String),
    /// Several of these.
    List(Vec<String>),
}

/// Why the configuration cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsError {
    /// What is wrong, with file and line.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Settings {
    /// Reads the file. That there is none is fine, and costs one look.
    ///
    /// # Errors
    /// When it cannot be read, others may write it, or it is not as it should be.
    pub fn load(path: Option<PathBuf>) -> Result<Self, SettingsError> {
        let Some(file) = &path else { return Ok(Self::default()) };
        match read(file)? {
            Some(text) => parse(&text, file),
            None => Ok(Self { path, ..Self::default() }),
        }
    }

    /// Returns the sections that hold for `run`, the weightiest first.
    ///
    /// # Errors
    /// When there is no such profile.
    pub fn layers(&self, profile: Option<&str>) -> Result<Vec<&Section>, SettingsError> {
        let named = profile.map(|name| self.profiles.get(name).ok_or_else(|| self.no_profile(name))).transpose()?;
        Ok(named.into_iter().chain([&self.run]).collect())
    }

    fn no_profile(&self, name: &str) -> SettingsError {
        let file = self.path.as_deref().unwrap_or(Path::new("config.toml")).display();
        let hint = match meant(name, self.profiles.keys().map(String::as_str)) {
            _ if !self.found => "there is no such file; write a table [profiles.NAME] into it".to_owned(),
            Some(other) => format!("did you mean '{other}'?"),
            None if self.profiles.is_empty() => "it has none; write a table [profiles.NAME] into it".to_owned(),
            None => format!("it has {}", self.profiles.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        SettingsError { message: format!("no profile '{name}' in the configuration '{file}'"), hint }
    }

    /// Makes an error about an entry.
    pub fn error(&self, section: &Section, entry: &Entry, what: &str, hint: impl Into<String>) -> SettingsError {
        let file = self.path.as_deref().unwrap_or(Path::new("config.toml"));
        wrong(file, entry.line, &format!("{} in {}: {what}", entry.key, section.name), hint)
    }
}

fn wrong(file: &Path, line: usize, what: &str, hint: impl Into<String>) -> SettingsError {
    SettingsError { message: format!("'{}' line {line}: {what}", file.display()), hint: hint.into() }
}

/// Reads the file, if there is one.
fn read(path: &Path) -> Result<Option<String>, SettingsError> {
    let refuse = |what: String, hint: String| SettingsError {
        message: format!("the configuration '{}' {what}", path.display()),
        hint,
    };
    let unreadable = |error: std::io::Error| refuse(format!("cannot be read: {error}"), "mend or remove it".into());
    let file = match platform::open_for_user(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        // A home that we may not enter (another user's, by way of sudo) holds nothing that is meant for us.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && std::fs::metadata(path).is_err() => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    };
    // Of what was opened, not of what the path may name by now; a link of the user's is followed.
    let facts = platform::file_facts(&file).map_err(unreadable)?;
    if facts.owner != platform::user_id() && facts.owner != 0 {
        let hint = "it could name commands that are run as you: make a file of your own".to_owned();
        return Err(refuse(format!("belongs to {}", platform::user_name(facts.owner)), hint));
    }
    if facts.others_may_write {
        let hint = format!("it could name commands that are run as you: chmod go-w '{}'", path.display());
        return Err(refuse("can be written by others".into(), hint));
    }
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(refuse(format!("is larger than {} KiB", LARGEST >> 10), "make it smaller".into()));
    }
    Ok(Some(text))
}

/// Reads the text of the file.
fn parse(text: &str, file: &Path) -> Result<Settings, SettingsError> {
    let line_at = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let reader = Reader { file, line_at: &line_at };
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(span.start));
        wrong(file, line, &error.message().replace('\n', ", "), "it is TOML, see https://toml.io")
    })?;
    let mut settings = Settings { path: Some(file.to_owned()), found: true, ..Settings::default() };
    for (key, value) in in_order(table.get_ref()) {
        let line = line_at(key.span().start);
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("run", DeValue::Table(table)) => settings.run = reader.section("[run]".into(), table)?,
            ("retention", DeValue::Table(table)) => settings.retention = reader.section("[retention]".into(), table)?,
            ("profiles", DeValue::Table(profiles)) => {
                for (name, value) in in_order(profiles) {
                    let DeValue::Table(table) = value.get_ref() else {
                        let line = line_at(name.span().start);
                        let hint = format!("write it as a table: [profiles.{}]", name.get_ref());
                        return Err(wrong(file, line, &format!("the profile '{}' is no table", name.get_ref()), hint));
                    };
                    let section = reader.section(format!("[profiles.{}]", name.get_ref()), table)?;
                    settings.profiles.insert(name.get_ref().to_string(), section);
                }
            }
            (known @ ("run" | "retention" | "profiles"), _) => {
                let what = format!("'{known}' is no table");
                return Err(wrong(file, line, &what, format!("write it as a table: [{known}]")));
            }
            (unknown, _) => {
                let hint = meant(unknown, ["run", "profiles", "retention"]).map_or_else(
                    || "the tables are [run], [profiles.NAME] and [retention]; options of run go into one of the first two".into(),
                    |known| format!("did you mean '{known}'?"),
                );
                return Err(wrong(file, line, &format!("unknown key '{unknown}'"), hint));
            }
        }
    }
    settings.keep = keep(&settings)?;
    Ok(settings)
}

/// Returns what is in a table, in the order in which it was written.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<std::borrow::Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

struct Reader<'a> {
    file: &'a Path,
    line_at: &'a dyn Fn(usize) -> usize,
}

impl Reader<'_> {
    fn section(&self, name: String, table: &DeTable<'_>) -> Result<Section, SettingsError> {
        let mut entries = Vec::new();
        for (key, value) in in_order(table) {
            let line = (self.line_at)(key.span().start);
            let refuse = |what: &str| {
                let what = format!("{} in {name}: {what}", key.get_ref());
                wrong(
                    self.file,
                    line,
                    &what,
                    "a value is a text in quotes, a number, true or false, or a list of texts",
                )
            };
            let value = match value.get_ref() {
                DeValue::Boolean(flag) => Value::Flag(*flag),
                DeValue::Array(list) => {
                    let words: Option<Vec<String>> = list.iter().map(|word| text_of(word.get_ref())).collect();
                    Value::List(words.ok_or_else(|| refuse("in a list there are only texts and numbers"))?)
                }
                other => Value::Text(
                    text_of(other).ok_or_else(|| refuse(&format!("a {} is no value here", other.type_str())))?,
                ),
            };
            entries.push(Entry { key: key.get_ref().to_string(), value, line });
        }
        Ok(Section { name, entries })
    }
}

fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

fn keep(settings: &Settings) -> Result<Keep, SettingsError> {
    let mut keep = Keep::default();
    let section = &settings.retention;
    for entry in &section.entries {
        let text = match &entry.value {
            Value::Text(text) => text.as_str(),
            Value::Flag(_) | Value::List(_) => "",
        };
        match entry.key.as_str() {
            "older-than" => {
                let limit = duration::parse_limit(text).map_err(|why| {
                    settings.error(section, entry, &why, "such as \"90d\"; \"off\" keeps every job until it is removed")
                })?;
                keep.age_ms = limit.0.map(duration::to_ms);
            }
            "keep" => {
                let number = text.parse();
                keep.last = number.map_err(|_| settings.error(section, entry, "it is no number", "such as 1000"))?;
            }
            unknown => {
                let known = meant(unknown, ["older-than", "keep"]);
                let hint =
                    known.map_or_else(|| "the keys are older-than and keep".into(), |k| format!("did you mean '{k}'?"));
                return Err(settings.error(section, entry, "there is no such key", hint));
            }
        }
    }
    Ok(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Settings, SettingsError> {
        parse(text, Path::new("c.toml"))
    }

    #[track_caller]
    fn refused(text: &str, message: &str, hint: &str) {
        let error = parsed(text).expect_err("is refused");
        assert!(error.message.contains(message) && error.hint.contains(hint), "{error:?}");
    }

    #[test]
    fn tables_become_sections_in_the_order_of_the_file() {
        let settings = parsed(
            "[run]\ntimeout = \"10m\"\nretries = 0x10\nretry-backoff = 1.5\n\n[profiles.ci]\ndetach = true\nlabel = ['a=1', 'b=2']\n",
        )
        .expect("is read");
        let run: Vec<_> = settings.run.entries.iter().map(|e| (e.key.as_str(), e.value.clone(), e.line)).collect();
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(run, [("timeout", text("10m"), 2), ("retries", text("16"), 3), ("retry-backoff", text("1.5"), 4)]);
        let ci = &settings.profiles["ci"];
        assert_eq!(
            (ci.name.as_str(), ci.entries[0].value.clone(), ci.entries[1].line),
            ("[profiles.ci]", Value::Flag(true), 8)
        );
        assert_eq!(settings.layers(Some("ci")).expect("is there"), [ci, &settings.run]);
        assert_eq!(settings.layers(Some("cl")).expect_err("is not").hint, "did you mean 'ci'?");
        assert_eq!(settings.keep, Keep::default());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        refused("[run\n", "'c.toml' line 1:", "toml.io");
        refused("\n[rum]\n", "line 2: unknown key 'rum'", "did you mean 'run'?");
        refused("timeout = 3\n", "unknown key 'timeout'", "[run]");
        refused("run = 3\n", "'run' is no table", "[run]");
        refused("[profiles]\nci = 3\n", "line 2: the profile 'ci' is no table", "[profiles.ci]");
        refused("[run]\n\ntimeout = 2020-01-01\n", "line 3: timeout in [run]: a datetime is no value here", "text");
        refused("[run]\nlabel = [true]\n", "line 2: label in [run]", "text");
        refused("[run]\na = 1\na = 2\n", "line 3", "TOML");
        refused("[retention]\nkeep_last = 3\n", "keep_last in [retention]", "keep");
        refused("[retention]\nkeep = true\n", "it is no number", "1000");
        refused("[retention]\nolder-than = \"old\"\n", "not a duration", "off");
    }

    #[test]
    fn retention() {
        let keep = |text: &str| parsed(&format!("[retention]\n{text}\n")).expect("is read").keep;
        assert_eq!(keep("older-than = '2d'"), Keep { age_ms: Some(172_800_000), last: 1000 });
        assert_eq!(keep("older-than = 'off'\nkeep = 5"), Keep { age_ms: None, last: 5 });
    }
}
