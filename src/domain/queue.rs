//! Who waits for whom: mutexes and slots, decided from the entries that are there and nothing else.
//!
//! Every job that wants mutexes or slots has one entry, and entries have an order. An entry may go when everything it
//! wants is free of *earlier* entries, waiting or holding. So nobody is granted anything: that a job holds what it wants
//! follows from the order. It stays true until the job takes its entry away, since new entries come last. The first
//! entry of all always may go, hence no deadlock; nobody is overtaken, hence no starvation.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::job_id::JobId;

/// What a job wants before it may start.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Wants {
    /// Named mutexes.
    pub mutexes: Vec<MutexWant>,
    /// Places in groups.
    pub slots: Vec<SlotWant>,
}

/// One mutex.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MutexWant {
    /// Its name, in the form that names are compared by.
    pub name: String,
    /// Together with others that want it so, too.
    pub shared: bool,
}

/// One place in a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotWant {
    /// The group, in the form that names are compared by.
    pub group: String,
    /// How many may hold a place at once, this one included.
    pub limit: u32,
}

impl Wants {
    /// Says whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.mutexes.is_empty() && self.slots.is_empty()
    }
}

/// The entry of one attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The order.
    pub ticket: u64,
    /// Whose it is.
    pub id: JobId,
    /// Of which attempt.
    pub attempt: u32,
    /// What is wanted.
    pub wants: Wants,
}

/// One thing that an entry waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blocked<'a> {
    /// `mutex` or `slots`.
    pub kind: &'static str,
    /// Which one.
    pub name: &'a str,
    /// The earlier entries that stand before it, in order.
    pub by: Vec<&'a Entry>,
}

/// Returns what an entry waits for, given all entries in order; nothing when it may go.
pub fn blocked<'a>(entry: &'a Entry, entries: &'a [Entry]) -> Vec<Blocked<'a>> {
    let earlier = || entries.iter().filter(|other| other.ticket < entry.ticket);
    let mutexes = entry.wants.mutexes.iter().filter_map(|want| {
        let conflicts = |other: &&Entry| {
            other.wants.mutexes.iter().any(|held| held.name == want.name && !(held.shared && want.shared))
        };
        let by: Vec<&Entry> = earlier().filter(conflicts).collect();
        (!by.is_empty()).then_some(Blocked { kind: "mutex", name: &want.name, by })
    });
    let slots = entry.wants.slots.iter().filter_map(|want| {
        let by: Vec<&Entry> =
            earlier().filter(|other| other.wants.slots.iter().any(|held| held.group == want.group)).collect();
        (by.len() >= want.limit as usize).then_some(Blocked { kind: "slots", name: &want.group, by })
    });
    mutexes.chain(slots).collect()
}

/// Says of each entry whether it may go; `entries` are all there are, in order. One pass, however many wait.
pub fn going(entries: &[Entry]) -> Vec<bool> {
    // Of each mutex that an earlier entry wants: whether one wants it for itself. Of each group: how many want a place.
    let mut mutexes: HashMap<&str, bool> = HashMap::new();
    let mut groups: HashMap<&str, u32> = HashMap::new();
    let may_go = |entry: &'_ Entry, mutexes: &HashMap<&str, bool>, groups: &HashMap<&str, u32>| {
        let free = |want: &MutexWant| mutexes.get(want.name.as_str()).is_none_or(|alone| want.shared && !alone);
        let place = |want: &SlotWant| groups.get(want.group.as_str()).is_none_or(|taken| *taken < want.limit);
        entry.wants.mutexes.iter().all(free) && entry.wants.slots.iter().all(place)
    };
    let mut answers = Vec::with_capacity(entries.len());
    for entry in entries {
        answers.push(may_go(entry, &mutexes, &groups));
        for want in &entry.wants.mutexes {
            *mutexes.entry(&want.name).or_default() |= !want.shared;
        }
        let wanted: BTreeSet<&str> = entry.wants.slots.iter().map(|want| want.group.as_str()).collect();
        for group in wanted {
            *groups.entry(group).or_default() += 1;
        }
    }
    answers
}

