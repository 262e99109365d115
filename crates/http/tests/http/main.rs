//! The API from outside, over an in-process router.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking, and UPDATE=1 lets them rewrite what they compare with"
)]

mod answers;
mod app;
mod audiences;
mod audit;
mod client_authentication;
mod cross_origin;
mod dead_ends;
mod documents;
mod emails;
mod events;
mod forward_auth;
mod head_requests;
mod hostile_bodies;
mod known_devices;
mod links;
mod lists;
mod notification_stream;
mod passkeys;
mod personas;
mod preferences;
mod roles;
mod second_factors;
mod sent_notifications;
mod sign_in;
mod sign_in_log;
mod verifiers;
mod webhooks;
mod words;
