//! The way to a provider's pages and back, as the browser keeps it: the cookie of its flow, and what is carried along.
//! Deliberately absent: what it is for, and how it ends.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, header};
use userd_services::sign_in::StartedFlow;
use userd_web::flow_cookie;

use crate::browser_cookies::{self, WAY};

/// Straight on to the provider.
pub(super) fn there(begun: &StartedFlow, headers: &HeaderMap, way: &[(&str, &str)]) -> Response {
    on_the_way(Redirect::to(&begun.url).into_response(), begun, headers, way)
}

/// The answer, after which the browser is on its way to a provider.
pub(super) fn on_the_way(
    mut answer: Response,
    begun: &StartedFlow,
    headers: &HeaderMap,
    way: &[(&str, &str)],
) -> Response {
    let flow = flow_cookie::set(&begun.state, &begun.browser, begun.cross_site);
    let way = browser_cookies::carried(WAY, way);
    for cookie in flow_cookie::crowded_out(headers).into_iter().chain([flow]).chain(way) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// The answer at its end.
pub(super) fn without_way(mut answer: Response) -> Response {
    answer.headers_mut().extend(browser_cookies::removed(WAY).map(|value| (header::SET_COOKIE, value)));
    answer
}
