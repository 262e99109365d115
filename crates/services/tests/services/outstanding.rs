//! What was mailed to a user and is not followed yet, when a way into the account is added or taken away.

use userd_model::{Refusal, UserId};
use userd_services::{Context, links::LinkAct, sign_in::Emptied, testing::TestOptions};

use crate::{
    emails::{forgot, mails, newest},
    factors::support::{Phone, authenticator},
    fixture::{Fixture, TestApp, refusal, with},
    further_emails::proven,
    personas::{Member, OTHER_PASSWORD, at, home, password},
    sign_in::elsewhere::{Elsewhere, code, offering, person},
};

/// What changes, or does not change, the ways into an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touch {
    /// A device gets another name.
    Nothing,
    App,
    Passkey,
    RecoveryCodes,
    FactorGone,
    Linked,
    Unlinked,
    MovedHere,
    MovedAway,
}

const TOUCHES: [Touch; 9] = [
    Touch::Nothing,
    Touch::App,
    Touch::Passkey,
    Touch::RecoveryCodes,
    Touch::FactorGone,
    Touch::Linked,
    Touch::Unlinked,
    Touch::MovedHere,
    Touch::MovedAway,
];

fn options(acme: &std::sync::Arc<Elsewhere>) -> TestOptions {
    let on = with(|settings| settings.email_code_sign_in = true);
    TestOptions { providers: offering(&[acme]).providers, ..on }
}

/// AC-007: whoever takes precautions because somebody else was in does not have to think of what that one had sent for.
#[apply(case)]
async fn links_and_codes_on_their_way_die_with_any_change_of_the_ways_in(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(options(&acme)).await;
    for (n, touch) in TOUCHES.into_iter().enumerate() {
        acme.is(person("acme", &n.to_string()));
        let (ada, grace) = (proven(&app, &format!("ada{n}")).await, proven(&app, &format!("grace{n}")).await);
        let (ada, phone) = prepared(&app, touch, ada, &grace, n).await;
        let (ctx, visitor) = (app.acting(&ada).await, at(&app, home()));

        forgot(&app, &visitor, &ada.email).await;
        let (reset, _) = newest(&app, &ada.email).await;
        let further = format!("ada{n}@example.net");
        app.emails.add(&ctx, &further).await.unwrap();
        let (proof, _) = newest(&app, &further).await;
        let challenge = app.email_codes.begin(&visitor, &ada.email).await.unwrap().challenge;
        let (_, digits) = newest(&app, &ada.email).await;

        carry_out(&app, touch, (&ada, &grace), phone).await;
        if touch == Touch::Nothing {
            assert_eq!(app.links.look(&visitor, &reset).await.unwrap(), LinkAct::ResetPassword);
            assert_eq!(app.links.look(&visitor, &proof).await.unwrap(), LinkAct::ConfirmEmail);
            assert!(app.email_codes.finish(&visitor, &challenge, &digits, None).await.is_ok());
            continue;
        }
        let signed_in = app.email_codes.finish(&visitor, &challenge, &digits, None).await;
        assert_eq!(refusal(signed_in), Refusal::InvalidCode, "a code that signs in: {touch:?}");
        let confirmed = app.emails.verify_link(&visitor, &proof, None).await;
        assert_eq!(refusal(confirmed), Refusal::InvalidCode, "another address: {touch:?}");
        let set = app.recovery.reset(&visitor, &reset, &password(OTHER_PASSWORD)).await;
        assert_eq!(refusal(set), Refusal::InvalidCode, "a link that resets: {touch:?}");
    }
}

/// What must be there before, and a session that may do it.
async fn prepared(app: &TestApp, touch: Touch, ada: Member, grace: &Member, n: usize) -> (Member, Option<Phone>) {
    match touch {
        Touch::RecoveryCodes | Touch::FactorGone => {
            let phone = app.phone_of(&ada).await;
            let tokens = app.login_with_phone(&format!("ada{n}"), &phone).await.tokens;
            (Member { tokens, ..ada }, Some(phone))
        }
        Touch::Unlinked | Touch::MovedAway => {
            app.link(&ada, "acme").await;
            (ada, None)
        }
        Touch::MovedHere => {
            app.link(grace, "acme").await;
            (ada, None)
        }
        Touch::Nothing | Touch::App | Touch::Passkey | Touch::Linked => (ada, None),
    }
}

async fn carry_out(app: &TestApp, touch: Touch, (ada, grace): (&Member, &Member), phone: Option<Phone>) {
    let ctx = app.acting(ada).await;
    match touch {
        Touch::Nothing => drop(app.sessions.name_device(&ctx, ada.tokens.session_id, "laptop").await.unwrap()),
        Touch::App => drop(app.phone_of(ada).await),
        Touch::Passkey => drop(app.passkey_of(ada, &mut authenticator()).await),
        Touch::RecoveryCodes => drop(app.factors.renew_recovery_codes(&ctx).await.unwrap()),
        Touch::FactorGone => app.factors.remove(&ctx, phone.unwrap().factor).await.unwrap(),
        Touch::Linked => drop(app.link(ada, "acme").await),
        Touch::Unlinked => {
            let linked = app.sign_in.identities(&ctx, ada.id).await.unwrap().remove(0).id;
            app.sign_in.unlink(&ctx, linked).await.unwrap();
        }
        Touch::MovedHere => move_to(app, &ctx, ada.id).await,
        Touch::MovedAway => move_to(app, &app.acting(grace).await, grace.id).await,
    }
}

async fn move_to(app: &TestApp, here: &Context, user: UserId) {
    let shown = code(app.through("acme").await);
    app.sign_in.move_here(here, &shown, None, Emptied::Kept).await.unwrap();
    assert_eq!(app.sign_in.identities(here, user).await.unwrap().len(), 1);
}

/// The proof of the address that the account has opens nothing: it stays good.
#[apply(case)]
async fn the_proof_of_ones_own_address_outlives_a_new_factor(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let (proof, _) = newest(&app, &ada.email).await;
    app.phone_of(&ada).await;
    mails(&app).await;
    app.emails.verify_link(&at(&app, home()), &proof, None).await.unwrap();
    assert!(app.user_reader.show(ada.id).await.unwrap().email_verified);
}
