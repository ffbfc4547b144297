//! `jobdir schema`, and that it tells the whole truth. Every document that any test sees is checked by
//! `support::documents`.

use std::collections::BTreeSet;
use std::path::Path;

use jobdir::present::json::{ERROR_CODES, schema};
use serde_json::{Value, json};

use crate::support::TestEnv;
use crate::support::documents::{self, Printed};

#[test]
fn the_schema_is_one_and_admits_what_is_printed() {
    let env = TestEnv::new();
    let output = env.jobdir(&["schema"]);
    output.assert_code(0).assert_stderr("");
    let printed = output.json();
    assert_eq!(printed, schema());
    jsonschema::draft202012::meta::validate(&printed).expect("it keeps to JSON Schema 2020-12");

    // As users have it: one of its members, and fields of later versions are none of its business.
    let validator = jsonschema::validator_for(&printed).expect("it is a schema");
    let id = env.start(&["--name", "web"], &["sleep"]);
    let mut job = env.status(&id);
    validator.validate(&job).expect("a job is admitted");
    job["of_a_later_version"] = json!(1);
    validator.validate(&job).expect("a field more is admitted");
    job.as_object_mut().expect("an object").remove("uid");
    assert!(!validator.is_valid(&job), "a field less is not");
    env.stop_all();
}

#[test]
fn the_check_of_all_tests_sees_what_it_must() {
    let env = TestEnv::new();
    env.jobdir(&["run", "--", "true"]).assert_code(0);
    let good = env.status("1");
    documents::check(&good).expect("a job");
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut document = good.clone();
        change(&mut document);
        documents::check(&document).expect_err("is seen")
    };
    broken(&|job| job["undocumented"] = json!(1));
    broken(&|job| job["attempts"][0]["undocumented"] = json!(1));
    broken(&|job| job["output"]["undocumented"] = json!(1));
    broken(&|job| job["schema"] = json!("jobdir/novelty/1"));
    broken(&|job| job["state"] = json!("levitating"));
    broken(&|job| job["started_at"] = json!("2026-01-02T03:04:05Z"));
    broken(&|job| job["id"] = json!(1));
    broken(&|job| drop(job.as_object_mut().expect("an object").remove("signal")));
    assert_eq!(Printed::by(&["run", "--", "x", "--json"]), Printed::Text);
    assert!(Printed::by(&["jobs", "--json"]).check(b"{}\n{}\n").is_err());
}

/// The conventions of the contract that no schema can tell of itself.
#[test]
fn every_field_keeps_to_the_conventions() {
    let schema = schema();
    let mut complaints = Vec::new();
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        let variants = definition["oneOf"].as_array().cloned().unwrap_or_default();
        for object in variants.iter().chain([definition]) {
            let Some(properties) = object["properties"].as_object() else { continue };
            let required: BTreeSet<&str> =
                object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            for (field, content) in properties {
                let is_snake = field.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                if !is_snake {
                    complaints.push(format!("{name}.{field} is not snake_case"));
                }
                if !required.contains(field.as_str()) {
                    complaints.push(format!("{name}.{field} can be absent; it must be null"));
                }
                let is_time = field.ends_with("_at") || matches!(field.as_str(), "time" | "since" | "at" | "until");
                if is_time && !content.to_string().contains("#/$defs/Time") {
                    complaints.push(format!("{name}.{field} is no time"));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The sources are read for the codes that they use, so that the table can neither lack one nor have one too many.
#[test]
fn every_error_code_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The codes of a failed start are reasons.
    let mut used: BTreeSet<String> = ["not_found", "not_executable", "cwd", "setup"].map(str::to_owned).into();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).expect("a source");
            let own = if entry.file_name() == "error.rs" { "Self::new(" } else { "CommandError::new(" };
            for after in text.split(own).skip(1) {
                if let Some(code) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                    used.insert(code.to_owned());
                }
            }
        }
    }
    let table: BTreeSet<String> = ERROR_CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(table, used, "src/present/json/codes.rs lists the codes that errors have");
    assert!(ERROR_CODES.is_sorted(), "in alphabetical order");

    let page = std::fs::read_to_string(root.join("docs/json.md")).expect("docs/json.md");
    for (code, meaning) in ERROR_CODES {
        assert!(page.contains(&format!("| `{code}` | {meaning} |")), "docs/json.md tells of {code}: {meaning}");
    }
}
