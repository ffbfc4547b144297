//! The rules of the house that no compiler knows: who may use whom, what has one owner, how large a file may be.
//!
//! The sources are read as text, without their comments and their `#[cfg(test)]` modules. A violation is told with
//! file, line and a sentence. The table below is the normative one; `ARCHITECTURE.md` shows it to people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Each top-level part of `src/` and the parts that it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("platform", &["domain"]),
    ("store", &["domain", "platform"]),
    // `present`: the record of an ended job holds the form in which lists print it, and the exit hook is given the job.
    ("supervise", &["domain", "platform", "present", "store"]),
    ("client", &["domain", "platform", "store"]),
    ("present", &["domain"]),
    ("settings", &["domain", "platform"]),
    // `platform`: the one place that writes to a terminal, and to be woken when a key comes.
    ("view", &["domain", "platform", "present"]),
    ("context", &["domain", "platform", "present", "settings", "store"]),
    ("exit_code", &["client", "domain"]),
    ("error", &["client", "context", "domain", "exit_code", "present", "settings", "store"]),
    (
        "commands",
        &["client", "context", "domain", "error", "exit_code", "platform", "present", "settings", "store", "view"],
    ),
    ("cli", &["commands", "context", "error", "exit_code", "present"]),
    ("lib", &["cli", "supervise"]),
    ("main", &[]),
];

/// Single files that may use more, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    // It tells what the supervisor of this version can do.
    ("commands/capabilities.rs", "supervise"),
];

/// Files of `commands/` that are no commands but help them.
const HELPERS: &[&str] = &[
    "acting",
    "coordination",
    "defaults",
    "filters",
    "observing",
    "options",
    "shared",
    "staying",
    "streams",
    "terminal",
    "waiting",
];

/// What commands may not take from `platform`: values and questions are fine, acting on processes is not.
const NOT_FOR_COMMANDS: &[&str] = &[
    "become_subreaper",
    "connection_pair",
    "execute",
    "open_lock_file",
    "reap",
    "signal_group",
    "signal_identity",
    "spawn_supervisor",
];

/// Each dependency with a single owner, and where it lives.
const OWNERS: &[(&str, &[&str])] = &[
    ("anstream", &["client/grep.rs"]),
    ("clap", &["cli.rs", "commands/"]),
    // As a part of `ratatui`, which chooses its version.
    ("crossterm", &["view/"]),
    ("comfy_table", &["present/table.rs"]),
    ("crc32fast", &["store/public.rs"]),
    ("directories", &["context.rs"]),
    ("dlmalloc", &["platform/"]),
    ("fs2", &["store/lock.rs"]),
    ("getrandom", &["platform/"]),
    ("globset", &["client/filter.rs"]),
    ("nix", &["platform/"]),
    ("notify", &["store/watch.rs"]),
    ("ratatui", &["view/"]),
    ("rustix", &["platform/"]),
    ("schemars", &["domain/", "present/json", "present/output.rs"]),
    ("strsim", &["domain/likeness.rs"]),
    ("sysinfo", &["platform/"]),
    ("toml", &["settings.rs"]),
    ("windows_sys", &["platform/"]),
];

/// The most lines of a file, tests aside.
const MAX_LINES: usize = 450;

/// One line of source, without comments.
struct Line {
    number: usize,
    code: String,
}

/// One source file.
struct Source {
    /// Relative to `src/`, with `/`.
    path: String,
    lines: Vec<Line>,
    /// How many lines it has up to its tests, comments included.
    length: usize,
}

impl Source {
    /// The top-level part that the file belongs to.
    fn part(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a source file is UTF-8");
        let relative = path.strip_prefix(root).expect("it lies below src").to_string_lossy().replace('\\', "/");
        let mut lines = Vec::new();
        let mut length = 0;
        for (index, line) in text.lines().enumerate() {
            if line == "#[cfg(test)]" {
                // Tests are the last item of a file; `#[path]` points to a file that is tests alone.
                break;
            }
            length += 1;
            lines.push(Line { number: index + 1, code: without_comment(line).to_owned() });
        }
        Self { path: relative, lines, length }
    }
}

