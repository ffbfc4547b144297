//! `jobdir doctor`: find what keeps jobs from being safe here, and say how to mend it.

use chrono::TimeDelta;
use clap::Args as ClapArgs;

use crate::client::{KillOptions, kill};
use crate::context::Context;
use crate::domain::identity::Whereabouts;
use crate::domain::job::Job;
use crate::domain::state::State;
use crate::error::CommandError;
use crate::exit_code;
use crate::platform;
use crate::present::json::{self, DoctorDocument, FindingDocument};
use crate::present::text;
use crate::store::{Store, Surroundings, Watch};

/// Find what is wrong here, and say how to mend it
///
/// Looks at the state directory and its file system (locks, which are really tried, permissions, space, inodes), at watches and
/// their limits, at the clock and the pid namespace, and at jobs that are lost, orphaned or corrupt. Writes nothing without
/// --fix. The exit code is 0 when all is well or only worth a note, and 1 when there is a problem.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  jobdir doctor          what is wrong, and what to do
  jobdir doctor --fix    do what is safe: remove strays, record lost jobs
  jobdir doctor --json   one JSON document")]
pub struct Args {
    /// Mend what can be mended safely
    ///
    /// Removes temporary files that nobody uses, names and lock files that lead to no job, and records an end for jobs that are
    /// lost; their pending finally steps run. Processes are never touched: stopping an orphaned job is left to 'jobdir kill'.
    #[arg(long)]
    fix: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What a check says: severity, message and hint.
type Said = (&'static str, String, Option<String>);

/// What the checks look at.
struct Patient<'a> {
    store: Store,
    exists: bool,
    jobs: Vec<Job>,
    context: &'a Context,
}

/// A check: its name, how it looks, and what mends it, if that is safe.
type Check = (&'static str, fn(&Patient<'_>) -> Said, Option<fn(&Patient<'_>)>);

/// Every check, in the order in which they are told.
const CHECKS: &[Check] = &[
    ("directory", directory, None),
    ("locks", locks, None),
    ("file_system", file_system, None),
    ("space", space, None),
    ("watches", watches, None),
    ("processes", processes, None),
    ("clock", clock, None),
    ("orphaned", orphaned, None),
    ("lost", lost, Some(record_lost)),
    ("corrupt", corrupt, None),
    ("elsewhere", elsewhere, None),
    ("strays", strays, Some(remove_strays)),
];

/// Looks.
pub fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let look = || -> Result<Patient<'_>, CommandError> {
        let store = context.reading()?;
        // What cannot be listed is told by the first check.
        let ids = store.job_ids().unwrap_or_default();
        let exists = platform::facts(&store.layout().jobs()).is_ok();
        Ok(Patient { jobs: store.load_all(&ids), store, exists, context })
    };
    let mut patient = look()?;
    let mut checks = Vec::new();
    for (name, check, mend) in CHECKS {
        let (mut severity, mut message, mut hint) = check(&patient);
        let mut fixed = false;
        if let (true, Some(mend), "problem" | "note") = (args.fix, mend, severity) {
            // Refuses what is not safe to write.
            context.writing()?;
            mend(&patient);
            patient = look()?;
            let (now, then) = (check(&patient), message);
            fixed = now.0 == "ok";
            (severity, message, hint) = if fixed { ("ok", then, None) } else { now };
        }
        checks.push(FindingDocument { check: name, severity, message, hint, fixed });
    }
    let is_ill = checks.iter().any(|finding| finding.severity == "problem");
    if args.json {
        let state_dir = context.state_dir().to_string_lossy().into_owned();
        context.out(&json::render(&DoctorDocument { schema: "jobdir/doctor/1", state_dir, checks }));
    } else {
        let lines: String = checks.iter().map(line).collect();
        context.out(&lines);
    }
    Ok(if is_ill { exit_code::FAILED } else { exit_code::DONE })
}

fn line(finding: &FindingDocument) -> String {
    let fixed = if finding.fixed { " (mended)" } else { "" };
    let hint = finding.hint.as_ref().map(|hint| format!("{:22}{}\n", "", text::escape(hint))).unwrap_or_default();
    format!("{:<8} {:<12} {}{fixed}\n{hint}", finding.severity, finding.check, text::escape(&finding.message))
}

