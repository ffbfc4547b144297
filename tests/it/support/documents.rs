//! Holds every JSON document that a test makes jobdir print against what `jobdir schema` says. Strictly: a field that the
//! schema does not know is a failure here, though it is none for users.

use std::ffi::OsStr;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value};

/// What an invocation of jobdir prints on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Printed {
    /// Text, or what a job prints.
    Text,
    /// Text, or documents, each on a line of its own.
    Either,
    /// Documents, each on a line of its own.
    Lines,
    /// One document.
    Document,
}

impl Printed {
    /// Tells it from the arguments.
    pub(crate) fn by(arguments: &[impl AsRef<OsStr>]) -> Self {
        let own: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).take_while(|word| *word != "--").collect();
        let has = |word: &str| own.contains(&OsStr::new(word));
        if has("schema") || has("--help") {
            Self::Text
        } else if has("events") || has("--watch") || has("-w") {
            if has("--json") || has("events") { Self::Lines } else { Self::Either }
        } else if has("--json") {
            Self::Document
        } else if ["run", "resume", "logs", "attach"].iter().any(|verb| has(verb)) {
            Self::Text
        } else {
            Self::Either
        }
    }

    /// Checks what was printed. Returns what is wrong with it.
    pub(crate) fn check(self, stdout: &[u8]) -> Result<(), String> {
        if self == Self::Text {
            return Ok(());
        }
        let text = String::from_utf8_lossy(stdout);
        let mut documents = 0;
        for line in text.lines() {
            if self == Self::Either && !line.starts_with("{\"schema\":\"jobdir/") {
                continue;
            }
            let document = serde_json::from_str(line).map_err(|error| format!("no JSON document: {error}: {line}"))?;
            check(&document)?;
            documents += 1;
        }
        match (self, documents) {
            (Self::Document, 2..) => Err(format!("{documents} documents where one was asked for")),
            _ => Ok(()),
        }
    }
}

/// Checks one document. Returns what is wrong with it.
pub(crate) fn check(document: &Value) -> Result<(), String> {
    static STRICT: OnceLock<Validator> = OnceLock::new();
    let strict = STRICT.get_or_init(|| {
        let mut schema = jobdir::present::json::schema();
        for definition in schema["$defs"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            close(definition);
        }
        // Told apart first, so that a complaint names the field and not all the kinds that it is not.
        schema["oneOf"].take();
        schema.as_object_mut().expect("an object").remove("oneOf");
        schema["allOf"] = told_apart(&schema["$defs"]);
        jsonschema::validator_for(&schema).expect("the schema is a schema")
    });
    let complaints: Vec<String> =
        strict.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!("a document is not what 'jobdir schema' says:\n{}\n{document}", complaints.join("\n")))
}

/// Makes a list of `if` this is its `schema` `then` it is of that kind, and at least one of them it must be.
fn told_apart(definitions: &Value) -> Value {
    let mut rules = Vec::new();
    let mut kinds = Vec::new();
    for (name, definition) in definitions.as_object().expect("definitions") {
        let Some(kind) = definition.pointer("/properties/schema") else { continue };
        let is_kind = serde_json::json!({ "required": ["schema"], "properties": { "schema": kind } });
        let reference = serde_json::json!({ "$ref": format!("#/$defs/{name}") });
        rules.push(serde_json::json!({ "if": is_kind, "then": reference }));
        kinds.push(is_kind);
    }
    rules.push(serde_json::json!({ "anyOf": kinds }));
    Value::Array(rules)
}

/// Forbids fields that an object of this definition does not name.
fn close(definition: &mut Value) {
    let is_object = definition["type"] == "object" && definition.get("properties").is_some();
    if is_object && definition.get("additionalProperties").is_none() {
        definition["unevaluatedProperties"] = Value::Bool(false);
    }
}
