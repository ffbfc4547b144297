//! What the view shows, and what keys make of it. No effects: what is to be done is returned.

use chrono::{DateTime, Utc};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::deed::{Deed, deed};
use super::output;
use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::present::columns::{self, Column};
use crate::present::text;

/// The most rows that a message gets.
const MESSAGE_ROWS: usize = 4;

/// What a key asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing but to draw again.
    Stay,
    /// What is shown has changed: other jobs, another output.
    Look,
    /// Do this.
    Do(Deed),
    /// Let the shell have the terminal for a while.
    Suspend,
    /// Leave.
    Leave,
}

/// Whose output is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The job.
    pub id: JobId,
    /// Whether it is stderr.
    pub stderr: bool,
}

/// The output that was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filling {
    /// The text, without escape sequences.
    pub text: String,
    /// What is to be known of it, such as that this is not all.
    pub note: String,
}

/// The output page.
#[derive(Debug)]
pub(super) struct OutputPage {
    pub(super) shown: Shown,
    pub(super) lines: Vec<String>,
    pub(super) note: String,
    /// The first row on the screen; meaningless while the end is followed.
    pub(super) top: usize,
    pub(super) follows: bool,
}

/// What fills the screen.
#[derive(Debug)]
pub(super) enum Page {
    List,
    Output(OutputPage),
}

/// What is shown.
#[derive(Debug)]
pub struct View {
    pub(super) columns: Vec<Column>,
    pub(super) place: String,
    /// The jobs that the filters admit, in their order.
    pub(super) jobs: Vec<Job>,
    /// Which of them the search admits.
    pub(super) found: Vec<usize>,
    pub(super) hidden: usize,
    pub(super) selected: Option<JobId>,
    /// The first job on the screen.
    pub(super) top: usize,
    /// Whether the newest job, at the end, is to be seen: as long as nobody has gone elsewhere.
    follows: bool,
    pub(super) page: Page,
    /// The first key that the help shows, while it is shown.
    pub(super) help: Option<usize>,
    pub(super) search: String,
    pub(super) typing: bool,
    /// What waits for a yes.
    pub(super) question: Option<(String, Deed)>,
    pub(super) says: String,
    shows_all: bool,
    size: (usize, usize),
    now: DateTime<Utc>,
}

impl View {
    /// Shows nothing yet. `place` is the state directory; `shows_all` says whether all that ended is asked for.
    pub fn new(columns: Vec<Column>, place: &str, shows_all: bool) -> Self {
        Self {
            columns,
            place: text::escape(place),
            jobs: Vec::new(),
            found: Vec::new(),
            hidden: 0,
            selected: None,
            top: 0,
            follows: true,
            page: Page::List,
            help: None,
            search: String::new(),
            typing: false,
            question: None,
            says: String::new(),
            shows_all,
            size: (80, 24),
            now: DateTime::UNIX_EPOCH,
        }
    }

    /// Says whether all that ended is asked for.
    pub fn shows_all(&self) -> bool {
        self.shows_all
    }

    /// Returns whose output is to be read: while somebody has scrolled back it stays as it is.
    pub fn wants(&self) -> Option<&Shown> {
        match &self.page {
            Page::Output(page) if page.follows => Some(&page.shown),
            _ => None,
        }
    }

    /// Returns a job as it was seen last.
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// Takes what was seen; `hidden` is how many jobs that ended are left out.
    pub fn show(&mut self, jobs: Vec<Job>, hidden: usize, now: DateTime<Utc>) {
        let place = self.selected_row();
        (self.jobs, self.hidden, self.now) = (jobs, hidden, now);
        self.find();
        if self.selected_row().is_none() {
            // What took its place, so that whoever deletes several goes on where he was.
            let last = self.found.len().saturating_sub(1);
            self.select(if self.follows { last } else { place.unwrap_or(last).min(last) });
        }
        if let Page::Output(page) = &self.page
            && self.job(page.shown.id).is_none()
        {
            self.says = format!("job {} is not on the list any more", page.shown.id);
            self.page = Page::List;
        }
    }

    /// Takes what was read of the output that [`View::wants`] asked for.
    pub fn fill(&mut self, filling: &Filling) {
        if let Page::Output(page) = &mut self.page {
            page.lines = output::lines(&filling.text);
            page.note.clone_from(&filling.note);
        }
    }

    /// Says something, until the next key.
    pub fn say(&mut self, text: &str) {
        self.says = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.says = text::escape(&self.says);
    }

