//! What policy asks for: roles that must have two factors, stepping up, remembered devices. The matrix of all of it is in
//! `matrix.rs`.

use userd_model::{EventKind, FactorMethod, GrantKind, Level, Permission, Refusal, RoleRules, UserId};
use userd_services::{
    Completion, MfaSettings,
    accounts::NewUser,
    clients::ClientChange,
    deliveries::ResendRange,
    factors::{Shown, StepUp},
    roles::GrantInput,
    sessions::Login,
    testing::TestOptions,
    webhooks::{WebhookChange, WebhookInput},
};

use super::support::{Phone, is_wrong, pending};
use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, refusal, with},
    personas::{Member, PASSWORD, acting, at, elsewhere, home, login_with, of_id, password},
};

fn required() -> TestOptions {
    with(|settings| settings.mfa.required_for = vec!["admin".to_owned()])
}

/// The level alone, however long ago.
fn two_factors() -> Refusal {
    Refusal::InsufficientAuthentication { level: Level::Two, max_age: None }
}

/// The level, a moment ago.
fn fresh_two() -> Refusal {
    Refusal::InsufficientAuthentication { level: Level::Two, max_age: Some(5 * MINUTE) }
}

async fn operator_makes_admin(app: &TestApp) {
    let made = crate::personas::registration(Some("root@example.org"), None);
    app.setup.create_administrator(&app.operator_context(), made).await.unwrap();
}

/// Sets a demanded factor up with the challenge of a sign-in.
async fn set_up_demanded(app: &TestApp, challenge: &str) -> (Phone, Completion) {
    let begun = app.factors.begin_demanded(&at(app, home()), challenge, Some("phone")).await.unwrap();
    let mut phone = Phone::reading(&begun);
    let (completion, codes) =
        app.factors.confirm_demanded(&at(app, home()), challenge, &phone.code(app.now())).await.unwrap();
    phone.recovery_codes = codes;
    app.advance(MINUTE);
    (phone, completion)
}

/// AC-027: whoever must have a second factor and has none begins again and again, shows the challenge elsewhere, or asks
/// for tokens: there is nothing but setting one up.
/// ASVS V6.3.3
#[apply(case)]
async fn who_must_have_a_factor_and_has_none_can_set_one_up_and_nothing_else(fixture: Fixture) {
    let app = fixture.app_with(required()).await;
    operator_makes_admin(&app).await;
    let (first, challenge) = (app.first_step("root@example.org").await, app.first_step("root@example.org").await);
    assert_eq!(
        (challenge.status.as_str(), &challenge.methods),
        ("factor_setup_required", &vec![FactorMethod::Totp, FactorMethod::Passkey])
    );
    let text = &challenge.challenge;
    let shown = Shown::code("000000".to_owned());
    assert_eq!(refusal(app.factors.second_step(&at(&app, home()), text, &shown).await), Refusal::ChallengeGone);
    let early = app.factors.confirm_demanded(&at(&app, home()), text, "000000").await;
    assert_eq!(refusal(early), Refusal::NotFound, "nothing was begun");
    let begun = app.factors.begin_demanded(&at(&app, home()), text, None).await.unwrap();
    let other = Phone::reading(&begun).code(app.now());
    let swapped = app.factors.confirm_demanded(&at(&app, home()), &first.challenge, &other).await;
    assert_eq!(refusal(swapped), Refusal::NotFound, "the secret is bound to the sign-in that it was shown to");
    assert!(is_wrong(app.factors.confirm_demanded(&at(&app, home()), text, "000000").await));
    let (phone, completion) = set_up_demanded(&app, text).await;
    assert_eq!(phone.recovery_codes.len(), 10);
    let signed_in = completion.signed_in().unwrap();
    let claims = &app.who(&signed_in.tokens.access_token).await.unwrap().token.claims;
    assert_eq!((claims.amr.join(" "), claims.acr.as_deref()), ("pwd otp mfa".into(), Some("aal2")));
    let again = app.factors.begin_demanded(&at(&app, home()), &first.challenge, None).await.unwrap();
    let code = Phone::reading(&again).code(app.now());
    let second = app.factors.confirm_demanded(&at(&app, home()), &first.challenge, &code).await;
    assert_eq!(refusal(second), Refusal::ChallengeGone, "there is a factor now: that one is to be shown");
    let root = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    let last = app.factors.remove(&app.acting(&root).await, phone.factor).await;
    assert_eq!(refusal(last), Refusal::FactorRequired);
    app.login_with_phone("root@example.org", &phone).await;
}

