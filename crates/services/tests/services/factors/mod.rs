//! Second factors: set up, shown, removed, guessed at.

mod guesses;
mod policy;
mod second_step;
mod set_up;
pub(crate) mod support;
