//! Access tokens, honest and forged. Every known way to forge one has a name and the reason for which it must fail:
//! a forgery that fails for another reason would prove nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]

mod fixture;
mod forged_claims;
mod forged_form;
mod forged_keys;
mod forgery;
mod honest;
mod security_events;