/// Cuts a line where a comment begins. A `//` inside a string is cut too, which hides nothing that is looked for here.
fn without_comment(line: &str) -> &str {
    line.find("//").map_or(line, |at| &line[..at])
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(files.len() > 40, "the sources were not found in '{}'", root.display());
    files
        .iter()
        .filter(|path| !path.to_string_lossy().ends_with("_tests.rs"))
        .map(|path| Source::read(&root, path))
        .collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Finds every `crate::x` of a file, also in the braces of `use crate::{…}`, and `super::super::…` where that leaves a
/// folder. Returns line numbers and what follows `crate::`.
fn uses(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut text = String::new();
    let mut starts = Vec::new();
    for line in &source.lines {
        starts.push((text.len(), line.number));
        text.push_str(&line.code);
        text.push('\n');
    }
    let line_at = |at: usize| starts.iter().rev().find(|(start, _)| *start <= at).map_or(0, |(_, number)| *number);
    for (at, _) in text.match_indices("crate::") {
        // `$crate::` and `some_crate::` are something else.
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut begin = 0;
            for (index, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push((line_at(at), list[begin..index].trim().to_owned()));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push((line_at(at), list[begin..index].trim().to_owned()));
                        begin = index + 1;
                    }
                    _ => {}
                }
            }
        } else {
            // As far as the path goes; a brace list is kept for those who look at what is taken.
            let end = rest.find([';', '(', ')', ' ', '<', '>', '?', ',']).unwrap_or(rest.len());
            let end = if rest[..end].contains('{') { rest.find('}').map_or(end, |brace| brace + 1) } else { end };
            found.push((line_at(at), rest[..end].to_owned()));
        }
    }
    found.retain(|(_, path)| !path.is_empty());
    found
}

fn first_word(path: &str) -> &str {
    path.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

fn fail_if_any(violations: &[String], what: &str) {
    let mut text = String::new();
    for violation in violations {
        writeln!(text, "{violation}").expect("writing to a String cannot fail");
    }
    assert!(violations.is_empty(), "{what}:\n\n{text}");
}

#[test]
fn parts_use_only_what_is_below_them() {
    let parts: BTreeSet<&str> = MAY_USE.iter().map(|(part, _)| *part).collect();
    let mut violations = Vec::new();
    for source in sources() {
        let part = source.part();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else {
            violations
                .push(format!("src/{}:1: the part '{part}' is not in the table; decide what it may use", source.path));
            continue;
        };
        for (line, path) in uses(&source) {
            let used = first_word(&path);
            let excepted = EXCEPTIONS.contains(&(source.path.as_str(), used));
            if used != part && parts.contains(used) && !allowed.contains(&used) && !excepted {
                violations.push(format!(
                    "src/{}:{line}: '{part}' must not use '{used}'; it may use {}",
                    source.path,
                    if allowed.is_empty() { "nothing else of the crate".to_owned() } else { allowed.join(", ") },
                ));
            }
        }
    }
    fail_if_any(&violations, "who may use whom is written down in ARCHITECTURE.md, and these do not keep to it");
}

#[test]
fn commands_take_only_values_from_the_platform() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.part() == "commands") {
        for line in &source.lines {
            let words = line.code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            for word in words.filter(|word| NOT_FOR_COMMANDS.contains(word)) {
                violations.push(format!(
                    "src/{}:{}: '{word}' acts on processes; commands ask 'client' for that",
                    source.path, line.number
                ));
            }
        }
    }
    fail_if_any(&violations, "commands parse and print; what they do is done in 'client' and 'store'");
}

