//! The command line: global options, the table of verbs, and dispatch.
//!
//! Each verb's options are built only when it is used (`defer`), since building all of them takes longer than most
//! commands do.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint, value_parser};

use crate::commands;
use crate::context::Context;
use crate::error::CommandError;
use crate::exit_code;
use crate::present::style::ColorChoice;

/// One subcommand.
struct Verb {
    name: &'static str,
    aliases: &'static [&'static str],
    about: &'static str,
    define: fn(Command) -> Command,
    run: fn(&ArgMatches, &Context) -> Result<u8, CommandError>,
    /// The exit code of wrong usage.
    usage: u8,
}

macro_rules! verb {
    ($module:ident, $about:literal, aliases: $aliases:expr, usage: $usage:expr) => {
        Verb {
            name: stringify!($module),
            aliases: $aliases,
            about: $about,
            define: |command| commands::$module::Args::augment_args(command).about($about),
            run: |matches, context| {
                let args = commands::$module::Args::from_arg_matches(matches).map_err(anyhow::Error::from)?;
                commands::$module::run(args, context)
            },
            usage: $usage,
        }
    };
}

const VERBS: &[Verb] = &[
    verb!(run, "Start a job", aliases: &[], usage: exit_code::JOBDIR_FAILED),
    verb!(resume, "Start the next attempt of a job that has ended", aliases: &[], usage: exit_code::JOBDIR_FAILED),
    verb!(jobs, "List jobs", aliases: &["ps", "ls"], usage: exit_code::USAGE),
    verb!(status, "Show one job in full", aliases: &["inspect"], usage: exit_code::USAGE),
    verb!(logs, "Show what a job has printed", aliases: &[], usage: exit_code::USAGE),
    verb!(attach, "Follow a job, and type at its terminal", aliases: &[], usage: exit_code::JOBDIR_FAILED),
    verb!(wait, "Wait until jobs have ended", aliases: &[], usage: exit_code::JOBDIR_FAILED),
    verb!(kill, "Stop jobs", aliases: &["stop"], usage: exit_code::USAGE),
    verb!(delete, "Stop jobs if need be, and remove every trace of them", aliases: &["rm"], usage: exit_code::USAGE),
    verb!(abandon, "Give jobs up", aliases: &[], usage: exit_code::USAGE),
    verb!(signal, "Send a signal to every process of jobs", aliases: &[], usage: exit_code::USAGE),
    verb!(pause, "Stop every process of jobs for a while", aliases: &[], usage: exit_code::USAGE),
    verb!(unpause, "Let paused jobs go on", aliases: &[], usage: exit_code::USAGE),
    verb!(send, "Write to the input of a job", aliases: &[], usage: exit_code::USAGE),
    verb!(events, "Show everything that happened to jobs", aliases: &[], usage: exit_code::USAGE),
    verb!(prune, "Remove ended jobs", aliases: &[], usage: exit_code::USAGE),
    verb!(doctor, "Find what is wrong here, and say how to mend it", aliases: &[], usage: exit_code::USAGE),
    verb!(capabilities, "Show what this version can do on this host", aliases: &[], usage: exit_code::USAGE),
    verb!(schema, "Show the JSON Schema of every document", aliases: &[], usage: exit_code::USAGE),
    verb!(help, "Show help, or the page for AI agents", aliases: &[], usage: exit_code::USAGE),
    verb!(skill, "Install the page for AI agents", aliases: &[], usage: exit_code::USAGE),
];

/// What completions ask; no command for people, so it is in no list of them.
const ASKED_BY_SHELLS: Verb =
    verb!(complete, "List the jobs that a command can be meant for", aliases: &[], usage: exit_code::USAGE);

const LONG_ABOUT: &str = "\
Runs commands as jobs that cannot be lost. Each job has a supervisor of its own and a directory that tells everything
about it; there is no daemon. Whatever dies, in whatever order, jobdir tells the truth about a job, can still stop all of
it, and loses nothing of it.";

const EXAMPLES: &str = "\
Examples:
  jobdir run -- cargo build --release     run it here, but never lose it
  jobdir run -d --name web -- npm start   run it in the background
  jobdir jobs                             what is going on
  jobdir logs -f web                      what it prints
  jobdir kill web                         stop all of it

'jobdir COMMAND --help' tells more about each command, 'jobdir help agents'
is one page for AI agents.";

/// Returns the definition of the whole command line, from which help, man pages and completions are made.
pub fn command() -> Command {
    let mut command = skeleton();
    for verb in VERBS {
        command = command.subcommand((verb.define)(subcommand(verb)));
    }
    command
}

