//! `jobdir status`: one job in full.

use clap::Args as ClapArgs;

use super::shared::choose;
use crate::client::chain;
use crate::context::Context;
use crate::domain::job::Job;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::field::Field;
use crate::present::json::{self, JobDocument, ResultDocument, ResultsDocument};
use crate::present::text;
use crate::store::Surroundings;

/// Show one job in full
///
/// What is shown was concluded just now from the job's files, its claim and the process table; nothing is written.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir status 12               everything about job 12
  jobdir status -P state web     one value, for scripts
  jobdir status --json @last     one JSON document")]
pub struct Args {
    /// The jobs: ids, names or @last
    #[arg(value_name = "JOB", required = true)]
    jobs: Vec<String>,
    /// Print the value of one field of the JSON document
    ///
    /// Such as state, pid or output.stdout_path. Text is printed without quotes, null as an empty line.
    #[arg(short = 'P', long, value_name = "FIELD", conflicts_with = "json")]
    property: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Shows.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let store = context.reading()?;
    let chosen = choose(&store, &args.jobs)?;
    if let (Some(unresolved), true) = (chosen.unresolved.first(), chosen.ids.is_empty()) {
        return Err(CommandError::no_such_job(unresolved, context));
    }
    let surroundings = Surroundings::new();
    let mut code = exit_code::DONE;
    let mut jobs: Vec<Job> = chosen.ids.iter().filter_map(|id| store.load(*id, &surroundings).ok()).collect();
    for job in jobs.iter_mut().filter(|job| job.waiting_for.is_some()) {
        job.chain = Some(chain(&store, job, &surroundings));
    }
    for unresolved in &chosen.unresolved {
        code = exit_code::NO_SUCH_JOB;
        if !args.json {
            CommandError::no_such_job(unresolved, context).report(context);
        }
    }
    if args.json {
        context.out(&document(&args, &jobs, &chosen.unresolved));
        return Ok(code);
    }
    for (index, job) in jobs.iter().enumerate() {
        match &args.property {
            Some(field) => context.out(&property(job, field)?),
            None => {
                if index > 0 {
                    context.out("\n");
                }
                context.out(&card(job, context))
            }
        };
    }
    Ok(code)
}

fn document(args: &Args, jobs: &[Job], unresolved: &[crate::client::Unresolved]) -> String {
    if let (1, [job]) = (args.jobs.len(), jobs) {
        return json::render_job(job);
    }
    let found = jobs.iter().map(|job| ResultDocument {
        id: job.id.to_string(),
        result: "found",
        message: None,
        job: Some(JobDocument::new(job, true)),
    });
    let missing = unresolved.iter().map(|unresolved| ResultDocument {
        id: unresolved.given.clone(),
        result: "not_found",
        message: None,
        job: None,
    });
    json::render(&ResultsDocument { schema: "jobdir/status/1".into(), results: found.chain(missing).collect() })
}

/// Finds a field of the JSON document by its path; text is printed without quotes, null as nothing.
fn property(job: &Job, field: &str) -> Result<String, CommandError> {
    let document = serde_json::to_value(JobDocument::new(job, true)).map_err(anyhow::Error::from)?;
    let field = Field::parse(field).map_err(|why| {
        CommandError::new("unknown_field", why).hint(format!("'jobdir status --json {}' shows every field", job.id))
    })?;
    match field.of(&document) {
        serde_json::Value::Null => Ok("\n".into()),
        serde_json::Value::String(text) => Ok(format!("{text}\n")),
        other => Ok(format!("{other}\n")),
    }
}

