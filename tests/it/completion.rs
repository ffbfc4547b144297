//! Completions that know jobs: what is added to the scripts that `clap_complete` makes, and whether shells complete so.
//!
//! The additions are in `docs/completions`; they ask `jobdir complete`.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgGroup, Command};
use clap_complete::Shell;

/// Renders the completions for one shell.
pub(crate) fn render(shell: Shell) -> String {
    let mut content = Vec::new();
    clap_complete::generate(shell, &mut without_hidden(jobdir::cli::command()), "jobdir", &mut content);
    let script = String::from_utf8(content).expect("completions are UTF-8");
    match shell {
        Shell::Bash => bash(&script),
        Shell::Zsh => zsh(&script),
        Shell::Fish => script.clone() + &fish(),
        Shell::PowerShell => powershell(&script),
        _ => script,
    }
}

/// Leaves out what no help shows either, such as the opposites of flags: it is for the hand of whoever knows it.
fn without_hidden(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let aliases: Vec<String> = command.get_visible_aliases().map(str::to_owned).collect();
    let shown: Vec<Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned().collect();
    let is_shown = |id: &&clap::Id| shown.iter().any(|arg| arg.get_id() == *id);
    let groups: Vec<ArgGroup> = command
        .get_groups()
        .map(|group| {
            ArgGroup::new(group.get_id().clone()).multiple(true).args(group.get_args().filter(is_shown).cloned())
        })
        .collect();
    Command::new(name)
        .about(command.get_about().cloned().unwrap_or_default())
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(command.get_version().is_none())
        .disable_help_subcommand(true)
        .visible_aliases(aliases)
        .args(shown.iter().cloned())
        .groups(groups)
        .subcommands(command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned().map(without_hidden))
}

fn addition(shell: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/completions").join(format!("jobs.{shell}"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("'{}': {error}", path.display()))
}

/// The commands whose words are jobs.
fn verbs() -> Vec<Command> {
    let mut command = jobdir::cli::command();
    command.build();
    let takes_jobs =
        |verb: &&Command| verb.get_positionals().any(|arg| matches!(arg.get_id().as_str(), "job" | "jobs"));
    command.get_subcommands().filter(takes_jobs).cloned().collect()
}

fn names(verb: &Command) -> Vec<String> {
    std::iter::once(verb.get_name()).chain(verb.get_visible_aliases()).map(str::to_owned).collect()
}

/// The options of a command that take a value, as they are written.
fn valued(verb: &Command) -> Vec<String> {
    let options = verb.get_arguments().filter(|arg| !arg.is_positional() && arg.get_action().takes_values());
    let words = |arg: &Arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        long.into_iter().chain(arg.get_short().map(|short| format!("-{short}"))).collect::<Vec<_>>()
    };
    options.flat_map(words).collect()
}

fn bash(script: &str) -> String {
    let mut cases = String::new();
    for verb in verbs() {
        let options = valued(&verb);
        for name in names(&verb) {
            // After an option that takes a value comes that value.
            let patterns: Vec<String> = options.iter().map(|option| format!("{name},{option}")).collect();
            writeln!(cases, "        {}) return ;;\n        {name},*) ;;", patterns.join(" | ")).expect("writes");
        }
    }
    let end = script.find("\nif [[ \"${BASH_VERSINFO").expect("the part that registers the function");
    let registered = script[end..].replace("-F _jobdir ", "-F _jobdir_with_jobs ");
    format!("{}\n{}{registered}", &script[..end], addition("bash").replace("@CASES@\n", &cases))
}

fn zsh(script: &str) -> String {
    let mut verb = "";
    let mut text = String::new();
    for line in script.lines() {
        if let Some(name) = line.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            verb = name;
        }
        let is_job =
            ["'*::jobs -- ", "':jobs -- ", "':job -- ", "'::job -- "].iter().any(|start| line.starts_with(start));
        match line.strip_suffix(":_default' \\") {
            Some(start) if is_job => writeln!(text, "{start}:_jobdir_jobs {verb}' \\"),
            _ if line == "if [ \"$funcstack[1]\" = \"_jobdir\" ]; then" => {
                writeln!(text, "{}\n{line}", addition("zsh"))
            }
            _ => writeln!(text, "{line}"),
        }
        .expect("writes");
    }
    text
}

