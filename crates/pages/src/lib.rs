//! What people see in a browser: signing in, their account, administration. Rendered on the server from what services say,
//! readable and usable without JavaScript.
//!
//! Deliberately absent: rules and storage (services decide, each page calls them with a [`userd_services::Context`]), access
//! tokens (the API takes no cookie, pages take no bearer token), anything from another host, and inline code.
//!
//! How a page comes to be (`docs/how-to/add-a-page.md`):
//!
//! 1. `gate.rs` finds the line of the route in `policy.rs`, finds out who visits by the cookie, turns away whoever may not
//!    see the page, counts the visit, and takes no form that this browser was not given.
//! 2. A handler in `pages/` gets a [`visit::Visit`] (who, the context, the language) and the fields of its form. It calls
//!    services and answers with [`visit::Visit::page`] or a redirect (303).
//! 3. `layout.rs` puts head, navigation and footer around it; `parts.rs` has what pages are made of: fields, notes, lists.
//! 4. What is said stands in `texts/`, in both languages on one line; an unused text does not compile.
//! 5. A refusal that the page does not show itself is a [`userd_web::Problem`], shown by `problem_page.rs`.

mod addresses;
mod assets;
mod browser_cookies;
mod colour;
mod dates;
mod fields;
mod gate;
pub mod inspection;
mod layout;
mod pages;
mod parts;
mod places;
pub mod policy;
pub mod problem_page;
mod router;
mod routes;
mod sections;
mod site;
mod texts;
mod visit;

pub use assets::{Logo, SiteError};
pub use router::router;
pub use site::{Site, SiteOptions};
