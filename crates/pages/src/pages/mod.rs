//! The pages, one file for each concern: handlers and what they show stand side by side.

mod account;
mod front;
mod sign_in;

use crate::routes::Routes;

/// Every page.
pub(crate) fn all() -> Routes {
    let routes = front::routes(Routes::default());
    let routes = sign_in::routes(routes);
    account::routes(routes)
}
