//! Small texts for people: escaped commands, ages, sizes.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use unicode_width::UnicodeWidthChar;

use crate::domain::job_id::JobId;
use crate::domain::os_text::OsText;
use crate::domain::record::Waiting;

/// Escapes control characters and other invisible ones that could disturb a terminal.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            c if c.is_control() || is_format_control(c) => {
                write!(escaped, "\\u{{{:x}}}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Characters that reorder or hide text, see Unicode Standard Annex 9.
fn is_format_control(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Renders a command as a shell would read it back, on one line.
pub fn command(words: &[OsText]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.lossy().into_owned()).collect();
    escape(&shell_words::join(&words))
}

/// Cuts a text to this many terminal columns, marking the cut.
pub fn fit(text: &str, columns: usize) -> String {
    let width = |c: char| c.width().unwrap_or(0);
    if text.chars().map(width).sum::<usize>() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            let fits = width(*c) <= left;
            left = left.saturating_sub(width(*c));
            fits
        })
        .collect();
    cut.push('…');
    cut
}

/// Finds the byte at which a terminal's column begins, or the end of the text.
pub(super) fn byte_at_column(text: &str, column: usize) -> usize {
    let mut reached = 0;
    for (at, c) in text.char_indices() {
        if reached >= column {
            return at;
        }
        reached += c.width().unwrap_or(0);
    }
    text.len()
}

/// Renders a time span for people: `3s`, `2m 5s`, `4h 2m`, `6d 1h`. Never negative.
pub fn span(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// Renders milliseconds for people.
pub fn milliseconds(ms: u64) -> String {
    if ms < 10_000 {
        return format!("{}.{:01}s", ms / 1000, ms % 1000 / 100);
    }
    span(TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX)))
}

/// Renders how long ago something was.
pub fn ago(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    span(now - then)
}

/// Renders a number of bytes for people.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// Says what a queued job waits for, and who holds it or comes first.
pub fn waiting(waiting: &Waiting) -> String {
    let ids = |ids: &[JobId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let name = waiting.name.as_deref().map(|name| format!(" {}", escape(name))).unwrap_or_default();
    let by = match (&waiting.message, waiting.holders.as_slice(), waiting.before.first()) {
        (Some(message), ..) => format!(", {message}"),
        (None, [], Some(first)) => format!(", for which job {first} waits first"),
        (None, [], None) => String::new(),
        (None, [one], _) => format!(", held by job {one}"),
        (None, several, _) => format!(", held by jobs {}", ids(several)),
    };
    let place = waiting.position.map(|position| format!(" (place {position})")).unwrap_or_default();
    match waiting.kind.as_str() {
        "after" => format!("for the end of job{name}"),
        "retry" => "to be retried".to_owned(),
        kind => format!("for {kind}{name}{by}{place}"),
    }
}

/// Returns `singular` or its plural in s, with the number.
pub fn count(number: usize, singular: &str) -> String {
    plural(number, singular, &format!("{singular}s"))
}

/// Returns `singular` or `plural`, with the number.
pub fn plural(number: usize, singular: &str, plural: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_reaches_a_terminal_raw() {
        assert_eq!(escape("a\x1b[31mb\n\u{202e}c"), "a\\u{1b}[31mb\\n\\u{202e}c");
        assert_eq!(command(&["sh".into(), "-c".into(), "echo 'hi'\n".into()]), r"sh -c 'echo '\''hi'\''\n'");
    }

    #[test]
    fn cutting_knows_wide_characters() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abcde…");
        assert_eq!(fit("日本語日本語", 6), "日本…");
    }

    #[test]
    fn spans() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (125, "2m 5s"), (14_520, "4h 2m"), (522_000, "6d 1h"), (-5, "0s")]
        {
            assert_eq!(span(TimeDelta::seconds(seconds)), text);
        }
        assert_eq!(bytes(20 << 20), "20.0 MiB");
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_control_characters(text: String) {
            prop_assert!(!escape(&text).chars().any(char::is_control));
        }

        #[test]
        fn what_is_cut_fits(text: String, columns in 1usize..50) {
            let width: usize = fit(&text, columns).chars().map(|c| c.width().unwrap_or(0)).sum();
            prop_assert!(width <= columns);
        }
    }
}
