//! The one-time code for tokens, and proofs that apps hand over.

use std::{sync::Arc, time::Duration};

use userd_model::{EventKind, Refusal};
use userd_providers::{NativeProof, ProviderFault, pkce_challenge};
use userd_services::sign_in::{Along, Start};

use super::elsewhere::{Elsewhere, answer, app_with_acme, code, offering, person, state_of};
use crate::{
    fixture::{Fixture, TestApp, at_once, refusal, wrong_fields},
    personas::{OTHER_PASSWORD, at, authenticated, elsewhere, home, password, started},
};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn exchange(
    app: &TestApp,
    code: &str,
    verifier: Option<&str>,
) -> Result<userd_services::SignedIn, userd_services::Failure> {
    app.sign_in.exchange(&at(app, home()), code, verifier, None).await.map(started)
}

/// AC-065: one code, twice in sequence and sixty-four times at once: one session, which the replay ends.
/// ASVS V6.5.1
#[apply(case)]
async fn a_code_is_exchanged_once(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let first = code(app.through("acme").await);
    let named = app.sign_in.exchange(&at(&app, home()), &first, None, Some("a\nb")).await.map(started);
    assert_eq!(wrong_fields(named), ["/device_name"], "a mistake in the form does not use the code up");
    let signed_in = app.sign_in.exchange(&at(&app, home()), &first, None, Some("Phone")).await.map(started).unwrap();
    let who = app.who(&signed_in.tokens.access_token).await.unwrap();
    assert_eq!(who.token.claims.amr, ["fed"]);
    assert_eq!(signed_in.user.last_sign_in_at, Some(app.now()));
    assert_eq!(refusal(exchange(&app, &first, None).await), Refusal::InvalidCode);
    assert!(app.devices_of(signed_in.user.id).await.is_empty(), "the replay ended what the code began");
    assert_eq!(app.who(&signed_in.tokens.access_token).await.err(), Some(Refusal::NotSignedIn));
    let bystander = app.sign_in_through("acme").await;
    let (raced, services) = (code(app.through("acme").await), app.shared());
    let answers = at_once(64, |n| {
        let (services, raced) = (Arc::clone(&services), raced.clone());
        async move { services.sign_in.exchange(&at(&services, elsewhere(n)), &raced, None, None).await.map(started) }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|answer| refusal(answer) == Refusal::InvalidCode));
    assert_eq!(app.count_of(signed_in.user.id, EventKind::SessionStarted).await, 3, "one session each");
    assert!(app.who(&bystander.tokens.access_token).await.is_ok(), "other sessions are not touched");
}

/// ASVS V6.5.5
#[apply(case)]
async fn a_code_lives_a_minute(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let (late, in_time) = (code(app.through("acme").await), code(app.through("acme").await));
    app.advance(Duration::from_secs(59));
    assert!(exchange(&app, &in_time, None).await.is_ok());
    app.advance(Duration::from_secs(1));
    assert_eq!(refusal(exchange(&app, &late, None).await), Refusal::InvalidCode);
    let begun = app.begin("acme").await;
    for other in ["", "nonsense", &"A".repeat(43), &state_of(&begun), &begun.browser] {
        assert_eq!(refusal(exchange(&app, other, None).await), Refusal::InvalidCode);
    }
}

