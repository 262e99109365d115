//! The request layer from outside: an in-process router for what an answer is, real sockets for what a connection is.
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

mod app;
mod bodies;
mod cross_origin;
mod draining;
mod gate;
mod http2;
mod http2_idle;
mod log_lines;
mod parameters;
mod problems;
mod request_layer;
mod socket_server;
mod sockets;
mod tls;
