//! What a fuzzer feeds: included by `tests/it/parsers.rs`.

use jobdir::domain::event::Event;
use jobdir::domain::identity::PidFile;
use jobdir::domain::queue::Entry;
use jobdir::domain::record::JobRecord;
use jobdir::domain::request::Request;
use jobdir::domain::spec::{JobSpec, SpecHead};
use jobdir::domain::{duration, job, name, selector, stop_plan, template};

/// Feeds one input to every parser. It may be refused, and must not panic; what was read is written and read again.
pub(crate) fn feed(bytes: &[u8]) {
    fn again<T: serde::de::DeserializeOwned + serde::Serialize>(bytes: &[u8]) {
        if let Ok(value) = serde_json::from_slice::<T>(bytes) {
            let text = serde_json::to_vec(&value).expect("what was read can be written");
            serde_json::from_slice::<T>(&text).expect("what was written can be read");
        }
    }
    again::<JobSpec>(bytes);
    again::<JobRecord>(bytes);
    again::<PidFile>(bytes);
    again::<Request>(bytes);
    again::<Event>(bytes);
    again::<Entry>(bytes);
    drop(serde_json::from_slice::<SpecHead>(bytes));
    let text = String::from_utf8_lossy(bytes);
    drop(job::parse_meta(&text));
    drop(job::Progress::parse(&text));
    drop(text.parse::<name::Name>());
    drop(name::parse_label(&text));
    drop(duration::parse(&text));
    drop(duration::parse_limit(&text));
    drop(duration::parse_size(&text));
    drop(selector::Selector::parse(&text));
    drop(stop_plan::StopPlan::parse(&text, |_| None));
    drop(jobdir::present::text::fit(&jobdir::present::text::escape(&text), 20));
    drop(template::Template::parse(&text));
}