fn powershell(script: &str) -> String {
    let mut cases = String::new();
    for verb in verbs() {
        let options: Vec<String> = valued(&verb).iter().map(|option| format!("'{option}'")).collect();
        for name in names(&verb) {
            writeln!(cases, "        '{name}' = @({})", options.join(", ")).expect("writes");
        }
    }
    let end = script.find("    $completions.Where{").expect("the part that offers what was found");
    format!("{}{}{}", &script[..end], addition("ps1").replace("@CASES@\n", &cases), &script[end..])
}

fn fish() -> String {
    let mut text = String::from("\n") + &addition("fish");
    for name in verbs().iter().flat_map(names) {
        let condition = format!("__fish_jobdir_using_subcommand {name}");
        writeln!(text, "complete -c jobdir -n \"{condition}\" -f -k -a \"(__fish_jobdir_jobs {name})\"")
            .expect("writes");
    }
    text
}

#[cfg(unix)]
mod shells {
    use crate::support::env::jobdir;
    use crate::support::{Output, TestEnv};

    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn skipped(shell: &str) {
        eprintln!("skipped: there is no {shell} here");
    }

    /// Runs a script in a shell that has jobdir on its PATH; `None` when there is no such shell.
    fn shell(env: &TestEnv, shell: &str, script: &str) -> Option<Output> {
        let path = std::env::var("PATH").unwrap_or_default();
        if !std::env::split_paths(&path).any(|directory| directory.join(shell).exists()) {
            skipped(shell);
            return None;
        }
        let directory = jobdir().parent().expect("a directory").display().to_string();
        let root = env!("CARGO_MANIFEST_DIR");
        Some(env.program(shell, &["-c", script]).env("PATH", format!("{directory}:{path}")).env("ROOT", root).run())
    }

    /// Three jobs: one runs, one is paused, one has ended. Returns what there was in the state directory.
    fn scene(env: &TestEnv) -> Vec<String> {
        env.start(&["--name", "web"], &["block"]);
        let second = env.start(&[], &["block"]);
        env.jobdir(&["pause", &second]).assert_code(0);
        env.run_helper(&["run", "--name", "done"], &["exit", "0"]).assert_code(0);
        crate::support::invariants::listing(&env.state())
    }

    /// What a shell offers after each of these beginnings of a line.
    const OFFERED: &[(&str, &[&str])] = &[
        ("jobdir kill ", &["2", "web", "1"]),
        ("jobdir kill w", &["web"]),
        ("jobdir stop --force ", &["2", "web", "1"]),
        ("jobdir resume ", &["done", "3"]),
        ("jobdir unpause ", &["2"]),
        ("jobdir pause ", &["web", "1"]),
        ("jobdir status web ", &["done", "3", "2", "web", "1"]),
        ("jobdir --color never logs d", &["done"]),
    ];

    fn in_bash(line: &str) -> String {
        let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
        format!(
            "source \"$ROOT/completions/jobdir.bash\"; COMP_WORDS=({}); COMP_CWORD={}; \
             _jobdir_with_jobs jobdir \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1
        )
    }

    #[test]
    fn bash_offers_what_the_command_is_for() {
        let env = TestEnv::new();
        let before = scene(&env);
        for (line, offered) in OFFERED {
            let Some(output) = shell(&env, "bash", &in_bash(line)) else { break };
            output.assert_code(0).assert_stderr("");
            assert_eq!(output.text().split_whitespace().collect::<Vec<_>>(), *offered, "{line}");
        }
        for (line, offers, never) in [
            ("jobdir kill --gr", "--grace", "web"),
            ("jobdir run w", "", "web"),
            ("jobdir kill --grace ", "", "web"),
            ("jobdir resume done -- w", "", "web"),
            ("jobdir --state-dir /nowhere kill ", "", "web"),
        ] {
            let Some(output) = shell(&env, "bash", &in_bash(line)) else { break };
            let words = output.text();
            assert!(words.contains(offers) && !words.contains(never), "{line}: {words}");
        }
        assert_eq!(crate::support::invariants::listing(&env.state()), before, "completions write nothing");
        env.stop_all();
    }

    #[test]
    fn fish_offers_it_with_state_and_command() {
        let env = TestEnv::new();
        let before = scene(&env);
        for (line, offered) in OFFERED {
            let script = format!("source \"$ROOT/completions/jobdir.fish\"; complete --do-complete '{line}'");
            let Some(output) = shell(&env, "fish", &script) else { break };
            output.assert_code(0);
            let text = output.text();
            let words: Vec<&str> = text.lines().filter_map(|line| line.split('\t').next()).collect();
            for word in *offered {
                assert!(words.contains(word), "{line}: {text}");
            }
            assert_eq!(words.len(), offered.len(), "{line}: {text}");
            if *line == "jobdir unpause " {
                assert!(text.starts_with("2\tpaused  /"), "{text}");
            }
        }
        assert_eq!(crate::support::invariants::listing(&env.state()), before, "completions write nothing");
        env.stop_all();
    }

