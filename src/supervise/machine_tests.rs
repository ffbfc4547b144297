use super::*;
use proptest::prelude::*;

const S: fn(u64) -> Duration = Duration::from_secs;

fn machine(change: impl FnOnce(&mut StopSpec)) -> Machine {
    let mut stop = StopSpec::default();
    change(&mut stop);
    Machine::new(stop, S(0))
}

fn kill() -> Event {
    Event::Kill(Kill::default())
}

/// Reports an event as the driver of a job without nested jobs does.
fn on(m: &mut Machine, event: Event, now: Duration) -> (Vec<Action>, Reply) {
    let (mut actions, reply) = m.on(event, now);
    if actions.iter().any(|action| matches!(action, Action::StopNested { .. })) {
        actions.extend(m.on(Event::NestedGone, now).0);
    }
    (actions, reply)
}

fn signals(actions: &[Action]) -> Vec<&'static str> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Signal { signal, .. } | Action::EarlySignal { signal, .. } => Some(signal.short_name()),
            Action::KillEverything => Some("KILL"),
            _ => None,
        })
        .collect()
}

fn ended(alone: bool) -> Event {
    Event::LeaderEnded { status: ExitStatus::Exited(0), alone }
}

#[test]
fn the_default_plan_is_term_then_kill_after_ten_seconds() {
    let mut m = machine(|_| {});
    assert_eq!(signals(&on(&mut m, kill(), S(1)).0), ["TERM"]);
    assert_eq!(m.deadline(), Some(S(11)));
    assert_eq!(signals(&on(&mut m, Event::Tick, Duration::from_millis(10_999)).0), Vec::<&str>::new());
    assert_eq!(signals(&on(&mut m, Event::Tick, S(11)).0), ["KILL"]);
    assert_eq!(m.deadline(), Some(S(21)));
    assert!(on(&mut m, Event::Tick, S(21)).0.contains(&Action::NameHoldouts));
    assert!(matches!(m.phase(), Phase::NotStopped { .. }));
    assert_eq!(signals(&on(&mut m, kill(), S(30)).0), ["KILL"], "a further kill makes another pass");
    on(&mut m, ended(true), S(31));
    assert_eq!(m.phase(), &Phase::Ended(End::Empty));
}

#[test]
fn a_second_kill_changes_nothing_and_now_and_force_do() {
    let mut m = machine(|s| s.plan = StopPlan::parse("github", |_| None).expect("preset"));
    assert_eq!(signals(&on(&mut m, kill(), S(0)).0), ["INT"]);
    let (actions, reply) = on(&mut m, kill(), S(1));
    assert_eq!((signals(&actions).len(), reply), (0, Reply::NoChange));
    let now = Event::Kill(Kill { now: true, ..Kill::default() });
    assert_eq!(signals(&on(&mut m, now.clone(), S(1)).0), ["TERM"]);
    assert_eq!(signals(&on(&mut m, now, S(1)).0), ["KILL"]);
    let mut m = machine(|_| {});
    assert_eq!(signals(&on(&mut m, Event::Kill(Kill { force: true, ..Kill::default() }), S(0)).0), ["KILL"]);
}

#[test]
fn nested_jobs_stop_before_kill() {
    let mut m = machine(|_| {});
    let (actions, _) = m.on(Event::Kill(Kill { force: true, ..Kill::default() }), S(0));
    assert!(actions.contains(&Action::StopNested { force: true }));
    assert_eq!(signals(&actions), Vec::<&str>::new());
    assert_eq!(signals(&m.on(Event::NestedGone, S(3)).0), ["KILL"]);
    assert_eq!(m.deadline(), Some(S(13)));
}

#[test]
fn the_shorter_grace_counts_and_zero_is_no_time_at_all() {
    let mut m = machine(|_| {});
    on(&mut m, Event::Kill(Kill { grace_ms: Some(60_000), ..Kill::default() }), S(0));
    assert_eq!(m.deadline(), Some(S(10)));
    let mut m = machine(|_| {});
    let (actions, _) = on(&mut m, Event::Kill(Kill { grace_ms: Some(0), ..Kill::default() }), S(0));
    assert_eq!(signals(&actions), ["TERM", "KILL"]);
}

#[test]
fn leftovers_are_terminated_then_killed_and_the_outcome_is_the_leaders() {
    let mut m = machine(|_| {});
    assert_eq!(signals(&on(&mut m, ended(false), S(5)).0), ["TERM"]);
    assert_eq!(m.deadline(), Some(S(7)));
    assert_eq!(signals(&on(&mut m, Event::Tick, S(7)).0), ["KILL"]);
    on(&mut m, Event::TreeEmpty, S(8));
    assert_eq!((m.phase(), m.cause()), (&Phase::Ended(End::Empty), None));
    let mut m = machine(|s| s.leftovers = Leftovers::Leave);
    on(&mut m, ended(false), S(5));
    assert_eq!(m.phase(), &Phase::Ended(End::Left));
    let mut m = machine(|s| s.leftovers = Leftovers::Wait);
    on(&mut m, ended(false), S(5));
    assert_eq!(m.deadline(), None);
}

