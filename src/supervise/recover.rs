//! Acting in place of a supervisor that died: under its job's claim, from outside, best effort.

use super::entry::Beginning;
use crate::domain::notice::{Notice, Refusal};
use crate::domain::request::Verb;

/// Does what a supervisor would have done.
pub(super) fn recover(mut beginning: Beginning, _verb: &Verb) {
    beginning.client.tell(&Notice::Refused(Refusal::Failed { message: "not yet".into() }));
}