fn ok(message: impl Into<String>) -> Said {
    ("ok", message.into(), None)
}

fn note(message: impl Into<String>, hint: impl Into<String>) -> Said {
    ("note", message.into(), Some(hint.into()))
}

fn problem(message: impl Into<String>, hint: impl Into<String>) -> Said {
    ("problem", message.into(), Some(hint.into()))
}

fn directory(patient: &Patient<'_>) -> Said {
    if let Err(error) = patient.store.job_ids() {
        return problem(
            error.to_string(),
            "make it a directory that you can read, or choose another with --state-dir DIR",
        );
    }
    let obstacles = patient.store.obstacles();
    let Some(first) = obstacles.into_iter().next() else {
        let root = patient.store.layout().root().display();
        return ok(if patient.exists {
            format!("'{root}' can be used")
        } else {
            format!("'{root}' does not exist yet")
        });
    };
    let format = patient.store.layout().format();
    let message = first.to_string();
    let hint = match CommandError::from(first) {
        error if error.code == "damaged" && message.contains(&*format.to_string_lossy()) => {
            format!("if no later version wrote here: echo 'jobdir-state 1' >'{}'", format.display())
        }
        error if error.code == "damaged" => {
            "move it away: it is made anew; jobs that lie elsewhere have to be moved back".into()
        }
        error => error.hint.unwrap_or_else(|| "choose another directory with --state-dir DIR".into()),
    };
    problem(message, hint)
}

fn locks(patient: &Patient<'_>) -> Said {
    const HINT: &str = "use a directory on a local file system: --state-dir DIR or JOBDIR_STATE_DIR";
    match patient.store.locks_work() {
        Ok(true) => ok("locks work"),
        Ok(false) => problem("a lock that is held is not seen: jobs could be supervised twice", HINT),
        Err(error) if error.is_not_found() => ok("there is nothing to lock yet"),
        Err(error) => problem(error.to_string(), HINT),
    }
}

fn file_system(patient: &Patient<'_>) -> Said {
    match platform::network_file_system(patient.store.layout().root()) {
        Some(kind) => note(
            format!("the state directory is on {kind}: other hosts change it unseen, and locks depend on the server"),
            "use it from one host only, or choose a local directory with --state-dir DIR",
        ),
        None => ok("the state directory is on a local file system"),
    }
}

fn space(patient: &Patient<'_>) -> Said {
    const BYTES: (u64, u64) = (4 << 20, 256 << 20);
    const INODES: (u64, u64) = (100, 5_000);
    const HINT: &str = "free some space; 'jobdir prune --older-than 7d' removes ended jobs";
    let Some(space) = platform::free_space(patient.store.layout().root()) else {
        return ok("how much space is left is not known");
    };
    // Some file systems have no fixed number of inodes and say 0 of 0.
    let inodes = space.free_inodes.filter(|_| space.total_inodes != 0);
    let message = format!(
        "{} and {} are free",
        text::bytes(space.free_bytes),
        inodes.map_or_else(|| "any number of files".into(), |n| format!("{n} files"))
    );
    match (space.free_bytes, inodes.unwrap_or(u64::MAX)) {
        (bytes, inodes) if bytes < BYTES.0 || inodes < INODES.0 => problem(message, HINT),
        (bytes, inodes) if bytes < BYTES.1 || inodes < INODES.1 => note(message, HINT),
        _ => ok(message),
    }
}

fn watches(patient: &Patient<'_>) -> Said {
    let limits = platform::watch_limits();
    let told = limits.map_or_else(String::new, |(instances, watches)| {
        format!(" (limits: {instances} instances, {watches} watches)")
    });
    let works = patient
        .context
        .queue()
        .ok()
        .is_some_and(|queue| !patient.exists || Watch::of(&patient.store.layout().jobs(), queue.waker()).is_some());
    if works {
        return ok(format!("directories can be watched{told}"));
    }
    note(
        format!("no directory can be watched{told}: jobs go on, and look a little less often"),
        "raise the limit: sysctl fs.inotify.max_user_instances=1024",
    )
}

