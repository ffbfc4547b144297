//! Keys, and what they make of the view.

use super::*;
use crate::domain::job::tests::job;
use crate::domain::state::State;

pub(in crate::view) fn now() -> DateTime<Utc> {
    job(1, State::Running, "", &["x"]).observed_at
}

pub(in crate::view) fn view(jobs: Vec<Job>) -> View {
    let mut view = View::new(Column::usual(), "/state", false);
    view.fit(80, 24);
    view.show(jobs, 0, now());
    view
}

/// Presses keys, given by their characters, or by a name in angle brackets. Returns what the last asked for.
fn press(view: &mut View, keys: &str) -> Step {
    let mut step = Step::Stay;
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (code, modifiers, length) = match (c, rest.find('>')) {
            ('<', Some(end)) => {
                let (code, modifiers) = match &rest[1..end] {
                    "up" => (KeyCode::Up, KeyModifiers::NONE),
                    "down" => (KeyCode::Down, KeyModifiers::NONE),
                    "home" => (KeyCode::Home, KeyModifiers::NONE),
                    "end" => (KeyCode::End, KeyModifiers::NONE),
                    "pgup" => (KeyCode::PageUp, KeyModifiers::NONE),
                    "enter" => (KeyCode::Enter, KeyModifiers::NONE),
                    "esc" => (KeyCode::Esc, KeyModifiers::NONE),
                    "tab" => (KeyCode::Tab, KeyModifiers::NONE),
                    "back" => (KeyCode::Backspace, KeyModifiers::NONE),
                    "^c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
                    "^d" => (KeyCode::Char('d'), KeyModifiers::CONTROL),
                    "^z" => (KeyCode::Char('z'), KeyModifiers::CONTROL),
                    name => panic!("no such key: {name}"),
                };
                (code, modifiers, end + 1)
            }
            _ => (KeyCode::Char(c), KeyModifiers::NONE, c.len_utf8()),
        };
        step = view.press(KeyEvent::new(code, modifiers));
        view.fit(80, 24);
        rest = &rest[length..];
    }
    step
}

fn selected(view: &View) -> String {
    view.selected.map_or_else(String::new, |id| id.to_string())
}

fn some() -> Vec<Job> {
    vec![
        job(1, State::Succeeded, "build", &["make", "all"]),
        job(2, State::Running, "web", &["serve", "--port", "80"]),
        job(3, State::Failed, "", &["make", "test"]),
    ]
}

#[test]
fn arrows_select() {
    let mut view = view(some());
    assert_eq!(selected(&view), "3", "the newest, at the end");
    for (keys, expected) in [
        ("<up>", "2"),
        ("<down>", "3"),
        ("<down>", "3"),
        ("<home>", "1"),
        ("k", "1"),
        ("j", "2"),
        ("G", "3"),
        ("g", "1"),
    ] {
        assert_eq!(press(&mut view, keys), Step::Stay);
        assert_eq!(selected(&view), expected, "{keys}");
    }
}

#[test]
fn the_selection_stays_with_its_job() {
    let mut view = view(some());
    press(&mut view, "<up>");
    let mut jobs = some();
    jobs.push(job(4, State::Running, "", &["x"]));
    view.show(jobs.clone(), 0, now());
    assert_eq!(selected(&view), "2");
    jobs.remove(1);
    view.show(jobs, 0, now());
    assert_eq!(selected(&view), "3", "what took its place");
    view.show(Vec::new(), 0, now());
    assert_eq!(selected(&view), "");
    assert_eq!(press(&mut view, "x"), Step::Stay);
    assert_eq!(press(&mut view, "<enter>"), Step::Stay);
}

#[test]
fn the_selected_job_is_on_the_screen() {
    let many: Vec<Job> = (1..=100).map(|id| job(id, State::Succeeded, "", &["x"])).collect();
    let mut view = view(many);
    view.fit(80, 24);
    assert_eq!(view.top + view.room(), 100, "the end is shown");
    press(&mut view, "<home>");
    assert_eq!(view.top, 0);
    press(&mut view, "<end><pgup>");
    let row = view.selected_row().expect("selected");
    assert!(view.top <= row && row < view.top + view.room());
    for height in 0..24 {
        view.fit(80, height);
        assert!(view.top <= row && row < view.top + view.room().max(1), "{height}");
    }
}

#[test]
fn whatever_cannot_be_undone_is_asked_for() {
    let mut view = view(some());
    for (keys, words) in [("2x", "kill"), ("2d", "delete"), ("2r", "resume")] {
        press(&mut view, if words == "resume" { "<end>" } else { "<end><up>" });
        assert_eq!(press(&mut view, &keys[1..]), Step::Stay);
        assert!(view.question.as_ref().is_some_and(|(question, _)| question.contains(words)), "{keys}");
        for no in ["n", "<esc>", "<enter>", " ", "d", "<^d>"] {
            press(&mut view, &keys[1..]);
            press(&mut view, no);
            assert!(view.question.is_none());
            press(&mut view, &keys[1..]);
            assert_eq!(press(&mut view, no), Step::Stay, "{no} is no yes");
        }
        press(&mut view, &keys[1..]);
        let Step::Do(deed) = press(&mut view, "y") else { panic!("{keys}: it was confirmed") };
        assert_eq!(deed.words[0], words);
    }
}

