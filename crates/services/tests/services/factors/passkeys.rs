//! Passkeys: set up, shown alone and after a first step, renamed, removed. An authenticator of the stand-ins answers.

use std::sync::Arc;

use serde_json::json;
use userd_model::{EventKind, FactorKind, FactorMethod, Level, Refusal, UserStatus};
use userd_services::{
    Completion, MfaSettings,
    factors::{Shown, StepUp},
    sessions::Login,
    testing::TestOptions,
};

use super::support::{authenticator, recovery};
use crate::{
    fixture::{DAY, Fixture, MINUTE, at_once, refusal, with, wrong_fields},
    personas::{Member, PASSWORD, at, elsewhere, home, login_with, password},
};

fn two_factors() -> Refusal {
    Refusal::InsufficientAuthentication { level: Level::Two, max_age: Some(5 * MINUTE) }
}

#[apply(case)]
async fn a_passkey_signs_in_by_itself_and_is_two_factors(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    let ctx = app.acting(&ada).await;
    let begun = app.factors.begin_passkey(&ctx, Some(" my laptop ")).await.unwrap();
    assert_eq!(begun.options["user"]["name"], "ada@example.org");
    assert!(app.factors.held(&ctx).await.unwrap().items.is_empty(), "it does not count yet");
    let made = laptop.create(&begun.options).unwrap();
    let (added, codes) = app.factors.finish_passkey(&ctx, &begun.challenge, &made).await.unwrap();
    assert_eq!((added.kind, added.name.as_deref()), (FactorKind::Passkey, Some("my laptop")));
    assert_eq!(codes.map(|codes| codes.len()), Some(10), "with the first factor");
    assert_eq!(added.credential_id.as_ref(), laptop.ids().first());
    assert_eq!(app.count_of(ada.id, EventKind::FactorAdded).await, 1);

    let signed_in = app.login_by_passkey(&mut laptop).await.unwrap().signed_in().unwrap();
    assert_eq!(signed_in.user.id, ada.id);
    let who = app.who(&signed_in.tokens.access_token).await.unwrap();
    assert_eq!((who.token.claims.amr.join(" "), who.token.claims.acr.as_deref()), ("pop mfa".into(), Some("aal2")));
    assert_eq!(who.auth_time.map(|at| at.seconds()), Some(app.now().seconds()));
    let strong = Member { tokens: signed_in.tokens, ..ada };
    let held = app.factors.held(&app.acting(&strong).await).await.unwrap();
    assert_eq!(held.items[0].last_used_at.map(|at| at.seconds()), Some(app.now().seconds()));
    let accepted = serde_json::to_value(held.accepted_passkeys).unwrap();
    let user_id = &begun.options["user"]["id"];
    assert_eq!(accepted, json!({"rpId": "localhost", "userId": user_id, "allAcceptedCredentialIds": laptop.ids()}));
}

