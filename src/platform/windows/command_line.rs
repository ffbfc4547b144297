//! What CreateProcessW wants as text: one command line, one environment block, one program. All of it decided from
//! values, but for looking whether a file is there.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::files::{os_string, path_of};
use crate::domain::os_text::OsText;
use crate::domain::state::Reason;
use crate::platform::ExecFailure;

/// What is tried after a name that has no such ending, in this order.
const ENDINGS: [&str; 4] = ["com", "exe", "bat", "cmd"];

/// Returns text for the system, which ends at the first NUL; so there must be none in it.
pub(super) fn wide(text: &OsStr) -> io::Result<Vec<u16>> {
    let mut units: Vec<u16> = text.encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a text contains a NUL character"));
    }
    units.push(0);
    Ok(units)
}

/// Returns the command line that CommandLineToArgvW, and the C library of every usual program, takes apart into exactly
/// these words.
pub(super) fn command_line(words: &[OsText]) -> io::Result<Vec<u16>> {
    let mut line = Vec::new();
    for word in words {
        let units = wide(&os_string(word))?;
        append(&mut line, &units[..units.len() - 1]);
        line.push(u16::from(b' '));
    }
    line.pop();
    line.push(0);
    Ok(line)
}

/// A backslash stands for itself unless a quote follows: before one, written or closing, every backslash is doubled.
fn append(line: &mut Vec<u16>, word: &[u16]) {
    const QUOTE: u16 = b'"' as u16;
    const BACKSLASH: u16 = b'\\' as u16;
    let is_plain = |unit: &u16| ![b' ', b'\t', b'\n', 0x0b, b'"'].map(u16::from).contains(unit);
    if !word.is_empty() && word.iter().all(is_plain) {
        line.extend_from_slice(word);
        return;
    }
    line.push(QUOTE);
    let mut backslashes = 0;
    for unit in word {
        if *unit == QUOTE {
            line.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
        }
        backslashes = if *unit == BACKSLASH { backslashes + 1 } else { 0 };
        line.push(*unit);
    }
    line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
    line.push(QUOTE);
}

/// Returns the environment as the system wants it: sorted by name in upper case, a NUL after each entry and one more.
pub(super) fn environment_block(variables: &[(OsText, OsText)]) -> io::Result<Vec<u16>> {
    let mut entries = Vec::new();
    for (name, value) in variables {
        let mut entry = os_string(name);
        entry.push("=");
        entry.push(os_string(value));
        entries.push((name.lossy().to_uppercase(), wide(&entry)?));
    }
    // Names are one whatever their case; the last one given counts.
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    entries.reverse();
    entries.dedup_by(|one, other| one.0 == other.0);
    entries.reverse();
    let mut block: Vec<u16> = entries.into_iter().flat_map(|(_, entry)| entry).collect();
    block.push(0);
    if block.len() == 1 {
        block.push(0);
    }
    Ok(block)
}

/// Returns the value of a variable, whose name is one whatever its case.
pub(super) fn variable<'a>(variables: &'a [(OsText, OsText)], wanted: &str) -> Option<&'a OsText> {
    variables.iter().rev().find(|(name, _)| name.lossy().eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// Returns the file that a command means: itself when it is a path, else the first one in the `PATH` of its own
/// environment, then in the system's directory. Never one in the current directory.
pub(super) fn program(command: &OsText, cwd: &Path, variables: &[(OsText, OsText)]) -> Result<PathBuf, ExecFailure> {
    let name = path_of(command);
    let is_path = command.0.iter().any(|byte| matches!(byte, b'/' | b'\\' | b':'));
    let directories: Vec<PathBuf> = if is_path {
        vec![cwd.to_owned()]
    } else {
        let path = variable(variables, "PATH").map(os_string).unwrap_or_default();
        let system = variable(variables, "SystemRoot").map(|root| path_of(root).join("System32"));
        std::env::split_paths(&path).filter(|dir| !dir.as_os_str().is_empty()).chain(system).collect()
    };
    let found = directories.iter().flat_map(|dir| candidates(&dir.join(&name))).find(|path| path.is_file());
    let refuse = |reason, kind, why: &str| Err(ExecFailure { reason, error: io::Error::new(kind, why) });
    match found {
        Some(path) if has_ending(&path, &ENDINGS[2..]) => refuse(
            Reason::NotExecutable,
            io::ErrorKind::Unsupported,
            "it is a batch file, whose arguments cannot be quoted safely; start it with 'cmd /d /c'",
        ),
        Some(path) => Ok(path),
        None if is_path && cwd.join(&name).is_dir() => {
            refuse(Reason::NotExecutable, io::ErrorKind::IsADirectory, "it is a directory")
        }
        None => refuse(Reason::NotFound, io::ErrorKind::NotFound, "there is no such program"),
    }
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|own| endings.iter().any(|ending| own.eq_ignore_ascii_case(ending)))
}

fn candidates(path: &Path) -> Vec<PathBuf> {
    let longer = |ending: &&str| {
        let mut path = path.as_os_str().to_owned();
        path.push(".");
        path.push(ending);
        PathBuf::from(path)
    };
    let mut all: Vec<PathBuf> = ENDINGS.iter().map(longer).collect();
    // What is spelled out comes first; a file without an ending only when nothing else is meant.
    all.insert(if path.extension().is_some() { 0 } else { all.len() }, path.to_owned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &[&str]) -> String {
        let words: Vec<OsText> = words.iter().map(|word| OsText::from(*word)).collect();
        let line = command_line(&words).expect("no NUL");
        String::from_utf16(&line[..line.len() - 1]).expect("is text")
    }

    #[test]
    fn words_are_quoted_as_they_are_taken_apart() {
        assert_eq!(line(&["a", "b"]), "a b");
        assert_eq!(line(&["a b", ""]), r#""a b" """#);
        assert_eq!(line(&["a", r#"say "hi""#]), r#"a "say \"hi\"""#);
        assert_eq!(line(&["a", r"C:\dir\"]), r"a C:\dir\");
        assert_eq!(line(&["a", r"C:\my dir\"]), r#"a "C:\my dir\\""#);
        assert_eq!(line(&["a", r#"\\"\"#]), r#"a "\\\\\"\\""#);
        assert!(command_line(&["a\0b".into()]).is_err());
    }

    #[test]
    fn an_environment_is_sorted_and_ends_twice() {
        let block = |variables: &[(&str, &str)]| {
            let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            String::from_utf16(&environment_block(&variables).expect("no NUL")).expect("is text")
        };
        assert_eq!(block(&[]), "\0\0");
        assert_eq!(block(&[("b", "2"), ("A", "1"), ("PATH", "x"), ("Path", "y")]), "A=1\0b=2\0Path=y\0\0");
    }
}
