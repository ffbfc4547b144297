//! The command line: global options, the table of verbs, and dispatch.
//!
//! Each verb's options are built only when it is used (`defer`), since building all of them takes longer than most
//! commands do.

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::error::ErrorKind;
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
            define: |command| on_one_screen(commands::$module::Args::augment_args(command).about($about)),
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
    verb!(config, "Show the configuration in force, and where it comes from", aliases: &[], usage: exit_code::USAGE),
    verb!(help, "Show help, or the page for AI agents", aliases: &[], usage: exit_code::USAGE),
    verb!(skill, "Install the page for AI agents", aliases: &[], usage: exit_code::USAGE),
];

/// What completions ask; no command for people, so it is in no list of them.
const ASKED_BY_SHELLS: Verb =
    verb!(complete, "List the jobs that a command can be meant for", aliases: &[], usage: exit_code::USAGE);

/// What `-h` shows of the many options by which jobs are started.
const OFTEN_USED: &[&str] = &["name", "timeout", "detach", "observe"];

/// What it does not show of the options of other verbs.
const SELDOM_USED: &[&str] = &[
    "abort",
    "columns",
    "cwd",
    "failed",
    "format",
    "head",
    "here",
    "ids",
    "max-bytes",
    "no-wait",
    "quiet",
    "reason",
    "since",
    "sort",
    "strip-ansi",
];

/// The commands that `jobdir -h` leaves to `jobdir --help`.
const SELDOM_NEEDED: &[&str] =
    &["abandon", "signal", "send", "events", "doctor", "capabilities", "schema", "config", "skill"];

/// Makes `-h` fit a screen of 24 lines: options that are often used, and three examples. `--help` has all of it.
fn on_one_screen(command: Command) -> Command {
    let whole = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let starts_jobs = CONFIGURED.contains(&command.get_name());
    let only_selects = !matches!(command.get_name(), "jobs" | "prune");
    let has_filters = command.get_arguments().any(is_filter) && only_selects;
    let examples = whole.split("\n\n").next().unwrap_or_default();
    let mut some = examples.lines().take(4).collect::<Vec<_>>().join("\n");
    if starts_jobs {
        some.push_str("\n\n--help tells of all: input and output, stop plans, cleaning up, mutexes, retries");
    } else if has_filters {
        some.push_str("\n\n--help tells of filters, too, that choose jobs by their state, name or label");
    }
    let is_shown =
        move |long: &str| if starts_jobs { OFTEN_USED.contains(&long) } else { !SELDOM_USED.contains(&long) };
    command.after_help(some).after_long_help(whole).mut_args(|arg| {
        // The global options are here, too, when a verb is built late; what hides them stays.
        let hides = arg.get_long().map_or(starts_jobs, |long| !is_shown(long)) || (only_selects && is_filter(&arg));
        if hides { arg.hide_short_help(true) } else { arg }
    })
}

fn is_filter(arg: &Arg) -> bool {
    arg.get_help_heading() == Some("Filters")
}

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
        .after_help("'jobdir --help' lists all commands, 'jobdir COMMAND -h' tells of one.")
        .after_long_help(EXAMPLES)
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
                .hide_short_help(true)
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
                .hide_short_help(true)
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
                .hide_short_help(true)
                .help("Say what is done: where, asked of whom, waited for; -vv more")
                .long_help(
                    "Say on stderr what is done: in which state directory, with which defaults, which supervisor was started, \
                     what was asked of which, what it answered, what is waited for and what a recovery did. Given twice it \
                     says still more",
                ),
        )
}

fn subcommand(verb: &Verb) -> Command {
    Command::new(verb.name).about(verb.about).visible_aliases(verb.aliases.iter().copied())
}

