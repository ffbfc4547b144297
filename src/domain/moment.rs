//! Moments as users type them: so long ago, or a time.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::duration;

/// A moment that was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// So long before now.
    Ago(Duration),
    /// A time with its zone.
    At(DateTime<Utc>),
    /// A time of the clock on the wall, wherever that hangs.
    Local(NaiveDateTime),
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ago) = duration::parse(text) {
            return Ok(Self::Ago(ago));
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.to_utc()));
        }
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN)));
        local.map(Self::Local).ok_or_else(|| {
            format!("'{text}' is no moment; write how long ago (90s, 2h, 1d) or a time (2026-03-01T12:00:00Z, 2026-03-01 12:00)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let parse = |text: &str| text.parse::<Moment>();
        assert_eq!(parse("2h"), Ok(Moment::Ago(Duration::from_secs(7200))));
        let at: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().expect("a time");
        assert_eq!(parse("2026-03-01T12:00:00.000Z"), Ok(Moment::At(at)));
        assert_eq!(parse("2026-03-01T13:00:00+01:00"), Ok(Moment::At(at)));
        for local in ["2026-03-01 12:00", "2026-03-01T12:00:00", "2026-03-01 12:00:00.0"] {
            assert_eq!(parse(local), Ok(Moment::Local(at.naive_utc())), "{local}");
        }
        assert!(matches!(parse("2026-03-01"), Ok(Moment::Local(_))));
        for bad in ["", "soon", "-2h", "2026-13-01", "12:00"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