    #[test]
    fn powershell_offers_it_too() {
        let env = TestEnv::new();
        let before = scene(&env);
        let others: [(&str, &[&str]); 4] = [
            ("jobdir kill --gr", &["--grace"]),
            ("jobdir kill --grace ", &[]),
            ("jobdir resume done -- w", &[]),
            ("jobdir --state-dir /nowhere kill ", &[]),
        ];
        for (line, offered) in OFFERED.iter().chain(&others) {
            let script = format!(
                ". \"$env:ROOT/completions/_jobdir.ps1\"; \
                 (TabExpansion2 -inputScript '{line}' -cursorColumn {}).CompletionMatches.CompletionText",
                line.len()
            );
            let Some(output) = shell(&env, "pwsh", &script) else { break };
            output.assert_code(0).assert_stderr("");
            assert_eq!(output.text().split_whitespace().collect::<Vec<_>>(), *offered, "{line}");
        }
        assert_eq!(crate::support::invariants::listing(&env.state()), before, "completions write nothing");
        // Where there is no PowerShell, at least every command that is for jobs asks for them, once.
        let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/completions/_jobdir.ps1"));
        let script = script.expect("the completions for PowerShell");
        assert_eq!(script.matches("& $program @directory complete $verb").count(), 1);
        for verb in super::verbs().iter().flat_map(super::names) {
            assert_eq!(script.matches(&format!("\n        '{verb}' = @(")).count(), 1, "{verb}");
        }
        assert!(script.contains("'--grace'") && !script.contains("'run' = @("));
        env.stop_all();
    }

    #[test]
    fn zsh_offers_it_too() {
        let env = TestEnv::new();
        scene(&env);
        // Its functions work only while a line is edited: what they would describe is printed instead.
        for (line, offered) in OFFERED {
            let verb = line.split(' ').find(|word| ["kill", "resume", "unpause", "pause"].contains(word));
            let (Some(verb), true) = (verb, line.ends_with(' ')) else { continue };
            let script = format!(
                "_call_program() {{ shift; eval \"$*\" }}; _describe() {{ print -l -- $jobs }}; compdef() {{ }}; \
                 typeset -A opt_args; source \"$ROOT/completions/_jobdir\" 2>/dev/null; _jobdir_jobs {verb}"
            );
            let Some(output) = shell(&env, "zsh", &script) else { break };
            let text = output.text();
            let words: Vec<&str> = text.lines().filter_map(|line| line.split(':').next()).collect();
            assert_eq!(words, *offered, "{verb}:\n{output}");
            assert!(text.contains("  /"), "the command is told: {text}");
        }
        let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/completions/_jobdir"));
        let script = script.expect("the completions for zsh");
        assert!(script.contains(":_jobdir_jobs kill' \\") && script.contains(":_jobdir_jobs resume' \\"));
        env.stop_all();
    }

    #[test]
    fn nothing_is_made_and_nothing_is_said_where_there_is_no_state() {
        let env = TestEnv::new();
        env.jobdir(&["complete", "kill"]).assert_code(0).assert_stdout("").assert_stderr("");
        assert!(!env.state().exists());
        std::fs::write(env.state(), "no directory").expect("writes");
        env.jobdir(&["complete", "kill"]).assert_code(0).assert_stdout("").assert_stderr("");
        std::fs::remove_file(env.state()).expect("removes");
        // It is nothing for people.
        assert!(!env.jobdir(&["--help"]).text().contains("complete"));
    }

    #[test]
    fn a_name_means_its_newest_bearer_alone() {
        let env = TestEnv::new();
        env.run_helper(&["run", "--name", "x"], &["exit", "0"]).assert_code(0);
        env.start(&["--name", "x"], &["block"]);
        let words = |verb: &str| {
            let text = env.jobdir(&["complete", verb]).assert_code(0).text();
            text.lines().filter_map(|line| Some(line.split_once('\t')?.0.to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(words("kill"), ["x", "2"]);
        assert_eq!(words("resume"), ["1"], "'resume x' would mean job 2");
        env.stop_all();
    }
}