fn card(job: &Job, context: &Context) -> String {
    let style = context.style();
    let now = context.now();
    let mut rows: Vec<(&str, String)> = Vec::new();
    let (spec, attempt, seen) = (job.spec(), job.attempt(), &job.observation);
    let mut state = style.state(seen.state, seen.state.as_str());
    if job.record().is_some_and(|record| record.paused) {
        state.push_str(", paused");
    }
    let outcome = job.record().and_then(|r| r.outcome());
    let why: Vec<String> = [
        seen.error_kind.map(|kind| kind.to_string()),
        seen.reason.map(|reason| reason.to_string()),
        outcome.and_then(|o| o.reason_text.as_deref()).map(text::escape),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !why.is_empty() {
        state.push_str(&format!(" ({})", why.join(", ")));
    }
    rows.push(("state", state));
    if let Some(message) = &seen.message {
        rows.push(("message", text::escape(message)));
    }
    if let Some(spec) = spec {
        rows.push(("command", text::command(job.command().unwrap_or(&spec.command))));
        rows.push(("directory", text::escape(&spec.cwd.lossy())));
        let labels: Vec<String> =
            spec.labels.iter().map(|(key, value)| text::escape(&format!("{key}={value}"))).collect();
        if !labels.is_empty() {
            rows.push(("labels", labels.join(", ")));
        }
        rows.push(("created", format!("{} ({} ago)", json::time(spec.created_at), text::ago(spec.created_at, now))));
    }
    if let Some(attempt) = attempt {
        if attempt.number > 1 {
            rows.push(("attempt", attempt.number.to_string()));
        }
        if let Some(started) = attempt.started_at {
            rows.push(("started", format!("{} ({} ago)", json::time(started), text::ago(started, now))));
        }
        if let Some(ended) = attempt.ended_at {
            let lasted = attempt.duration_ms.map(|ms| format!(", lasted {}", text::milliseconds(ms)));
            rows.push((
                "ended",
                format!("{} ({} ago{})", json::time(ended), text::ago(ended, now), lasted.unwrap_or_default()),
            ));
        }
        if let Some(code) = attempt.exit_code {
            rows.push(("exit code", code.to_string()));
        }
        if let Some(signal) = attempt.signal {
            rows.push(("signal", signal.to_string()));
        }
        if let Some(leader) = attempt.leader.filter(|_| seen.alive == Some(true)) {
            let supervisor = job.record().and_then(|r| r.supervisor).filter(|_| seen.supervised == Some(true));
            let by = supervisor.map(|s| format!(", supervised by {}", s.pid)).unwrap_or_default();
            rows.push(("process", format!("{}{by}", leader.pid)));
        }
        if let Some(usage) = attempt.usage {
            rows.push((
                "used",
                format!(
                    "{} user, {} system, at most {} of memory",
                    text::milliseconds(usage.user_ms),
                    text::milliseconds(usage.system_ms),
                    text::bytes(usage.max_rss_bytes)
                ),
            ));
        }
        if let Some(finally) = &attempt.finally {
            let state = serde_json::to_value(finally.state).ok().and_then(|v| v.as_str().map(str::to_owned));
            rows.push(("finally", state.unwrap_or_default()));
        }
    }
    for survivor in &seen.survivors {
        rows.push(("survivor", format!("{} ({})", survivor.identity.pid, text::escape(&survivor.command))));
    }
    if let Some(stop) = job.record().and_then(|record| record.stop.as_ref()) {
        let next =
            stop.next.as_ref().map(|next| format!(", then {} at {}", next.signal.short_name(), json::time(next.at)));
        rows.push((
            "stopping",
            format!(
                "{}: {} since {}{}",
                text::escape(&stop.plan),
                stop.signal,
                json::time(stop.since),
                next.unwrap_or_default()
            ),
        ));
    }
    for waiting in job.waiting_for.iter().flatten() {
        rows.push(("waits", text::waiting(waiting)));
    }
    for link in job.chain.iter().flatten() {
        let waits: Vec<String> = link.waiting_for.iter().flatten().map(text::waiting).collect();
        let waits = if waits.is_empty() { String::new() } else { format!(", waits {}", waits.join("; ")) };
        rows.push(("behind", format!("job {} is {}{waits}", link.id, link.state())));
    }
    if let Some(progress) = &job.progress {
        let percent = progress.fraction.map(|f| format!("{:.0} % ", f * 100.0)).unwrap_or_default();
        let message = progress.message.as_deref().map(text::escape).unwrap_or_default();
        rows.push(("progress", format!("{percent}{message}").trim_end().to_owned()));
    }
    if let Some(output) = &job.output {
        let file = |path: &std::path::Path, bytes| {
            format!("{} ({})", text::escape(&path.to_string_lossy()), text::bytes(bytes))
        };
        rows.push(("stdout", file(&output.stdout_path, output.stdout_bytes)));
        if let Some(path) = &output.stderr_path {
            rows.push(("stderr", file(path, output.stderr_bytes)));
        }
    }
    if let Some(output) = &job.output {
        let mut limit: Vec<String> =
            output.limit_bytes.iter().map(|max| format!("{} each", text::bytes(*max))).collect();
        if output.dropped_bytes > 0 {
            limit.push(format!("{} dropped from the middle", text::bytes(output.dropped_bytes)));
        }
        if output.limit_kept == Some(false) {
            limit.push("nobody keeps it: the logs may grow".to_owned());
        }
        if output.dropped_bytes > 0 || output.limit_kept == Some(false) {
            rows.push(("log limit", limit.join(", ")));
        }
    }
    let title = match spec.and_then(|s| s.name.as_ref()) {
        Some(name) => format!("job {} ({name})", job.id),
        None => format!("job {}", job.id),
    };
    let lines: String = rows.iter().map(|(key, value)| format!("  {key:<10} {value}\n")).collect();
    format!("{}\n{lines}", style.bold(&title))
}
