//! The view on a screen. Colour only underlines what words and marks say: without it nothing is missing.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::model::{Page, View};
use crate::domain::job::Job;
use crate::present::columns;
use crate::present::style::{self, Tone};
use crate::present::text;

/// Blanks between two columns.
const GAP: usize = 2;

const LIST_KEYS: &str = "Enter output  x kill  p pause  r resume  d delete  / search  ? keys  q leave";
const OUTPUT_KEYS: &str = "Up Down scroll  End follow  Tab other stream  / search  ? keys  q back";

const KEYS: &[(&str, &str)] = &[
    ("Up Down j k", "one up, one down"),
    ("PgUp PgDn", "a page up, a page down"),
    ("Home End g G", "the first, the last"),
    ("Enter", "read the output"),
    ("Tab", "the output: stdout or stderr"),
    ("/", "search; Esc ends it"),
    ("a", "all that ended, or the last"),
    ("x", "kill; once more: the next step"),
    ("p", "pause, or let it go on"),
    ("r", "resume: start it once more"),
    ("d Del", "stop it if need be, and delete it"),
    ("^Z", "the shell, for a while"),
    ("q Esc", "back, and from the list: leave"),
    ("^C", "leave; the jobs go on"),
];

/// Draws everything.
pub(super) fn draw(view: &mut View, colored: bool, frame: &mut Frame) {
    let area = frame.area();
    view.fit(usize::from(area.width), usize::from(area.height));
    let help_rows = usize::from(area.height).saturating_sub(2).min(KEYS.len());
    view.help = view.help.map(|top| top.min(KEYS.len() - help_rows));
    let view = &*view;
    let details = u16::try_from(view.details()).unwrap_or(0);
    let said = view.message();
    let messages = u16::try_from(said.len()).unwrap_or(1);
    let rows = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(details)];
    let [title, body, detail, message, foot] =
        Layout::vertical(rows.into_iter().chain([Constraint::Length(messages), Constraint::Length(1)])).areas(area);
    match &view.page {
        Page::List => {
            frame.render_widget(line(list_title(view), area).style(Modifier::BOLD), title);
            list(view, colored, frame, body);
            frame.render_widget(Paragraph::new(detail_lines(view, detail)), detail);
        }
        Page::Output(page) => {
            frame.render_widget(line(output_title(view), area).style(Modifier::BOLD), title);
            let rows = view.output_rows();
            let shown = rows.iter().skip(page.top).take(usize::from(body.height)).map(|row| Line::raw(*row));
            frame.render_widget(Paragraph::new(shown.collect::<Vec<_>>()), body);
        }
    }
    let typed = said.first().map_or(0, |row| Line::raw(row).width());
    frame.render_widget(Paragraph::new(said.into_iter().map(Line::raw).collect::<Vec<_>>()), message);
    let keys = if matches!(view.page, Page::List) { LIST_KEYS } else { OUTPUT_KEYS };
    frame.render_widget(line(keys.into(), area).style(Modifier::REVERSED), foot);
    if let Some(top) = view.help {
        help(frame, area, top, help_rows);
    }
    if view.typing {
        frame.set_cursor_position((message.x + u16::try_from(typed).unwrap_or(0).min(area.width - 1), message.y));
    }
}

fn line(text: String, area: Rect) -> Line<'static> {
    Line::raw(text::fit(&text, usize::from(area.width)))
}

fn list_title(view: &View) -> String {
    let active = view.jobs.iter().filter(|job| job.is_stoppable()).count();
    let ended = view.jobs.len() - active;
    let more = if view.hidden > 0 { format!(" ({} more)", view.hidden) } else { String::new() };
    format!("jobs in {}: {active} active, {ended} ended{more}", view.place)
}

fn output_title(view: &View) -> String {
    let Page::Output(page) = &view.page else { return String::new() };
    let stream = if page.shown.stderr { "stderr" } else { "stdout" };
    let id = page.shown.id;
    let state = view.job(id).map(|job| job.state().as_str()).unwrap_or_default();
    let place = if page.follows { "" } else { "  [standing still: End follows again]" };
    format!("{stream} of job {id}, {state}{place}  {}", page.note)
}