/// AC-032: what was begun is answered again, by another session, by another user, later, or twice at once.
/// AC-137: an enrolment is used again.
/// ASVS V6.7.2
#[apply(case)]
async fn a_question_is_good_once_and_where_it_was_asked(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let (ctx, mut laptop) = (app.acting(&ada).await, authenticator());
    let begun = app.factors.begin_passkey(&ctx, None).await.unwrap();
    let made = laptop.create(&begun.options).unwrap();
    let elsewhere = Member { tokens: app.login("ada", PASSWORD).await.unwrap().tokens, ..ada.clone() };
    for other in [&grace, &elsewhere] {
        let answer = app.factors.finish_passkey(&app.acting(other).await, &begun.challenge, &made).await;
        assert_eq!(refusal(answer), Refusal::ChallengeGone);
    }
    let newer = app.factors.begin_passkey(&ctx, None).await.unwrap();
    laptop.reset();
    let made = laptop.create(&newer.options).unwrap();
    assert_eq!(
        refusal(app.factors.finish_passkey(&ctx, &begun.challenge, &made).await),
        Refusal::ChallengeGone,
        "one waits at a time"
    );
    app.factors.finish_passkey(&ctx, &newer.challenge, &made).await.unwrap();
    let strong = Member { tokens: app.login_by_passkey(&mut laptop).await.unwrap().signed_in().unwrap().tokens, ..ada };
    let ctx = app.acting(&strong).await;
    assert_eq!(refusal(app.factors.finish_passkey(&ctx, &newer.challenge, &made).await), Refusal::ChallengeGone);
    // A sign-in: its answer again, and an answer after its time.
    let begun = app.factors.begin_passkey_sign_in(&at(&app, home())).await.unwrap();
    let answer = laptop.get(&begun.options).unwrap();
    let visitor = at(&app, home());
    let finish = || app.factors.finish_passkey_sign_in(&visitor, &begun.challenge, &answer, None);
    assert!(finish().await.is_ok());
    assert_eq!(refusal(finish().await), Refusal::ChallengeGone);
    let late = app.factors.begin_passkey_sign_in(&at(&app, home())).await.unwrap();
    let answer = laptop.get(&late.options).unwrap();
    app.advance(10 * MINUTE);
    let answered = app.factors.finish_passkey_sign_in(&at(&app, home()), &late.challenge, &answer, None).await;
    assert_eq!(refusal(answered), Refusal::ChallengeGone);
    for challenge in ["", "nonsense", &"A".repeat(43)] {
        let answered = app.factors.finish_passkey_sign_in(&at(&app, home()), challenge, &answer, None).await;
        assert_eq!(refusal(answered), Refusal::ChallengeGone);
    }
}

/// AC-141: an assertion without user verification is shown, alone and as a second factor; and a passkey is made by an
/// authenticator that does not verify.
#[apply(case)]
async fn who_is_not_verified_gets_nowhere(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    let ctx = app.acting(&ada).await;
    laptop.verifies_user = false;
    let begun = app.factors.begin_passkey(&ctx, None).await.unwrap();
    let made = laptop.create(&begun.options).unwrap();
    let wrong = || app.factors.finish_passkey(&ctx, &begun.challenge, &made);
    assert_eq!(refusal(wrong().await), Refusal::InvalidPasskey);
    assert_eq!(refusal(wrong().await), Refusal::ChallengeGone, "a wrong answer uses it up");
    laptop = authenticator();
    app.passkey_of(&ada, &mut laptop).await;
    laptop.verifies_user = false;
    assert_eq!(refusal(app.login_by_passkey(&mut laptop).await), Refusal::InvalidPasskey);
    let challenge = app.first_step("ada").await;
    let shown = app.answer_of(&challenge, &mut laptop).await;
    assert_eq!(refusal(app.second_step(&challenge, &shown).await), Refusal::InvalidPasskey);
    laptop.verifies_user = true;
    assert_eq!(refusal(app.second_step(&challenge, &shown).await), Refusal::InvalidPasskey, "used up with the first");
    let shown = app.answer_of(&challenge, &mut laptop).await;
    assert!(app.second_step(&challenge, &shown).await.is_ok(), "the sign-in goes on with a new question");
}

#[apply(case)]
async fn a_passkey_is_a_second_factor_after_a_password(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    let challenge = app.first_step("ada").await;
    assert_eq!(challenge.methods, [FactorMethod::Passkey, FactorMethod::RecoveryCode]);
    let begun = app.factors.begin_second_factor(&at(&app, home()), &challenge.challenge).await.unwrap();
    assert_eq!(begun.options["allowCredentials"], json!([{"type": "public-key", "id": laptop.ids()[0]}]));
    let answer = laptop.get(&begun.options).unwrap();
    let alone = app.factors.finish_passkey_sign_in(&at(&app, home()), &begun.challenge, &answer, None).await;
    assert_eq!(refusal(alone), Refusal::ChallengeGone, "a challenge opens its own step only");
    // Of another sign-in of hers, and of somebody else's.
    let other = app.first_step("ada").await;
    let shown = Shown::Passkey(answer);
    assert_eq!(refusal(app.second_step(&other, &shown).await), Refusal::InvalidPasskey);
    let (grace, mut theirs) = (app.member("grace").await, authenticator());
    app.passkey_of(&grace, &mut theirs).await;
    let hers = app.first_step("grace").await;
    assert!(theirs.get(&begun.options).is_none(), "the browser has none that would do");
    assert_eq!(refusal(app.second_step(&hers, &shown).await), Refusal::InvalidPasskey);
    let signed_in = app.second_step(&challenge, &shown).await.unwrap().signed_in().unwrap();
    let claims = &app.who(&signed_in.tokens.access_token).await.unwrap().token.claims;
    assert_eq!((claims.amr.join(" "), claims.acr.as_deref()), ("pwd pop mfa".into(), Some("aal2")));
    let none = app.factors.begin_second_factor(&at(&app, home()), &challenge.challenge).await;
    assert_eq!(refusal(none), Refusal::ChallengeGone);
}

