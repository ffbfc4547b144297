//! What can be done to a job from the view: what one would type, with the question before it.

use std::fmt;

use crate::domain::job::Job;
use crate::domain::job_id::JobId;
use crate::domain::state::State;

/// Something that shall be done to a job: a command line of jobdir, as one would type it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deed {
    /// The words behind `jobdir`, the job aside.
    pub words: Vec<&'static str>,
    /// The job.
    pub id: JobId,
}

impl Deed {
    fn new(words: &[&'static str], id: JobId) -> Self {
        Self { words: words.to_vec(), id }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "jobdir {} {}", self.words.join(" "), self.id)
    }
}

/// What a key means for a job, with the question that has to be answered before; or why it cannot be done.
pub(super) fn deed(job: &Job, key: char) -> Result<(Option<String>, Deed), String> {
    let (id, state) = (job.id, job.state());
    let name = job.spec().and_then(|spec| spec.name.as_ref()).map(|name| format!(" ({name})")).unwrap_or_default();
    let asked = |question: String, words: &[&'static str]| {
        let deed = Deed::new(words, id);
        Ok((Some(format!("{question} '{deed}'  y/n")), deed))
    };
    match key {
        'x' if !job.is_stoppable() => Err(format!("job {id} has ended: it is {state}")),
        'x' if state == State::Stopping => {
            asked(format!("go on to the next step of stopping job {id}{name}?"), &["kill", "--now"])
        }
        'x' => asked(format!("stop job {id}{name}?"), &["kill"]),
        'p' if !state.is_active() => Err(format!("job {id} has ended: it is {state}")),
        'p' if job.is_paused() => Ok((None, Deed::new(&["unpause"], id))),
        'p' => Ok((None, Deed::new(&["pause"], id))),
        'r' if !job.is_resumable() => Err(format!("job {id} is {state}: only what has ended can be resumed")),
        'r' => asked(format!("start job {id}{name} once more?"), &["resume", "-d"]),
        _ if job.is_stoppable() => asked(format!("stop job {id}{name} and remove it, its output too?"), &["delete"]),
        _ => asked(format!("remove job {id}{name} and its output for good?"), &["delete"]),
    }
}
