//! Completions and man pages are rendered from the one definition of the command line and compared with what is checked
//! in, so neither can lag behind. `UPDATE_GENERATED=1 cargo test --test it generated` (or `just generate`) writes them.
//!
//! A man page is what `clap_mangen` makes of a command, then the sections of `docs/man/` that [`sections`] names, then the
//! examples of its help.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap_complete::Shell;
use jobdir::exit_code;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn completions() -> BTreeMap<String, String> {
    [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish]
        .into_iter()
        .map(|shell| {
            let name = clap_complete::Generator::file_name(&shell, "jobdir");
            (name, crate::completion::render(shell))
        })
        .collect()
}

fn man_pages() -> BTreeMap<String, String> {
    let mut command = jobdir::cli::command();
    command.build();
    let mut pages = BTreeMap::from([man_page(command.clone(), "jobdir")]);
    for verb in command.get_subcommands() {
        // Built as part of the whole, so that it knows the global options.
        let name = format!("jobdir-{}", verb.get_name());
        let verb = verb.clone().display_name(&name);
        pages.extend([man_page(verb, &name)]);
    }
    pages
}

fn man_page(command: clap::Command, name: &str) -> (String, String) {
    let title = name.to_ascii_uppercase();
    let examples = examples(&command);
    let source = format!("jobdir {}", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command).title(title).section("1").source(source).manual("jobdir manual");
    let mut content = Vec::new();
    man.render_title(&mut content)
        .and_then(|()| man.render_name_section(&mut content))
        .and_then(|()| man.render_synopsis_section(&mut content))
        .and_then(|()| man.render_description_section(&mut content))
        .and_then(|()| man.render_options_section(&mut content))
        .and_then(|()| if name == "jobdir" { man.render_subcommands_section(&mut content) } else { Ok(()) })
        .expect("writing to a Vec cannot fail");
    let mut page = String::from_utf8(content).expect("man pages are UTF-8");
    for section in sections(name) {
        let path = project("docs/man").join(format!("{section}.roff"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("'{}': {error}", path.display()));
        page.push_str(&text);
    }
    page.push_str(&examples);
    page.push_str(&see_also(name));
    // No line of ours ends in white space, whoever rendered it.
    let lines: Vec<&str> = page.lines().map(str::trim_end).collect();
    (format!("{name}.1"), lines.join("\n") + "\n")
}

/// Returns the fragments of a page, in order.
fn sections(name: &str) -> &'static [&'static str] {
    match name {
        "jobdir" => &["exit-status-jobdir", "environment", "environment-job", "files"],
        "jobdir-run" | "jobdir-resume" => {
            &["exit-status-run", "terminal", "signals-run", "environment", "environment-job", "files"]
        }
        "jobdir-attach" => &["exit-status-run", "terminal", "signals-look", "environment", "files"],
        "jobdir-wait" => &["exit-status-run", "exit-status-wait", "signals-look", "environment", "files"],
        "jobdir-kill" => &["exit-status", "exit-status-kill", "signals-kill", "environment", "files"],
        "jobdir-logs" => &["order-logs", "exit-status", "signals-look", "environment", "files"],
        "jobdir-events" => &["exit-status", "signals-look", "environment", "files"],
        _ => &["exit-status", "environment", "files"],
    }
}

