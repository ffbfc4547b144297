//! What is dropped of a log that has outgrown its limit, and how soon to look again.
//!
//! A log keeps its first part, which says what was begun, and its newest part, which says where it is; in between grows
//! one hole. Offsets stay what they were.

use std::time::Duration;

/// The limit of a detached job's streams, unless it is said otherwise.
pub const DEFAULT: u64 = 1 << 30;

/// Faster than anything writes to a file; how soon a log can be full follows from it.
const FASTEST: u64 = 4 << 30;
/// A log that is nearly full is looked at so often while it grows.
const SOON: Duration = Duration::from_millis(20);
/// The longest pause while a log grows.
const LATE: Duration = Duration::from_secs(1);
/// The longest pause while nothing changes and nobody would tell.
pub const IDLE: Duration = Duration::from_secs(5);

/// The limit of one log, on a file system that gives space in whole blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogLimit {
    max: u64,
    block: u64,
}

impl LogLimit {
    /// Describes a limit. Less than some blocks cannot be kept.
    pub fn new(max: u64, block: u64) -> Self {
        let block = block.max(1);
        Self { max: max.max(block.saturating_mul(8)), block }
    }

    /// Returns where the hole begins: a quarter of the limit is the first part.
    pub fn first(&self) -> u64 {
        self.down(self.max / 4)
    }

    /// Decides up to where the log shall be dropped, when its hole ends at `hole_end` now and whoever shows it has come
    /// to `shown`. `None`: nothing is to be dropped, or nothing may be.
    pub fn cut(&self, length: u64, hole_end: u64, shown: u64) -> Option<u64> {
        if self.room(length, hole_end) > 0 {
            return None;
        }
        // An eighth is left free, so that not every block that is written makes a cut.
        let newest = self.max - self.first() - self.max / 8;
        let end = self.down(length.saturating_sub(newest).min(shown));
        (end > hole_end).then_some(end)
    }

    /// Returns how much may still be written before something has to be dropped.
    pub fn room(&self, length: u64, hole_end: u64) -> u64 {
        let dropped = hole_end.saturating_sub(self.first());
        self.max.saturating_sub(length.saturating_sub(dropped))
    }

    fn down(&self, offset: u64) -> u64 {
        offset - offset % self.block
    }
}

/// Returns how long to leave a growing log alone that has so much room.
pub fn pause(room: u64) -> Duration {
    Duration::from_secs_f64(room as f64 / FASTEST as f64).clamp(SOON, LATE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_and_the_newest_part_stay() {
        let limit = LogLimit::new(1 << 20, 4096);
        let first = limit.first();
        assert_eq!(first, 256 << 10);
        assert_eq!(limit.cut(1 << 19, first, u64::MAX), None);
        let end = limit.cut((1 << 20) + 1, first, u64::MAX).expect("it is full");
        assert_eq!(end % 4096, 0);
        assert!((1 << 20) + 1 - end >= 640 << 10, "the newest part was dropped: {end}");
        // Nobody has shown anything yet.
        assert_eq!(limit.cut(10 << 20, first, 0), None);
        assert_eq!(limit.cut(10 << 20, first, (1 << 20) + 17), Some(1 << 20));
    }

    #[test]
    fn nearly_full_logs_are_looked_at_soon_and_empty_ones_late() {
        assert_eq!(pause(0), SOON);
        assert_eq!(pause(1 << 30), Duration::from_millis(250));
        assert_eq!(pause(u64::MAX), LATE);
    }

    proptest! {
        #[test]
        fn a_cut_makes_room_and_never_drops_what_must_stay(
            max in 1u64..1 << 40,
            block in prop::sample::select(vec![512u64, 4096, 65536, 2 << 20]),
            length in 0u64..1 << 50,
            shown in 0u64..1 << 50,
        ) {
            let limit = LogLimit::new(max, block);
            if let Some(end) = limit.cut(length, limit.first(), u64::MAX) {
                prop_assert!(limit.first() < end && end <= length);
                prop_assert!(limit.room(length, end) > 0);
                prop_assert_eq!(limit.cut(length, end, u64::MAX), None);
            }
            if let Some(end) = limit.cut(length, limit.first(), shown) {
                prop_assert!(end <= shown);
            }
        }
    }
}
