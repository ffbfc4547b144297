//! The public form of an ended job, kept in its record: what `jobs --json` prints of it is then copied and not made anew.
//!
//! It is a hint. It is taken only when its form is that of this version, when it was made for this state directory and
//! job, while the spec is as it was, and when the check sum of the whole fits; readers of the record pass it over. Only a job of which nothing can change any more gets one.

use std::fmt::{Display, Write as _};
use std::time::SystemTime;

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
use crate::platform::{self, Folder};

/// Larger forms are not kept: they are rare, and reading them would not be quick.
const LARGE: usize = 6 << 10;
/// Records up to this size are read at one go.
const AT_ONE_GO: usize = 8 << 10;
/// The length of a time as the public form has it: `2026-11-21T14:27:13.728Z`.
const TIME: usize = 24;

/// Reads the public forms of one state directory.
#[derive(Debug)]
pub struct PublicForms<'a> {
    store: &'a Store,
    /// How the part of a record begins that holds the form.
    opening: String,
    observed_at: &'a str,
    jobs: Option<Folder>,
}

impl<'a> PublicForms<'a> {
    /// Reads forms of `store` and says in each that it was observed at `observed_at`, a time of 24 characters.
    pub fn new(store: &'a Store, observed_at: &'a str) -> Self {
        let jobs = Folder::open(&store.layout().jobs()).ok();
        Self { store, opening: opening(store), observed_at, jobs }
    }

    /// Appends to `text` what a list shows of each job, after a comma. What has no public form that holds is loaded and rendered
    /// by `render`; what is gone is left out.
    pub fn append(
        &self,
        ids: &[JobId],
        surroundings: &Surroundings,
        text: &mut Vec<u8>,
        render: impl Fn(&Job) -> String,
    ) {
        let mut buffer = vec![0; AT_ONE_GO];
        let (mut path, mut sealed) = (String::new(), String::new());
        for id in ids {
            let before = text.len();
            text.push(b',');
            if self.append_form(*id, &mut buffer, (&mut path, &mut sealed), text).is_none() {
                text.truncate(before);
                if let Ok(job) = self.store.load(*id, surroundings) {
                    text.push(b',');
                    text.extend_from_slice(render(&job).trim_end().as_bytes());
                }
            }
        }
    }

    fn append_form(
        &self,
        id: JobId,
        buffer: &mut [u8],
        (path, sealed): (&mut String, &mut String),
        text: &mut Vec<u8>,
    ) -> Option<()> {
        let jobs = self.jobs.as_ref()?;
        path.clear();
        write!(path, "{id}/job.json").ok()?;
        let length = jobs.read_start(path, buffer).ok().filter(|length| *length < buffer.len())?;
        let content = buffer[..length].strip_suffix(b"}}\n")?;
        let line = content.iter().rposition(|byte| *byte == b'\n')? + 1;
        path.truncate(path.len() - "job.json".len());
        path.push_str("spec.json");
        sealed.clone_from(&self.opening);
        write_seal(sealed, jobs.length_and_time(path).ok()?)?;
        let (record, rest) = content.split_at(line);
        let rest = rest.strip_prefix(sealed.as_bytes())?;
        let digits = rest.iter().position(|byte| *byte == b',')?;
        let form = rest[digits..].strip_prefix(b",\"job\":")?;
        // The rest is compared in one piece, and so is the beginning of the form.
        sealed.clear();
        write!(sealed, "{},\"job\":{}", sum_of(record, form), before_time(id)).ok()?;
        if !rest.starts_with(sealed.as_bytes()) {
            return None;
        }
        let time = text.len() + (sealed.len() - digits - ",\"job\":".len());
        text.extend_from_slice(form);
        text.get_mut(time..time + TIME)?.copy_from_slice(self.observed_at.as_bytes().get(..TIME)?);
        Some(())
    }
}

/// How every public form begins, up to the time of observation.
fn before_time(id: JobId) -> impl Display {
    std::fmt::from_fn(move |f| write!(f, "{{\"schema\":\"jobdir/job/1\",\"id\":\"{id}\",\"observed_at\":\""))
}

fn opening(store: &Store) -> String {
    let mut text = format!("\"public\":{{\"form\":{PUBLIC_FORM},\"root\":");
    text.push_str(&String::from_utf8_lossy(&format::render(&store.layout().root().to_string_lossy())));
    text.truncate(text.trim_end().len());
    text.push_str(",\"spec\":[");
    text
}

/// Writes by what a file is recognised without reading it: its length and when it was last written.
fn write_seal(text: &mut String, (length, time): (u64, SystemTime)) -> Option<()> {
    let time = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    write!(text, "{length},{}],\"sum\":", time.as_nanos()).ok()
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
        let spec = platform::facts(&paths.spec()).ok().filter(|facts| facts.is_regular)?;
        let form = form.trim_end();
        if form.len() > LARGE || form.contains('\n') || !form.starts_with(&before_time(record.id).to_string()) {
            return None;
        }
        let mut text = String::from_utf8(format::render(record)).ok()?;
        text.truncate(text.trim_end().len() - 1);
        text.push_str(",\n");
        let sum = sum_of(text.as_bytes(), form.as_bytes());
        text.push_str(&opening(self));
        write_seal(&mut text, (spec.length, spec.modified?))?;
        writeln!(text, "{sum},\"job\":{form}}}}}").ok()?;
        Some(text.into_bytes())
    }
}

impl Claim {
    /// Replaces the record of a job that has ended, durably, with its public form if there is one.
    ///
    /// # Errors
    /// What the system says; the old record is then still there.
    pub fn save_end(
        &self,
        store: &Store,
        record: &JobRecord,
        form: Option<&str>,
        flush: Flush,
    ) -> Result<(), StoreError> {
        let content = form.and_then(|form| store.record_with_form(record, form, self.paths()));
        atomic::exchange(&self.paths().record(), &content.unwrap_or_else(|| format::render(record)), flush)
    }
}