/// Turns the examples of a command's help into a section, word for word.
fn examples(command: &clap::Command) -> String {
    let text = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let (examples, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    // The exit codes, say, have a section of their own.
    let rest = if matches!(command.get_name(), "run" | "resume") { "" } else { rest };
    let lines: String = examples.lines().skip(1).map(|line| format!("{}\n", escape(line))).collect();
    let rest = if rest.is_empty() { String::new() } else { format!(".PP\n{}\n", escape(&rest.replace('\n', " "))) };
    format!(".SH EXAMPLES\n.nf\n{lines}.fi\n{rest}")
}

/// Points to every other page.
fn see_also(name: &str) -> String {
    let command = jobdir::cli::command();
    let verbs = command.get_subcommands().map(|verb| format!("jobdir-{}", verb.get_name()));
    let pages: Vec<String> = std::iter::once("jobdir".to_owned())
        .chain(verbs)
        .filter(|page| page != name)
        .map(|page| format!(".BR {} (1)", escape(&page)))
        .collect();
    format!(".SH \"SEE ALSO\"\n{}\n", pages.join(",\n"))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

/// Compares a directory with what should be in it, or writes it.
fn check(directory: &str, expected: &BTreeMap<String, String>) {
    let root = project(directory);
    let update = std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1");
    let present: BTreeSet<String> = std::fs::read_dir(&root)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    if update {
        std::fs::create_dir_all(&root).expect("makes the directory");
        for leftover in present.iter().filter(|name| !expected.contains_key(*name)) {
            std::fs::remove_file(root.join(leftover)).expect("removes a leftover");
        }
        for (name, content) in expected {
            std::fs::write(root.join(name), content).expect("writes");
        }
        return;
    }
    let stale: Vec<String> = expected
        .iter()
        .filter(|(name, content)| std::fs::read_to_string(root.join(name)).ok().as_ref() != Some(*content))
        .map(|(name, _)| format!("'{directory}/{name}' is not what the command line says"))
        .chain(
            present
                .iter()
                .filter(|name| !expected.contains_key(*name))
                .map(|name| format!("'{directory}/{name}' belongs to nothing any more")),
        )
        .collect();
    assert!(
        stale.is_empty(),
        "{}\n\nTo write them anew: UPDATE_GENERATED=1 cargo test --test it generated",
        stale.join("\n")
    );
}

#[test]
fn completions_are_current() {
    check("completions", &completions());
}

#[test]
fn man_pages_are_current() {
    check("man", &man_pages());
}

#[test]
fn the_man_page_tells_every_exit_code() {
    let page = man_pages().remove("jobdir-run.1").expect("the page of run");
    let section = page.split("\n.SH \"EXIT STATUS\"\n").nth(1).expect("an EXIT STATUS section");
    let section = section.split("\n.SH ").next().unwrap_or_default();
    // A row of the table: `.TP`, then `.B CODE`.
    let told: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix(".B ")).collect();
    let codes = [
        exit_code::ABANDONED,
        exit_code::LOST,
        exit_code::STILL_RUNNING,
        exit_code::NEVER_STARTED,
        exit_code::TIMED_OUT,
        exit_code::JOBDIR_FAILED,
        exit_code::NOT_EXECUTABLE,
        exit_code::NOT_FOUND,
        exit_code::INTERRUPTED,
        exit_code::READER_GONE,
    ];
    let expected: Vec<String> = codes.iter().map(u8::to_string).collect();
    let told_numbers: Vec<&str> = told.iter().copied().filter(|code| code.parse::<u8>().is_ok()).collect();
    assert_eq!(
        told_numbers, expected,
        "docs/man/exit-status-run.roff and src/exit_code.rs tell the same codes in the same order"
    );

    let page = man_pages().remove("jobdir-kill.1").expect("the page of kill");
    let section = page.split("\n.SH \"EXIT STATUS\"\n").nth(1).expect("an EXIT STATUS section");
    let told: Vec<&str> = section
        .split("\n.SH ")
        .next()
        .unwrap_or_default()
        .lines()
        .filter_map(|l| l.strip_prefix(".B "))
        .filter(|code| code.parse::<u8>().is_ok())
        .collect();
    let expected =
        [exit_code::DONE, exit_code::FAILED, exit_code::USAGE, exit_code::NO_SUCH_JOB].map(|c| c.to_string());
    assert_eq!(told, expected, "docs/man/exit-status.roff and src/exit_code.rs tell the same codes in the same order");
}

/// The conventions for help: every option says something, its first line fits beside the option, and is no sentence.
#[test]
fn help_keeps_to_the_conventions() {
    let mut command = jobdir::cli::command();
    command.build();
    let mut complaints = Vec::new();
    for verb in std::iter::once(&command).chain(command.get_subcommands()) {
        let name = verb.get_name();
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let mut judge = |what: String, text: String| {
            if text.is_empty() {
                complaints.push(format!("{what} says nothing"));
            } else if text.contains('\n') || text.chars().count() > 60 {
                complaints.push(format!("{what}: the first line has more than 60 columns: '{text}'"));
            } else if text.ends_with('.') {
                complaints.push(format!("{what}: the first line is no sentence and has no full stop: '{text}'"));
            } else if text.chars().next().is_some_and(char::is_lowercase) {
                complaints.push(format!("{what}: the first line begins with a capital: '{text}'"));
            }
        };
        judge(name.to_owned(), about);
        for argument in verb.get_arguments() {
            let text = argument.get_help().map(ToString::to_string).unwrap_or_default();
            judge(format!("{name} {}", argument.get_id()), text);
        }
        let examples = verb.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        if !examples.contains("Examples:") {
            complaints.push(format!("{name} has no examples"));
        }
        for line in examples.lines().filter(|line| line.chars().count() > 79) {
            complaints.push(format!("{name}: a line of its examples is wider than a terminal: '{line}'"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn short_help_fits_a_screen() {
    let mut command = jobdir::cli::command().term_width(80);
    command.build();
    let mut complaints = Vec::new();
    let mut judge = |name: &str, text: String, most: usize| {
        if text.lines().count() > most {
            complaints.push(format!("{name} -h has {} lines", text.lines().count()));
        }
        for line in text.lines().filter(|line| line.chars().count() > 80) {
            complaints.push(format!("{name} -h: a line is wider than 80 columns: '{line}'"));
        }
    };
    let env = crate::support::TestEnv::new();
    judge("jobdir", env.jobdir(&["-h"]).text(), 24);
    for verb in command.get_subcommands() {
        judge(verb.get_name(), verb.clone().term_width(80).render_help().to_string(), 24);
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
