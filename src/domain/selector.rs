//! What a user may write where a job is meant: an id, a name, or `@last`.

use super::job_id::JobId;
use super::name::Name;

/// A parsed JOB argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selector {
    /// The job with this id.
    Id(JobId),
    /// The newest job that bears this name.
    Name(Name),
    /// The job with the highest id.
    Last,
    /// Neither an id nor a possible name: matches nothing.
    Impossible,
}

impl Selector {
    /// Parses an argument. Never fails: what can match no job is [`Selector::Impossible`].
    pub fn parse(text: &str) -> Self {
        if text == "@last" {
            return Self::Last;
        }
        if let Ok(id) = text.parse() {
            return Self::Id(id);
        }
        text.parse().map_or(Self::Impossible, Self::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        assert_eq!(Selector::parse("@last"), Selector::Last);
        assert_eq!(Selector::parse("12"), Selector::Id(JobId::new(12).expect("not zero")));
        assert!(matches!(Selector::parse("build"), Selector::Name(_)));
        for nothing in ["", "012", "../x", "@first", "a b"] {
            assert_eq!(Selector::parse(nothing), Selector::Impossible, "{nothing:?}");
        }
    }
}