/// A code is stolen from the URL: without the verifier of the application that began it is worth nothing.
/// AC-064: a public client that shows anything but its proof key's verifier.
#[apply(case)]
async fn a_code_with_a_proof_key_needs_its_verifier(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let begin = async |challenge: Option<String>| {
        let start = Start { code_challenge: challenge, ..Start::default() };
        let begun = app.sign_in.start(&at(&app, home()), "acme", start).await?;
        let finished =
            app.sign_in.finish(&at(&app, home()), "acme", &answer(&state_of(&begun)), Some(&begun.browser)).await;
        Ok(code(finished))
    };
    let challenge = Some(pkce_challenge(VERIFIER));
    for wrong in [None, Some(""), Some("another"), Some(pkce_challenge(VERIFIER).as_str())] {
        let stolen = begin(challenge.clone()).await.unwrap();
        assert_eq!(refusal(exchange(&app, &stolen, wrong).await), Refusal::InvalidCode, "{wrong:?}");
        assert_eq!(refusal(exchange(&app, &stolen, Some(VERIFIER)).await), Refusal::InvalidCode, "used up");
    }
    let good = begin(challenge).await.unwrap();
    assert!(exchange(&app, &good, Some(VERIFIER)).await.is_ok());
    let without = begin(None).await.unwrap();
    assert_eq!(refusal(exchange(&app, &without, Some(VERIFIER)).await), Refusal::InvalidCode, "a downgrade");
    for plain in ["plain", VERIFIER.get(1..).unwrap(), &"!".repeat(43)] {
        let answer: Result<String, userd_services::Failure> = begin(Some(plain.to_owned())).await;
        assert_eq!(wrong_fields(answer), ["/code_challenge"]);
    }
}

/// A code begun for an application without a proof key could be exchanged by any browser: login CSRF. Our own page
/// needs none. (fault 8)
/// ASVS V10.2.1
#[apply(case)]
async fn an_application_must_begin_with_a_proof_key(fixture: Fixture) {
    const APP: &str = "https://app.example/done";
    let acme = Elsewhere::new("acme", |_| {});
    let mut options = offering(&[&acme]);
    let own = format!("{}/signed-in", options.settings.sign_in.public_url);
    options.settings.sign_in.return_to.push(own.clone());
    let app = fixture.app_with(options).await;
    let begin = async |return_to: Option<&str>, challenge: Option<String>| {
        let start = Start { return_to: return_to.map(str::to_owned), code_challenge: challenge, ..Start::default() };
        app.sign_in.start(&at(&app, home()), "acme", start).await
    };
    assert_eq!(wrong_fields(begin(Some(APP), None).await), ["/code_challenge"]);
    assert_eq!(wrong_fields(begin(Some(APP), Some(String::new())).await), ["/code_challenge"]);
    for ours in [None, Some(own.as_str())] {
        let begun = begin(ours, None).await.unwrap();
        assert!(exchange(&app, &code(app.come_back("acme", &begun).await), None).await.is_ok());
    }
    let begun = begin(Some(APP), Some(pkce_challenge(VERIFIER))).await.unwrap();
    assert!(exchange(&app, &code(app.come_back("acme", &begun).await), Some(VERIFIER)).await.is_ok());
    // Linking ends without a code, so there is nothing to bind.
    let ada = app.member("ada").await;
    let who = app.who(&ada.tokens.access_token).await.unwrap();
    let start = Start { return_to: Some(APP.to_owned()), ..Start::default() };
    assert!(app.sign_in.start_link(&authenticated(&app, &who), "acme", start).await.is_ok());
}

/// AC-007: a code that is on its way dies with a sign-out, a block and a new password.
#[apply(case)]
async fn what_shuts_the_account_kills_the_code(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let user = app.sign_in_through("acme").await.user.id;
    let outstanding = code(app.through("acme").await);
    app.accounts.set_password(&app.operator_context(), user, &password(OTHER_PASSWORD)).await.unwrap();
    assert_eq!(refusal(exchange(&app, &outstanding, None).await), Refusal::InvalidCode);
    let outstanding = code(app.through("acme").await);
    app.users.sign_out(&app.operator_context(), user).await.unwrap();
    assert_eq!(refusal(exchange(&app, &outstanding, None).await), Refusal::InvalidCode);
    let outstanding = code(app.through("acme").await);
    app.users.block(&app.operator_context(), user).await.unwrap();
    assert_eq!(refusal(exchange(&app, &outstanding, None).await), Refusal::InvalidCode);
    assert!(app.devices_of(user).await.is_empty());
}

fn called(device_name: &str) -> Along<'_> {
    Along { device_name: Some(device_name), ..Along::default() }
}

