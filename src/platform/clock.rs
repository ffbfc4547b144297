//! The wall clock and randomness, each read in one place.

use chrono::{DateTime, Local, NaiveDateTime, SubsecRound, TimeDelta, TimeZone, Utc};

/// Returns the present moment, in whole milliseconds as everything that jobdir writes.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// Returns `bytes` unguessable bytes in hexadecimal.
///
/// # Errors
/// When the system has no randomness to give.
pub fn random_hex<const BYTES: usize>() -> std::io::Result<String> {
    let mut random = [0u8; BYTES];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns the moment at which clocks on the wall here show a time; of two the earlier, of none the next that is.
pub fn local_time(time: NaiveDateTime) -> DateTime<Utc> {
    let shown = |time: NaiveDateTime| Local.from_local_datetime(&time).earliest().map(|time| time.to_utc());
    shown(time).or_else(|| shown(time + TimeDelta::hours(1))).unwrap_or_else(|| time.and_utc())
}