fn parse(arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let is_short = arguments.get(1).is_some_and(|only| only == "-h");
    let hides = |verb: &Verb| is_short && SELDOM_NEEDED.contains(&verb.name);
    // Most often the verb comes first. Then it alone is there to be built: clap gives each a copy of the global options.
    let first = arguments.get(1).and_then(|word| word.to_str());
    let is_first = |verb: &&Verb| first.is_some_and(|word| word == verb.name || verb.aliases.contains(&word));
    let verbs = VERBS.iter().find(is_first).map_or(VERBS, std::slice::from_ref);
    let verbs = verbs.iter().map(|verb| subcommand(verb).hide(hides(verb)).defer(verb.define));
    let hidden = subcommand(&ASKED_BY_SHELLS).hide(true).defer(ASKED_BY_SHELLS.define);
    // Not taken apart: that takes a sixth of the time, and the process will not live for long.
    let mut command = ManuallyDrop::new(skeleton().subcommands(verbs).subcommand(hidden));
    command.try_get_matches_from_mut(arguments)
}

/// Runs one invocation. `arguments` includes the program's name. Returns the exit code of the process.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let matches = match parse(&arguments) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error, &arguments),
    };
    // Not taken down in the end: the process ends with them.
    let matches = ManuallyDrop::new(matches);
    let Some((name, given)) = matches.subcommand() else { return exit_code::USAGE };
    if name == "help"
        && let Some(instead) = help_instead(given)
    {
        return run(arguments.into_iter().take(1).chain(instead).collect());
    }
    let color = match given.get_one::<String>("color").map(String::as_str) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let Some(verb) = VERBS.iter().chain([&ASKED_BY_SHELLS]).find(|verb| verb.name == name) else {
        return exit_code::USAGE;
    };
    let state_dir = given.get_one::<PathBuf>("state-dir").cloned();
    let mut context = ManuallyDrop::new(Context::new(state_dir, color, has_json(given)).of(verb.name));
    context.set_verbosity(given.get_count("verbose"));
    let done = match with_defaults(verb, given, &arguments, &context) {
        Ok(None) => (verb.run)(given, &context),
        Ok(Some(matches)) => {
            let given = matches.subcommand_matches(name).unwrap_or(given);
            context.set_json(has_json(given));
            (verb.run)(given, &context)
        }
        Err(error) => Err(error.of_run()),
    };
    let code = done.unwrap_or_else(|error| {
        error.report(&context);
        error.exit
    });
    let Some((error, text)) = context.lost_output() else { return code };
    let text = crate::present::text::escape(text.trim_end());
    context.talk(&format!("error: cannot write to stdout: {error}; what was to be printed begins: {text}"));
    if verb.usage == exit_code::JOBDIR_FAILED { exit_code::JOBDIR_FAILED } else { exit_code::FAILED }
}

/// The verbs for whose options the configuration has defaults.
const CONFIGURED: [&str; 2] = ["run", "resume"];

/// Reads the command line once more with the defaults of the configuration in front of what the user gave, if there are
/// any.
fn with_defaults(
    verb: &Verb,
    given: &ArgMatches,
    arguments: &[OsString],
    context: &Context,
) -> Result<Option<ArgMatches>, CommandError> {
    if !CONFIGURED.contains(&verb.name) {
        return Ok(None);
    }
    let settings = context.settings()?;
    let layers = commands::defaults::layers(settings, verb.name, given)?;
    if layers.is_empty() {
        return Ok(None);
    }
    let file = settings.path.as_deref().unwrap_or("config.toml".as_ref()).display();
    let names: Vec<&str> = layers.iter().map(|section| section.name.as_str()).collect();
    log::info!("defaults from {} of '{file}'", names.join(", "));
    let defaults = commands::defaults::arguments(settings, &layers, &(verb.define)(subcommand(verb)), given)?;
    let (before, after) = arguments.split_at(after_the_verb(arguments));
    let defaults = defaults.into_iter().map(OsString::from);
    let all: Vec<OsString> = before.iter().cloned().chain(defaults).chain(after.iter().cloned()).collect();
    let matches = parse(&all).map_err(|error| commands::defaults::blame(settings, &layers, &error))?;
    Ok(Some(matches))
}

