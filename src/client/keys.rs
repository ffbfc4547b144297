//! The keys that mean something to the client while everything that is typed goes to the job. Pure.

use std::time::{Duration, Instant};

const CTRL_C: u8 = 3;
const CTRL_P: u8 = 16;
const CTRL_Q: u8 = 17;

/// How long ctrl-p is kept back, in case ctrl-q follows.
const HOLD: Duration = Duration::from_secs(1);
/// So many ^C within so long are no longer meant for the job.
const INSIST: (usize, Duration) = (3, Duration::from_secs(2));

/// What a person wants of the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pressed {
    /// Ctrl-p ctrl-q: leave, and let the job go on.
    Detach,
    /// ^C again and again: the job is to be stopped.
    Insist,
}

/// Reads what is typed.
#[derive(Debug, Default)]
pub(super) struct Keys {
    held_since: Option<Instant>,
    interrupts: Vec<Instant>,
}

impl Keys {
    /// Takes what was typed. Appends what goes to the job; what follows ctrl-p ctrl-q does not.
    pub(super) fn take(&mut self, typed: &[u8], now: Instant, to_job: &mut Vec<u8>) -> Vec<Pressed> {
        let mut pressed = Vec::new();
        self.let_go(now, to_job);
        for key in typed {
            let held = self.held_since.take();
            match (held, *key) {
                (Some(_), CTRL_Q) => {
                    pressed.push(Pressed::Detach);
                    return pressed;
                }
                (Some(_), _) => to_job.push(CTRL_P),
                (None, _) => {}
            }
            if *key == CTRL_P {
                self.held_since = Some(now);
                continue;
            }
            to_job.push(*key);
            if *key == CTRL_C {
                self.interrupts.retain(|at| now.duration_since(*at) <= INSIST.1);
                self.interrupts.push(now);
                if self.interrupts.len() >= INSIST.0 {
                    self.interrupts.clear();
                    pressed.push(Pressed::Insist);
                }
            }
        }
        pressed
    }

    /// Lets ctrl-p go to the job when nothing has followed it for a while.
    pub(super) fn let_go(&mut self, now: Instant, to_job: &mut Vec<u8>) {
        if self.held_since.is_some_and(|since| now.duration_since(since) >= HOLD) {
            self.held_since = None;
            to_job.push(CTRL_P);
        }
    }

    /// Returns how long to wait at most before [`Keys::let_go`] has something to do.
    pub(super) fn held_for(&self, now: Instant) -> Option<Duration> {
        self.held_since.map(|since| HOLD.saturating_sub(now.duration_since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(keys: &mut Keys, typed: &[u8], now: Instant) -> (Vec<u8>, Vec<Pressed>) {
        let mut to_job = Vec::new();
        let pressed = keys.take(typed, now, &mut to_job);
        (to_job, pressed)
    }

    #[test]
    fn detaching_takes_both_keys_and_nothing_else_is_kept_from_the_job() {
        let now = Instant::now();
        let mut keys = Keys::default();
        assert_eq!(take(&mut keys, b"a\x10\x11b", now), (b"a".to_vec(), vec![Pressed::Detach]));
        assert_eq!(take(&mut keys, b"\x10", now), (Vec::new(), vec![]));
        assert_eq!(take(&mut keys, b"\x11", now), (Vec::new(), vec![Pressed::Detach]));
        assert_eq!(take(&mut keys, b"\x10x\x11\x10\x10", now), (b"\x10x\x11\x10".to_vec(), vec![]));
        assert_eq!(keys.held_for(now), Some(HOLD));
        assert_eq!(take(&mut keys, b"\x11", now + HOLD), (b"\x10\x11".to_vec(), vec![]), "the second came too late");
        assert_eq!(keys.held_for(now), None);
    }

    #[test]
    fn three_interrupts_within_two_seconds_insist() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let mut keys = Keys::default();
        assert_eq!(take(&mut keys, b"\x03x\x03", now).1, vec![]);
        assert_eq!(take(&mut keys, b"\x03", now + 3 * second).1, vec![], "the first two are too old");
        assert_eq!(take(&mut keys, b"\x03", now + 4 * second).1, vec![]);
        assert_eq!(take(&mut keys, b"\x03", now + 5 * second), (b"\x03".to_vec(), vec![Pressed::Insist]));
        assert_eq!(take(&mut keys, b"\x03\x03", now + 5 * second).1, vec![], "counted anew");
    }
}
