//! The pages, one file for each concern: handlers and what they show stand side by side.

mod access;
mod account;
mod admin;
mod completion;
mod devices;
mod emails;
mod front;
mod inbox;
mod inbox_live;
mod last_way;
mod linked;
mod links;
mod other_ways;
mod paging;
mod passkey_forms;
mod passkey_sign_in;
mod passkeys;
mod profile;
mod prove;
mod provider_way;
mod register;
mod security;
mod sign_in;
mod sign_in_form;
mod steps;

use crate::routes::Routes;

/// Every page.
pub(crate) fn all() -> Routes {
    let routes = admin::routes(front::routes(Routes::default()));
    let routes = steps::routes(sign_in::routes(routes));
    let routes = links::routes(other_ways::routes(register::routes(routes)));
    let routes = emails::routes(passkeys::routes(passkey_sign_in::routes(routes)));
    let routes = profile::routes(security::routes(prove::routes(account::routes(routes))));
    access::routes(inbox_live::routes(inbox::routes(linked::routes(devices::routes(routes)))))
}
