//! Finding the last lines of a stream.

use std::io;

use super::reading::Wanted;
use crate::store::Log;

/// Finds where the last `lines` lines before `end` begin.
pub(super) fn tail_start(log: &Log, wanted: &Wanted, lines: u64, end: u64) -> io::Result<u64> {
    if lines == 0 {
        return Ok(end.max(wanted.from));
    }
    // More than that is not wanted, so nothing before it needs to be read.
    let most = wanted.max_bytes.filter(|_| wanted.grep.is_none());
    let floor = most.map_or(0, |max| end.saturating_sub(max)).max(wanted.from);
    let mut unread = log.backwards(floor, end)?;
    let mut start = end.max(wanted.from);
    let mut missing = lines;
    let mut around = 0;
    while let Some((at, line)) = unread.next_line()? {
        let counts = match &wanted.grep {
            Some(grep) if missing > 0 => grep.matches(&line, wanted.cleaning),
            Some(_) => false,
            None => true,
        };
        if counts {
            missing -= 1;
            around = wanted.grep.as_ref().map_or(0, |grep| grep.context);
            start = at;
        } else if missing == 0 {
            around -= 1;
            start = at;
        }
        if missing == 0 && around == 0 {
            break;
        }
    }
    // Fewer lines than wanted: everything that there is, with what is around it.
    Ok(if missing > 0 && missing < lines { floor } else { start })
}
