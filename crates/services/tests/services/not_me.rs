//! "This was not me": what the link of a notice takes back, and from which mailbox.

use userd_model::{FactorKind, Refusal};
use userd_services::{Context, not_me::ThrownOut};

use crate::{
    emails::{mails, mails_to, newest},
    factors::support::authenticator,
    fixture::{DAY, Fixture, MINUTE, TestApp, refusal},
    further_emails::{add, proven},
    personas::{Member, OTHER_PASSWORD, PASSWORD, at, elsewhere, home, login_with, password, started},
    sign_in::{app_with_acme, elsewhere::code},
};

const THEIRS: &str = "thief@evil.example";

async fn confirm(app: &TestApp, token: &str) -> ThrownOut {
    app.not_me.confirm(&at(app, home()), token).await.unwrap()
}

/// The tokens of the links in mails with such a subject, the newest first.
async fn links(app: &TestApp, to: &str, subject: &str) -> Vec<String> {
    let found = mails_to(app, to).await.into_iter().filter(|mail| mail.subject.contains(subject));
    found
        .filter_map(|mail| {
            mail.text.split("/l/").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned)
        })
        .collect()
}

async fn link(app: &TestApp, to: &str, subject: &str) -> String {
    links(app, to, subject).await.remove(0)
}

async fn addresses(app: &TestApp, member: &Member) -> Vec<String> {
    let session = app.login("ada", OTHER_PASSWORD).await.unwrap().tokens;
    let ctx = app.acting(&Member { tokens: session, ..member.clone() }).await;
    app.emails.list(&ctx).await.unwrap().into_iter().map(|address| address.email).collect()
}

/// The old password is nobody's way in any more, and the link that is mailed sets a new one.
async fn set_anew(app: &TestApp, ada: &Member) {
    assert_eq!(refusal(app.login("ada", PASSWORD).await), Refusal::WrongCredentials);
    let reset = link(app, &ada.email, "A new password").await;
    app.recovery.reset(&at(app, home()), &reset, &password(OTHER_PASSWORD)).await.unwrap();
    app.advance(MINUTE);
}

/// Proves another address in the place of the first one.
async fn replace_first(app: &TestApp, ctx: &Context, by: &str) {
    mails(app).await;
    app.emails.change(ctx, by, Some(&password(PASSWORD)), None).await.unwrap();
    let (proof, _) = newest(app, by).await;
    app.emails.verify_link(&at(app, home()), &proof, None).await.unwrap();
    mails(app).await;
    app.advance(MINUTE);
}

/// AC-165: whoever knows the password is thrown out by the link, and signs in with it again.
#[apply(case)]
async fn who_knows_the_password_does_not_come_back_with_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let somewhere = at(&app, elsewhere(1));
    let thief = app.sessions.login(&somewhere, login_with("ada", PASSWORD)).await.map(started).unwrap().tokens;
    let notice = link(&app, &ada.email, "New sign-in").await;
    app.advance(MINUTE);
    assert_eq!(confirm(&app, &notice).await, ThrownOut::ResetMailed);
    assert!(app.is_out(&thief).await && app.is_out(&ada.tokens).await);
    let again = app.sessions.login(&somewhere, login_with("ada", PASSWORD)).await;
    assert_eq!(refusal(again), Refusal::WrongCredentials);
    set_anew(&app, &ada).await;
    assert!(app.login("ada", OTHER_PASSWORD).await.is_ok());
    assert_eq!(refusal(app.not_me.confirm(&at(&app, home()), &notice).await), Refusal::LinkGone);
}

/// AC-165: the thief has linked an account of theirs and signs in by it after they were thrown out.
#[apply(case)]
async fn the_account_elsewhere_that_was_told_of_is_unlinked(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let ada = proven(&app, "ada").await;
    app.link(&ada, "acme").await;
    let notice = link(&app, &ada.email, "A way to sign in").await;
    let held = code(app.through("acme").await);
    app.advance(MINUTE / 2);
    assert_eq!(confirm(&app, &notice).await, ThrownOut::ResetMailed);
    assert_eq!(refusal(app.sign_in.exchange(&at(&app, home()), &held, None, None).await), Refusal::InvalidCode);
    assert_ne!(app.sign_in_through("acme").await.user.id, ada.id, "it is a stranger's");
    set_anew(&app, &ada).await;
}

/// AC-165: the notice goes to the address that the thief has added, too. From there it takes nothing away.
#[apply(case)]
async fn an_added_address_goes_and_is_given_no_power(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    add(&app, &app.acting(&ada).await, THEIRS).await;
    let (own, theirs) = (link(&app, &ada.email, "was added").await, link(&app, THEIRS, "was added").await);
    app.advance(MINUTE);
    assert_eq!(confirm(&app, &theirs).await, ThrownOut::SignedOut);
    assert!(app.login("ada", PASSWORD).await.is_ok(), "nothing but the sessions has ended");
    assert_eq!(confirm(&app, &own).await, ThrownOut::ResetMailed);
    set_anew(&app, &ada).await;
    assert_eq!(addresses(&app, &ada).await, [ada.email.as_str()]);
    app.recovery.forgot(&at(&app, home()), THEIRS).await.unwrap();
    assert!(links(&app, THEIRS, "A new password").await.is_empty());
}

