//! Whatever is good for one use, shown sixty-four times at once in two replicas. By hand, in as many rounds as one likes:
//! `USERD_TEST_RACE_ROUNDS=1000 cargo nextest run -p userd-services -E 'test(whatever_is_good_for_one_use)'`.

use std::{sync::Arc, time::Duration};

use userd_model::Refusal;
use userd_services::{
    Context, Failure, Services, accounts::Registration, invitations::NewInvitation, passwords::Password,
    testing::TestOptions,
};

use crate::{
    emails::{forgot, newest},
    factors::support::recovery,
    fixture::{Fixture, TestApp, at_once, refusal, rounds, with},
    personas::{OTHER_PASSWORD, at, elsewhere, home, registration},
};

fn on() -> TestOptions {
    with(|settings| settings.email_code_sign_in = true)
}

/// A link that proves an address, a code that signs in, a code of an app, a recovery code, a link that resets, an invitation.
/// F17: of a race for one thing there is one winner.
#[apply(case)]
async fn whatever_is_good_for_one_use_is_taken_once(fixture: Fixture) {
    let first = fixture.app_with(on()).await;
    let clock = Some(Arc::clone(&first.clock));
    let second = fixture.app_with(TestOptions { clock, seed: 2, ..on() }).await;
    for number in 0..rounds("USERD_TEST_RACE_ROUNDS", 1) {
        round([&first, &second], number).await;
    }
}

async fn round(replicas: [&TestApp; 2], number: usize) {
    let (app, name) = (replicas[0], format!("ada{number}"));
    let ada = app.member(&name).await;
    let (link, _) = newest(app, &ada.email).await;
    let proofs = winners(replicas, |_, services, ctx| {
        let link = link.clone();
        async move { services.emails.verify_link(&ctx, &link, None).await }
    });
    assert_eq!(proofs.await, 1, "a link that proves");
    app.advance(Duration::from_secs(1));

    let challenge = app.email_codes.begin(&at(app, home()), &ada.email).await.unwrap().challenge;
    let (_, code) = newest(app, &ada.email).await;
    let codes = winners(replicas, |_, services, ctx| {
        let (challenge, code) = (challenge.clone(), code.clone());
        async move { services.email_codes.finish(&ctx, &challenge, &code, None).await }
    });
    assert_eq!(codes.await, 1, "a code of a mail");

    let phone = app.phone_of(&ada).await;
    let mut challenges = Vec::new();
    for _ in 0..64 {
        challenges.push(app.first_step(&name).await.challenge);
    }
    for shown in [phone.shows(app.now()), recovery(&phone.recovery_codes[number % 10])] {
        let steps = winners(replicas, |turn, services, ctx| {
            let (challenge, shown) = (challenges[turn].clone(), shown.clone());
            async move { services.factors.second_step(&ctx, &challenge, &shown).await }
        });
        assert_eq!(steps.await, 1, "a code of an app, a recovery code");
    }

    forgot(app, &at(app, home()), &ada.email).await;
    let (link, _) = newest(app, &ada.email).await;
    let resets = winners(replicas, |turn, services, ctx| {
        let link = link.clone();
        async move { services.recovery.reset(&ctx, &link, &Password::new(format!("{OTHER_PASSWORD} {turn}"))).await }
    });
    assert_eq!(resets.await, 1, "a link that resets");

    let invitation = NewInvitation { uses: Some(1), ..NewInvitation::default() };
    let made = app.invitations.create(&app.operator_context(), &invitation, None).await.unwrap();
    let guests = winners(replicas, |turn, services, ctx| {
        let asked = registration(None, Some(&format!("guest{number}x{turn}")));
        let asked = Registration { invitation: made.token.clone(), ..asked };
        async move { services.accounts.register(&ctx, asked, None).await }
    });
    assert_eq!(guests.await, 1, "an invitation");
}

/// How many of sixty-four get through; the others hear that it is gone.
async fn winners<T, F>(replicas: [&TestApp; 2], show: impl Fn(usize, Arc<Services>, Context) -> F) -> usize
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let replicas = replicas.map(TestApp::shared);
    let ends = at_once(64, |turn| {
        let services = Arc::clone(&replicas[turn % 2]);
        let ctx = services.context().from_origin(elsewhere(turn));
        show(turn, services, ctx)
    });
    let (won, lost): (Vec<_>, Vec<_>) = ends.await.into_iter().partition(Result::is_ok);
    for end in lost {
        let why = refusal(end.map(drop));
        let is_gone = matches!(why, Refusal::InvalidCode | Refusal::ChallengeGone | Refusal::InvitationGone);
        assert!(is_gone, "{why:?}");
    }
    won.len()
}
