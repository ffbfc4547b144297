//! What a job has switched on at the terminal at which it is shown: the other screen, the mouse, colours. Whoever leaves
//! a job, or sees it die, switches that off again. Pure.

use std::collections::BTreeSet;

/// The private modes that programs switch on and off by themselves, see "DEC Private Mode" in the manual of xterm:
/// cursor keys, wrapping, the cursor, the other screen (three ways), the mouse (six), focus, pasting.
const MODES: [u16; 15] = [1, 7, 25, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1048, 1049, 2004];
/// Those that are on by default.
const ON_BY_DEFAULT: [u16; 2] = [7, 25];
/// Those that bring the first screen back; last, since they also put the cursor where it was.
const SCREENS: [u16; 3] = [47, 1047, 1049];
/// The longest sequence that is looked at.
const LONGEST: usize = 64;

const ESCAPE: u8 = 0x1b;

/// Follows what is shown.
#[derive(Debug, Default)]
pub(super) struct Screen {
    sequence: Vec<u8>,
    /// Modes that are not as by default.
    changed: BTreeSet<u16>,
    has_style: bool,
    has_keypad: bool,
    has_line_drawing: bool,
}

impl Screen {
    /// Looks at what is shown next.
    pub(super) fn follow(&mut self, shown: &[u8]) {
        for byte in shown {
            if *byte == ESCAPE {
                self.sequence.clear();
            } else if self.sequence.is_empty() {
                continue;
            }
            self.sequence.push(*byte);
            let is_whole = match self.sequence.as_slice() {
                [_] | [_, b'[' | b'('] => false,
                [_, b'[', .., last] => (0x40..=0x7e).contains(last),
                _ => true,
            };
            if is_whole {
                let sequence = std::mem::take(&mut self.sequence);
                self.take(&sequence[1..]);
            } else if self.sequence.len() > LONGEST {
                self.sequence.clear();
            }
        }
    }

    fn take(&mut self, sequence: &[u8]) {
        match sequence {
            b"c" => *self = Self::default(),
            b"=" => self.has_keypad = true,
            b">" => self.has_keypad = false,
            [b'(', set] => self.has_line_drawing = *set == b'0',
            [b'[', b'?', modes @ .., on @ (b'h' | b'l')] => {
                for mode in numbers(modes).filter(|mode| MODES.contains(mode)) {
                    if (*on == b'h') == ON_BY_DEFAULT.contains(&mode) {
                        self.changed.remove(&mode);
                    } else {
                        self.changed.insert(mode);
                    }
                }
            }
            [b'[', style @ .., b'm'] if style.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')) => {
                self.has_style = numbers(style).last().unwrap_or(0) != 0;
            }
            _ => {}
        }
    }

    /// Returns what switches off what is on, and forgets it.
    pub(super) fn restore(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        if self.has_style {
            text.extend_from_slice(b"\x1b[m");
        }
        if self.has_keypad {
            text.extend_from_slice(b"\x1b>");
        }
        if self.has_line_drawing {
            text.extend_from_slice(b"\x1b(B");
        }
        let (screens, others): (Vec<u16>, Vec<u16>) = self.changed.iter().partition(|mode| SCREENS.contains(mode));
        for mode in others.into_iter().chain(screens) {
            let off = if ON_BY_DEFAULT.contains(&mode) { 'h' } else { 'l' };
            text.extend_from_slice(format!("\x1b[?{mode}{off}").as_bytes());
        }
        *self = Self::default();
        text
    }
}

/// Reads numbers that are separated by semicolons; what is none counts as 0.
fn numbers(text: &[u8]) -> impl Iterator<Item = u16> {
    text.split(|byte| *byte == b';')
        .map(|number| std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pieces: &[&[u8]]) -> String {
        let mut screen = Screen::default();
        pieces.iter().for_each(|piece| screen.follow(piece));
        String::from_utf8(screen.restore()).expect("is text")
    }

    #[test]
    fn what_is_on_is_switched_off_and_nothing_else() {
        assert_eq!(after(&[b"plain text\r\n\x1b[2J\x1b[10;3H\x1b[K"]), "");
        assert_eq!(
            after(&[b"\x1b[?1049h\x1b[?1000;1006h\x1b[?25l\x1b="]),
            "\x1b>\x1b[?25h\x1b[?1000l\x1b[?1006l\x1b[?1049l"
        );
        assert_eq!(after(&[b"\x1b[?1049h\x1b[?25l\x1b[31mred\x1b[0m\x1b[?1049l\x1b[?25h"]), "");
        assert_eq!(after(&[b"\x1b[1;31mred"]), "\x1b[m");
        assert_eq!(after(&[b"\x1b[?200", b"4h\x1b", b"(0"]), "\x1b(B\x1b[?2004l", "in pieces");
        assert_eq!(after(&[b"\x1b[?1049h\x1bc"]), "", "a whole reset");
        assert_eq!(after(&[b"\x1b[>4;2m\x1b[?12h"]), "", "what is something else");
        assert_eq!(after(&[&[b"\x1b[", [b'1'; 5000].as_slice()].concat(), b"\x1b[?1049h"]), "\x1b[?1049l");
    }
}
