//! Turning values into what is printed. Data goes to stdout, talk to stderr; knows nothing of the store.
//!
//! In everything meant for people control characters are escaped, whatever the job called itself: a name or a command
//! cannot move the cursor of a terminal that lists it. Environment values are not even reachable from here.

pub mod card;
pub mod columns;
pub mod field;
pub mod guide;
pub mod json;
pub mod output;
pub mod style;
pub mod table;
pub mod text;
pub mod waiting;
