//! The table of jobs: which columns there are, and the rows.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::field::{self, Field};
use super::json::JobDocument;
use super::style::Style;
use super::{table, text};
use crate::domain::job::Job;
use crate::domain::likeness::meant;
use crate::domain::state::State;

/// A column that is made for people.
#[derive(Debug)]
struct Known {
    name: &'static str,
    /// The field that it is sorted by.
    sort: &'static str,
    cell: fn(&Job, DateTime<Utc>) -> Option<String>,
}

/// Every column that is more than a field.
const KNOWN: &[Known] = &[
    Known { name: "id", sort: "id", cell: |job, _| Some(job.id.to_string()) },
    Known { name: "name", sort: "name", cell: |job, _| job.spec()?.name.as_ref().map(ToString::to_string) },
    Known { name: "state", sort: "state", cell: |job, _| Some(state(job)) },
    Known { name: "exit", sort: "exit_code", cell: |job, _| exit(job) },
    Known { name: "age", sort: "created_at", cell: |job, now| Some(text::ago(job.spec()?.created_at, now)) },
    Known { name: "elapsed", sort: "duration_ms", cell: elapsed },
    Known { name: "pid", sort: "pid", cell: |job, _| live_pid(job) },
    Known { name: "command", sort: "command", cell: |job, _| Some(command(job)) },
    Known { name: "attempt", sort: "attempt", cell: |job, _| Some(job.attempt()?.number.to_string()) },
    Known { name: "labels", sort: "labels", cell: |job, _| labels(job) },
    Known { name: "ended", sort: "ended_at", cell: |job, now| Some(text::ago(job.attempt()?.ended_at?, now)) },
    Known { name: "reason", sort: "reason", cell: |job, _| job.observation.reason.map(|reason| reason.to_string()) },
    Known { name: "cpu", sort: "usage.user_ms", cell: |job, _| cpu(job) },
    Known {
        name: "memory",
        sort: "usage.max_rss_bytes",
        cell: |job, _| Some(text::bytes(job.attempt()?.usage?.max_rss_bytes)),
    },
    Known { name: "output", sort: "output.stdout_bytes", cell: |job, _| output(job) },
    Known { name: "progress", sort: "progress.fraction", cell: |job, _| progress(job) },
];

/// The columns of the table unless others are asked for.
const USUAL: &str = "id,name,state,exit,age,elapsed,pid,command";

/// One column: one that is made for people, or a field of the JSON document.
#[derive(Clone, Debug)]
pub struct Column(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Known(&'static Known),
    Field(Field),
}

impl std::str::FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(known) = KNOWN.iter().find(|known| known.name == text) {
            return Ok(Self(Kind::Known(known)));
        }
        Field::parse(text).map(|field| Self(Kind::Field(field))).map_err(|why| {
            let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
            let fields = JobDocument::field_names();
            match meant(text, names.iter().copied().chain(fields.iter().map(String::as_str))) {
                Some(guess) => format!("there is no column '{}'; did you mean '{guess}'?", text::escape(text)),
                None => format!("{why}; columns are also {}", names.join(", ")),
            }
        })
    }
}

impl Column {
    /// Returns the usual columns.
    pub fn usual() -> Vec<Self> {
        USUAL.split(',').filter_map(|name| name.parse().ok()).collect()
    }

    /// Sorts jobs by this column, stably.
    pub fn sort(&self, jobs: &mut [Job]) {
        let field = match &self.0 {
            Kind::Known(known) => Field::parse(known.sort).expect("the table of columns names fields"),
            Kind::Field(field) => field.clone(),
        };
        jobs.sort_by_cached_key(|job| Key(field.of(&document(job)).clone()));
        if matches!(&self.0, Kind::Known(known) if known.name == "age") {
            jobs.reverse();
        }
    }

    fn header(&self) -> String {
        match &self.0 {
            Kind::Known(known) => known.name.to_ascii_uppercase(),
            Kind::Field(field) => text::escape(&field.path().to_uppercase()),
        }
    }

    /// Says whether this is the column of the state.
    pub fn is_state(&self) -> bool {
        matches!(&self.0, Kind::Known(known) if known.name == "state")
    }
}

