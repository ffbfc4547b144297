//! What was probably meant by a word that is not known.

/// Returns the known word that was probably meant.
pub fn meant<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.replace('_', "-").to_lowercase();
    let given = plain(given);
    // One slip for every three letters, two neighbours in the wrong order being one; or the word was not finished.
    let rate = |other: &'a str| {
        let word = plain(other);
        let is_begun = given.len() >= 3 && word.starts_with(&given);
        let slips = strsim::damerau_levenshtein(&given, &word);
        (is_begun || slips <= word.len().div_ceil(3)).then_some((slips, other))
    };
    known.into_iter().filter_map(rate).min_by_key(|(slips, _)| *slips).map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_beginnings() {
        const KNOWN: [&str; 5] = ["state", "started_at", "exit_code", "stop-plan", "older-than"];
        for (given, expected) in [
            ("satte", Some("state")),
            ("exit", Some("exit_code")),
            ("exitcode", Some("exit_code")),
            ("STOP_PLAN", Some("stop-plan")),
            ("older", Some("older-than")),
            ("st", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(meant(given, KNOWN), expected, "{given}");
        }
    }
}