    /// Takes the size of the screen, and sees to it that the selected job is on it.
    pub(super) fn fit(&mut self, width: usize, height: usize) {
        self.size = (width.max(1), height);
        let room = self.room().max(1);
        let last = self.found.len().saturating_sub(room);
        self.top = if self.follows { last } else { self.top.min(last) };
        if let Some(row) = self.selected_row() {
            self.top = self.top.clamp((row + 1).saturating_sub(room), row);
        }
        let rows = self.output_rows().len();
        if let Page::Output(page) = &mut self.page {
            let last = rows.saturating_sub(room);
            page.follows |= page.top >= last;
            page.top = if page.follows { last } else { page.top };
        }
    }

    /// How many rows of jobs or output there is room for, between the head and the foot.
    pub(super) fn room(&self) -> usize {
        let head = match self.page {
            Page::List => 2,
            Page::Output(_) => 1,
        };
        self.size.1.saturating_sub(head + self.details() + self.message().len() + 1)
    }

    /// What is asked or said, in rows of the screen: one at least, and not so many that the list would go.
    pub(super) fn message(&self) -> Vec<String> {
        let text = match &self.question {
            Some((question, _)) => question.clone(),
            None if self.typing => format!("search: {}", text::escape(&self.search)),
            None if !self.says.is_empty() => self.says.clone(),
            None if !self.search.is_empty() => {
                format!("only what has '{}' in it; Esc shows everything", text::escape(&self.search))
            }
            None => String::new(),
        };
        let most = if self.size.1 >= 10 { MESSAGE_ROWS } else { 1 };
        let rows = output::wrap(&text, self.size.0);
        let first = rows.iter().take(most - 1).map(|row| (*row).to_owned());
        first.chain([text::fit(&rows[most.min(rows.len()) - 1..].concat(), self.size.0)]).take(rows.len()).collect()
    }

    /// How many rows tell of the selected job: none where there is hardly room for the list.
    pub(super) fn details(&self) -> usize {
        if matches!(self.page, Page::List) && self.size.1 >= 10 { 2 } else { 0 }
    }

    /// The output in rows of the screen, as far as the search admits it.
    pub(super) fn output_rows(&self) -> Vec<&str> {
        let Page::Output(page) = &self.page else { return Vec::new() };
        let needle = self.search.to_lowercase();
        let admits = |line: &&String| needle.is_empty() || line.to_lowercase().contains(&needle);
        page.lines.iter().filter(admits).flat_map(|line| output::wrap(line, self.size.0)).collect()
    }

    /// The cells of these jobs.
    pub(super) fn cells(&self, jobs: &[&Job]) -> Vec<Vec<String>> {
        columns::cells(jobs, &self.columns, self.now)
    }

    fn find(&mut self) {
        let needle = match self.page {
            Page::List => self.search.to_lowercase(),
            // There the search is for what was printed.
            Page::Output(_) => String::new(),
        };
        self.found = if needle.is_empty() {
            (0..self.jobs.len()).collect()
        } else {
            let jobs: Vec<&Job> = self.jobs.iter().collect();
            let cells = self.cells(&jobs);
            let matches = |row: &usize| {
                let command = columns::command(jobs[*row]);
                cells[*row].iter().chain([&command]).any(|cell| cell.to_lowercase().contains(&needle))
            };
            (0..jobs.len()).filter(matches).collect()
        };
    }

    pub(super) fn selected_row(&self) -> Option<usize> {
        self.found.iter().position(|job| Some(self.jobs[*job].id) == self.selected)
    }

    fn select(&mut self, row: usize) {
        self.selected = self.found.get(row).map(|job| self.jobs[*job].id);
    }

    /// Goes up or down by so many rows.
    fn go(&mut self, by: isize) {
        let rows = self.output_rows().len();
        match &mut self.page {
            Page::List => {
                let last = self.found.len().saturating_sub(1);
                let row = self.selected_row().unwrap_or(last).saturating_add_signed(by).min(last);
                self.select(row);
                self.follows = row == last;
            }
            Page::Output(page) => {
                // At the end again it is followed again, see `fit`.
                page.top = page.top.saturating_add_signed(by).min(rows);
                page.follows = false;
            }
        }
    }