/// Returns the entries that may go now and could not before `gone` went; `left` are the entries without it, in order.
pub fn released_by<'a>(gone: &Entry, left: &'a [Entry]) -> Vec<&'a Entry> {
    let place = left.partition_point(|entry| entry.ticket < gone.ticket);
    let mut before = left.to_vec();
    before.insert(place, gone.clone());
    let mut could = going(&before);
    could.remove(place);
    let (now, could) = (going(left).into_iter(), could.into_iter());
    left.iter().zip(now.zip(could)).filter(|(_, (now, could))| *now && !could).map(|(entry, _)| entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn may_go(entry: &Entry, entries: &[Entry]) -> bool {
        blocked(entry, entries).is_empty()
    }

    fn entry(ticket: u64, mutexes: &[(&str, bool)], slots: &[(&str, u32)]) -> Entry {
        Entry {
            ticket,
            id: JobId::new(ticket).expect("not zero"),
            attempt: 1,
            wants: Wants {
                mutexes: mutexes.iter().map(|(n, shared)| MutexWant { name: (*n).into(), shared: *shared }).collect(),
                slots: slots.iter().map(|(g, limit)| SlotWant { group: (*g).into(), limit: *limit }).collect(),
            },
        }
    }

    #[test]
    fn writers_are_not_starved_and_readers_go_together() {
        let entries = [
            entry(1, &[("m", true)], &[]),
            entry(2, &[("m", true)], &[]),
            entry(3, &[("m", false)], &[]),
            entry(4, &[("m", true)], &[]),
        ];
        let go: Vec<bool> = entries.iter().map(|e| may_go(e, &entries)).collect();
        assert_eq!(go, [true, true, false, false]);
        let without_second = [entries[0].clone(), entries[2].clone(), entries[3].clone()];
        assert!(released_by(&entries[1], &without_second).is_empty(), "the writer still waits for the first reader");
        let without_readers = [entries[2].clone(), entries[3].clone()];
        let released: Vec<u64> = released_by(&entries[0], &without_readers).iter().map(|e| e.ticket).collect();
        assert_eq!(released, [3]);
    }

    #[test]
    fn slots_are_counted_in_order() {
        let entries: Vec<Entry> = (1..=4).map(|t| entry(t, &[], &[("g", 2)])).collect();
        let go: Vec<bool> = entries.iter().map(|e| may_go(e, &entries)).collect();
        assert_eq!(go, [true, true, false, false]);
    }

    fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
        let mutex = ("[ab]", any::<bool>());
        let slot = ("[xy]", 1u32..3);
        let wants = (proptest::collection::vec(mutex, 0..3), proptest::collection::vec(slot, 0..2));
        proptest::collection::vec(wants, 1..12).prop_map(|all| {
            all.into_iter()
                .zip(1..)
                .map(|((mutexes, slots), ticket)| {
                    let mutexes: Vec<_> = mutexes.iter().map(|(n, s)| (n.as_str(), *s)).collect();
                    let slots: Vec<_> = slots.iter().map(|(g, n)| (g.as_str(), *n)).collect();
                    entry(ticket, &mutexes, &slots)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_overlaps_everybody_gets_a_turn_and_nobody_who_may_go_loses_it(mut entries in any_entries()) {
            while !entries.is_empty() {
                let one_by_one: Vec<bool> = entries.iter().map(|e| may_go(e, &entries)).collect();
                prop_assert_eq!(going(&entries), one_by_one);
                let free: Vec<Entry> = entries.iter().filter(|e| may_go(e, &entries)).cloned().collect();
                prop_assert_eq!(free.first().map(|e| e.ticket), Some(entries[0].ticket));
                for (i, a) in free.iter().enumerate() {
                    for b in &free[i + 1..] {
                        for held in &a.wants.mutexes {
                            for want in b.wants.mutexes.iter().filter(|w| w.name == held.name) {
                                prop_assert!(held.shared && want.shared);
                            }
                        }
                    }
                }
                let gone = entries.remove(0);
                let released: Vec<u64> = released_by(&gone, &entries).iter().map(|e| e.ticket).collect();
                let now: Vec<u64> = entries.iter().filter(|e| may_go(e, &entries)).map(|e| e.ticket).collect();
                let still: Vec<u64> = free.iter().skip(1).map(|e| e.ticket).collect();
                prop_assert!(still.iter().all(|t| now.contains(t)));
                prop_assert!(now.iter().all(|t| still.contains(t) || released.contains(t)));
            }
        }
    }
}
