//! Second factors: set up, shown, removed, guessed at.

mod challenges;
mod guesses;
mod matrix;
mod passkeys;
mod policy;
mod second_step;
mod set_up;
pub(crate) mod support;
mod ways_in;
