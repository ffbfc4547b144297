//! Defaults for `run` from the configuration: what a file says becomes arguments, put in front of those of the user, so that
//! one definition of the command line checks both.
//!
//! An option that can be given once comes from one place: the command line, else the profile, else `[run]`. Lists add up.
//! What contradicts something weightier is left out.

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Id};

use crate::domain::likeness::meant;
use crate::error::CommandError;
use crate::settings::{Entry, Section, Settings, Value};

/// Options that mean something only beside one of others; as defaults they wait until one of these is given.
const BESIDE: &[(&str, &[&str])] =
    &[("early-signal", &["timeout"]), ("if-running", &["name"]), ("json", &["detach", "observe"])];

const PROFILE: &str = "profile";

/// A default that is in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Default<'a> {
    /// Where it comes from.
    pub section: &'a Section,
    /// What it is.
    pub entry: &'a Entry,
}

/// What verbs have whose options have defaults: `--profile`, and for each flag before it the opposite, which is not shown.
#[derive(Debug, Clone, Copy)]
pub struct Configured;

impl Args for Configured {
    fn augment_args(command: Command) -> Command {
        let flags = command.get_arguments().filter(|arg| matches!(arg.get_action(), ArgAction::SetTrue));
        let longs: Vec<(Id, String)> =
            flags.filter_map(|arg| Some((arg.get_id().clone(), arg.get_long()?.to_owned()))).collect();
        let opposites: Vec<Arg> = longs
            .iter()
            .map(|(id, long)| (id, long, long.strip_prefix("no-").map_or_else(|| format!("no-{long}"), str::to_owned)))
            .filter(|(_, _, opposite)| !longs.iter().any(|(_, long)| long == opposite))
            .map(|(id, long, opposite)| {
                let arg = Arg::new(opposite.clone()).long(opposite).action(ArgAction::SetTrue).conflicts_with(id);
                arg.hide(true).help(format!("Not --{long}, whatever the configuration says"))
            })
            .collect();
        let profile = Arg::new(PROFILE)
            .long(PROFILE)
            .value_name("NAME")
            .help_heading("Configuration")
            .help("Use the defaults of this profile")
            .long_help(
                "Use the defaults of this profile, a table [profiles.NAME] of the configuration file. What is given here wins; \
                 a flag that the file sets is unset by its opposite, such as --no-detach. See 'jobdir config --help'",
            );
        command.args(opposites).arg(profile)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Configured {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}

/// Returns the sections of the configuration that hold for this invocation, the weightiest first.
///
/// # Errors
/// When there is no such profile.
pub fn layers<'a>(settings: &'a Settings, verb: &str, given: &ArgMatches) -> Result<Vec<&'a Section>, CommandError> {
    let profile = given.get_one::<String>(PROFILE).map(String::as_str);
    let mut layers = settings.layers(profile)?;
    // What a job was started with holds for its later attempts; only what is asked for now changes it.
    if verb == "resume" {
        layers.pop();
    }
    layers.retain(|section| !section.entries.is_empty());
    Ok(layers)
}

/// Returns the arguments that stand for these sections, to be put in front of those of the user. `options` are those of the
/// verb, `given` is what the user said.
///
/// # Errors
/// When an option is unknown or cannot have such a value.
pub fn arguments(
    settings: &Settings,
    layers: &[&Section],
    options: &Command,
    given: &ArgMatches,
) -> Result<Vec<String>, CommandError> {
    check(settings, &super::run_options())?;
    let is_given = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let chosen = choose(options, is_given, layers);
    Ok(chosen.iter().flat_map(|one| words(one.entry)).collect())
}

/// Turns what clap says of arguments that come from these sections into an error that says so.
pub fn blame(settings: &Settings, sections: &[&Section], error: &clap::Error) -> CommandError {
    let text = error.render().to_string();
    let text = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default().trim();
    let culprit = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => arg.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default(),
        _ => "",
    };
    let entries = sections.iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
    let is_it = |entry: &Entry| entry.key == culprit && words(entry).iter().any(|word| text.contains(value(word)));
    let hint = "'jobdir config --help' tells what the file may hold";
    match entries.into_iter().find(|(_, entry)| is_it(entry)) {
        Some((section, entry)) => settings.error(section, entry, text, hint).into(),
        None => {
            let file = settings.path.as_deref().unwrap_or("config.toml".as_ref()).display();
            CommandError::new("config", format!("with the defaults of '{file}': {text}")).hint(hint)
        }
    }
}

