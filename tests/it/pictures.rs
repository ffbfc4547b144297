//! The pictures of the README, made of what jobdir really draws on a terminal. `UPDATE_GENERATED=1 cargo test --test it
//! pictures` (or `just generate`) makes them anew.
//!
//! Times and pids differ whenever they are made. So what is compared is the shape: the words of each line that are no
//! numbers.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::support::terminal::Terminal;
use crate::support::{TestEnv, eventually};

/// The width and height of a cell, in the picture's units.
const CELL: (usize, usize) = (8, 17);

/// Stands behind everything that a program has drawn.
const END: &str = "-- the end --";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures").join(format!("{name}.svg"))
}

/// Sets a scene: one job of each kind that is worth showing.
fn scene(env: &TestEnv) {
    let shell = |options: &[&str], script: &str| {
        env.jobdir(&[&["run", "-d"], options, &["--", "sh", "-c", script]].concat()).assert_code(0);
    };
    shell(&["--name", "build"], "echo 'make: all is built'");
    shell(&["--name", "web", "-l", "team=infra"], "echo listening on port 8080; exec sleep 600");
    shell(&["--name", "train"], "echo '42/100 epoch 42' > \"$JOBDIR_PROGRESS\"; exec sleep 600");
    shell(&["--name", "deploy", "--mutex", "production"], "exec sleep 600");
    env.jobdir(&["run", "-d", "--name", "rollback", "--mutex", "production", "--", "sleep", "5"]).assert_code(0);
    shell(&["--name", "test"], "echo '3 tests failed' >&2; exit 1");
    env.jobdir(&["pause", "web"]).assert_code(0);
    env.jobdir(&["wait", "build", "test"]).assert_code(1);
    eventually("progress", || (!env.status("3")["progress"]["fraction"].is_null()).then_some(()));
}

/// Draws the rows of a screen that have something on them.
fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let contents = screen.contents();
    let used = contents.split(END).next().unwrap_or_default().trim_end().lines().count().max(1);
    let (width, height) = (usize::from(columns.get()) * CELL.0 + 20, used * CELL.1 + 20);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"13\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#16181d\"/>\n"
    );
    for row in 0..rows.get().min(u16::try_from(used).expect("few rows")) {
        let mut column = 0;
        while column < columns.get() {
            let look = |column| {
                let cell = screen.cell(row, column).expect("a cell");
                (color(cell.fgcolor()), cell.bold(), cell.inverse())
            };
            let of = look(column);
            let begin = column;
            let mut text = String::new();
            while column < columns.get() && look(column) == of {
                let cell = screen.cell(row, column).expect("a cell");
                if !cell.is_wide_continuation() {
                    text.push_str(if cell.has_contents() { cell.contents() } else { " " });
                }
                column += 1;
            }
            let (fill, bold, inverse) = of;
            let (x, y) = (usize::from(begin) * CELL.0 + 10, usize::from(row) * CELL.1 + 10);
            let length = usize::from(column - begin) * CELL.0;
            if inverse {
                writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{length}\" height=\"{}\" fill=\"{fill}\"/>", CELL.1)
                    .expect("writes");
            }
            if !text.trim().is_empty() {
                let fill = if inverse { "#16181d" } else { fill };
                let weight = if bold { " font-weight=\"bold\"" } else { "" };
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                writeln!(
                    svg,
                    "<text x=\"{x}\" y=\"{}\" textLength=\"{length}\" fill=\"{fill}\"{weight}>{text}</text>",
                    y + 13
                )
                .expect("writes");
            }
        }
    }
    svg + "</svg>\n"
}

fn color(color: vt100::Color) -> &'static str {
    match color {
        vt100::Color::Idx(1 | 9) => "#f07178",
        vt100::Color::Idx(2 | 10) => "#a5d66f",
        vt100::Color::Idx(3 | 11) => "#ffcb6b",
        vt100::Color::Idx(5 | 13) => "#c792ea",
        vt100::Color::Idx(6 | 14) => "#75cfe0",
        _ => "#d8dee9",
    }
}

/// Returns the words of each line of a picture, without those that differ whenever it is made. A line that is cut to the
/// width ends before the word that is cut.
fn shape(svg: &str) -> Vec<Vec<String>> {
    let texts = svg.lines().filter_map(|line| line.strip_prefix("<text")?.split_once('>')?.1.strip_suffix("</text>"));
    let is_lasting = |word: &&str| !word.contains(|c: char| c.is_ascii_digit() || c == '/');
    texts
        .map(|text| {
            let cut = text.find('…').map_or(text, |at| text[..at].rsplit_once(' ').map_or("", |(before, _)| before));
            cut.split_whitespace().filter(is_lasting).map(str::to_owned).collect()
        })
        .collect()
}

/// Says whether two pictures tell the same. Where a line is cut depends on how wide the numbers before it are.
fn are_alike(kept: &[Vec<String>], now: &[Vec<String>]) -> bool {
    let is_alike = |(a, b): (&Vec<String>, &Vec<String>)| {
        let common = a.len().min(b.len());
        a[..common] == b[..common] && a.len().abs_diff(b.len()) <= 2
    };
    kept.len() == now.len() && kept.iter().zip(now).all(is_alike)
}

#[test]
fn the_pictures_are_true() {
    let env = TestEnv::new();
    scene(&env);
    let mut stale = Vec::new();
    let mut keep = |name: &str, screen: &Terminal| {
        let svg = screen.look(svg);
        if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
            std::fs::create_dir_all(path(name).parent().expect("a directory")).expect("makes it");
            std::fs::write(path(name), svg).expect("writes");
        } else {
            let kept = std::fs::read_to_string(path(name)).unwrap_or_default();
            if !are_alike(&shape(&kept), &shape(&svg)) {
                stale.push(format!(
                    "docs/pictures/{name}.svg:\n  it has   {:?}\n  and now: {:?}",
                    shape(&kept),
                    shape(&svg)
                ));
            }
        }
    };
    for (name, words) in [("jobs", &["jobs"][..]), ("status", &["status", "web"])] {
        let screen = Terminal::new(40, 100);
        screen.jobdir(&env, words).wait().assert_code(0);
        // What was drawn before is there when this is.
        std::fs::File::from(screen.end()).write_all(END.as_bytes()).expect("writes");
        screen.shows(END);
        keep(name, &screen);
    }
    let screen = Terminal::new(16, 100);
    let view = screen.jobdir(&env, &["jobs", "--watch"]);
    screen.shows("q leave");
    screen.press("kkkk");
    screen.until("the selected job", |text| text.lines().any(|line| line.starts_with(">  2   web")));
    keep("watch", &screen);
    screen.press("q");
    view.wait().assert_code(0);
    env.stop_all();
    assert!(
        stale.is_empty(),
        "{}\n\nTo make them anew: UPDATE_GENERATED=1 cargo test --test it pictures",
        stale.join("\n")
    );
}