#[test]
fn command_files_do_not_use_each_other() {
    let mut violations = Vec::new();
    let sources = sources();
    let commands: Vec<&Source> =
        sources.iter().filter(|s| s.part() == "commands" && s.path != "commands/mod.rs").collect();
    // A command is a file, or a folder when it is large.
    let names: Vec<&str> =
        commands.iter().map(|s| s.path.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs")).collect();
    for (source, own) in commands.iter().zip(&names) {
        for line in &source.lines {
            for prefix in ["super::", "crate::commands::"] {
                for (at, _) in line.code.match_indices(prefix) {
                    let used = first_word(&line.code[at + prefix.len()..]);
                    if !HELPERS.contains(&used) && used != *own && names.contains(&used) {
                        violations.push(format!(
                            "src/{}:{}: it uses the command '{used}'; move what both need to 'commands/shared.rs', \
                             'client' or 'present'",
                            source.path, line.number
                        ));
                    }
                }
            }
        }
    }
    fail_if_any(&violations, "each command is a file of its own, and can be read without the others");
}

#[test]
fn the_operating_system_is_behind_the_platform() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.part() != "platform") {
        for line in &source.lines {
            let code = line.code.trim();
            let words: Vec<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            if words.contains(&"unsafe") {
                violations.push(format!("src/{}:{}: 'unsafe' belongs into 'platform'", source.path, line.number));
            }
            let is_condition = code.contains("cfg(") || code.contains("cfg!(") || code.contains("cfg_attr(");
            if is_condition && !code.contains("cfg(test)") && !code.contains("cfg_attr(test,") {
                violations.push(format!(
                    "src/{}:{}: what differs between systems belongs into 'platform', behind one name for all",
                    source.path, line.number
                ));
            }
        }
    }
    fail_if_any(&violations, "only 'platform' knows which system this is");
}

#[test]
fn each_dependency_has_one_owner() {
    let mut violations = Vec::new();
    for source in sources() {
        for line in &source.lines {
            for (dependency, owners) in OWNERS {
                let used = line
                    .code
                    .match_indices(&format!("{dependency}::"))
                    .any(|(at, _)| !line.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
                let owned = owners.iter().any(|owner| source.path.starts_with(owner));
                if used && !owned {
                    violations.push(format!(
                        "src/{}:{}: '{dependency}' is used only in {}, where its quirks are known",
                        source.path,
                        line.number,
                        owners.join(" and ")
                    ));
                }
            }
        }
    }
    fail_if_any(&violations, "replacing a dependency shall be a change in one place");
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let violations: Vec<String> = sources()
        .iter()
        .filter(|source| source.length > MAX_LINES)
        .map(|source| {
            format!(
                "src/{}:{}: {} lines without tests; find the seam and split it",
                source.path, MAX_LINES, source.length
            )
        })
        .collect();
    fail_if_any(&violations, &format!("a file has at most {MAX_LINES} lines, tests aside"));
}

#[test]
fn the_scanner_sees_what_it_must() {
    let source = |text: &str| Source {
        path: "domain/x.rs".into(),
        lines: text
            .lines()
            .enumerate()
            .map(|(index, line)| Line { number: index + 1, code: without_comment(line).to_owned() })
            .collect(),
        length: 0,
    };
    let found =
        uses(&source("use crate::{\n    store::{Claim, Store},\n    domain::x,\n};\nlet a = crate::platform::now();"));
    let found: Vec<(usize, &str)> = found.iter().map(|(line, path)| (*line, first_word(path))).collect();
    assert_eq!(found, [(1, "store"), (1, "domain"), (5, "platform")]);
    assert!(uses(&source("// crate::store::x\nlet s = other_crate::store::y;")).is_empty());
}

#[test]
fn the_page_of_promises_names_tests_that_are_there() {
    let page = include_str!("../../docs/reliability.md");
    let promises = page.lines().filter(|line| line.ends_with(".rs` |") || line.ends_with("/` |"));
    let mut named = BTreeSet::new();
    for line in promises {
        let cell = line.trim_end_matches(" |").rsplit(" | ").next().expect("a cell");
        named.extend(cell.split('`').skip(1).step_by(2));
    }
    assert!(named.len() > 10, "{named:?}");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let missing: Vec<_> = named.iter().filter(|name| !tests.join(name).exists()).collect();
    assert!(missing.is_empty(), "there are no {missing:?}");
    for name in
        ["crash/", "who_dies.rs", "storm.rs", "foreign.rs", "storage.rs", "damage.rs", "limits.rs", "hostile.rs"]
    {
        assert!(named.contains(name), "'{name}' tests no promise");
    }
}
