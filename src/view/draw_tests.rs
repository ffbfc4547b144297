//! How the view looks, on a screen that is none.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::model::tests::{now, view};
use super::*;
use crate::domain::job::tests::job;
use crate::domain::state::State;
use crate::view::Filling;

fn drawn(view: &mut View, colored: bool, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
    terminal.draw(|frame| draw(view, colored, frame)).expect("draws");
    terminal.backend().buffer().clone()
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y| -> String {
        // The second cell of a wide character is a blank that nobody sees.
        let mut text = String::new();
        let mut skip = 0;
        for x in 0..area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                text.push_str(symbol);
                skip = Line::raw(symbol).width().saturating_sub(1);
            } else {
                skip -= 1;
            }
        }
        text.trim_end().to_owned()
    };
    (0..area.height).map(row).collect()
}

fn jobs() -> Vec<Job> {
    vec![
        job(1, State::Succeeded, "build", &["make", "日本語"]),
        job(12, State::Running, "web", &["echo", "\x1b[31mred\x07"]),
    ]
}

fn press(view: &mut View, code: KeyCode) {
    view.press(KeyEvent::new(code, KeyModifiers::NONE));
}

#[test]
fn the_list() {
    let mut view = view(jobs());
    let screen = rows(&drawn(&mut view, false, 80, 12));
    assert_eq!(
        screen,
        [
            "jobs in /state: 1 active, 1 ended",
            "   ID  NAME   STATE      EXIT  AGE     ELAPSED  PID  COMMAND",
            "   1   build  succeeded  0     1m 30s  1.5s     -    make 日本語",
            ">  12  web    running    0     1m 30s  1.5s     -    echo '\\u{1b}[31mred\\u{7}'",
            "",
            "",
            "",
            "",
            "job 12: echo '\\u{1b}[31mred\\u{7}'",
            "running, in /home/user/project",
            "",
            "Enter output  x kill  p pause  r resume  d delete  / search  ? keys  q leave",
        ]
    );
    let narrow = rows(&drawn(&mut view, false, 60, 12));
    assert_eq!(narrow[2], "   1   build  succeeded  0     1m 30s  1.5s     -    make …");
    assert!(narrow[11].ends_with("/ search…"), "{narrow:?}");
}

#[test]
fn colour_says_nothing_that_words_do_not() {
    let mut view = view(jobs());
    let (plain, colored) = (drawn(&mut view, false, 80, 12), drawn(&mut view, true, 80, 12));
    assert_eq!(rows(&plain), rows(&colored));
    let colors = |buffer: &Buffer| buffer.content.iter().filter(|cell| cell.fg != Color::Reset).count();
    assert_eq!(colors(&plain), 0);
    assert!(colors(&colored) > 0);
    assert!(plain[(0, 3)].modifier.contains(Modifier::REVERSED), "the selected row is marked twice");
}

#[test]
fn questions_and_what_is_typed() {
    let mut view = view(jobs());
    press(&mut view, KeyCode::Char('d'));
    let message = |view: &mut View| rows(&drawn(view, false, 100, 12))[10].clone();
    assert_eq!(message(&mut view), "stop job 12 (web) and remove it, its output too? 'jobdir delete 12'  y/n");
    press(&mut view, KeyCode::Char('n'));
    assert_eq!(message(&mut view), "nothing was done");
    for c in "/日".chars() {
        press(&mut view, KeyCode::Char(c));
    }
    assert_eq!(message(&mut view), "search: 日");
    assert!(rows(&drawn(&mut view, false, 100, 12))[2].starts_with(">  1   build"));
}

#[test]
fn the_output() {
    let mut view = view(jobs());
    press(&mut view, KeyCode::Enter);
    view.fill(&Filling { text: "one\nbell\x07\n日本語日本語\n".into(), note: "30 B".into() });
    let screen = rows(&drawn(&mut view, false, 10, 8));
    assert_eq!(&screen[1..6], ["one", "bell\\u{7}", "日本語日本", "語", ""]);
    let screen = rows(&drawn(&mut view, false, 60, 8));
    assert_eq!(screen[0], "stdout of job 12, running  30 B");
}

#[test]
fn the_keys() {
    let mut view = view(jobs());
    press(&mut view, KeyCode::Char('?'));
    let screen = rows(&drawn(&mut view, false, 80, 24)).join("\n");
    for (key, what) in KEYS {
        assert!(screen.contains(key) && screen.contains(what), "{key}:\n{screen}");
    }
}

#[test]
fn on_a_low_screen_the_keys_can_be_scrolled() {
    let mut view = view(jobs());
    press(&mut view, KeyCode::Char('?'));
    let seen = |view: &mut View| rows(&drawn(view, false, 80, 9)).join("\n");
    let first = seen(&mut view);
    assert!(first.contains("keys: Up Down for more") && first.contains(KEYS[0].1) && !first.contains(KEYS[13].1));
    press(&mut view, KeyCode::Down);
    assert!(!seen(&mut view).contains(KEYS[0].1) && seen(&mut view).contains(KEYS[7].1));
    press(&mut view, KeyCode::End);
    let last = seen(&mut view);
    assert!(last.contains(KEYS[13].1) && last.contains(KEYS[7].1) && !last.contains(KEYS[6].1), "{last}");
    press(&mut view, KeyCode::Up);
    assert!(seen(&mut view).contains(KEYS[6].1), "up from the end goes up at once");
    press(&mut view, KeyCode::Char('q'));
    assert!(!seen(&mut view).contains("keys: Up"));
}

#[test]
fn any_size_will_do() {
    for width in [1, 2, 5, 20, 79, 300] {
        for height in 1..30 {
            let mut view = view(jobs());
            drawn(&mut view, true, width, height);
            press(&mut view, KeyCode::Char('/'));
            drawn(&mut view, true, width, height);
            press(&mut view, KeyCode::Esc);
            press(&mut view, KeyCode::Enter);
            view.fill(&Filling { text: "日本語\nx".repeat(9), note: String::new() });
            drawn(&mut view, true, width, height);
            press(&mut view, KeyCode::Char('?'));
            drawn(&mut view, true, width, height);
        }
    }
    let mut none = view(Vec::new());
    none.show(Vec::new(), 3, now());
    assert_eq!(rows(&drawn(&mut none, false, 40, 5))[..2], ["jobs in /state: 0 active, 0 ended (3 mo…", "no jobs"]);
}