/// AC-142: a session that has shown only a password sets up a passkey; that lifts nothing, and once there is a factor a
/// password alone adds no other one.
#[apply(case)]
async fn setting_one_up_lifts_no_session_and_the_next_one_needs_the_first(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop, mut phone) = (app.member("ada").await, authenticator(), authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    let weak = app.acting(&ada).await;
    assert_eq!(refusal(app.factors.begin_passkey(&weak, None).await), two_factors());
    let refreshed = app.refresh(&ada.tokens.refresh_token).await.unwrap();
    assert_eq!(app.who(&refreshed.tokens.access_token).await.unwrap().token.claims.acr.as_deref(), Some("aal1"));
    // The same session, raised by the passkey itself.
    let ada = Member { tokens: refreshed.tokens, ..ada };
    let ctx = app.acting(&ada).await;
    let begun = app.factors.begin_step_up(&ctx).await.unwrap();
    let answer = Shown::Passkey(laptop.get(&begun.options).unwrap());
    let by = |shown: &Shown| StepUp { password: None, factor: Some(shown.clone()) };
    let raised = app.factors.step_up(&ctx, by(&answer)).await.unwrap();
    assert_eq!(raised.tokens.session_id, ada.tokens.session_id);
    assert_eq!(refusal(app.factors.step_up(&ctx, by(&answer)).await), Refusal::InvalidPasskey, "once");
    let strong = Member { tokens: raised.tokens, ..ada };
    let codes = app.passkey_of(&strong, &mut phone).await.1;
    assert_eq!(codes, None, "recovery codes come with the first factor");
    assert_eq!(app.factors.held(&app.acting(&strong).await).await.unwrap().items.len(), 2);
    assert!(app.login_by_passkey(&mut phone).await.is_ok());
    let by_password = StepUp { password: Some(password(PASSWORD)), factor: None };
    assert_eq!(refusal(app.factors.step_up(&app.acting(&strong).await, by_password).await), two_factors());
}

