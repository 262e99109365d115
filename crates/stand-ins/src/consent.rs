//! The middle of every authorize page: who the person says they are, or that they decline. What was asked for, and
//! what happens next, is each provider's matter.

use axum::response::Response;

use crate::{
    ask::Ask,
    page,
    server::{Shared, locked},
    test_users::TestUser,
};

/// What came of asking.
pub(crate) enum Consent {
    /// Nobody has answered yet: this page asks.
    Asking(Response),
    /// The person declined.
    Denied,
    /// The person agreed.
    Given(Box<TestUser>),
}

/// Reads the decision from `person` and `auto=1`, or from [`crate::StandIn::decide_at_once`], or shows the page.
/// `more` is markup below the buttons.
pub(crate) fn ask_person<K>(shared: &Shared<K>, ask: &Ask, title: &str, more: &str) -> Consent {
    let clicked = ask.query_param("person").filter(|_| ask.query_param("auto").as_deref() == Some("1"));
    let Some(key) = clicked.or_else(|| locked(&shared.automatic).clone()) else {
        let picker = page::person_picker(&ask.query_pairs(), &locked(&shared.users));
        return Consent::Asking(page::page(title, &format!("{picker}{more}")));
    };
    if key == "deny" {
        return Consent::Denied;
    }
    match shared.person(&key) {
        Some(person) => Consent::Given(Box::new(person)),
        None => Consent::Asking(page::problem(title, &format!("there is no {key}"))),
    }
}