/// Finds the place behind the verb: the first word that is neither a global option nor the value of one.
fn after_the_verb(arguments: &[OsString]) -> usize {
    let command = skeleton();
    let takes_value = |word: &str| {
        let name = word.trim_start_matches('-');
        command.get_arguments().any(|arg| arg.get_long() == Some(name) && arg.get_action().takes_values())
    };
    let mut at = 1;
    while let Some(word) = arguments.get(at).map(|word| word.to_string_lossy()).filter(|word| word.starts_with('-')) {
        at += if takes_value(&word) { 2 } else { 1 };
    }
    at + 1
}

/// Returns the arguments that show what `help` is asked for, if a command knows it.
fn help_instead(matches: &ArgMatches) -> Option<Vec<OsString>> {
    let args = commands::help::Args::from_arg_matches(matches).ok()?;
    Some(args.instead()?.into_iter().map(OsString::from).collect())
}

/// Says whether JSON is wanted.
fn has_json(given: &ArgMatches) -> bool {
    let format = given.try_get_raw("format").ok().flatten().and_then(|mut values| values.next());
    matches!(given.try_get_one("json"), Ok(Some(true))) || format.is_some_and(|f| f == "json" || f == "ndjson")
}

/// Says whether JSON was probably asked of jobdir itself, when its arguments make no sense: before `--`.
fn wants_json(arguments: &[OsString]) -> bool {
    let own: Vec<&str> =
        arguments.iter().skip(1).take_while(|word| *word != "--").map(|word| word.to_str().unwrap_or("")).collect();
    own.iter().any(|word| matches!(*word, "--json" | "--format=json" | "--format=ndjson"))
        || own.windows(2).any(|pair| matches!(pair, ["--format", "json" | "ndjson"]))
}

/// Prints help, version or what is wrong with the usage.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> u8 {
    if !error.use_stderr() {
        error.print().ok();
        return exit_code::DONE;
    }
    let is_verb = |verb: &&Verb| {
        arguments.iter().skip(1).any(|word| word == verb.name || verb.aliases.iter().any(|alias| word == alias))
    };
    let code = VERBS.iter().find(is_verb).map_or(exit_code::USAGE, |verb| verb.usage);
    if wants_json(arguments) {
        let text = error.render().to_string();
        let message = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default().trim().to_owned();
        let context = Context::new(None, ColorChoice::Never, true);
        CommandError::usage(message).hint("see 'jobdir COMMAND --help'").report(&context);
    } else {
        error.print().ok();
        let verb = arguments.iter().skip(1).find(|word| !word.to_string_lossy().starts_with('-'));
        if error.kind() == ErrorKind::UnknownArgument && verb.is_some_and(|verb| verb == "run") {
            let hint =
                "hint: options before the command are jobdir's, what comes behind it is its own: jobdir run -d ls -la";
            Context::new(None, ColorChoice::Never, false).talk(hint);
        }
        if error.kind() == ErrorKind::MissingRequiredArgument && error.to_string().contains("<JOB>") {
            let hint = "hint: 'jobdir jobs' lists the jobs; @last is the newest";
            Context::new(None, ColorChoice::Never, false).talk(hint);
        }
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
    fn the_verb_is_found_behind_global_options() {
        for (line, rest) in [
            ("jobdir run -d run", "-d run"),
            ("jobdir --state-dir run -vv run x", "x"),
            ("jobdir --state-dir=run --color never run x", "x"),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(words[after_the_verb(&words)..].join(" ".as_ref()), rest, "{line}");
        }
    }

    #[test]
    fn json_belongs_to_the_job_after_the_separator() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(wants_json(&words("jobdir run -d --json -- x")));
        assert!(!wants_json(&words("jobdir run -d -- x --json")));
    }
}