/// AC-165: the thief puts their own address in the place of the owner's, and another one after it; the link to the owner's
/// gives the account back, and the link to the thief's does not take it again.
#[apply(case)]
async fn a_first_address_that_was_taken_away_comes_back(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let ctx = app.acting(&ada).await;
    replace_first(&app, &ctx, THEIRS).await;
    replace_first(&app, &ctx, "second@evil.example").await;
    let (own, theirs) = (link(&app, &ada.email, "was changed").await, link(&app, THEIRS, "was changed").await);
    assert_eq!(confirm(&app, &own).await, ThrownOut::ResetMailed);
    set_anew(&app, &ada).await;
    assert_eq!(addresses(&app, &ada).await, [ada.email.as_str()]);
    assert_eq!(confirm(&app, &theirs).await, ThrownOut::SignedOut);
    assert_eq!(addresses(&app, &ada).await, [ada.email.as_str()]);
}

/// The owner's address is put behind the thief's, and removed.
#[apply(case)]
async fn a_first_address_that_was_put_behind_and_removed_comes_back(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let ctx = app.acting(&ada).await;
    add(&app, &ctx, THEIRS).await;
    let theirs = app.emails.list(&ctx).await.unwrap()[1].id;
    app.emails.make_primary(&ctx, theirs).await.unwrap();
    let told = links(&app, &ada.email, "was changed").await;
    assert_eq!(told.len(), 1, "told once");
    let owners = app.emails.list(&ctx).await.unwrap()[1].id;
    app.emails.remove(&ctx, owners).await.unwrap();
    app.advance(MINUTE);
    assert_eq!(confirm(&app, &told[0]).await, ThrownOut::ResetMailed);
    set_anew(&app, &ada).await;
    assert_eq!(addresses(&app, &ada).await, [ada.email.as_str()]);
}

/// AC-165: a thief waits until their address counts as the account's own, and has a link from when it was the first one: what
/// happened earlier counts.
#[apply(case)]
async fn of_two_links_that_give_an_address_back_the_earlier_counts(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    add(&app, &app.acting(&ada).await, THEIRS).await;
    app.advance(8 * DAY);
    let tokens = app.login("ada", PASSWORD).await.unwrap().tokens;
    let ctx = app.acting(&Member { tokens, ..ada.clone() }).await;
    let row = app.emails.list(&ctx).await.unwrap()[1].id;
    app.emails.make_primary(&ctx, row).await.unwrap();
    app.advance(MINUTE);
    mails(&app).await;
    replace_first(&app, &ctx, "second@evil.example").await;
    // The second change is told to it as to a further address.
    let own = links(&app, &ada.email, "was changed").await.pop().unwrap();
    let theirs = link(&app, THEIRS, "was changed").await;
    assert_eq!(confirm(&app, &own).await, ThrownOut::ResetMailed);
    set_anew(&app, &ada).await;
    assert_eq!(confirm(&app, &theirs).await, ThrownOut::SignedOut);
    assert_eq!(addresses(&app, &ada).await, [ada.email.as_str()]);
}

/// A passkey signs in by itself, so it goes; but by a mailbox alone nobody gets around the only factor that there is.
#[apply(case)]
async fn a_factor_goes_where_an_older_one_stays(fixture: Fixture) {
    let app = fixture.app().await;
    for (name, holds_one) in [("ada", true), ("grace", false)] {
        let member = proven(&app, name).await;
        let acting = if holds_one {
            let phone = app.phone_of(&member).await;
            Member { tokens: app.login_with_phone(name, &phone).await.tokens, ..member.clone() }
        } else {
            member.clone()
        };
        app.advance(MINUTE);
        mails(&app).await;
        let mut laptop = authenticator();
        app.passkey_of(&acting, &mut laptop).await;
        let notice = link(&app, &member.email, "second factor").await;
        assert_eq!(confirm(&app, &notice).await, ThrownOut::ResetMailed);
        let held = app.reading().factors().of_user(member.id).await.unwrap();
        let kind = if holds_one { FactorKind::Totp } else { FactorKind::Passkey };
        assert_eq!(held.iter().map(|factor| factor.kind).collect::<Vec<_>>(), [kind], "{name}");
        assert_eq!(app.login_by_passkey(&mut laptop).await.is_ok(), !holds_one, "{name}");
    }
}

/// Codes that the thief has written down are nobody's.
#[apply(case)]
async fn recovery_codes_that_were_told_of_go(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let phone = app.phone_of(&ada).await;
    let tokens = app.login_with_phone("ada", &phone).await.tokens;
    app.advance(MINUTE);
    let ctx = app.acting(&Member { tokens, ..ada.clone() }).await;
    mails(&app).await;
    app.factors.renew_recovery_codes(&ctx).await.unwrap();
    let notice = link(&app, &ada.email, "ecovery codes").await;
    assert_eq!(confirm(&app, &notice).await, ThrownOut::ResetMailed);
    assert!(app.reading().recovery_codes().of_user(ada.id).await.unwrap().is_empty());
}
