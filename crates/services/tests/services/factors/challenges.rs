//! A challenge opens the route that resolves its step, and no other one: there is no half of a sign-in that anything else
//! here takes for a whole one.

use serde_json::json;
use userd_model::{Document, PendingStep, Refusal};
use userd_services::{Failure, emails::Code, factors::Shown, testing::TestOptions};

use super::support::{delete_restorably, owe, pending};
use crate::{
    fixture::{Fixture, TestApp, with},
    personas::{OTHER_PASSWORD, PASSWORD, at, home, login_with, password, registration},
    terms::accept,
};

/// Whoever has proven something shows the challenge here. What opens nothing at all (`None`) is for another secret.
const ROUTES: [(&str, Option<PendingStep>); 16] = [
    ("second factor", Some(PendingStep::SecondFactor)),
    ("question of a second factor", Some(PendingStep::SecondFactor)),
    ("app begun", Some(PendingStep::FactorSetup)),
    ("app shown again", Some(PendingStep::FactorSetup)),
    ("app confirmed", Some(PendingStep::FactorSetup)),
    ("passkey begun", Some(PendingStep::FactorSetup)),
    ("passkey confirmed", Some(PendingStep::FactorSetup)),
    ("new password", Some(PendingStep::PasswordChange)),
    ("confirmation", Some(PendingStep::Confirmation)),
    ("approved?", Some(PendingStep::Approval)),
    ("terms", Some(PendingStep::Terms)),
    ("restoration", Some(PendingStep::Restore)),
    ("code of a mail", None),
    ("code of a provider", None),
    ("refresh", None),
    ("access", None),
];

/// Asks for everything that can stand between a proof and a session.
fn strict() -> TestOptions {
    with(|settings| {
        let url = "https://example.org/terms".to_owned();
        settings.documents = vec![Document { id: "terms".to_owned(), version: "1".to_owned(), url, required: true }];
        settings.mfa.required_for = vec!["admin".to_owned()];
        settings.email_confirmation_required = true;
        settings.email_code_sign_in = true;
    })
}

/// A challenge of each step.
async fn challenges(lax: &TestApp, app: &TestApp) -> Vec<(PendingStep, String)> {
    let mut all = Vec::new();
    for (step, name) in PendingStep::ALL.iter().zip(["ada", "grace", "mary", "ruth", "joan", "hedy", "anna"]) {
        let completion = if *step == PendingStep::Confirmation {
            let asked = registration(Some("new@example.org"), None);
            app.accounts.register(&at(app, home()), asked, None).await.unwrap()
        } else {
            let member = lax.member(name).await;
            match step {
                PendingStep::SecondFactor => drop(lax.phone_of(&member).await),
                PendingStep::FactorSetup => lax.rewrite(member.id, |user| user.roles = vec!["admin".to_owned()]).await,
                PendingStep::PasswordChange => owe(lax, member.id, "password").await,
                PendingStep::Approval => owe(lax, member.id, "approval").await,
                PendingStep::Restore => delete_restorably(lax, member.id).await,
                PendingStep::Terms | PendingStep::Confirmation => {}
            }
            app.sessions.login(&at(app, home()), login_with(name, PASSWORD)).await.unwrap()
        };
        let pending = pending(completion);
        assert_eq!(pending.status, step.status());
        all.push((*step, pending.challenge));
    }
    all
}

/// What a route says; `Ok` where it did anything.
async fn shown(app: &TestApp, route: &str, challenge: &str) -> Result<(), Failure> {
    let (ctx, new) = (&at(app, home()), &password(OTHER_PASSWORD));
    let (digits, credential) = ("000000", &json!({}));
    match route {
        "second factor" => app.factors.second_step(ctx, challenge, &Shown::code(digits.to_owned())).await.map(drop),
        "question of a second factor" => app.factors.begin_second_factor(ctx, challenge).await.map(drop),
        "app begun" => app.factors.begin_demanded(ctx, challenge, None).await.map(drop),
        "app shown again" => app.factors.waiting_demanded(ctx, challenge).await.map(drop),
        "app confirmed" => app.factors.confirm_demanded(ctx, challenge, digits).await.map(drop),
        "passkey begun" => app.factors.begin_demanded_passkey(ctx, challenge, None).await.map(drop),
        "passkey confirmed" => app.factors.confirm_demanded_passkey(ctx, challenge, credential).await.map(drop),
        "new password" => app.accounts.change_demanded(ctx, challenge, new).await.map(drop),
        "confirmation" => {
            let code = Code { email: "new@example.org", code: digits, challenge: Some(challenge) };
            app.emails.verify_code(ctx, &code, None).await.map(drop)
        }
        "approved?" => app.accounts.ask_whether_approved(ctx, challenge).await.map(drop),
        "terms" => app.accounts.accept_terms(ctx, challenge, &accept(&[("terms", "1")])).await.map(drop),
        "restoration" => app.deletions.restore_own(ctx, challenge).await.map(drop),
        "code of a mail" => app.email_codes.finish(ctx, challenge, digits, None).await.map(drop),
        "code of a provider" => app.sign_in.exchange(ctx, challenge, None, None).await.map(drop),
        "refresh" => app.refresh(challenge).await.map(drop),
        _ => app.who(challenge).await.map(drop).map_err(Failure::from),
    }
}

/// AC-027: what proves a part of a sign-in is shown wherever something like it is taken.
#[apply(case)]
async fn a_challenge_opens_the_route_of_its_own_step_alone(fixture: Fixture) {
    let lax = fixture.app().await;
    let clock = Some(std::sync::Arc::clone(&lax.clock));
    let app = fixture.app_with(TestOptions { clock, seed: 2, ..strict() }).await;
    let challenges = challenges(&lax, &app).await;
    for (step, challenge) in &challenges {
        for (route, _) in ROUTES.iter().filter(|(_, opens)| *opens != Some(*step)) {
            match shown(&app, route, challenge).await {
                Err(Failure::Refused(
                    Refusal::ChallengeGone | Refusal::InvalidCode | Refusal::InvalidRefreshToken | Refusal::NotSignedIn,
                )) => {}
                other => panic!("{step:?} at {route}: {other:?}"),
            }
        }
    }
    // None of it used one up: each is still known where it belongs.
    for (step, challenge) in &challenges {
        let mut is_known = false;
        for (route, _) in ROUTES.iter().filter(|(_, opens)| *opens == Some(*step)) {
            let answer = shown(&app, route, challenge).await;
            is_known |= !matches!(answer, Err(Failure::Refused(Refusal::ChallengeGone)));
        }
        assert!(is_known, "{step:?}");
    }
}