#[test]
fn a_question_is_about_the_job_for_which_it_was_asked() {
    let mut view = view(some());
    press(&mut view, "<home><down>x");
    view.show(vec![job(7, State::Running, "", &["x"])], 0, now());
    assert_eq!(press(&mut view, "y"), Step::Do(Deed { words: vec!["kill"], id: "2".parse().expect("an id") }));
}

#[test]
fn what_makes_no_sense_is_said() {
    let mut view = view(some());
    for (keys, says) in [
        ("x", "job 3 has ended: it is failed"),
        ("p", "job 3 has ended: it is failed"),
        ("<up>r", "job 2 is running: only what has ended can be resumed"),
    ] {
        assert_eq!(press(&mut view, keys), Step::Stay);
        assert_eq!(view.says, says);
    }
}

#[test]
fn pause_and_unpause_need_no_question() {
    let mut view = view(some());
    assert!(matches!(press(&mut view, "<up>p"), Step::Do(deed) if deed.to_string() == "jobdir pause 2"));
    let mut jobs = some();
    jobs[1].files.as_mut().expect("files").1.paused = true;
    view.show(jobs, 0, now());
    assert!(matches!(press(&mut view, "p"), Step::Do(deed) if deed.to_string() == "jobdir unpause 2"));
}

#[test]
fn a_second_kill_goes_to_the_next_step() {
    let mut view = view(vec![job(1, State::Stopping, "", &["x"])]);
    assert!(matches!(press(&mut view, "xy"), Step::Do(deed) if deed.to_string() == "jobdir kill --now 1"));
}

#[test]
fn searching_narrows_the_list() {
    let mut view = view(some());
    press(&mut view, "/MAKE");
    assert_eq!((view.found.as_slice(), selected(&view).as_str()), (&[0, 2][..], "3"));
    press(&mut view, "q");
    assert!(view.found.is_empty() && view.typing, "a letter that is typed is no command");
    press(&mut view, "<back><back><back><back><back>web<enter>");
    assert_eq!((view.found.as_slice(), selected(&view).as_str(), view.typing), (&[1][..], "2", false));
    assert_eq!(press(&mut view, "<esc>"), Step::Stay, "it ends the search, not the view");
    assert_eq!(view.found.len(), 3);
    assert_eq!(press(&mut view, "<esc>"), Step::Leave);
}

#[test]
fn what_is_pasted_is_no_key() {
    let mut view = view(some());
    assert_eq!(view.paste("xy\nq"), Step::Stay);
    assert!(view.question.is_none());
    press(&mut view, "/");
    view.paste("we\x1bb\n");
    assert_eq!(view.search, "web");
}

#[test]
fn ways_out() {
    let mut view = view(some());
    for keys in ["q", "<esc>", "<^c>", "/x<^c>", "d<^c>", "?<^c>", "<enter><^c>"] {
        assert_eq!(press(&mut view, keys), Step::Leave, "{keys}");
        view = super::tests::view(some());
    }
    assert_eq!(press(&mut view, "<^z>"), Step::Suspend);
    assert_eq!(press(&mut view, "?q"), Step::Stay, "it closes the help");
    assert_eq!(press(&mut view, "<enter>q"), Step::Stay, "back to the list");
    assert!(matches!(view.page, Page::List));
}

fn filling(lines: usize) -> Filling {
    Filling { text: (1..=lines).map(|n| format!("line {n}\n")).collect(), note: String::new() }
}

#[test]
fn output_is_followed_until_somebody_scrolls() {
    let mut view = view(some());
    assert_eq!(press(&mut view, "<up><enter>"), Step::Look);
    assert_eq!(view.wants().map(|shown| (shown.id.to_string(), shown.stderr)), Some(("2".into(), false)));
    let top = |view: &View| if let Page::Output(page) = &view.page { page.top } else { panic!("no output") };
    view.fill(&filling(100));
    view.fit(80, 24);
    assert_eq!(top(&view) + view.room(), 100);
    press(&mut view, "<up>");
    assert_eq!((top(&view) + view.room(), view.wants()), (99, None), "what is read must not run away");
    press(&mut view, "<home>");
    assert_eq!(top(&view), 0);
    press(&mut view, "<end>");
    assert!(view.wants().is_some());
    assert_eq!(press(&mut view, "<tab>"), Step::Look);
    assert!(view.wants().is_some_and(|shown| shown.stderr));
    view.fill(&filling(3));
    press(&mut view, "/line 2<enter>");
    assert_eq!(view.output_rows(), ["line 2"]);
    assert!(matches!(press(&mut view, "p"), Step::Do(deed) if deed.to_string() == "jobdir pause 2"));
}

#[test]
fn the_output_of_a_job_that_is_gone_is_left() {
    let mut view = view(some());
    press(&mut view, "<enter>");
    view.show(vec![job(1, State::Succeeded, "", &["x"])], 0, now());
    assert!(matches!(view.page, Page::List) && view.says.contains("job 3"));
}

#[test]
fn what_is_said_is_one_harmless_line() {
    let mut view = view(some());
    view.say("error: no\nhint: \x1b[31myes\n");
    assert_eq!(view.says, "error: no hint: \\u{1b}[31myes");
}
