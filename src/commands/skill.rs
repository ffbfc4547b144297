//! `jobdir skill`: put the page for AI agents where they look for it.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueHint};

use crate::context::Context;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform;
use crate::present::guide::SKILL;
use crate::present::json::{self, InstalledDocument, SkillDocument};

/// Where the folder of the skill is put in `~`: agents of most kinds look in the first, Claude Code in the second.
const FOLDERS: [&str; 2] = [".agents/skills", ".claude/skills"];

/// Install the page for AI agents
///
/// Writes DIR/jobdir/SKILL.md, an agent skill: agents that know of such skills find it and learn when and how to use
/// jobdir. Without DIR it goes to where they look in the home directory: ~/.agents/skills and, if there is a ~/.claude,
/// ~/.claude/skills. Prints where it is then. 'jobdir help agents' shows the page.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir skill install                  for all projects of this user
  jobdir skill install .agents/skills   for this project")]
pub struct Args {
    /// What to do: install
    #[arg(value_name = "ACTION", value_parser = ["install"], hide_possible_values = true)]
    action: String,
    /// The directory of skills
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// Replace a page that somebody has changed
    #[arg(short, long)]
    force: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Installs.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    debug_assert_eq!(args.action, "install");
    let files: Vec<PathBuf> = folders(args.dir.as_deref(), context)?
        .iter()
        .map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.clone()).join("jobdir/SKILL.md"))
        .collect();
    // All are looked at before the first is written.
    let mut installed = Vec::new();
    for path in &files {
        let result = match std::fs::read(path) {
            Ok(content) if content == SKILL.as_bytes() => "unchanged",
            Ok(_) if args.force => "replaced",
            Ok(_) => return Err(changed(path, args.dir.as_deref())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "written",
            Err(error) => return Err(failed("read", path, &error)),
        };
        installed.push(InstalledDocument { path: path.to_string_lossy().into_owned(), result });
    }
    for (path, _) in files.iter().zip(&installed).filter(|(_, installed)| installed.result != "unchanged") {
        platform::replace_file(path, SKILL.as_bytes(), context.file_mask())
            .map_err(|error| failed("write", path, &error))?;
    }
    if args.json {
        context.out(&json::render(&SkillDocument { schema: "jobdir/skill/1", installed }));
    } else {
        context.out(&installed.iter().map(|installed| format!("{}\n", installed.path)).collect::<String>());
    }
    Ok(exit_code::DONE)
}

fn folders(given: Option<&Path>, context: &Context) -> Result<Vec<PathBuf>, CommandError> {
    if let Some(given) = given {
        return Ok(vec![given.to_owned()]);
    }
    let home = context.home().ok_or_else(|| {
        CommandError::new("io", "there is no home directory").hint("name a directory: 'jobdir skill install DIR'")
    })?;
    let [general, claude] = FOLDERS.map(|folder| home.join(folder));
    let knows_claude = claude.parent().is_some_and(Path::is_dir);
    Ok(std::iter::once(general).chain(knows_claude.then_some(claude)).collect())
}

fn changed(path: &Path, dir: Option<&Path>) -> CommandError {
    let dir = dir.map(|dir| format!(" '{}'", dir.display())).unwrap_or_default();
    let message = format!("'{}' is there and differs from the page of this version", path.display());
    CommandError::new("changed", message).hint(format!("to replace it: 'jobdir skill install{dir} --force'"))
}

fn failed(action: &str, path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::new("io", format!("cannot {action} '{}': {error}", path.display()))
        .hint("name a directory that you can write: 'jobdir skill install DIR'")
}
