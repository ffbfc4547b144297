//! Durations and sizes as users type them.

use std::time::Duration;

use fundu::{DurationParser, TimeUnit};

/// The longest duration that is accepted: about 31 years, far below any overflow of clocks or milliseconds.
const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// Parses `500ms`, `7.5s`, `90` (seconds), `2m`, `1h30m`, `1d`.
///
/// # Errors
/// A sentence for the user.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a duration; write 500ms, 7.5s, 90 (seconds), 2m or 1h30m");
    // Only digits and units (fundu would also take exponents, signs and blanks), and after a unit no bare number.
    let has_unit = text.bytes().any(|b| b.is_ascii_lowercase());
    let allowed = text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b.is_ascii_lowercase());
    let dots = text.bytes().filter(|b| *b == b'.').count();
    if text.is_empty() || !allowed || dots > 1 || (has_unit && text.ends_with(|c: char| c.is_ascii_digit())) {
        return Err(wrong());
    }
    let units = [TimeUnit::MilliSecond, TimeUnit::Second, TimeUnit::Minute, TimeUnit::Hour, TimeUnit::Day];
    let parsed = DurationParser::builder()
        .time_units(&units)
        .parse_multiple(None)
        .disable_exponent()
        .disable_infinity()
        .build()
        .parse(text)
        .map_err(|_| wrong())?;
    let duration = Duration::try_from(parsed).map_err(|_| wrong())?;
    if duration > LONGEST {
        return Err(format!("'{text}' is longer than the longest duration, {} days", LONGEST.as_secs() / 86_400));
    }
    Ok(duration)
}

/// Parses a limit: a duration, where `0` or `off` means no limit (`None`).
///
/// # Errors
/// A sentence for the user.
pub fn parse_limit(text: &str) -> Result<Limit, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    Ok(Limit(Some(parse(text)?).filter(|d| !d.is_zero())))
}

/// A time limit; `None` means that there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limit(pub Option<Duration>);

/// Parses `4096`, `20M`, `1G`: bytes, with binary multiples (`1K` is 1024 bytes).
///
/// # Errors
/// A sentence for the user.
pub fn parse_size(text: &str) -> Result<u64, String> {
    // With more digits than a number can have the library's own sum overflows.
    const LONGEST: usize = 18;
    Some(text)
        .filter(|text| text.len() <= LONGEST)
        .and_then(|text| parse_size::Config::new().with_binary().parse_size(text).ok())
        .ok_or_else(|| format!("'{text}' is not a size; write 4096, 20M or 1G"))
}

/// Milliseconds, as JSON and the record hold durations.
pub fn to_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Renders a duration as users may type it again: `10s`, `7.5s`, `500ms`, `1h30m`.
pub fn render(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".into();
    }
    let millis = duration.subsec_millis();
    let mut text = humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string().replace(' ', "");
    if duration.as_secs() == 0 {
        return format!("{millis}ms");
    }
    // humantime spells days and longer units out, and 90 s as "1m30s".
    for (long, short) in [("years", "y"), ("year", "y"), ("months", "M"), ("month", "M"), ("days", "d"), ("day", "d")] {
        text = text.replace(long, short);
    }
    match (millis, duration.as_secs() < 60) {
        (0, _) => text,
        (_, true) => format!("{}s", format!("{}.{millis:03}", duration.as_secs()).trim_end_matches('0')),
        (_, false) => format!("{text}{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_spellings_of_the_contract() {
        for (text, ms) in [
            ("500ms", 500),
            ("7.5s", 7_500),
            ("90", 90_000),
            ("0.25", 250),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for bad in ["", "x", "-1", "1 s", "1e3", "inf", "10x", "s", "ms", "1h30", "99999999999999999999", "+5", "1.2.3"]
        {
            assert!(parse(bad).is_err(), "{bad:?} gave {:?}", parse(bad));
        }
    }

    #[test]
    fn limits_can_be_off() {
        assert_eq!(parse_limit("0"), Ok(Limit(None)));
        assert_eq!(parse_limit("off"), Ok(Limit(None)));
        assert_eq!(parse_limit("2s"), Ok(Limit(Some(Duration::from_secs(2)))));
    }

    #[test]
    fn sizes() {
        for (text, bytes) in [("4096", 4096), ("20M", 20 << 20), ("1G", 1 << 30), ("1k", 1024)] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert!(parse_size("x").is_err());
        assert!(parse_size("").is_err());
    }

    proptest! {
        #[test]
        fn what_is_rendered_parses_back(ms in 0u64..86_400_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse(&render(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text: String) {
            drop(parse(&text));
            drop(parse_size(&text));
        }
    }
}