/// AC-070: a proof that an app handed over is handed over again.
#[apply(case)]
async fn a_native_proof_works_once(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let native = async |token: &str| {
        app.sign_in.native(&at(&app, home()), "acme", NativeProof::AccessToken(token), called("App")).await.map(started)
    };
    let first = native("token-1").await.unwrap();
    assert_eq!(refusal(native("token-1").await), Refusal::ProviderRefused("replayed"));
    let second = native("token-2").await.unwrap();
    assert_eq!(first.user.id, second.user.id);
    assert_eq!(app.sign_in_through("acme").await.user.id, first.user.id, "every way in leads to one account");
    *acme.fault.lock().unwrap() = Some(ProviderFault::Refused("client_mismatch"));
    assert_eq!(refusal(native("token-3").await), Refusal::ProviderRefused("client_mismatch"));
    let init_data =
        app.sign_in.native(&at(&app, home()), "acme", NativeProof::InitData("x"), Along::default()).await.map(started);
    assert_eq!(refusal(init_data), Refusal::ProviderRefused("not_supported"));
    acme.is(person("another", "1"));
    assert_eq!(refusal(native("token-4").await), Refusal::ProviderRefused("provider_mismatch"));
    let name =
        app.sign_in.native(&at(&app, home()), "acme", NativeProof::AccessToken("t"), called("\n")).await.map(started);
    assert_eq!(wrong_fields(name), ["/device_name"]);
}

/// Telegram's clients hand a reloaded Mini App the same data. It signs in again whoever shows the device token of an answer
/// that it gave, and nobody else (fault 16).
#[apply(case)]
async fn mini_app_data_signs_its_holder_in_again(fixture: Fixture) {
    let acme = super::elsewhere::Elsewhere::new("acme", |facts| facts.capabilities.mini_app = true);
    let app = fixture.app_with(super::elsewhere::offering(&[&acme])).await;
    let come = async |data: &str, token: Option<&str>| {
        let along = Along { device_token: token, ..Along::default() };
        app.sign_in.native(&at(&app, home()), "acme", NativeProof::InitData(data), along).await.map(started)
    };
    let first = come("data-1", None).await.unwrap();
    app.advance(crate::fixture::MINUTE);
    let held = first.tokens.device_token.clone().unwrap();
    let other_device = come("data-2", None).await.unwrap().tokens.device_token.unwrap();
    acme.is(person("acme", "thief"));
    let thief = come("data-3", None).await.unwrap().tokens.device_token.unwrap();
    acme.is(person("acme", "1"));
    let changed = held.replace(char::is_numeric, "x");
    for stranger in [None, Some(""), Some("udd_x"), Some(changed.as_str()), Some(&other_device), Some(&thief)] {
        let refused = refusal(come("data-1", stranger).await);
        assert_eq!(refused, Refusal::ProviderRefused("replayed"), "{stranger:?}");
    }
    let mut tokens = vec![held.clone()];
    for _ in 0..3 {
        app.advance(std::time::Duration::from_secs(1));
        let again = come("data-1", tokens.last().map(String::as_str)).await.unwrap();
        assert_eq!(again.user.id, first.user.id);
        assert_ne!(again.tokens.session_id, first.tokens.session_id);
        tokens.push(again.tokens.device_token.unwrap());
    }
    assert!(come("data-1", Some(&held)).await.is_ok(), "the first token stays good");
    assert!(come("data-4", Some(&held)).await.is_ok(), "and other data needs none");
    app.users.sign_out(&app.operator_context(), first.user.id).await.unwrap();
    assert_eq!(
        refusal(come("data-1", Some(&held)).await),
        Refusal::ProviderRefused("replayed"),
        "signed out everywhere"
    );
    let anew = come("data-5", None).await.unwrap().tokens.device_token;
    app.users.block(&app.operator_context(), first.user.id).await.unwrap();
    assert!(come("data-5", anew.as_deref()).await.is_err());
}

/// F17: one native proof, sixty-four times at once.
#[apply(case)]
async fn sixty_four_native_proofs_make_one_session(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let services = app.shared();
    let answers = at_once(64, |n| {
        let services = Arc::clone(&services);
        async move {
            services
                .sign_in
                .native(&at(&services, elsewhere(n)), "acme", NativeProof::AccessToken("token"), Along::default())
                .await
                .map(started)
        }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().all(|answer| refusal(answer) == Refusal::ProviderRefused("replayed")));
}