/// A role gives what it includes, so it asks for what that asks for, however many are between.
#[apply(case)]
async fn a_role_that_includes_one_of_those_asks_for_two_factors_too(fixture: Fixture) {
    let app = fixture.app_with(required()).await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let including = |name: &str| RoleRules { includes: vec![name.to_owned()], ..RoleRules::default() };
    app.make_role("deputy", &[], including("admin")).await;
    app.make_role("trainee", &[], including("deputy")).await;
    app.make_role("reader", &[], including("auditor")).await;
    for (member, role) in [(&ada, "trainee"), (&grace, "reader")] {
        let (operator, kind) = (app.operator_context(), GrantKind::Role);
        app.grants.grant(&operator, member.id, kind, role, &GrantInput::default()).await.unwrap();
    }
    assert_eq!(refusal(app.refresh(&ada.tokens.refresh_token).await), two_factors());
    assert_eq!(app.first_step("ada").await.status, "factor_setup_required");
    assert!(app.refresh(&grace.tokens.refresh_token).await.is_ok());
    assert!(app.login("grace", PASSWORD).await.is_ok());
}

/// A session from before policy asked for two factors is not renewed; it stays, and a step-up raises it.
/// ASVS V8.2.4
#[apply(case)]
async fn a_session_below_policy_is_refused_at_refresh_and_raised_by_a_step_up(fixture: Fixture) {
    let before = fixture.app().await;
    let root = before.admin().await;
    let phone = before.phone_of(&root).await;
    let app = fixture
        .app_with(TestOptions { clock: Some(std::sync::Arc::clone(&before.clock)), seed: 2, ..required() })
        .await;
    assert_eq!(refusal(app.refresh(&root.tokens.refresh_token).await), two_factors());
    assert_eq!(refusal(app.refresh(&root.tokens.refresh_token).await), two_factors(), "it is not used up");
    let ctx = app.acting(&root).await;
    let by_password = StepUp { password: Some(password(PASSWORD)), factor: None };
    assert_eq!(refusal(app.factors.step_up(&ctx, by_password).await), fresh_two());
    let raised =
        app.factors.step_up(&ctx, StepUp { password: None, factor: Some(phone.shows(app.now())) }).await.unwrap();
    assert_eq!(raised.tokens.session_id, root.tokens.session_id);
    assert_eq!(app.count_of(root.id, EventKind::AssuranceRaised).await, 1);
    let who = app.who(&raised.tokens.access_token).await.unwrap();
    assert_eq!((who.token.claims.amr.join(" "), who.token.claims.acr.as_deref()), ("pwd otp mfa".into(), Some("aal2")));
    let refreshed = app.refresh(&raised.tokens.refresh_token).await.unwrap();
    assert_eq!(app.who(&refreshed.tokens.access_token).await.unwrap().token.claims.acr.as_deref(), Some("aal2"));
    let used = app.factors.step_up(&ctx, StepUp { password: None, factor: Some(phone.shows(app.now())) }).await;
    assert!(is_wrong(used), "a code is good once, for a step-up too");
}

