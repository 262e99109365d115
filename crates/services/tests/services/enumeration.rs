//! Nobody learns from the work done whether an address has an account: the same is asked of the database, statement by statement,
//! for addresses that are known and unknown. Times are compared by `cargo xtask bench --only pairs`.

use std::sync::Arc;

use userd_model::Refusal;
use userd_services::testing::TestOptions;
use userd_storage::testing::{Counted, Counting};

use crate::{
    emails::newest,
    fixture::{Fixture, TestApp, refusal, with},
    personas::{OTHER_PASSWORD, at, home, login_with, registration},
};

/// The ways to ask with an address.
const WAYS: [&str; 5] = ["login", "forgot", "resend", "register", "email code"];

async fn ask(app: &TestApp, way: &str, email: &str) {
    let ctx = &at(app, home());
    match way {
        "login" => {
            let login = login_with(email, OTHER_PASSWORD);
            assert_eq!(refusal(app.sessions.login(ctx, login).await), Refusal::WrongCredentials);
        }
        "forgot" => app.recovery.forgot(ctx, email).await.unwrap(),
        "resend" => drop(app.emails.resend(ctx, email, None).await.unwrap()),
        "register" => {
            let asked = app.accounts.register(ctx, registration(Some(email), None), None).await.unwrap();
            assert_eq!(asked.signed_in().unwrap_err().status, "confirmation_required");
        }
        _ => drop(app.email_codes.begin(ctx, email).await.unwrap()),
    }
}

/// AC-010, AC-011: where a request takes longer for one kind of address, it is told who has an account.
#[apply(case)]
async fn the_same_is_asked_of_the_database_for_known_and_unknown_addresses(fixture: Fixture) {
    let (engine, counting) = Counting::over(Arc::clone(fixture.store.engine()));
    let fixture = Fixture::over(engine);
    let before = fixture.app().await;
    let (ada, grace) = (before.member("ada").await, before.member("grace").await);
    let (proof, _) = newest(&before, &ada.email).await;
    before.emails.verify_link(&at(&before, home()), &proof, None).await.unwrap();
    let options = with(|settings| {
        settings.email_confirmation_required = true;
        settings.email_code_sign_in = true;
    });
    let clock = Some(Arc::clone(&before.clock));
    let app = fixture.app_with(TestOptions { clock, seed: 2, ..options }).await;
    for way in WAYS {
        // What the first of a kind finds out for everybody is known then.
        ask(&app, way, "first@example.org").await;
        let mut counted: Vec<(&str, Counted)> = Vec::new();
        for email in [ada.email.as_str(), &grace.email, "nobody@example.org"] {
            counting.take();
            ask(&app, way, email).await;
            counted.push((email, counting.take()));
        }
        assert!(counted.iter().any(|(_, counted)| *counted != Counted::default()), "{way} asks nothing");
        assert!(counted.iter().all(|(_, other)| *other == counted[0].1), "{way}: {counted:#?}");
    }
}
