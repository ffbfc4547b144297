//! The page for AI agents: shown, installed, and left alone where somebody has changed it.

use std::os::unix::fs::PermissionsExt;

use crate::support::TestEnv;

const PAGE: &str = include_str!("../../skills/jobdir/SKILL.md");

#[test]
fn help_knows_commands_and_the_page_for_agents() {
    let env = TestEnv::new();
    let page = env.jobdir(&["help", "agents"]).assert_code(0).assert_stderr("").text();
    assert!(page.starts_with("# jobdir\n") && PAGE.ends_with(&page), "{page}");
    for (topic, instead) in [(vec!["help", "kill"], vec!["kill", "--help"]), (vec!["help"], vec!["--help"])] {
        let expected = env.jobdir(&instead).assert_code(0).text();
        env.jobdir(&topic).assert_code(0).assert_stdout(&expected);
    }
    env.jobdir(&["help", "ps"]).assert_code(0);
    env.jobdir(&["help", "nonsense"]).assert_code(2).assert_stdout("").assert_says("nonsense");
}

#[test]
fn the_page_is_installed_where_agents_look() {
    let env = TestEnv::new();
    let home = env.root().join("home");
    let general = home.join(".agents/skills/jobdir/SKILL.md");
    let claude = home.join(".claude/skills/jobdir/SKILL.md");
    env.jobdir(&["skill", "install"])
        .assert_code(0)
        .assert_stderr("")
        .assert_stdout(&format!("{}\n", general.display()));
    assert_eq!(std::fs::read_to_string(&general).expect("reads"), PAGE);

    std::fs::create_dir(home.join(".claude")).expect("makes it");
    let both = format!("{}\n{}\n", general.display(), claude.display());
    env.jobdir(&["skill", "install"]).assert_code(0).assert_stdout(&both);
    assert_eq!(std::fs::read_to_string(&claude).expect("reads"), PAGE);

    // As any program would create them: others may read them, if the caller's mask says so.
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    let text = "umask 022; exec \"$0\" skill install --json shared";
    let script = ["-c", text, &crate::support::env::jobdir().to_string_lossy()];
    let answer = env.program("/bin/sh", &script).run().assert_code(0).json();
    let shared = env.work().join("shared/jobdir/SKILL.md");
    assert_eq!((mode(&shared), mode(shared.parent().expect("a folder"))), (0o644, 0o755));
    assert_eq!(answer["installed"][0]["path"], shared.to_string_lossy().as_ref());
    assert_eq!(answer["installed"][0]["result"], "written");
    let left: Vec<_> = std::fs::read_dir(shared.parent().expect("a folder")).expect("reads").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_page_that_was_changed_is_left_alone() {
    let env = TestEnv::new();
    let path = env.work().join("skills/jobdir/SKILL.md");
    env.jobdir(&["skill", "install", "skills"]).assert_code(0);
    std::fs::write(&path, "mine").expect("writes");
    let refused = env.jobdir(&["skill", "install", "skills", "--json"]).assert_code(1).json();
    assert_eq!(refused["error"]["code"], "changed");
    env.jobdir(&["skill", "install", "skills"])
        .assert_code(1)
        .assert_stdout("")
        .assert_says("'jobdir skill install 'skills' --force'");
    assert_eq!(std::fs::read_to_string(&path).expect("reads"), "mine");
    let answer = env.jobdir(&["skill", "install", "skills", "--force", "--json"]).assert_code(0).json();
    assert_eq!(answer["installed"][0]["result"], "replaced");
    let answer = env.jobdir(&["skill", "install", "skills", "--json"]).assert_code(0).json();
    assert_eq!(answer["installed"][0]["result"], "unchanged");
    env.jobdir(&["skill", "install", "skills/jobdir/SKILL.md"]).assert_code(1).assert_says("cannot read");
    env.jobdir(&["skill", "remove"]).assert_code(2);
}