fn skeleton() -> Command {
    Command::new("jobdir")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs commands as jobs that cannot be lost")
        .long_about(LONG_ABOUT)
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .arg(
            Arg::new("state-dir")
                .long("state-dir")
                .value_name("DIR")
                .global(true)
                .value_hint(ValueHint::DirPath)
                .value_parser(value_parser!(PathBuf))
                .help_heading("Global options")
                .help("Where the jobs are [env: JOBDIR_STATE_DIR]")
                .long_help(
                    "Where the jobs are. Without it, JOBDIR_STATE_DIR says so; without that, the platform's directory for \
                     the state of users, on Linux ~/.local/state/jobdir",
                ),
        )
        .arg(
            Arg::new("color")
                .long("color")
                .value_name("WHEN")
                .global(true)
                .value_parser(["auto", "always", "never"])
                .hide_possible_values(true)
                .help_heading("Global options")
                .help("Use colour: auto, always or never [env: NO_COLOR]")
                .long_help(
                    "When to use colour. 'auto', the default, uses it on a terminal unless NO_COLOR is set or TERM is 'dumb'",
                ),
        )
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .global(true)
                .action(ArgAction::Count)
                .help_heading("Global options")
                .help("Say more about what is done"),
        )
}

fn subcommand(verb: &Verb) -> Command {
    Command::new(verb.name).about(verb.about).visible_aliases(verb.aliases.iter().copied())
}

/// Runs one invocation. `arguments` includes the program's name. Returns the exit code of the process.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let mut command = skeleton();
    for verb in VERBS {
        command = command.subcommand(subcommand(verb).defer(verb.define));
    }
    command = command.subcommand(subcommand(&ASKED_BY_SHELLS).hide(true).defer(ASKED_BY_SHELLS.define));
    let json = wants_json(&arguments);
    let matches = match command.try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error, &arguments, json),
    };
    let Some((name, matches)) = matches.subcommand() else { return exit_code::USAGE };
    if name == "help"
        && let Some(instead) = help_instead(matches)
    {
        return run(arguments.into_iter().take(1).chain(instead).collect());
    }
    let color = match matches.get_one::<String>("color").map(String::as_str) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let Some(verb) = VERBS.iter().chain([&ASKED_BY_SHELLS]).find(|verb| verb.name == name) else {
        return exit_code::USAGE;
    };
    let context = Context::new(matches.get_one::<PathBuf>("state-dir").cloned(), color, json).of(verb.name);
    let code = match (verb.run)(matches, &context) {
        Ok(code) => code,
        Err(error) => {
            error.report(&context);
            error.exit
        }
    };
    let Some((error, text)) = context.lost_output() else { return code };
    let text = crate::present::text::escape(text.trim_end());
    context.talk(&format!("error: cannot write to stdout: {error}; what was to be printed begins: {text}"));
    if verb.usage == exit_code::JOBDIR_FAILED { exit_code::JOBDIR_FAILED } else { exit_code::FAILED }
}

/// Returns the arguments that show what `help` is asked for, if a command knows it.
fn help_instead(matches: &ArgMatches) -> Option<Vec<OsString>> {
    let args = commands::help::Args::from_arg_matches(matches).ok()?;
    Some(args.instead()?.into_iter().map(OsString::from).collect())
}

/// Says whether JSON was asked of jobdir itself: before `--`, and before the command of `run`.
fn wants_json(arguments: &[OsString]) -> bool {
    let own: Vec<&str> =
        arguments.iter().skip(1).take_while(|word| *word != "--").map(|word| word.to_str().unwrap_or("")).collect();
    own.iter().any(|word| matches!(*word, "--json" | "--format=json" | "--format=ndjson"))
        || own.windows(2).any(|pair| matches!(pair, ["--format", "json" | "ndjson"]))
}

/// Prints help, version or what is wrong with the usage.
fn refuse(error: &clap::Error, arguments: &[OsString], json: bool) -> u8 {
    if !error.use_stderr() {
        error.print().ok();
        return exit_code::DONE;
    }
    let is_verb = |verb: &&Verb| {
        arguments.iter().skip(1).any(|word| word == verb.name || verb.aliases.iter().any(|alias| word == alias))
    };
    let code = VERBS.iter().find(is_verb).map_or(exit_code::USAGE, |verb| verb.usage);
    if json {
        let text = error.render().to_string();
        let message = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default().trim().to_owned();
        let context = Context::new(None, ColorChoice::Never, true);
        CommandError::usage(message).hint("see 'jobdir COMMAND --help'").report(&context);
    } else {
        error.print().ok();
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_verb_is_in_the_list_of_names() {
        let verbs: Vec<_> = VERBS.iter().map(|verb| verb.name).collect();
        assert_eq!(verbs, commands::NAMES);
    }

    #[test]
    fn json_belongs_to_the_job_after_the_separator() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(wants_json(&words("jobdir run -d --json -- x")));
        assert!(!wants_json(&words("jobdir run -d -- x --json")));
    }
}
