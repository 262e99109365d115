//! The pages, one file for each concern: handlers and what they show stand side by side.

mod account;
mod completion;
mod doors;
mod front;
mod links;
mod register;
mod sign_in;
mod steps;

use crate::routes::Routes;

/// Every page.
pub(crate) fn all() -> Routes {
    let routes = front::routes(Routes::default());
    let routes = steps::routes(sign_in::routes(routes));
    let routes = links::routes(doors::routes(register::routes(routes)));
    account::routes(routes)
}