/// ASVS V7.5.3
#[apply(case)]
async fn a_step_up_is_a_fresh_proof_in_the_same_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.advance(9 * MINUTE);
    let ctx = app.acting(&ada).await;
    assert!(matches!(
        refusal(app.factors.begin_totp(&ctx, None, None).await),
        Refusal::InsufficientAuthentication { .. }
    ));
    let nothing = app.factors.step_up(&ctx, StepUp { password: None, factor: None }).await;
    assert!(matches!(refusal(nothing), Refusal::InvalidInput(_)));
    let wrong = StepUp { password: Some(password("not her password")), factor: None };
    assert_eq!(refusal(app.factors.step_up(&ctx, wrong).await), Refusal::WrongCredentials);
    let code = StepUp { password: None, factor: Some(Shown::code("123456".to_owned())) };
    assert!(is_wrong(app.factors.step_up(&ctx, code).await), "who holds no factor has no right code");
    let right = StepUp { password: Some(password(PASSWORD)), factor: None };
    let raised = app.factors.step_up(&ctx, right).await.unwrap();
    assert_eq!(app.count_of(ada.id, EventKind::AssuranceRaised).await, 0, "a password proves no more than before");
    let ada = Member { tokens: raised.tokens, ..ada };
    let phone = app.phone_of(&ada).await;
    let by_paper = StepUp { password: None, factor: Some(Shown::code(phone.recovery_codes[0].clone())) };
    let raised = app.factors.step_up(&app.acting(&ada).await, by_paper).await.unwrap();
    let strong = Member { tokens: raised.tokens, ..ada.clone() };
    assert!(app.factors.remove(&app.acting(&strong).await, phone.factor).await.is_ok());
    let ended = app.acting(&strong).await;
    app.sessions.end_all(&of_id(&app, ada.id), ada.id, None).await.unwrap();
    let dead = app.factors.step_up(&ended, StepUp { password: Some(password(PASSWORD)), factor: None }).await;
    assert_eq!(refusal(dead), Refusal::NotSignedIn, "a session that has ended is not raised");
}

/// Whoever administers shows the second factor that they hold for what works in the name of others too: service accounts,
/// signing keys, webhooks. Once in the session is enough; the operator and services are not asked. (decision 0062)
/// ASVS V8.4.2
#[apply(case)]
async fn services_keys_and_webhooks_are_administered_after_the_factor_that_is_held(fixture: Fixture) {
    let app = fixture.app().await;
    let (root, operator) = (app.admin().await, app.operator_context());
    let hook =
        || WebhookInput { url: "https://a.example/".into(), events: vec!["*".into()], ..WebhookInput::default() };
    let client = app.clients.create(&operator, "billing", &[], None).await.unwrap().client.id;
    let webhook = app.webhooks.create(&operator, hook(), None).await.unwrap().webhook.id;
    let kid = app.signing_keys.list(&operator).await.unwrap().remove(0).kid;
    let phone = app.phone_of(&root).await;
    let weak = &app.acting(&root).await;
    let range = ResendRange { from: app.now(), to: None, after: None };
    for refused in [
        app.clients.create(weak, "spy", &[], None).await.map(drop),
        app.clients.change(weak, client, ClientChange::default(), None).await.map(drop),
        app.clients.rotate_secret(weak, client, None).await.map(drop),
        app.clients.disable(weak, client).await,
        app.clients.enable(weak, client, None).await.map(drop),
        app.signing_keys.rotate(weak).await.map(drop),
        app.signing_keys.revoke(weak, &kid).await.map(drop),
        app.webhooks.create(weak, hook(), None).await.map(drop),
        app.webhooks.change(weak, webhook, WebhookChange::default(), None).await.map(drop),
        app.webhooks.rotate_secret(weak, webhook, None, None).await.map(drop),
        app.webhooks.test(weak, webhook).await.map(drop),
        app.webhooks.remove(weak, webhook).await,
        app.deliveries.resend_events(weak, webhook, &range).await.map(drop),
    ] {
        assert_eq!(refusal(refused), two_factors());
    }
    assert!(app.clients.page(weak, None, 1).await.is_ok() && app.webhooks.list(weak).await.is_ok(), "reading is free");
    let raised = StepUp { password: None, factor: Some(phone.shows(app.now())) };
    let tokens = app.factors.step_up(weak, raised).await.unwrap().tokens;
    let strong = &app.acting(&Member { tokens, ..root }).await;
    app.clients.rotate_secret(strong, client, None).await.map(drop).unwrap();
    app.signing_keys.rotate(strong).await.map(drop).unwrap();
    app.webhooks.remove(strong, webhook).await.unwrap();
}