/// A value that can be sorted by.
struct Key(Value);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        field::compare(&self.0, &other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

fn document(job: &Job) -> Value {
    serde_json::to_value(JobDocument::new(job, false)).unwrap_or(Value::Null)
}

/// Returns the headers of columns.
pub fn headers(columns: &[Column]) -> Vec<String> {
    columns.iter().map(Column::header).collect()
}

/// Returns the cells of a row for each job; nothing in them can disturb a terminal.
pub fn cells(jobs: &[&Job], columns: &[Column], now: DateTime<Utc>) -> Vec<Vec<String>> {
    let needs_document = columns.iter().any(|column| matches!(column.0, Kind::Field(_)));
    let row = |job: &&Job| {
        let document = if needs_document { document(job) } else { Value::Null };
        let cell = |column: &Column| match &column.0 {
            Kind::Known(known) => (known.cell)(job, now),
            Kind::Field(field) => Some(text::escape(&field::plain(field.of(&document)))),
        };
        columns.iter().map(|column| cell(column).filter(|c| !c.is_empty()).unwrap_or_else(|| "-".into())).collect()
    };
    jobs.iter().map(row).collect()
}

/// Renders the table.
pub fn render(jobs: &[Job], columns: &[Column], now: DateTime<Utc>, width: Option<usize>, style: Style) -> String {
    let headers = headers(columns);
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let rows = cells(&jobs.iter().collect::<Vec<_>>(), columns, now);
    table::render(&headers, &rows, width, |row, column, cell| match row {
        None => style.bold(cell),
        Some(row) if columns[column].is_state() => style.state(jobs[row].state(), cell),
        Some(_) => cell.to_owned(),
    })
}

/// The state, with what is worth knowing of it in a word: how far the job is, its place in the queue.
fn state(job: &Job) -> String {
    let state = job.state();
    if state == State::Running && job.record().is_some_and(|record| record.paused) {
        return "paused".into();
    }
    let percent = job.progress.as_ref().and_then(|p| p.fraction).filter(|_| state == State::Running);
    let place = job.waiting_for.iter().flatten().filter_map(|waiting| waiting.position).max();
    match (percent, place) {
        (Some(fraction), _) => format!("{state} {:.0}%", fraction * 100.0),
        (None, Some(place)) => format!("{state} #{place}"),
        (None, None) => state.to_string(),
    }
}

fn exit(job: &Job) -> Option<String> {
    let attempt = job.attempt()?;
    attempt
        .exit_code
        .map(|code| code.to_string())
        .or_else(|| attempt.signal.map(|signal| signal.short_name().to_owned()))
}

fn elapsed(job: &Job, now: DateTime<Utc>) -> Option<String> {
    let attempt = job.attempt()?;
    let going = || attempt.started_at.filter(|_| !job.state().is_terminal()).map(|started| text::ago(started, now));
    attempt.duration_ms.map(text::milliseconds).or_else(going)
}

fn live_pid(job: &Job) -> Option<String> {
    let leader = job.attempt()?.leader.filter(|_| job.observation.alive == Some(true))?;
    Some(leader.pid.to_string())
}

/// What it runs, in a line; of what cannot be read, why.
pub fn command(job: &Job) -> String {
    match (job.command(), &job.observation.message) {
        (Some(words), _) => text::command(words),
        (None, Some(message)) => text::escape(message),
        (None, None) => String::new(),
    }
}

fn labels(job: &Job) -> Option<String> {
    let labels = &job.spec()?.labels;
    Some(labels.iter().map(|(key, value)| format!("{key}={}", text::escape(value))).collect::<Vec<_>>().join(","))
}

fn cpu(job: &Job) -> Option<String> {
    let usage = job.attempt()?.usage?;
    Some(text::milliseconds(usage.user_ms + usage.system_ms))
}

fn output(job: &Job) -> Option<String> {
    let output = job.output.as_ref()?;
    Some(text::bytes(output.stdout_bytes + output.stderr_bytes))
}

fn progress(job: &Job) -> Option<String> {
    let progress = job.progress.as_ref()?;
    let percent = progress.fraction.map(|fraction| format!("{:.0}%", fraction * 100.0));
    let message = progress.message.as_deref().map(text::escape);
    Some([percent, message].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_words_or_fields() {
        assert_eq!(Column::usual().len(), 8);
        for known in KNOWN {
            assert!(Field::parse(known.sort).is_ok(), "{}", known.name);
        }
        assert_eq!("output.stdout_path".parse::<Column>().expect("a field").header(), "OUTPUT.STDOUT_PATH");
        let error = |text: &str| text.parse::<Column>().expect_err(text);
        assert!(error("comand").contains("did you mean 'command'?"));
        assert!(error("exit_cde").contains("exit_code"), "{}", error("exit_cde"));
        assert!(error("zzz").contains("elapsed"));
    }
}