    /// Takes a pasted text: it is typed where something is typed, and else no keys.
    pub fn paste(&mut self, text: &str) -> Step {
        if self.typing {
            self.search.extend(text.chars().filter(|c| !c.is_control()));
            self.searched();
        }
        Step::Stay
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Step {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        self.says.clear();
        match key.code {
            KeyCode::Char('c') if control => return Step::Leave,
            KeyCode::Char('z') if control => return Step::Suspend,
            _ => {}
        }
        if let Some(top) = self.help {
            // Where it ends, whoever draws it knows.
            self.help = match key.code {
                KeyCode::Up | KeyCode::Char('k') => Some(top.saturating_sub(1)),
                KeyCode::Down | KeyCode::Char('j') => Some(top + 1),
                KeyCode::PageUp | KeyCode::Home => Some(0),
                KeyCode::PageDown | KeyCode::End | KeyCode::Char(' ') => Some(usize::MAX),
                _ => None,
            };
            return Step::Stay;
        }
        if let Some((_, deed)) = self.question.take() {
            if matches!(key.code, KeyCode::Char('y' | 'Y')) && !control {
                return Step::Do(deed);
            }
            self.says = "nothing was done".into();
            return Step::Stay;
        }
        if self.typing { self.typed(key.code, control) } else { self.chosen(key.code, control) }
    }

    fn typed(&mut self, code: KeyCode, control: bool) -> Step {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.search.clear();
            }
            KeyCode::Backspace => {
                self.search.pop();
            }
            KeyCode::Char('u') if control => self.search.clear(),
            KeyCode::Char(c) if !control => self.search.push(c),
            _ => {}
        }
        self.searched();
        Step::Stay
    }

    fn searched(&mut self) {
        self.find();
        if matches!(self.page, Page::List) && self.selected_row().is_none() {
            self.select(self.found.len().saturating_sub(1));
        }
    }

    fn chosen(&mut self, code: KeyCode, control: bool) -> Step {
        let page = isize::try_from(self.room().saturating_sub(1).max(1)).unwrap_or(1);
        match code {
            KeyCode::Char('f') if control => self.go(page),
            KeyCode::Char('b') if control => self.go(-page),
            _ if control => {}
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::PageUp => self.go(-page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.go(page),
            KeyCode::Home | KeyCode::Char('g') => self.go(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.go(isize::MAX),
            KeyCode::Char('?' | 'h') => self.help = Some(0),
            KeyCode::Char('/') => {
                self.typing = true;
                self.search.clear();
                self.searched();
            }
            KeyCode::Esc if !self.search.is_empty() => {
                self.search.clear();
                self.searched();
            }
            KeyCode::Esc | KeyCode::Char('q') | KeyCode::Left if matches!(self.page, Page::Output(_)) => {
                self.turn(Page::List);
            }
            KeyCode::Esc | KeyCode::Char('q') => return Step::Leave,
            KeyCode::Enter | KeyCode::Right if matches!(self.page, Page::List) => return self.open(false),
            KeyCode::Tab => return self.other_stream(),
            KeyCode::Char('a') => {
                self.shows_all = !self.shows_all;
                return Step::Look;
            }
            KeyCode::Char(c @ ('x' | 'p' | 'r' | 'd')) => return self.ask(c),
            KeyCode::Delete => return self.ask('d'),
            _ => {}
        }
        Step::Stay
    }

    /// Changes the page; what was searched for on one means nothing on the other.
    fn turn(&mut self, page: Page) {
        self.page = page;
        self.search.clear();
        self.find();
    }

    fn open(&mut self, stderr: bool) -> Step {
        let Some(id) = self.selected else { return Step::Stay };
        let shown = Shown { id, stderr };
        self.turn(Page::Output(OutputPage { shown, lines: Vec::new(), note: String::new(), top: 0, follows: true }));
        Step::Look
    }

    fn other_stream(&mut self) -> Step {
        match &self.page {
            Page::Output(page) => {
                let stderr = !page.shown.stderr;
                self.open(stderr)
            }
            Page::List => Step::Stay,
        }
    }

    /// Asks whether that shall be done to the selected job, or says why it cannot.
    fn ask(&mut self, key: char) -> Step {
        let Some(job) = self.selected.and_then(|id| self.job(id)) else { return Step::Stay };
        match deed(job, key) {
            Ok((None, deed)) => return Step::Do(deed),
            Ok((Some(question), deed)) => self.question = Some((question, deed)),
            Err(why) => self.says = why,
        }
        Step::Stay
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
pub(super) mod tests;