#[test]
fn limits_stop_with_their_own_cause_and_the_first_cause_stands() {
    let mut m = machine(|s| {
        s.timeout_ms = Some(5_000);
        s.early_signal = Some(EarlySignal { signal: Signal::HUP, before_ms: 2_000 });
    });
    assert_eq!(m.deadline(), Some(S(3)));
    assert_eq!(signals(&on(&mut m, Event::Tick, S(3)).0), ["HUP"]);
    assert_eq!(signals(&on(&mut m, Event::Tick, S(5)).0), ["TERM"]);
    assert!(on(&mut m, kill(), S(6)).0.contains(&Action::LaterCause(Reason::Kill)));
    assert_eq!(m.cause().map(|c| c.reason), Some(Reason::Timeout));
}

#[test]
fn idleness_counts_from_the_last_activity() {
    let mut m = machine(|s| s.idle_timeout_ms = Some(2_000));
    on(&mut m, Event::Active, S(1));
    assert_eq!(m.deadline(), Some(S(3)));
    assert_eq!(signals(&on(&mut m, Event::Tick, S(3)).0), ["TERM"]);
    assert_eq!(m.cause().map(|c| c.reason), Some(Reason::IdleTimeout));
}

#[test]
fn timers_stand_still_while_paused() {
    let mut m = machine(|s| s.timeout_ms = Some(5_000));
    assert!(on(&mut m, Event::Pause, S(1)).0.contains(&Action::Freeze));
    assert_eq!(m.deadline(), None);
    assert!(on(&mut m, Event::Tick, S(100)).0.is_empty());
    assert!(on(&mut m, Event::Unpause, S(101)).0.contains(&Action::Thaw));
    assert_eq!(m.deadline(), Some(S(105)));
    on(&mut m, Event::Pause, S(102));
    let (actions, _) = on(&mut m, kill(), S(103));
    assert_eq!(signals(&actions), ["TERM"]);
    assert!(!m.is_paused());
}

#[test]
fn an_unkillable_job_can_be_given_up_by_itself() {
    let mut m = machine(|s| s.abandon_after_ms = Some(3_000));
    on(&mut m, Event::Kill(Kill { force: true, ..Kill::default() }), S(0));
    on(&mut m, Event::Tick, S(3));
    assert_eq!(m.phase(), &Phase::Ended(End::Abandoned));
    assert_eq!(m.cause().map(|c| c.reason), Some(Reason::Abandon));
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(ended),
        Just(Event::TreeEmpty),
        Just(Event::NestedGone),
        (any::<bool>(), any::<bool>(), any::<bool>(), proptest::option::of(0u64..20_000)).prop_map(
            |(now, force, abort, grace_ms)| Event::Kill(Kill { now, force, abort, grace_ms, ..Kill::default() })
        ),
        Just(Event::Abandon { reason_text: None }),
        Just(Event::Pause),
        Just(Event::Unpause),
        Just(Event::SignalSent(Signal::HUP)),
        Just(Event::Active),
        Just(Event::Tick),
    ]
}

proptest! {
    #[test]
    fn the_end_is_final_the_cause_stands_and_a_stop_always_has_a_deadline(
        events in proptest::collection::vec((any_event(), 0u64..5_000), 0..40),
        timeout in proptest::option::of(1u64..20_000),
        leftovers in proptest::sample::select(vec![Leftovers::Kill, Leftovers::Wait, Leftovers::Leave]),
    ) {
        let mut m = machine(|s| {
            s.timeout_ms = timeout;
            s.leftovers = leftovers;
        });
        let mut now = Duration::ZERO;
        for (event, step) in events {
            now += Duration::from_millis(step);
            let (phase, cause) = (m.phase().clone(), m.cause().cloned());
            let gives_up = matches!(event, Event::Abandon { .. });
            let (actions, _) = on(&mut m, event, now);
            if let Phase::Ended(_) = phase {
                prop_assert_eq!(m.phase(), &phase);
                prop_assert!(signals(&actions).is_empty());
            }
            if cause.is_some() && !gives_up {
                prop_assert_eq!(m.cause(), cause.as_ref());
            }
            if matches!(m.phase(), Phase::Stopping { .. } | Phase::Killing { .. }) {
                prop_assert!(m.deadline().is_some());
                prop_assert!(!m.is_paused());
            }
            if let Some(deadline) = m.deadline() {
                prop_assert!(deadline > now, "a deadline in the past would spin: {:?}", m);
            }
        }
    }
}