/// AC-033: whoever may not reset factors removes somebody's, or an administrator does so after a password alone.
/// ASVS V6.4.4
#[apply(case)]
async fn factors_are_reset_by_who_may_and_has_shown_their_own(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let (root, ada_phone) = (app.admin().await, app.phone_of(&ada).await);
    let strong = Member { tokens: app.login_with_phone("ada", &ada_phone).await.tokens, ..ada.clone() };
    assert_eq!(refusal(app.factors.reset(&app.acting(&grace).await, ada.id).await), Refusal::Forbidden);
    let manager = app.service(&[Permission::USERS_MANAGE]).await.actor;
    assert_eq!(refusal(app.factors.reset(&acting(&app, &manager), ada.id).await), Refusal::Forbidden);
    let robot = app.service(&[Permission::USERS_RESET_FACTORS]).await.actor;
    let nobody = UserId(uuid::Uuid::nil());
    assert_eq!(refusal(app.factors.reset(&acting(&app, &robot), nobody).await), Refusal::NotFound);
    assert_eq!(refusal(app.factors.remove(&app.acting(&root).await, ada_phone.factor).await), Refusal::NotFound);
    let root_phone = app.phone_of(&root).await;
    let ctx = app.acting(&root).await;
    assert_eq!(refusal(app.factors.reset(&ctx, ada.id).await), fresh_two());
    assert_eq!(refusal(app.users.block(&ctx, ada.id).await), two_factors());
    assert_eq!(refusal(app.users.sign_out(&ctx, ada.id).await), two_factors());
    let deputy = NewUser { username: Some("deputy".to_owned()), roles: vec!["admin".to_owned()], ..NewUser::default() };
    assert_eq!(refusal(app.accounts.create(&ctx, &deputy, None).await), two_factors());
    let root = Member { tokens: app.login_with_phone(&root.email, &root_phone).await.tokens, ..root };
    let ctx = app.acting(&root).await;
    assert_eq!(refusal(app.factors.reset(&ctx, root.id).await), Refusal::Forbidden, "not one's own");
    app.factors.reset(&ctx, ada.id).await.unwrap();
    app.factors.reset(&ctx, ada.id).await.unwrap();
    assert!(app.is_out(&strong.tokens).await, "every session ends");
    assert!(app.login("ada", PASSWORD).await.is_ok());
    assert_eq!(app.reading().recovery_codes().of_user(ada.id).await.unwrap(), []);
    assert_eq!(app.events_of(ada.id).await.iter().filter(|word| *word == "factor.removed").count(), 1);
    app.factors.reset(&app.operator_context(), root.id).await.unwrap();
    assert!(app.login(&root.email, PASSWORD).await.is_ok());
}

/// A device on which the second factor was shown is not asked again for a while, where that is configured.
#[apply(case)]
async fn a_remembered_device_stands_for_the_second_factor_for_its_time(fixture: Fixture) {
    let remembering =
        || with(|settings| settings.mfa = MfaSettings { remember_devices: 30 * DAY, ..settings.mfa.clone() });
    let app = fixture.app_with(remembering()).await;
    let ada = app.member("ada").await;
    let phone = app.phone_of(&ada).await;
    let on = |token: &Option<String>| Login { device_token: token.clone(), ..login_with("ada", PASSWORD) };
    let first = app.sessions.login(&at(&app, home()), on(&ada.tokens.device_token)).await.unwrap();
    assert_eq!(pending(first).status, "second_factor_required", "the device is from before the factor");
    let device = app.login_with_phone("ada", &phone).await.tokens.device_token;
    app.advance(29 * DAY);
    let known = app.sessions.login(&at(&app, elsewhere(1)), on(&device)).await.unwrap().signed_in().unwrap();
    assert_eq!(known.tokens.device_token, None, "what stands in is not renewed");
    let claims = &app.who(&known.tokens.access_token).await.unwrap().token.claims;
    assert_eq!(claims.acr.as_deref(), Some("aal1"), "and is no second factor");
    let weak = Member { tokens: known.tokens, ..ada.clone() };
    assert_eq!(refusal(app.factors.begin_totp(&app.acting(&weak).await, None, None).await), fresh_two());
    app.advance(DAY);
    let late = app.sessions.login(&at(&app, home()), on(&device)).await.unwrap();
    assert_eq!(pending(late).status, "second_factor_required");
    let device = app.login_with_phone("ada", &phone).await.tokens.device_token;
    let others = app.sessions.login(&at(&app, home()), on(&None)).await.unwrap();
    assert_eq!(pending(others).status, "second_factor_required");
    app.users.sign_out(&app.operator_context(), ada.id).await.unwrap();
    let ended = app.sessions.login(&at(&app, home()), on(&device)).await.unwrap();
    assert_eq!(pending(ended).status, "second_factor_required", "what ends sessions ends that too");
}
