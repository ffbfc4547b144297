//! What a job has printed, as lines for a screen.

use unicode_width::UnicodeWidthChar;

use crate::present::text;

/// Where tabulators lead to.
const TAB: usize = 8;

/// Turns output without escape sequences into lines that a screen may show: tabulators as blanks, control characters
/// escaped.
pub(super) fn lines(output: &str) -> Vec<String> {
    output.lines().map(clean).collect()
}

fn clean(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut column = 0;
    for part in line.split_inclusive('\t') {
        let text = text::escape(part.trim_end_matches('\t'));
        column += text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
        clean.push_str(&text);
        if part.ends_with('\t') {
            let blanks = TAB - column % TAB;
            clean.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        }
    }
    clean
}

/// Breaks a line into rows of so many columns; an empty line is one row.
pub(super) fn wrap(line: &str, columns: usize) -> Vec<&str> {
    let mut rows = Vec::new();
    let (mut begin, mut used) = (0, 0);
    for (at, c) in line.char_indices() {
        let width = c.width().unwrap_or(0);
        if used + width > columns && at > begin {
            rows.push(&line[begin..at]);
            (begin, used) = (at, 0);
        }
        used += width;
    }
    rows.push(&line[begin..]);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_show() {
        assert_eq!(lines("one\nnext"), ["one", "next"]);
        assert_eq!(lines("a\tb\n\tc\n日本\tx"), ["a       b", "        c", "日本    x"]);
        assert_eq!(lines("bell\x07 \u{202e}x"), ["bell\\u{7} \\u{202e}x"]);
        assert_eq!(lines("\n\nx\n"), ["", "", "x"]);
    }

    #[test]
    fn long_lines_go_on_in_the_next_row() {
        assert_eq!(wrap("abcdef", 3), ["abc", "def"]);
        assert_eq!(wrap("日本語", 5), ["日本", "語"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("日", 1), ["日"], "it must end even where nothing fits");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_by_wrapping(line: String, columns in 1usize..30) {
            prop_assert_eq!(wrap(&line, columns).concat(), line);
        }
    }
}