fn processes(_patient: &Patient<'_>) -> Said {
    let place = platform::place();
    match platform::own_identity() {
        Ok(_) if place.boot_id.is_empty() || place.host.is_empty() => {
            problem("this boot or host has no name, so pids of earlier ones cannot be told apart", "mount /proc")
        }
        Ok(own) => ok(format!("host '{}', pid namespace '{}', our pid {}", place.host, place.pid_namespace, own.pid)),
        Err(error) => problem(format!("processes cannot be recognised: {error}"), "mount /proc for this pid namespace"),
    }
}

fn clock(patient: &Patient<'_>) -> Said {
    let (now, changed) = (patient.context.now(), patient.store.last_change());
    match changed.map(|at| at - now) {
        Some(ahead) if ahead > TimeDelta::minutes(1) => note(
            format!(
                "the clock is {} behind the last change here: it was set back, or a host with another one writes here",
                text::span(ahead)
            ),
            "set the clock; ages are wrong meanwhile, durations and order are not affected",
        ),
        _ => ok("the clock is not behind what was written here"),
    }
}

/// Tells of jobs in a state.
fn jobs_in(patient: &Patient<'_>, state: State, none: &str, what: &str, hint: impl Fn(&str) -> String) -> Said {
    let ids: Vec<String> =
        patient.jobs.iter().filter(|job| job.state() == state).map(|job| job.id.to_string()).collect();
    if ids.is_empty() {
        return ok(none);
    }
    let (some, rest) = ids.split_at(ids.len().min(20));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    problem(format!("{}: {}{more}", what, some.join(" ")), hint(&some.join(" ")))
}

fn orphaned(patient: &Patient<'_>) -> Said {
    let hint = |ids: &str| format!("'jobdir kill {ids}' stops them, 'jobdir wait' waits for their end");
    jobs_in(patient, State::Orphaned, "no job is orphaned", "their supervisors died and processes go on", hint)
}

fn lost(patient: &Patient<'_>) -> Said {
    let hint = |ids: &str| format!("'jobdir kill {ids}' or --fix records that; pending finally steps run first");
    jobs_in(patient, State::Lost, "no job is lost", "their supervisors died, and how they ended is not known", hint)
}

fn corrupt(patient: &Patient<'_>) -> Said {
    let hint = |ids: &str| {
        format!("'jobdir status' says what is damaged; 'jobdir delete {ids}' removes them, their output included")
    };
    jobs_in(patient, State::Corrupt, "every job can be read", "their files cannot be read", hint)
}

fn elsewhere(patient: &Patient<'_>) -> Said {
    let here = platform::place();
    let is_elsewhere = |job: &&Job| {
        !job.state().is_terminal()
            && job.record().is_some_and(|record| record.place.seen_from(&here) == Whereabouts::Elsewhere)
    };
    let ids: Vec<String> = patient.jobs.iter().filter(is_elsewhere).map(|job| job.id.to_string()).collect();
    if ids.is_empty() {
        return ok("every active job is of this host and pid namespace");
    }
    let message =
        format!("started on another host or in another pid namespace, and not seen from here: {}", ids.join(" "));
    note(message, "look at them from there; 'jobdir status JOB' names the place")
}

fn strays(patient: &Patient<'_>) -> Said {
    match patient.store.strays().len() {
        0 => ok("nothing was left behind by crashes"),
        n => note(format!("{} left behind by crashes", text::count(n, "file")), "--fix removes them"),
    }
}

fn record_lost(patient: &Patient<'_>) {
    let Ok(queue) = patient.context.queue() else { return };
    for job in patient.jobs.iter().filter(|job| job.state() == State::Lost) {
        // It may have been resumed or found alive meanwhile: then it is none of our business.
        let now = patient.store.load(job.id, &Surroundings::new()).ok();
        if let Some(lost) = now.filter(|now| now.state() == State::Lost) {
            kill(&patient.store, &queue, lost, &KillOptions::default()).ok();
        }
    }
}

fn remove_strays(patient: &Patient<'_>) {
    patient.store.remove_strays();
}
