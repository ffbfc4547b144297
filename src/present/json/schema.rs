//! The JSON Schema of every document, derived from the types that are printed. It costs nothing until it is asked for.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{
    CapabilitiesDocument, ConfigDocument, DoctorDocument, ErrorDocument, EventDocument, JobDocument, JobsDocument,
    PruneDocument, ResultsDocument, RunDocument, SkillDocument,
};
use crate::present::output::{LogsDocument, WaitDocument};

/// The verbs whose documents tell what was done to each of several jobs.
const ACTING: &[&str] = &["abandon", "delete", "kill", "pause", "send", "signal", "status", "unpause"];

/// Returns what the `schema` field of their documents says.
pub(super) fn acting() -> Vec<String> {
    ACTING.iter().map(|verb| format!("jobdir/{verb}/1")).collect()
}

/// Returns one schema for all documents. They are told apart by their field `schema`.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let documents = [
        generator.subschema_for::<JobDocument>(),
        generator.subschema_for::<JobsDocument>(),
        generator.subschema_for::<ResultsDocument>(),
        generator.subschema_for::<WaitDocument>(),
        generator.subschema_for::<LogsDocument>(),
        generator.subschema_for::<RunDocument>(),
        generator.subschema_for::<EventDocument>(),
        generator.subschema_for::<PruneDocument>(),
        generator.subschema_for::<DoctorDocument>(),
        generator.subschema_for::<SkillDocument>(),
        generator.subschema_for::<CapabilitiesDocument>(),
        generator.subschema_for::<ConfigDocument>(),
        generator.subschema_for::<ErrorDocument>(),
    ];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What jobdir prints as JSON",
        "description": "Later versions may add fields and words, and never take any away within the number that 'schema' ends \
                        with. Sizes are in bytes, '*_ms' are milliseconds; what is missing is null and never absent.",
        "oneOf": documents,
        "$defs": generator.take_definitions(true),
    })
}
