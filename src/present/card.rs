//! One job for reading: what it is, how it is, what lives of it, what it printed last and what can be done next.

use chrono::{DateTime, Utc};

use super::style::Style;
use super::{json, text};
use crate::domain::job::{Job, JobProcess, Output};
use crate::domain::record::{Attempt, FinallyState, StopProgress};
use crate::domain::state::State;

/// What a card shows besides the job.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// When it is shown.
    pub now: DateTime<Utc>,
    /// With which colours.
    pub style: Style,
    /// How wide it may be.
    pub width: Option<usize>,
    /// The last lines of stdout and of stderr.
    pub tail: [&'a str; 2],
}

/// How many processes are shown.
const PROCESSES: usize = 20;

/// Lines of a card, each with a key.
struct Rows {
    rows: Vec<(&'static str, String)>,
    width: Option<usize>,
}

impl Rows {
    /// Adds a line that is cut when it is too long.
    fn add(&mut self, key: &'static str, value: impl AsRef<str>) {
        let value = value.as_ref();
        let cut = self.width.map(|width| text::fit(value, width.saturating_sub(13).max(20)));
        self.rows.push((key, cut.unwrap_or_else(|| value.to_owned())));
    }

    /// Adds a line that says where something is: nobody is helped by half of it.
    fn add_whole(&mut self, key: &'static str, value: String) {
        self.rows.push((key, value));
    }
}

/// Renders the card of a job.
pub fn card(job: &Job, around: &Surroundings<'_>) -> String {
    let (spec, style) = (job.spec(), around.style);
    let mut rows = Rows { rows: Vec::new(), width: around.width };
    rows.add_whole("state", state(job, style));
    if let Some(message) = &job.observation.message {
        rows.add_whole("message", text::escape(message));
    }
    if let Some(spec) = spec {
        rows.add("command", text::command(job.command().unwrap_or(&spec.command)));
        rows.add_whole("directory", text::escape(&spec.cwd.lossy()));
        let labels: Vec<String> =
            spec.labels.iter().map(|(key, value)| text::escape(&format!("{key}={value}"))).collect();
        if !labels.is_empty() {
            rows.add("labels", labels.join(", "));
        }
        rows.add("created", when(spec.created_at, around.now));
    }
    if let Some(attempt) = job.attempt() {
        of_attempt(&mut rows, job, attempt, around.now);
    }
    for survivor in &job.observation.survivors {
        rows.add("survivor", format!("{} ({})", survivor.identity.pid, text::escape(&survivor.command)));
    }
    if let Some(stop) = job.record().and_then(|record| record.stop.as_ref()) {
        of_stop(&mut rows, stop);
    }
    for waiting in job.waiting_for.iter().flatten() {
        rows.add("waits", text::waiting(waiting));
    }
    for link in job.chain.iter().flatten() {
        let waits: Vec<String> = link.waiting_for.iter().flatten().map(text::waiting).collect();
        let waits = if waits.is_empty() { String::new() } else { format!(", waits {}", waits.join("; ")) };
        rows.add("behind", format!("job {} is {}{waits}", link.id, link.state()));
    }
    if let Some(progress) = &job.progress {
        let percent = progress.fraction.map(|f| format!("{:.0} % ", f * 100.0)).unwrap_or_default();
        let message = progress.message.as_deref().map(text::escape).unwrap_or_default();
        rows.add("progress", format!("{percent}{message}").trim_end());
    }
    if let Some(output) = &job.output {
        of_output(&mut rows, output);
    }
    let title = match spec.and_then(|s| s.name.as_ref()) {
        Some(name) => format!("job {} ({name})", job.id),
        None => format!("job {}", job.id),
    };
    let lines: String = rows.rows.iter().map(|(key, value)| format!("  {key:<10} {value}\n")).collect();
    let processes = processes(job.processes.as_deref().unwrap_or_default(), around);
    let way = |(command, what): &(String, &str)| {
        let line = format!("    {command:<26} {what}");
        // A command is of no use in part.
        around.width.map_or(line.clone(), |width| text::fit(&line, width.max(4 + command.len())))
    };
    let next: String = next(job).iter().map(|one| way(one) + "\n").collect();
    let next = format!("  {}\n{next}", style.dim("next"));
    format!("{}\n{lines}{processes}{}{next}", style.bold(&title), last_lines(around))
}

fn state(job: &Job, style: Style) -> String {
    let seen = &job.observation;
    let mut state = style.state(seen.state, seen.state.as_str());
    if job.is_paused() {
        state.push_str(", paused");
    }
    let outcome = job.record().and_then(|r| r.outcome());
    let why = [
        seen.error_kind.map(|kind| kind.to_string()),
        seen.reason.map(|reason| reason.to_string()),
        outcome.and_then(|o| o.reason_text.as_deref()).map(text::escape),
    ];
    let why: Vec<String> = why.into_iter().flatten().collect();
    if !why.is_empty() {
        state.push_str(&format!(" ({})", why.join(", ")));
    }
    state
}

fn when(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ({} ago)", json::time(then), text::ago(then, now))
}

fn of_attempt(rows: &mut Rows, job: &Job, attempt: &Attempt, now: DateTime<Utc>) {
    let seen = &job.observation;
    if attempt.number > 1 {
        rows.add("attempt", attempt.number.to_string());
    }
    if let Some(started) = attempt.started_at {
        rows.add("started", when(started, now));
    }
    if let Some(ended) = attempt.ended_at {
        let lasted = attempt.duration_ms.map(|ms| format!(", lasted {}", text::milliseconds(ms)));
        rows.add(
            "ended",
            format!("{} ({} ago{})", json::time(ended), text::ago(ended, now), lasted.unwrap_or_default()),
        );
    }
    if attempt.pty {
        rows.add("terminal", "of its own");
    }
    if let Some(code) = attempt.exit_code {
        rows.add("exit code", code.to_string());
    }
    if let Some(signal) = attempt.signal {
        rows.add("signal", signal.to_string());
    }
    if let Some(leader) = attempt.leader.filter(|_| seen.alive == Some(true)) {
        let supervisor = job.record().and_then(|r| r.supervisor).filter(|_| seen.supervised == Some(true));
        let by = supervisor.map(|s| format!(", supervised by {}", s.pid)).unwrap_or_default();
        rows.add("process", format!("{}{by}", leader.pid));
    }
    if let Some(usage) = attempt.usage {
        let (user, system) = (text::milliseconds(usage.user_ms), text::milliseconds(usage.system_ms));
        let memory = text::bytes(usage.max_rss_bytes);
        rows.add("used", format!("{user} user, {system} system, at most {memory} of memory"));
    }
    if let Some(finally) = &attempt.finally {
        let state = serde_json::to_value(finally.state).ok().and_then(|v| v.as_str().map(str::to_owned));
        rows.add("finally", state.unwrap_or_default());
    }
}

fn of_stop(rows: &mut Rows, stop: &StopProgress) {
    let next = stop.next.as_ref().map(|next| format!(", then {} at {}", next.signal.short_name(), json::time(next.at)));
    let (plan, since) = (text::escape(&stop.plan), json::time(stop.since));
    rows.add("stopping", format!("{plan}: {} since {since}{}", stop.signal, next.unwrap_or_default()));
    for left in &stop.not_stopped {
        let (pid, state) = (left.identity.pid, &left.process_state);
        rows.add("not gone", format!("{pid} (state {state}, {}), after KILL", text::escape(&left.command)));
    }
}

fn of_output(rows: &mut Rows, output: &Output) {
    let file =
        |path: &std::path::Path, bytes| format!("{} ({})", text::escape(&path.to_string_lossy()), text::bytes(bytes));
    rows.add_whole("stdout", file(&output.stdout_path, output.stdout_bytes));
    if let Some(path) = &output.stderr_path {
        rows.add_whole("stderr", file(path, output.stderr_bytes));
    }
    if output.dropped_bytes > 0 || output.limit_kept == Some(false) {
        let mut limit: Vec<String> =
            output.limit_bytes.iter().map(|max| format!("{} each", text::bytes(*max))).collect();
        if output.dropped_bytes > 0 {
            limit.push(format!("{} dropped from the middle", text::bytes(output.dropped_bytes)));
        }
        if output.limit_kept == Some(false) {
            limit.push("nobody keeps it: the logs may grow".to_owned());
        }
        rows.add("log limit", limit.join(", "));
    }
}

/// Renders the tree of what lives.
fn processes(processes: &[JobProcess], around: &Surroundings<'_>) -> String {
    if processes.is_empty() {
        return String::new();
    }
    let memory: u64 = processes.iter().filter_map(|one| one.memory_bytes).sum();
    let head = format!(
        "{}, {}: pid, state, memory, CPU, command",
        text::plural(processes.len(), "process", "processes"),
        text::bytes(memory)
    );
    let head = around.width.map_or(head.clone(), |width| text::fit(&head, width.saturating_sub(2)));
    let mut lines = format!("  {}\n", around.style.dim(&head));
    for one in processes.iter().take(PROCESSES) {
        let memory = one.memory_bytes.map(text::bytes).unwrap_or_default();
        let cpu = one.cpu_ms.map(text::milliseconds).unwrap_or_default();
        // Deeper than that the command would be out of sight.
        let indent = "  ".repeat(one.depth.min(10) as usize);
        let line =
            format!("    {:>7} {} {memory:>10} {cpu:>8}  {indent}{}", one.pid, one.state, text::escape(&one.command));
        lines.push_str(&around.width.map_or(line.clone(), |width| text::fit(&line, width)));
        lines.push('\n');
    }
    if processes.len() > PROCESSES {
        lines.push_str(&format!("    and {} more\n", processes.len() - PROCESSES));
    }
    lines
}

fn last_lines(around: &Surroundings<'_>) -> String {
    let mut lines = String::new();
    for (name, tail) in ["stdout", "stderr"].iter().zip(around.tail) {
        if tail.is_empty() {
            continue;
        }
        lines.push_str(&format!("  {}\n", around.style.dim(&format!("last of {name}"))));
        for line in tail.lines() {
            let line = format!("    {}", text::escape(line));
            lines.push_str(&around.width.map_or(line.clone(), |width| text::fit(&line, width)));
            lines.push('\n');
        }
    }
    lines
}

/// Returns what can be done with a job now, and what that does.
pub fn next(job: &Job) -> Vec<(String, &'static str)> {
    let id = job.id;
    let pending = job.attempt().and_then(|attempt| attempt.finally.as_ref());
    let pending = pending.is_some_and(|f| matches!(f.state, FinallyState::Pending | FinallyState::Running));
    let ways: &[(&str, &str)] = match job.state() {
        State::Queued => &[("wait", "wait until it has run"), ("kill", "take it out of the queue")],
        State::Running if job.is_paused() => &[("unpause", "let it go on"), ("kill", "stop all of it")],
        State::Starting | State::Running if job.attempt().is_some_and(|attempt| attempt.pty) => {
            &[("attach", "type at its terminal"), ("wait", "wait for its end"), ("kill", "stop all of it")]
        }
        State::Starting | State::Running => {
            &[("logs -f", "show what it prints"), ("wait", "wait for its end"), ("kill", "stop all of it")]
        }
        State::Stopping => &[("kill --now", "go on to the next step"), ("kill --force", "KILL at once")],
        State::Finalizing => &[("wait", "wait for its end"), ("kill --abort", "skip its finally steps")],
        State::Orphaned => &[("kill", "stop what is left of it"), ("abandon", "leave it alone")],
        State::Corrupt => &[("doctor", "find out what is wrong"), ("delete", "remove it")],
        _ if job.has_survivors() => &[("kill", "stop what is left of it"), ("logs", "show what it printed")],
        State::Lost if pending => &[("kill", "run its pending finally steps"), ("logs", "show what it printed")],
        _ => &[
            ("logs", "show what it printed"),
            ("resume", "start its next attempt"),
            ("delete", "remove every trace of it"),
        ],
    };
    let command =
        |verb: &str| if verb == "doctor" { "jobdir doctor".to_owned() } else { format!("jobdir {verb} {id}") };
    ways.iter().map(|(verb, what)| (command(verb), *what)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job::tests::job;
    use crate::present::style::ColorChoice;
    use unicode_width::UnicodeWidthStr;

    fn shown(job: &Job, width: Option<usize>) -> String {
        let style = Style::decide(ColorChoice::Never, false, false, false);
        let tail = ["plain\n日本語日本語日本語日本語日本語日本語日本語日本語\n\x1b[31mred\n", ""];
        card(job, &Surroundings { now: job.observed_at, style, width, tail })
    }

    #[test]
    fn a_job_that_has_ended() {
        let job = job(12, State::Succeeded, "build", &["make", "日本語", "a b"]);
        assert_eq!(
            shown(&job, Some(80)),
            "\
job 12 (build)
  state      succeeded
  command    make 日本語 'a b'
  directory  /home/user/project
  labels     team=infra
  created    2026-01-02T03:04:05.678Z (1m 30s ago)
  started    2026-01-02T03:04:05.700Z (1m 29s ago)
  ended      2026-01-02T03:04:07.200Z (1m 28s ago, lasted 1.5s)
  exit code  0
  used       1.0s user, 0.2s system, at most 2.0 MiB of memory
  last of stdout
    plain
    日本語日本語日本語日本語日本語日本語日本語日本語
    \\u{1b}[31mred
  next
    jobdir logs 12             show what it printed
    jobdir resume 12           start its next attempt
    jobdir delete 12           remove every trace of it
"
        );
    }

    #[test]
    fn it_fits_any_width_that_holds_a_command() {
        let mut job = job(12, State::Running, "", &["echo", &"日本語 ".repeat(60)]);
        let process = |pid, depth| JobProcess {
            pid,
            parent_pid: 1,
            depth,
            state: "sleeping".into(),
            command: "日本語 ".repeat(60),
            memory_bytes: Some(5 << 20),
            cpu_ms: Some(1234),
        };
        job.processes = Some(vec![process(1, 0), process(4_194_304, 15)]);
        let widths = [40, 80, 200].map(|width| {
            let text = shown(&job, Some(width));
            for line in text.lines() {
                assert!(line.width() <= width, "{width} columns, and {}: {line}", line.width());
            }
            text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
        });
        assert!(widths[0] > 35 && widths[1] > 75 && widths[2] > 195, "the room is used: {widths:?}");
        assert!(shown(&job, None).lines().any(|line| line.width() > 300), "nothing is cut where no terminal is");
    }

    #[test]
    fn a_terminal_can_be_typed_at() {
        let mut job = job(12, State::Running, "", &["vim"]);
        assert!(!shown(&job, None).contains("terminal"));
        job.files.as_mut().expect("has files").1.attempts[0].pty = true;
        let text = shown(&job, None);
        assert!(text.contains("  terminal   of its own\n"), "{text}");
        assert!(text.contains("    jobdir attach 12           type at its terminal\n"), "{text}");
    }
}
