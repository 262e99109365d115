//! Text from outside becomes model values here: every parser is tried with what people type, what attackers plant,
//! and what nobody would think of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod email;
mod login;
mod password;
mod phone;
mod text;
mod username;
