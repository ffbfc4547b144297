//! The page for AI agents.

/// The page as a skill: with the front matter by which agents decide whether to read it.
pub const SKILL: &str = include_str!("../../skills/jobdir/SKILL.md");

/// Returns the page alone.
pub fn page() -> &'static str {
    SKILL.splitn(3, "---\n").nth(2).unwrap_or(SKILL).trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skill_has_its_front_matter_and_fits_a_page() {
        let front: Vec<&str> = SKILL.lines().skip(1).take_while(|line| *line != "---").collect();
        // What the specification of agent skills demands of them.
        let [name, description] = front[..] else { panic!("a name and a description: {front:?}") };
        assert_eq!(name, "name: jobdir");
        let description = description.strip_prefix("description: ").expect("a description");
        assert!(description.len() <= 1024 && !description.contains(": "), "{description}");
        assert!(page().starts_with("# jobdir\n"), "{}", page());
        assert!(page().lines().count() <= 100);
        assert!(page().lines().all(|line| line.chars().count() <= 130));
    }
}