fn list(view: &View, colored: bool, frame: &mut Frame, area: Rect) {
    if view.found.is_empty() {
        frame.render_widget(Line::raw("no jobs"), area);
        return;
    }
    let end = view.found.len().min(view.top + view.room());
    let jobs: Vec<&Job> = view.found[view.top..end].iter().map(|job| &view.jobs[*job]).collect();
    let cells = view.cells(&jobs);
    let headers = columns::headers(&view.columns);
    let width = |cell: &str| Line::raw(cell).width();
    let widths: Vec<usize> = (0..headers.len())
        .map(|column| cells.iter().map(|row| width(&row[column])).chain([width(&headers[column])]).max().unwrap_or(0))
        .collect();
    let row = |mark: &'static str, cells: &[String], state: Option<Style>| -> Line<'static> {
        let mut left = usize::from(area.width).saturating_sub(mark.len());
        let mut spans = vec![Span::raw(mark)];
        for (column, cell) in cells.iter().enumerate() {
            let cell = text::fit(cell, left);
            let used = width(&cell);
            let style = state.filter(|_| view.columns[column].is_state()).unwrap_or_default();
            left = left.saturating_sub(used);
            let blanks = (widths[column].saturating_sub(used) + GAP).min(left);
            left -= blanks;
            spans.extend([Span::styled(cell, style), Span::raw(" ".repeat(blanks))]);
            if left == 0 {
                break;
            }
        }
        spans.push(Span::raw(" ".repeat(left)));
        Line::from(spans)
    };
    // A mark, so that the selected job is known without reverse video, too.
    let rows = jobs.iter().zip(&cells).map(|(job, cells)| {
        let state = colored.then(|| Style::new().fg(color(style::tone(job.state()))));
        match Some(job.id) == view.selected {
            true => row(">  ", cells, state).style(Modifier::REVERSED),
            false => row("   ", cells, state),
        }
    });
    let head = row("   ", &headers, None).style(Modifier::BOLD);
    frame.render_widget(Paragraph::new(std::iter::once(head).chain(rows).collect::<Vec<_>>()), area);
}

fn color(tone: Tone) -> Color {
    match tone {
        Tone::Good => Color::Green,
        Tone::Going => Color::Cyan,
        Tone::Between => Color::Yellow,
        Tone::Bad => Color::Red,
        Tone::Asked => Color::Magenta,
    }
}

/// What is worth knowing of the selected job, and has no room on the list.
fn detail_lines(view: &View, area: Rect) -> Vec<Line<'static>> {
    let Some(job) = view.selected.and_then(|id| view.job(id)) else { return Vec::new() };
    let mut facts = vec![job.state().to_string()];
    facts.extend(job.is_paused().then(|| "paused".to_owned()));
    facts.extend(job.observation.reason.map(|reason| reason.to_string()));
    facts.extend(job.waiting_for.iter().flatten().map(|waiting| format!("waits {}", text::waiting(waiting))));
    facts.extend(job.observation.message.as_deref().map(text::escape));
    facts.extend(job.progress.as_ref().and_then(|progress| progress.message.as_deref()).map(text::escape));
    facts.extend(
        job.attempt().filter(|attempt| attempt.number > 1).map(|attempt| format!("attempt {}", attempt.number)),
    );
    facts.extend(job.spec().map(|spec| format!("in {}", text::escape(&spec.cwd.lossy()))));
    let command = format!("job {}: {}", job.id, columns::command(job));
    [command, facts.join(", ")].into_iter().map(|text| line(text, area)).collect()
}

fn help(frame: &mut Frame, area: Rect, top: usize, rows: usize) {
    let height = u16::try_from(rows + 2).unwrap_or(u16::MAX);
    let box_area = area.centered(Constraint::Max(56), Constraint::Max(height));
    let shown = KEYS.iter().skip(top).take(rows);
    let lines: Vec<Line> = shown.map(|(key, what)| Line::raw(format!(" {key:<14}{what}"))).collect();
    let title = if rows < KEYS.len() { " keys: Up Down for more " } else { " keys " };
    frame.render_widget(Clear, box_area);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), box_area);
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
