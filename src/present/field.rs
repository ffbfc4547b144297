//! Fields of a JOB by their path, such as `output.stdout_path`: for `status -P`, templates, columns and sorting.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::Value;

use super::json::JobDocument;
use super::text::escape;
use crate::domain::likeness::meant;
use crate::domain::template::{Part, split};

/// What the objects in a JOB hold. They may be null, so a document alone does not tell.
const INNER: &[(&str, &[&str])] = &[
    ("finally", &["state", "steps"]),
    ("output", &["stdout_path", "stderr_path", "stdout_bytes", "stderr_bytes", "dropped_bytes"]),
    ("progress", &["fraction", "current", "total", "message"]),
    ("stop", &["plan", "rungs", "rung", "signal", "since", "next", "reason", "reason_text", "not_stopped"]),
    ("usage", &["user_ms", "system_ms", "max_rss_bytes"]),
];

/// Objects whose keys are the job's own, dots included.
const FREE: &[&str] = &["labels", "meta"];

/// Lists, whose elements have numbers from 0.
const LISTS: &[&str] = &["attempts", "capabilities", "command", "containment", "survivors", "waiting_for"];

/// The path of a field that a JOB may have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field(Vec<String>);

impl Field {
    /// Parses a path.
    ///
    /// # Errors
    /// A sentence that says what there is, for the user.
    pub fn parse(path: &str) -> Result<Self, String> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let fields = JobDocument::field_names();
        if !fields.iter().any(|field| field == first) {
            return Err(unknown("a job", path, first, fields.iter().map(String::as_str)));
        }
        let inner = INNER.iter().find(|(name, _)| *name == first);
        let keys: Vec<&str> = match (rest, inner) {
            (None, _) => Vec::new(),
            (Some(rest), _) if FREE.contains(&first) => vec![rest],
            (Some(rest), Some((_, known))) => {
                let keys: Vec<&str> = rest.split('.').collect();
                if !known.contains(&keys[0]) {
                    return Err(unknown(&format!("'{first}' of a job"), path, keys[0], known.iter().copied()));
                }
                keys
            }
            (Some(rest), None) if LISTS.contains(&first) => {
                let keys: Vec<&str> = rest.split('.').collect();
                if keys[0].parse::<usize>().is_err() {
                    return Err(format!("'{first}' is a list: write '{first}.0' for its first element"));
                }
                keys
            }
            (Some(_), None) => return Err(format!("'{first}' of a job has no fields of its own")),
        };
        Ok(Self(std::iter::once(first).chain(keys).map(str::to_owned).collect()))
    }

    /// Finds it in a document; what is not there is null.
    pub fn of<'a>(&self, document: &'a Value) -> &'a Value {
        let found = self.0.iter().try_fold(document, |value, key| match value {
            Value::Array(list) => list.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        });
        found.unwrap_or(&Value::Null)
    }

    /// Returns the path.
    pub fn path(&self) -> String {
        self.0.join(".")
    }
}

fn unknown<'a>(what: &str, path: &str, given: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let guess = meant(given, known.iter().copied());
    let path = escape(path);
    match guess {
        Some(guess) => {
            let corrected = path.replacen(given, guess, 1);
            format!("{what} has no field '{path}'; did you mean '{corrected}'?")
        }
        None => format!("{what} has no field '{path}'; the fields are {}", known.join(", ")),
    }
}

/// Renders a value for people and scripts: text as it is, null as nothing, a command as a shell would read it.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_string) => {
            shell_words::join(list.iter().filter_map(Value::as_str))
        }
        other => other.to_string(),
    }
}

/// Orders two values: nothing first, numbers (ids too) by their value, all else as text.
pub fn compare(a: &Value, b: &Value) -> Ordering {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => plain(a).to_lowercase().cmp(&plain(b).to_lowercase()),
        },
    }
}

/// A line for each job, with fields in braces: `{id} {state} {output.stdout_path}`. `{{` and `}}` are single braces, `\t`
/// and `\n` a tabulator and a new line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineTemplate(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Field(Field),
}

impl LineTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pieces = split(text)?.into_iter().map(|part| match part {
            Part::Text(text) => Ok(Piece::Text(text.replace("\\t", "\t").replace("\\n", "\n"))),
            Part::Place(path) => Field::parse(&path).map(Piece::Field),
        });
        Ok(Self(pieces.collect::<Result<_, _>>()?))
    }

    /// Fills it in, with control characters escaped, and ends the line.
    pub fn fill(&self, document: &Value) -> String {
        let mut line = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Field(field) => {
                    write!(line, "{}", escape(&plain(field.of(document)))).expect("writing to a String cannot fail");
                }
            }
        }
        line + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fill(template: &str, document: &Value) -> Result<String, String> {
        Ok(LineTemplate::parse(template)?.fill(document))
    }

    #[test]
    fn templates() {
        let job = json!({"id": "12", "exit_code": null, "command": ["sh", "-c", "echo\n"], "output": {"stdout_bytes": 7},
            "meta": {"a.b": "x"}, "paused": false});
        assert_eq!(fill("{id}\\t{exit_code} {{{paused}}}", &job), Ok("12\t {false}\n".into()));
        assert_eq!(fill("{command} {command.0} {command.9}", &job), Ok("sh -c 'echo\\n' sh \n".into()));
        assert_eq!(fill("{output.stdout_bytes} {meta.a.b} {stop.next.signal}", &job), Ok("7 x \n".into()));
    }

    #[test]
    fn what_no_job_has_is_refused_with_a_suggestion() {
        let error = |path: &str| Field::parse(path).expect_err(path);
        assert!(error("exit_cod").contains("did you mean 'exit_code'?"), "{}", error("exit_cod"));
        assert!(error("output.stdout_pth").contains("'output.stdout_path'?"));
        assert!(error("zzz").contains("the fields are alive,"));
        assert!(error("command.x").contains("command.0"));
        assert!(error("state.x").contains("no fields"));
        assert!(error("").contains("no field ''"));
        assert!(fill("{id", &Value::Null).is_err());
    }

    #[test]
    fn order() {
        let mut values = vec![json!("b"), json!("10"), json!("9"), Value::Null, json!("A"), json!(9.5)];
        values.sort_by(compare);
        assert_eq!(values, [Value::Null, json!("9"), json!(9.5), json!("10"), json!("A"), json!("b")]);
    }
}