fn value(word: &str) -> &str {
    word.split_once('=').map_or(word, |(_, value)| value)
}

/// Returns an entry as arguments.
pub(super) fn words(entry: &Entry) -> Vec<String> {
    let key = &entry.key;
    match &entry.value {
        Value::Flag(true) => vec![format!("--{key}")],
        Value::Flag(false) => Vec::new(),
        Value::Text(text) => vec![format!("--{key}={text}")],
        Value::List(list) => list.iter().map(|text| format!("--{key}={text}")).collect(),
    }
}

/// Refuses what no option of `run` is called, or cannot be.
///
/// # Errors
/// Those.
pub(super) fn check(settings: &Settings, options: &Command) -> Result<(), CommandError> {
    for section in settings.profiles.values().chain([&settings.run]) {
        for entry in &section.entries {
            let Some(arg) = find(options, &entry.key) else {
                let longs = options.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(Arg::get_long);
                let hint = meant(&entry.key, longs).map_or_else(
                    || "the keys are the long options of 'jobdir run', see 'jobdir run --help'".to_owned(),
                    |long| format!("did you mean '{long}'?"),
                );
                return Err(settings.error(section, entry, "'run' has no such option", hint).into());
            };
            let wrong = |what: &str, such: String| Err(settings.error(section, entry, what, such).into());
            match (arg.get_action(), &entry.value) {
                (ArgAction::SetTrue, Value::Flag(_)) => {}
                (ArgAction::SetTrue, _) => return wrong("it is either true or false", format!("{} = true", entry.key)),
                (ArgAction::Append, Value::Text(_) | Value::List(_)) => {}
                (ArgAction::Append, Value::Flag(_)) => {
                    return wrong("it is a list of texts", format!("{} = [\"…\", \"…\"]", entry.key));
                }
                (_, Value::Text(_)) => {}
                (_, _) => return wrong("it is one text or number", format!("{} = \"…\"", entry.key)),
            }
        }
    }
    Ok(())
}

fn find<'a>(options: &'a Command, long: &str) -> Option<&'a Arg> {
    options.get_arguments().find(|arg| arg.get_long() == Some(long) && !arg.is_hide_set() && arg.get_id() != PROFILE)
}

/// Chooses what is in force of these layers, the weightiest of which comes first; returns the weightiest last. What is no
/// option of this verb is left out.
pub(super) fn choose<'a>(
    options: &Command,
    is_given: impl Fn(&str) -> bool,
    layers: &[&'a Section],
) -> Vec<Default<'a>> {
    // Ids that are settled, and those of them that were switched on.
    let mut settled: Vec<&str> =
        options.get_arguments().map(|arg| arg.get_id().as_str()).filter(|id| is_given(id)).collect();
    let mut on = settled.clone();
    let mut chosen: Vec<Vec<Default<'a>>> = Vec::new();
    for section in layers {
        let (before, weightier) = (settled.clone(), on.clone());
        let mut layer = Vec::new();
        for entry in &section.entries {
            let Some(arg) = find(options, &entry.key) else { continue };
            let id = arg.get_id().as_str();
            let is_list = matches!(arg.get_action(), ArgAction::Append);
            if (before.contains(&id) && !is_list) || weightier.iter().any(|other| contradict(options, id, other)) {
                continue;
            }
            settled.push(id);
            if entry.value != Value::Flag(false) {
                on.push(id);
            }
            layer.push(Default { section, entry });
        }
        chosen.insert(0, layer);
    }
    let is_on = |long: &&str| find(options, long).is_some_and(|arg| on.contains(&arg.get_id().as_str()));
    let alone = |entry: &Entry| BESIDE.iter().any(|(long, others)| *long == entry.key && !others.iter().any(&is_on));
    chosen.into_iter().flatten().filter(|one| !alone(one.entry)).collect()
}

fn contradict(options: &Command, a: &str, b: &str) -> bool {
    let says = |a: &str, b: &str| {
        let arg = options.get_arguments().find(|arg| arg.get_id() == a);
        arg.is_some_and(|arg| options.get_arg_conflicts_with(arg).iter().any(|other| other.get_id() == b))
    };
    says(a, b) || says(b, a)
}
