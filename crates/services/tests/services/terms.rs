//! Terms: documents that accounts need, accepted at registration or as a step of a sign-in, and asked for anew when their
//! version changes.

use userd_model::{Accepted, Document, EventKind, Refusal};
use userd_services::{
    Completion, Failure, SignedIn, accounts::Registration, factors::Shown, sessions::Pending, testing::TestOptions,
};

use crate::{
    emails::newest,
    factors::support::pending,
    fixture::{Fixture, TestApp, at_once, refusal, with, wrong_fields},
    personas::{PASSWORD, at, elsewhere, home, login_with, registration},
    sign_in::elsewhere::{Elsewhere, code, offering},
};

pub(crate) fn document(id: &str, version: &str, required: bool) -> Document {
    let url = format!("https://example.org/{id}");
    Document { id: id.to_owned(), version: version.to_owned(), url, required }
}

/// Terms in this version, a privacy notice, and a newsletter that nobody has to take.
fn asking(version: &str) -> TestOptions {
    with(|settings| {
        settings.documents =
            vec![document("terms", version, true), document("privacy", "1", true), document("news", "1", false)];
    })
}

pub(crate) fn accept(entries: &[(&str, &str)]) -> Vec<Accepted> {
    entries.iter().map(|(id, version)| Accepted { id: (*id).to_owned(), version: (*version).to_owned() }).collect()
}

const BOTH: [(&str, &str); 2] = [("terms", "1"), ("privacy", "1")];

fn accepting(name: &str, entries: &[(&str, &str)]) -> Registration {
    let email = format!("{name}@example.org");
    Registration { accept: accept(entries), ..registration(Some(&email), Some(name)) }
}

async fn register(app: &TestApp, asked: Registration) -> Result<Completion, Failure> {
    app.accounts.register(&at(app, home()), asked, None).await
}

/// What is asked for.
fn asked(completion: Completion) -> (Pending, Vec<String>) {
    let step = pending(completion);
    assert_eq!(step.status, "terms_required");
    let ids = step.documents.iter().map(|document| document.id.clone()).collect();
    (step, ids)
}

async fn go_on(app: &TestApp, step: &Pending, entries: &[(&str, &str)]) -> Result<SignedIn, Failure> {
    let completion = app.accounts.accept_terms(&at(app, home()), &step.challenge, &accept(entries)).await?;
    Ok(completion.signed_in().unwrap())
}

async fn login(app: &TestApp) -> Completion {
    app.sessions.login(&at(app, home()), login_with("ada", PASSWORD)).await.unwrap()
}

#[apply(case)]
async fn who_accepts_at_registration_is_signed_in_and_others_are_asked_first(fixture: Fixture) {
    let app = fixture.app_with(asking("1")).await;
    let ada = register(&app, accepting("ada", &BOTH)).await.unwrap().signed_in().unwrap();
    let rows = app.reading().terms_acceptances().of_user(ada.user.id).await.unwrap();
    let stored: Vec<_> = rows.iter().map(|row| (row.document.as_str(), row.version.as_str())).collect();
    assert_eq!(stored, [("privacy", "1"), ("terms", "1")]);
    assert!(rows.iter().all(|row| row.accepted_at == app.now()));
    assert_eq!(app.count_of(ada.user.id, EventKind::TermsAccepted).await, 2);
    for (entries, wrong) in [
        (vec![("terms", "2")], vec!["/accept/0"]),
        (vec![("terms", "1"), ("nothing", "1"), ("terms", "1")], vec!["/accept/1", "/accept/2"]),
    ] {
        assert_eq!(wrong_fields(register(&app, accepting("eve", &entries)).await), wrong);
    }
    let (step, ids) = asked(register(&app, accepting("grace", &[("terms", "1"), ("news", "1")])).await.unwrap());
    assert_eq!(ids, ["privacy"]);
    let shown = Shown::code("000000".to_owned());
    let other = app.factors.second_step(&at(&app, home()), &step.challenge, &shown).await;
    assert_eq!(refusal(other), Refusal::ChallengeGone, "it opens nothing else");
    for entries in [&[][..], &[("news", "1")], &[("privacy", "0")]] {
        assert!(matches!(refusal(go_on(&app, &step, entries).await), Refusal::InvalidInput(_)), "{entries:?}");
    }
    let grace = go_on(&app, &step, &[("privacy", "1")]).await.unwrap();
    assert!(app.who(&grace.tokens.access_token).await.is_ok());
    assert_eq!(refusal(go_on(&app, &step, &[("privacy", "1")]).await), Refusal::ChallengeGone);
}

/// Asked for anew when the version rises, and once only.
#[apply(case)]
async fn a_new_version_is_asked_for_at_the_next_sign_in(fixture: Fixture) {
    let app = fixture.app_with(asking("1")).await;
    let ada = register(&app, accepting("ada", &BOTH)).await.unwrap().signed_in().unwrap();
    let clock = Some(std::sync::Arc::clone(&app.clock));
    let app = fixture.app_with(TestOptions { clock, seed: 2, ..asking("2") }).await;
    assert!(app.refresh(&ada.tokens.refresh_token).await.is_ok(), "what goes on is not interrupted");
    let (step, ids) = asked(login(&app).await);
    assert_eq!((ids, step.documents[0].version.as_str()), (vec!["terms".to_owned()], "2"));
    assert_eq!(wrong_fields(go_on(&app, &step, &[("terms", "1")]).await), ["/accept/0"]);
    go_on(&app, &step, &[("terms", "2")]).await.unwrap();
    assert!(login(&app).await.signed_in().is_ok());
    let archive = app.export(&app.operator_context(), ada.user.id).await.unwrap();
    let terms = archive["terms"].as_array().unwrap();
    assert_eq!(terms.len(), 3, "every version stays");
    assert_eq!(terms[0]["origin"]["address"], "192.0.2.1");
}

/// Providers' sign-ups too; and what a registration accepted waits with it for the proof of its address.
#[apply(case)]
async fn every_way_in_asks(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let mut options = asking("1");
    options.settings.email_confirmation_required = true;
    options.providers = offering(&[&acme]).providers;
    let app = fixture.app_with(options).await;
    let through = code(app.through("acme").await);
    let (step, ids) = asked(app.sign_in.exchange(&at(&app, home()), &through, None, None).await.unwrap());
    assert_eq!(ids, ["terms", "privacy"]);
    go_on(&app, &step, &BOTH).await.unwrap();
    let step = pending(register(&app, accepting("ada", &BOTH)).await.unwrap());
    assert_eq!(step.status, "confirmation_required");
    let (token, _) = newest(&app, "ada@example.org").await;
    app.emails.verify_link(&at(&app, home()), &token, None).await.unwrap();
    assert!(login(&app).await.signed_in().is_ok());
}

#[apply(case)]
async fn of_sixty_four_acceptances_with_one_challenge_one_signs_in(fixture: Fixture) {
    let app = fixture.app_with(asking("1")).await;
    let (step, _) = asked(register(&app, accepting("ada", &[])).await.unwrap());
    let services = app.shared();
    let ends = at_once(64, |n| {
        let (services, challenge) = (services.clone(), step.challenge.clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move { services.accounts.accept_terms(&ctx, &challenge, &accept(&BOTH)).await }
    })
    .await;
    assert_eq!(ends.into_iter().filter(Result::is_ok).count(), 1);
}