/// Sixty-four answers at once to one question: one session; and sixty-four to one set-up: one passkey.
/// F17: of a race for one thing there is one winner.
#[apply(case)]
async fn of_many_who_answer_one_question_at_once_one_is_right(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    let ctx = Arc::new(app.acting(&ada).await);
    let begun = Arc::new(app.factors.begin_passkey(&ctx, None).await.unwrap());
    let made = laptop.create(&begun.options).unwrap();
    let services = app.shared();
    let answers = at_once(64, |_| {
        let (services, ctx, begun, made) = (Arc::clone(&services), Arc::clone(&ctx), Arc::clone(&begun), made.clone());
        async move { services.factors.finish_passkey(&ctx, &begun.challenge, &made).await }
    })
    .await;
    assert_eq!(answers.into_iter().filter(Result::is_ok).count(), 1);
    assert_eq!(app.count_of(ada.id, EventKind::FactorAdded).await, 1);
    let begun = Arc::new(app.factors.begin_passkey_sign_in(&at(&app, home())).await.unwrap());
    let answer = laptop.get(&begun.options).unwrap();
    let answers = at_once(64, |n| {
        let (services, begun, answer) = (Arc::clone(&services), Arc::clone(&begun), answer.clone());
        async move {
            let ctx = at(&services, elsewhere(n));
            services.factors.finish_passkey_sign_in(&ctx, &begun.challenge, &answer, None).await
        }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    assert!(lost.into_iter().map(refusal).all(|lost| lost == Refusal::ChallengeGone));
}

/// Whoever is nobody, has no such passkey, or is not the one who signed hears the same.
#[apply(case)]
async fn a_wrong_passkey_does_not_tell_who_has_an_account(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop, mut stranger) = (app.member("ada").await, authenticator(), authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    let party = userd_passkeys::RelyingParty::at(&url::Url::parse("http://localhost:8080").unwrap()).unwrap();
    let elsewhere = userd_passkeys::of(&party).unwrap();
    let mut stranger_as = |handle| {
        stranger.reset();
        let person = userd_passkeys::Person { handle, name: "x", display_name: "x" };
        stranger.create(&elsewhere.begin_creation(&person, &[]).unwrap().options).unwrap();
        stranger.clone()
    };
    for handle in [uuid::Uuid::nil(), uuid::Uuid::from_u128(7), ada.id.0] {
        let mut somebody = stranger_as(handle);
        assert_eq!(refusal(app.login_by_passkey(&mut somebody).await), Refusal::InvalidPasskey);
    }
    let begun = app.factors.begin_passkey_sign_in(&at(&app, home())).await.unwrap();
    let answer = laptop.get(&begun.options).unwrap();
    let mut forged = answer.clone();
    forged["response"]["signature"] = json!("AAAA");
    let mut nameless = answer;
    nameless["response"]["userHandle"] = json!(null);
    for wrong in [forged, nameless] {
        let begun = app.factors.begin_passkey_sign_in(&at(&app, home())).await.unwrap();
        let answered = app.factors.finish_passkey_sign_in(&at(&app, home()), &begun.challenge, &wrong, None).await;
        assert_eq!(refusal(answered), Refusal::InvalidPasskey);
    }
    for nonsense in [json!({}), json!({"id": 7})] {
        let answered = app.factors.finish_passkey_sign_in(&at(&app, home()), &begun.challenge, &nonsense, None).await;
        assert_eq!(wrong_fields(answered), ["/credential"]);
    }
}

#[apply(case)]
async fn a_copied_authenticator_is_refused_once_its_counter_is_behind(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    laptop.counts = true;
    app.passkey_of(&ada, &mut laptop).await;
    let mut copy = laptop.clone();
    // Asked before the owner signs in, so that what was known then would let it pass.
    let early = app.factors.begin_passkey_sign_in(&at(&app, home())).await.unwrap();
    app.login_by_passkey(&mut laptop).await.unwrap();
    app.login_by_passkey(&mut laptop).await.unwrap();
    let answer = copy.get(&early.options).unwrap();
    let copied = app.factors.finish_passkey_sign_in(&at(&app, home()), &early.challenge, &answer, None).await;
    assert_eq!(refusal(copied), Refusal::InvalidPasskey);
    let stored = app.reading().factors().of_user(ada.id).await.unwrap();
    assert_eq!(stored[0].counter, 3);
    app.login_by_passkey(&mut laptop).await.unwrap();
}

/// ASVS V6.5.6
#[apply(case)]
async fn passkeys_are_listed_renamed_and_removed_each_for_itself(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let (mut laptop, mut phone) = (authenticator(), authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    let tokens = app.login_by_passkey(&mut laptop).await.unwrap().signed_in().unwrap().tokens;
    let ada = Member { tokens, ..ada };
    let (second, _) = app.passkey_of(&ada, &mut phone).await;
    let ctx = app.acting(&ada).await;
    let begun = app.factors.begin_passkey(&ctx, None).await.unwrap();
    assert!(phone.create(&begun.options).is_none() && laptop.create(&begun.options).is_none(), "one for each device");
    let renamed = app.factors.rename(&ctx, second, " work phone ").await.unwrap();
    assert_eq!(renamed.name.as_deref(), Some("work phone"));
    assert_eq!(wrong_fields(app.factors.rename(&ctx, second, "a\nb").await), ["/name"]);
    let theirs = app.acting(&grace).await;
    assert_eq!(refusal(app.factors.rename(&theirs, second, "mine").await), Refusal::NotFound);
    let exported = app.export(&ctx, ada.id).await.unwrap();
    let factors = exported["second_factors"]["items"].as_array().unwrap();
    assert_eq!((factors.len(), &factors[1]["name"], &factors[1]["kind"]), (2, &json!("work phone"), &json!("passkey")));
    assert!(!exported.to_string().contains(&phone.ids()[0]), "the export has names and times, no keys");
    app.factors.remove(&ctx, second).await.unwrap();
    assert_eq!(refusal(app.login_by_passkey(&mut phone).await), Refusal::InvalidPasskey);
    let held = app.factors.held(&ctx).await.unwrap();
    assert_eq!(held.accepted_passkeys.unwrap().all_accepted_credential_ids, laptop.ids());
    assert_eq!(app.count_of(ada.id, EventKind::FactorRemoved).await, 1);
    // Claims of removed ones go too: only the laptop's is left.
    let claims = app.reading().claims().of_owner(ada.id).await.unwrap();
    assert_eq!(claims.iter().filter(|claim| claim.kind == "passkey").count(), 1);
}

/// The journey: the laptop is lost, a code on paper stands for it, and a new one takes its place.
#[apply(case)]
async fn a_recovery_code_stands_for_a_lost_passkey(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut lost, mut new) = (app.member("ada").await, authenticator(), authenticator());
    let (factor, codes) = app.passkey_of(&ada, &mut lost).await;
    let challenge = app.first_step("ada").await;
    let signed_in = app.second_step(&challenge, &recovery(&codes.unwrap()[0])).await.unwrap().signed_in().unwrap();
    let strong = Member { tokens: signed_in.tokens, ..ada };
    app.passkey_of(&strong, &mut new).await;
    app.factors.remove(&app.acting(&strong).await, factor).await.unwrap();
    assert_eq!(refusal(app.login_by_passkey(&mut lost).await), Refusal::InvalidPasskey);
    assert!(app.login_by_passkey(&mut new).await.is_ok());
}

#[apply(case)]
async fn who_must_have_a_factor_sets_a_passkey_up_on_the_way_in(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.mfa.required_for = vec!["admin".to_owned()])).await;
    let made = crate::personas::registration(Some("root@example.org"), None);
    app.setup.create_administrator(&app.operator_context(), made).await.unwrap();
    let (challenge, other) = (app.first_step("root@example.org").await, app.first_step("root@example.org").await);
    assert_eq!(challenge.methods, [FactorMethod::Totp, FactorMethod::Passkey]);
    let (ctx, text, mut laptop) = (&at(&app, home()), &challenge.challenge, authenticator());
    let early = app.factors.confirm_demanded_passkey(ctx, text, &json!({})).await;
    assert_eq!(refusal(early), Refusal::ChallengeGone, "nothing was begun");
    let begun = app.factors.begin_demanded_passkey(ctx, text, Some("laptop")).await.unwrap();
    let made = laptop.create(&begun.options).unwrap();
    let swapped = app.factors.confirm_demanded_passkey(ctx, &other.challenge, &made).await;
    assert_eq!(refusal(swapped), Refusal::ChallengeGone, "it is bound to the sign-in that it was asked in");
    let (completion, codes) = app.factors.confirm_demanded_passkey(ctx, text, &made).await.unwrap();
    assert_eq!(codes.len(), 10);
    let signed_in = completion.signed_in().unwrap();
    let claims = &app.who(&signed_in.tokens.access_token).await.unwrap().token.claims;
    assert_eq!((claims.amr.join(" "), claims.acr.as_deref()), ("pwd pop mfa".into(), Some("aal2")));
    let root = Member { id: signed_in.user.id, email: String::new(), tokens: signed_in.tokens };
    let ctx = app.acting(&root).await;
    let only = app.factors.held(&ctx).await.unwrap().items[0].id;
    assert_eq!(refusal(app.factors.remove(&ctx, only).await), Refusal::FactorRequired);
    assert!(app.login_by_passkey(&mut laptop).await.is_ok());
}

