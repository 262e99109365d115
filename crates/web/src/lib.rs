//! The request layer: what holds for every request, whichever resource it asks for. Bounds on bodies, time and
//! connections, the client's address, ids, headers, cross-origin rules, problems, strict parsing, metrics, the server.
//!
//! Deliberately absent: routes, who may call them, the API document and every page (`http` has them). Paths are known
//! by their families only: `/oauth2/` answers errors as OAuth has them, `/v1/` is data that no page may embed. What a
//! route is otherwise is told by [`RouteTraits`]; a state that can authenticate is any [`caller::HasServices`].

pub mod caller;
pub mod client_address;
pub mod cookies;
pub mod cors;
pub mod cursor;
mod extensions;
pub mod extract;
pub mod flow_cookie;
pub mod foreign;
pub mod inbox_stream;
mod known_routes;
pub mod metrics;
pub mod problem;
mod process_metrics;
pub mod request_id;
pub mod request_layer;
mod security_headers;
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use known_routes::RouteTraits;
pub use problem::Problem;
pub use request_layer::{RequestLayer, RequestOptions};
