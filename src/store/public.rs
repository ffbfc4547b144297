//! The public form of an ended job, kept in its record: what `jobs --json` prints of it is then copied and not made anew.
//!
//! It is a hint. It is taken only when its form is that of this version, when it was made for this state directory and
//! job, while the spec is as it was, and when the check sum of the whole fits; readers of the record pass it over. Only a job of which nothing can change any more gets one.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::claim::Claim;
use super::ended::has_settled;
use super::error::StoreError;
use super::layout::JobPaths;
use super::snapshot::{self, Surroundings};
use super::{Flush, Store, atomic, format};
use crate::domain::identity::Whereabouts;
use crate::domain::job::{Job, PUBLIC_FORM};
use crate::domain::job_id::JobId;
use crate::domain::observe::{Evidence, observe};
use crate::domain::record::JobRecord;
use crate::domain::spec::SpecHead;
use crate::platform::{self, FileFacts};

/// Larger forms are not kept: they are rare, and reading them would not be quick.
const LARGE: usize = 6 << 10;
/// Records up to this size are read at one go.
const AT_ONE_GO: usize = 8 << 10;
/// The length of a time as the public form has it: `2026-11-21T14:27:13.728Z`.
const TIME: usize = 24;

/// What a list shows of one job.
#[derive(Debug)]
pub enum Listed {
    /// The public form of a job that has ended, one line without its end.
    Form(Vec<u8>),
    /// Any other job.
    Job(Box<Job>),
}

/// Reads the public forms of one state directory.
#[derive(Debug)]
pub struct PublicForms<'a> {
    store: &'a Store,
    /// How the part of a record begins that holds the form.
    opening: String,
    observed_at: &'a str,
    jobs: PathBuf,
}

impl<'a> PublicForms<'a> {
    /// Reads forms of `store` and says in each that it was observed at `observed_at`, a time of 24 characters.
    pub fn new(store: &'a Store, observed_at: &'a str) -> Self {
        Self { store, opening: opening(store), observed_at, jobs: store.layout().jobs() }
    }

    /// Reads what a list shows of one job.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub fn load(&self, id: JobId, surroundings: &Surroundings) -> Result<Listed, StoreError> {
        match self.form(id) {
            Some(form) => Ok(Listed::Form(form)),
            None => self.store.load(id, surroundings).map(|job| Listed::Job(Box::new(job))),
        }
    }

    fn form(&self, id: JobId) -> Option<Vec<u8>> {
        let mut path = self.jobs.join(id.to_string());
        path.push("job.json");
        let mut content = platform::read_start(&path, AT_ONE_GO).ok().filter(|content| content.len() < AT_ONE_GO)?;
        content.truncate(content.strip_suffix(b"}}\n")?.len());
        let line = content.iter().rposition(|byte| *byte == b'\n')? + 1;
        path.set_file_name("spec.json");
        let seal = seal_of(&platform::facts(&path).ok()?)?;
        let rest = content[line..].strip_prefix(self.opening.as_bytes())?;
        let rest = rest.strip_prefix(seal.as_bytes())?.strip_prefix(b"],\"sum\":")?;
        let digits = rest.iter().position(|byte| *byte == b',')?;
        let form = rest[digits..].strip_prefix(b",\"job\":")?;
        let time = before_time(id);
        let sum = sum_of(&content[..line], form).to_string();
        if rest[..digits] != *sum.as_bytes() || !form.starts_with(time.as_bytes()) {
            return None;
        }
        let mut form = form.to_vec();
        form.get_mut(time.len()..time.len() + TIME)?.copy_from_slice(self.observed_at.as_bytes().get(..TIME)?);
        Some(form)
    }
}

/// How every public form begins, up to the time of observation.
fn before_time(id: JobId) -> String {
    format!("{{\"schema\":\"jobdir/job/1\",\"id\":\"{id}\",\"observed_at\":\"")
}

fn opening(store: &Store) -> String {
    let mut text = format!("\"public\":{{\"form\":{PUBLIC_FORM},\"root\":");
    text.push_str(&String::from_utf8_lossy(&format::render(&store.layout().root().to_string_lossy())));
    text.truncate(text.trim_end().len());
    text.push_str(",\"spec\":[");
    text
}

/// Returns by what a file is recognised without reading it: its length and when it was last changed.
fn seal_of(facts: &FileFacts) -> Option<String> {
    let modified = facts.modified?.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    facts.is_regular.then(|| format!("{},{}", facts.length, modified.as_nanos()))
}

/// Returns the check sum of a record and a form.
fn sum_of(record: &[u8], form: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(record);
    sum.update(form);
    sum.finalize()
}

impl Store {
    /// Returns how readers will see a job that ends with this record, if nothing of that can change any more without the
    /// record being replaced: all its processes are gone, and it has left no file that is read at the moment of asking.
    pub fn settled(&self, spec: SpecHead, record: &JobRecord) -> Option<Job> {
        let traces = record.attempt().traces.filter(|traces| !traces.meta && !traces.progress)?;
        if !has_settled(record) {
            return None;
        }
        let nothing = Evidence {
            claim_held: Some(false),
            whereabouts: Whereabouts::Here,
            processes: Vec::new(),
            supervisor_suspended: false,
        };
        let observation = observe(record, nothing);
        Some(snapshot::assemble(&self.layout().job(record.id), spec, record.clone(), observation, traces))
    }

    fn record_with_form(&self, record: &JobRecord, form: &str, paths: &JobPaths) -> Option<Vec<u8>> {
        let seal = seal_of(&platform::facts(&paths.spec()).ok()?)?;
        let form = form.trim_end();
        if form.len() > LARGE || form.contains('\n') || !form.starts_with(&before_time(record.id)) {
            return None;
        }
        let mut text = String::from_utf8(format::render(record)).ok()?;
        text.truncate(text.trim_end().len() - 1);
        text.push_str(",\n");
        let sum = sum_of(text.as_bytes(), form.as_bytes());
        writeln!(text, "{}{seal}],\"sum\":{sum},\"job\":{form}}}}}", opening(self)).ok()?;
        Some(text.into_bytes())
    }
}

impl Claim {
    /// Replaces the record of a job that has ended, durably, with its public form if there is one.
    ///
    /// # Errors
    /// What the system says; the old record is then still there.
    pub fn save_end(&self, store: &Store, record: &JobRecord, form: Option<&str>) -> Result<(), StoreError> {
        let content = form.and_then(|form| store.record_with_form(record, form, self.paths()));
        atomic::replace(&self.paths().record(), &content.unwrap_or_else(|| format::render(record)), Flush::Yes)
    }
}