/// A block, a deletion and a reset are seen by passkeys too; a purge frees them.
#[apply(case)]
async fn a_passkey_opens_nothing_that_is_blocked_deleted_or_reset(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    app.rewrite(ada.id, |user| user.status = UserStatus::Blocked).await;
    assert_eq!(refusal(app.login_by_passkey(&mut laptop).await), Refusal::Blocked, "whoever proves it is told");
    app.rewrite(ada.id, |user| user.status = UserStatus::Active).await;
    app.factors.reset(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!(refusal(app.login_by_passkey(&mut laptop).await), Refusal::InvalidPasskey);
    let claims = app.reading().claims().of_owner(ada.id).await.unwrap();
    assert!(claims.iter().all(|claim| claim.kind != "passkey"));
    let tokens = app.login("ada", PASSWORD).await.unwrap().tokens;
    let (ada, mut laptop) = (Member { tokens, ..ada }, authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    app.rewrite(ada.id, |user| user.status = UserStatus::Deleted).await;
    let gone = app.login_by_passkey(&mut laptop).await;
    assert_eq!(refusal(gone), Refusal::InvalidPasskey, "an account that is gone is no account");
}

/// Where passkeys are switched off later, those who hold one come in by their codes, and nobody is asked for what they
/// cannot show.
#[apply(case)]
async fn where_there_are_none_nobody_is_asked_for_one(fixture: Fixture) {
    let before = fixture.app().await;
    let (ada, mut laptop) = (before.member("ada").await, authenticator());
    let (_, codes) = before.passkey_of(&ada, &mut laptop).await;
    let off = TestOptions { passkeys: None, clock: Some(Arc::clone(&before.clock)), seed: 2, ..TestOptions::default() };
    let app = fixture.app_with(off).await;
    let ctx = at(&app, home());
    assert_eq!(refusal(app.factors.begin_passkey_sign_in(&ctx).await), Refusal::NotFound);
    let answered = app.factors.finish_passkey_sign_in(&ctx, "x", &json!({}), None).await;
    assert_eq!(refusal(answered), Refusal::NotFound);
    let challenge = app.first_step("ada").await;
    assert_eq!(challenge.methods, [FactorMethod::RecoveryCode]);
    let shown = Shown::Passkey(json!({}));
    assert_eq!(refusal(app.second_step(&challenge, &shown).await), Refusal::InvalidPasskey);
    let signed_in = app.second_step(&challenge, &recovery(&codes.unwrap()[0])).await.unwrap().signed_in().unwrap();
    let strong = Member { tokens: signed_in.tokens, ..ada };
    let held = app.factors.held(&app.acting(&strong).await).await.unwrap();
    assert_eq!((held.items.len(), held.accepted_passkeys), (1, None), "it can be seen, and removed");
    app.factors.remove(&app.acting(&strong).await, held.items[0].id).await.unwrap();
}

/// A remembered device stands for a passkey as for a code, and asking for passkeys is limited by network.
#[apply(case)]
async fn devices_and_limits_know_passkeys(fixture: Fixture) {
    let mut options = with(|settings| {
        settings.mfa = MfaSettings { remember_devices: 30 * DAY, ..settings.mfa.clone() };
        settings.limits.enabled = true;
    });
    options.settings.limits.passkey_per_network.burst = 4;
    let app = fixture.app_with(options).await;
    let (ada, mut laptop) = (app.member("ada").await, authenticator());
    app.passkey_of(&ada, &mut laptop).await;
    let tokens = app.login_by_passkey(&mut laptop).await.unwrap().signed_in().unwrap().tokens;
    let login = Login { device_token: tokens.device_token, ..login_with("ada", PASSWORD) };
    let known = app.sessions.login(&at(&app, home()), login).await.unwrap();
    assert!(matches!(known, Completion::SignedIn(_)));
    for _ in 0..3 {
        app.factors.begin_passkey_sign_in(&at(&app, home())).await.unwrap();
    }
    let more = app.factors.begin_passkey_sign_in(&at(&app, home())).await;
    assert!(matches!(refusal(more), Refusal::TooManyAttempts(_)));
    assert!(app.factors.begin_passkey_sign_in(&at(&app, elsewhere(1))).await.is_ok());
}
