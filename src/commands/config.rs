//! `jobdir config`: what is in force, and where it comes from.

use clap::Args as ClapArgs;

use super::defaults::{Default, check, choose, words};
use crate::context::{Context, Origin};
use crate::error::CommandError;
use crate::exit_code;
use crate::present::json::{self, ConfigDocument, SettingDocument, SettingValue};
use crate::present::{table, text};
use crate::settings::{Entry, Section, Settings, Value};

/// Show the configuration in force, and where it comes from
///
/// The file is TOML. [run] holds defaults for 'jobdir run' by the long names of its options, [profiles.NAME] the same for
/// 'run --profile NAME', and the table 'retention' how long ended jobs are kept. What is given on the command line wins over the
/// profile, and that over [run]; lists add up. 'resume' goes on with what a job was started with, and uses a profile only
/// when told to. No environment variable changes any of this.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir config                what a plain 'jobdir run' starts from
  jobdir config --profile ci   what 'jobdir run --profile ci' starts from
  jobdir config --json         one JSON document

A file, on Linux ~/.config/jobdir/config.toml:
  [run]
  timeout = \"2h\"
  label = [\"team=web\"]

  [profiles.ci]
  stop-plan = \"github\"
  detach = true

  [retention]
  older-than = \"90d\"   # \"off\" keeps ended jobs until they are removed
  keep = 1000          # as many of the newest are kept in any case")]
pub struct Args {
    /// Show what this profile makes of it
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The defaults that options have without any file. Options that are not here are off, or as the caller has it.
const BUILT_IN: &[(&str, &str)] = &[
    ("if-running", "fail"),
    ("stop-plan", "TERM:10s,KILL"),
    ("signal-scope", "tree"),
    ("leftovers", "kill"),
    ("timeout", "off"),
    ("idle-timeout", "off"),
    ("abandon-after", "off"),
    ("finally-timeout", "4m"),
    ("queue-timeout", "off"),
    ("retries", "0"),
    ("retry-delay", "1s"),
    ("retry-backoff", "1"),
];

/// Shows.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let settings = context.settings()?;
    let options = super::run_options();
    check(settings, &options)?;
    for section in settings.profiles.values().chain([&settings.run]) {
        section.entries.iter().try_for_each(|entry| try_out(settings, section, entry))?;
    }
    let layers = settings.layers(args.profile.as_deref())?;
    let chosen = choose(&options, |_| false, &layers);
    let document = ConfigDocument {
        schema: "jobdir/config/1",
        path: settings.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        found: settings.found,
        profile: args.profile.as_deref(),
        profiles: settings.profiles.keys().map(String::as_str).collect(),
        state_dir: state_dir(context),
        run: in_force(&options, &chosen, &settings.run),
        retention: retention(settings),
    };
    if args.json {
        context.out(&json::render(&document));
    } else {
        context.out(&for_people(&document, context));
    }
    Ok(exit_code::DONE)
}

/// Lets clap look at a value: what it refuses `run` would refuse.
fn try_out(settings: &Settings, section: &Section, entry: &Entry) -> Result<(), CommandError> {
    let words = ["run".to_owned()].into_iter().chain(words(entry)).chain(["true".to_owned()]);
    let tried = super::run_options().try_get_matches_from(words);
    tried.map(|_| ()).map_err(|error| super::defaults::blame(settings, &[section], &error))
}

fn state_dir(context: &Context) -> SettingDocument<'static> {
    let source = match context.origin_of_state_dir() {
        Origin::CommandLine => "command_line",
        Origin::Environment => "environment",
        Origin::BuiltIn => "built_in",
    };
    let value = SettingValue::Text(context.state_dir().to_string_lossy().into_owned());
    SettingDocument { name: "state-dir", value, source, line: None }
}

/// Tells the options in the order in which help tells them.
fn in_force<'a>(options: &clap::Command, chosen: &[Default<'a>], run: &Section) -> Vec<SettingDocument<'a>> {
    let mut told = Vec::new();
    for long in options.get_arguments().filter_map(clap::Arg::get_long) {
        let before = told.len();
        told.extend(chosen.iter().filter(|one| one.entry.key == long).map(|one| SettingDocument {
            name: &one.entry.key,
            value: value(one.entry),
            source: if std::ptr::eq(one.section, run) { "file" } else { "profile" },
            line: Some(one.entry.line),
        }));
        if let (true, Some((name, built_in))) = (told.len() == before, BUILT_IN.iter().find(|(name, _)| *name == long))
        {
            told.push(SettingDocument {
                name,
                value: SettingValue::Text((*built_in).into()),
                source: "built_in",
                line: None,
            });
        }
    }
    told
}

fn value(entry: &Entry) -> SettingValue {
    // The values of variables are shown nowhere.
    let shown = |text: &String| match entry.key.as_str() {
        "env" => text.split('=').next().unwrap_or_default().to_owned(),
        _ => text.clone(),
    };
    match &entry.value {
        Value::Flag(flag) => SettingValue::Flag(*flag),
        Value::Text(text) => SettingValue::Text(shown(text)),
        Value::List(list) => SettingValue::List(list.iter().map(shown).collect()),
    }
}

fn retention(settings: &Settings) -> Vec<SettingDocument<'static>> {
    let setting = |name, built_in: &str| match settings.retention.entries.iter().find(|entry| entry.key == name) {
        Some(entry) => SettingDocument { name, value: value(entry), source: "file", line: Some(entry.line) },
        None => SettingDocument { name, value: SettingValue::Text(built_in.into()), source: "built_in", line: None },
    };
    vec![setting("older-than", "30d"), setting("keep", "1000")]
}

fn for_people(document: &ConfigDocument<'_>, context: &Context) -> String {
    let path = document.path.as_deref().map_or_else(|| "none: you have no home directory".into(), text::escape);
    let found = if document.found { "" } else { " (there is none)" };
    let mut head = format!("configuration  {path}{found}\n");
    if !document.profiles.is_empty() {
        head.push_str(&format!("profiles       {}\n", text::escape(&document.profiles.join(", "))));
    }
    let row = |setting: &SettingDocument<'_>, table: &str| {
        let value = match &setting.value {
            SettingValue::Flag(flag) => flag.to_string(),
            SettingValue::Text(text) => text::escape(text),
            SettingValue::List(list) => text::escape(&list.join(", ")),
        };
        let from = match (setting.source, setting.line) {
            ("profile", Some(line)) => {
                format!("[profiles.{}], line {line}", text::escape(document.profile.unwrap_or_default()))
            }
            (_, Some(line)) => format!("{table}, line {line}"),
            ("command_line", None) => "--state-dir".to_owned(),
            ("environment", None) => "JOBDIR_STATE_DIR".to_owned(),
            (_, None) => "built in".to_owned(),
        };
        vec![setting.name.to_owned(), from, value]
    };
    let rows: Vec<Vec<String>> = [row(&document.state_dir, "")]
        .into_iter()
        .chain(document.run.iter().map(|setting| row(setting, "[run]")))
        .chain(document.retention.iter().map(|setting| row(setting, "[retention]")))
        .collect();
    format!(
        "{head}\n{}",
        table::render(&["SETTING", "FROM", "VALUE"], &rows, context.width(), |_, _, text| text.to_owned())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_what_options_take() {
        for (name, value) in BUILT_IN {
            let words = ["run".to_owned(), format!("--{name}={value}"), "true".to_owned()];
            crate::commands::run_options()
                .try_get_matches_from(words)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
