//! The live view of `jobs --watch`: a screen full of jobs, one of them selected.
//!
//! [`View`] is what is shown and what keys make of it, without any effect: a key gives a [`Step`], which somebody else takes.
//! `draw` renders it, [`Screen`] is the terminal. May use `domain`, `platform` and `present`; the only part that knows
//! `ratatui` and its `crossterm`.

mod deed;
mod draw;
mod model;
mod output;
mod screen;

pub use deed::Deed;
pub use model::{Filling, Shown, Step, View};
pub use screen::{Input, Screen};
