//! Several addresses: proven before they are claimed, each as good for signing in, all told of what matters.

use std::time::Duration;

use userd_model::{FurtherEmailId, Refusal};
use userd_services::{Context, addresses::EmailView};

use crate::{
    emails::{mails, mails_to, newest},
    fixture::{DAY, Fixture, TestApp, at_once, out_of_date, refusal, with, wrong_fields},
    personas::{Member, OTHER_PASSWORD, PASSWORD, at, elsewhere, home, of, password},
};

/// Somebody who has proven their first address.
pub(crate) async fn proven(app: &TestApp, name: &str) -> Member {
    let member = app.member(name).await;
    prove(app, &member.email).await;
    member
}

/// Follows the link of the newest mail to an address.
async fn prove(app: &TestApp, email: &str) {
    let (token, _) = newest(app, email).await;
    app.emails.verify_link(&at(app, home()), &token, None).await.unwrap();
    mails(app).await;
    app.advance(Duration::from_secs(1));
}

pub(crate) async fn add(app: &TestApp, ctx: &Context, email: &str) {
    mails(app).await;
    assert_eq!(app.emails.add(ctx, email).await.unwrap().status, "confirmation_required");
    prove(app, email).await;
}

async fn listed(app: &TestApp, ctx: &Context) -> Vec<EmailView> {
    app.emails.list(ctx).await.unwrap()
}

fn shown(all: &[EmailView]) -> Vec<(&str, bool, bool)> {
    all.iter().map(|address| (address.email.as_str(), address.primary, address.verified)).collect()
}

#[apply(case)]
async fn a_further_address_is_claimed_when_it_is_proven_and_signs_in(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let ctx = app.acting(&ada).await;
    app.emails.add(&ctx, "ada@example.net").await.unwrap();
    assert_eq!(refusal(app.login("ada@example.net", PASSWORD).await), Refusal::WrongCredentials, "not proven yet");
    let grace = app.member("grace").await;
    prove(&app, "ada@example.net").await;
    let all = listed(&app, &ctx).await;
    assert_eq!(shown(&all), [("ada@example.org", true, true), ("ada@example.net", false, true)]);
    assert_eq!(app.login("ada@example.net", PASSWORD).await.unwrap().user.id, ada.id);
    let archive = app.export(&app.operator_context(), ada.id).await.unwrap();
    assert_eq!(archive["emails"][1]["email"], "ada@example.net");
    // Taken for everybody else, who is told by mail and not here.
    prove(&app, &grace.email).await;
    let theirs = app.acting(&grace).await;
    let before = mails_to(&app, "ada@example.net").await.len();
    app.emails.add(&theirs, "ada@example.net").await.unwrap();
    assert_eq!(mails_to(&app, "ada@example.net").await.len() - before, 1, "its owner is told");
    assert_eq!(listed(&app, &theirs).await.len(), 1);
}

/// ASVS V6.3.7
#[apply(case)]
async fn security_notices_go_to_every_proven_address(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    add(&app, &app.acting(&ada).await, "ada@example.net").await;
    let (one, other) = (mails_to(&app, &ada.email).await.len(), mails_to(&app, "ada@example.net").await.len());
    assert!(one > 1, "the first one is told of the other");
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    app.accounts.change_password(&app.acting(&ada).await, &old, &new).await.unwrap();
    assert_eq!(mails_to(&app, &ada.email).await.len() - one, 1);
    assert_eq!(mails_to(&app, "ada@example.net").await.len() - other, 1);
}

#[apply(case)]
async fn another_address_takes_the_first_place_and_the_first_can_go_then(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let ctx = app.acting(&ada).await;
    add(&app, &ctx, "ada@example.net").await;
    let all = listed(&app, &ctx).await;
    assert_eq!(refusal(app.emails.remove(&ctx, all[0].id).await), Refusal::PrimaryEmail);
    app.emails.make_primary(&ctx, all[0].id).await.unwrap();
    app.emails.make_primary(&ctx, all[1].id).await.unwrap();
    let all = listed(&app, &ctx).await;
    assert_eq!(shown(&all), [("ada@example.net", true, true), ("ada@example.org", false, true)]);
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().email.as_deref(), Some("ada@example.net"));
    app.emails.remove(&ctx, all[1].id).await.unwrap();
    assert_eq!(refusal(app.emails.remove(&ctx, all[1].id).await), Refusal::NotFound);
    assert_eq!(refusal(app.login("ada@example.org", PASSWORD).await), Refusal::WrongCredentials);
    let heir = app.member("heir").await;
    prove(&app, &heir.email).await;
    add(&app, &app.acting(&heir).await, "ada@example.org").await;
    assert_eq!(app.login("ada@example.org", PASSWORD).await.unwrap().user.id, heir.id, "it is free again");
}

#[apply(case)]
async fn what_is_not_ones_own_is_not_there_and_a_fresh_sign_in_is_wanted(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (proven(&app, "ada").await, app.member("grace").await);
    let ctx = app.acting(&ada).await;
    add(&app, &ctx, "ada@example.net").await;
    let theirs = listed(&app, &ctx).await[1].id;
    let other = app.acting(&grace).await;
    for which in [theirs, FurtherEmailId(uuid::Uuid::nil())] {
        assert_eq!(refusal(app.emails.remove(&other, which).await), Refusal::NotFound);
        assert_eq!(refusal(app.emails.make_primary(&other, which).await), Refusal::NotFound);
    }
    assert_eq!(
        wrong_fields(app.emails.add(&other, "grace@example.net").await),
        ["/email"],
        "prove the first one first"
    );
    assert_eq!(wrong_fields(app.emails.add(&ctx, "no address").await), ["/email"]);
    app.advance(Duration::from_secs(301));
    let ctx = app.acting(&ada).await;
    assert_eq!(refusal(app.emails.add(&ctx, "third@example.net").await), out_of_date());
    assert_eq!(refusal(app.emails.remove(&ctx, theirs).await), out_of_date());
    assert_eq!(refusal(app.emails.make_primary(&ctx, theirs).await), out_of_date());
}

#[apply(case)]
async fn an_account_has_six_addresses_at_most(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let ctx = app.acting(&ada).await;
    for n in 0..5 {
        add(&app, &ctx, &format!("ada{n}@example.net")).await;
    }
    assert_eq!(wrong_fields(app.emails.add(&ctx, "ada5@example.net").await), ["/email"]);
}

/// How a session ends in which somebody asked for addresses that the account does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    ByItself,
    FromAnotherDevice,
    ByTheOperator,
    WithAllOthers,
    WithAll,
    AsStolen,
}

/// Whoever was in the account for a moment has an address under way: with the session ended as somebody else's no link of it
/// adds or replaces an address any more, and none of it leads back in by a forgotten password. Whoever only signs out where
/// they asked keeps what they asked for, and reads the mail elsewhere.
#[apply(case)]
async fn what_a_thief_asked_for_dies_with_the_thiefs_session(fixture: Fixture) {
    let app = fixture.app().await;
    let ends =
        [End::ByItself, End::FromAnotherDevice, End::ByTheOperator, End::WithAllOthers, End::WithAll, End::AsStolen];
    for (n, end) in ends.into_iter().enumerate() {
        let ada = proven(&app, &format!("ada{n}")).await;
        let tokens = app.login(&ada.email, PASSWORD).await.unwrap().tokens;
        let thief = Member { id: ada.id, email: ada.email.clone(), tokens };
        let (further, instead) = (format!("further{n}@example.net"), format!("instead{n}@example.net"));
        let (ctx, home) = (app.acting(&thief).await, at(&app, home()));
        app.emails.add(&ctx, &further).await.unwrap();
        app.emails.change(&ctx, &instead, Some(&password(PASSWORD)), None).await.unwrap();
        let links = [newest(&app, &further).await.0, newest(&app, &instead).await.0];

        match end {
            End::ByItself => app.sessions.sign_out(&ctx).await.unwrap(),
            End::FromAnotherDevice => {
                app.sessions.end(&of(&app, &ada), ada.id, thief.tokens.session_id).await.unwrap();
            }
            End::ByTheOperator => {
                app.sessions.end(&app.operator_context(), ada.id, thief.tokens.session_id).await.unwrap();
            }
            End::WithAllOthers => {
                app.sessions.end_all(&of(&app, &ada), ada.id, Some(ada.tokens.session_id)).await.unwrap();
            }
            End::WithAll => app.sessions.end_all(&of(&app, &ada), ada.id, None).await.unwrap(),
            End::AsStolen => {
                let stale = &thief.tokens.refresh_token;
                let next = app.refresh(stale).await.unwrap().tokens.refresh_token;
                app.refresh(&next).await.unwrap();
                assert!(app.refresh(stale).await.is_err());
            }
        }
        if end == End::ByItself {
            for link in links {
                app.emails.verify_link(&home, &link, None).await.unwrap();
            }
            continue;
        }
        for link in links {
            let late = app.emails.verify_link(&home, &link, None).await;
            assert_eq!(refusal(late), Refusal::InvalidCode, "{end:?}");
        }
        app.recovery.forgot(&home, &further).await.unwrap();
        app.recovery.forgot(&home, &instead).await.unwrap();
        let resets = mails(&app).await.into_iter().filter(|mail| mail.subject.contains("A new password"));
        assert_eq!(resets.count(), 0, "{end:?}");
    }
}

/// Signing everybody else out leaves what one has asked for oneself, here, in the session that stays.
#[apply(case)]
async fn who_signs_everybody_else_out_keeps_what_they_asked_for(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    app.login(&ada.email, PASSWORD).await.unwrap();
    let ctx = app.acting(&ada).await;
    app.emails.add(&ctx, "ada@example.net").await.unwrap();
    app.sessions.end_all(&ctx, ada.id, Some(ada.tokens.session_id)).await.unwrap();
    prove(&app, "ada@example.net").await;
    assert_eq!(listed(&app, &ctx).await.len(), 2);
}

/// Strangers who had too many mails sent to an address leave what its owner has asked for: the answer is the same, no mail goes
/// out, and the link of the one before stays good.
#[apply(case)]
async fn a_link_for_a_further_address_stays_when_no_more_mails_go_there(fixture: Fixture) {
    let app = fixture
        .app_with(with(|settings| {
            settings.limits.enabled = true;
            settings.email_confirmation_required = true;
        }))
        .await;
    let admin = app.admin().await;
    let (ctx, wanted) = (app.acting(&admin).await, "root@example.net");
    app.emails.resend(&ctx, &admin.email, None).await.unwrap();
    prove(&app, &admin.email).await;
    app.emails.add(&ctx, wanted).await.unwrap();
    let (link, _) = newest(&app, wanted).await;
    for n in 0..30 {
        let stranger = crate::personas::registration(Some(wanted), None);
        app.accounts.register(&at(&app, elsewhere(n)), stranger, None).await.unwrap();
    }
    let before = mails_to(&app, wanted).await.len();
    assert_eq!(app.emails.add(&ctx, wanted).await.unwrap().status, "confirmation_required");
    assert_eq!(mails_to(&app, wanted).await.len(), before);
    app.emails.verify_link(&at(&app, home()), &link, None).await.unwrap();
    assert_eq!(listed(&app, &ctx).await.len(), 2);
}

/// The purge frees them and removes their rows.
#[apply(case)]
async fn an_erased_account_leaves_no_address(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    add(&app, &app.acting(&ada).await, "ada@example.net").await;
    let operator = app.operator_context();
    app.deletions.delete(&operator, ada.id).await.unwrap();
    app.deletions.purge(&operator, ada.id).await.unwrap();
    assert_eq!(app.reading().further_emails().of_user(ada.id).await.unwrap(), []);
    let stranger = crate::personas::registration(Some("ada@example.net"), None);
    assert!(app.accounts.register(&at(&app, home()), stranger, None).await.is_ok());
}

#[apply(case)]
async fn a_code_goes_to_the_address_that_was_asked(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.email_code_sign_in = true)).await;
    let ada = proven(&app, "ada").await;
    add(&app, &app.acting(&ada).await, "ada@example.net").await;
    let begun = app.email_codes.begin(&at(&app, home()), "ada@example.net").await.unwrap();
    let (_, code) = newest(&app, "ada@example.net").await;
    let end = app.email_codes.finish(&at(&app, home()), &begun.challenge, &code, None).await.unwrap();
    assert_eq!(end.signed_in().unwrap().user.id, ada.id);
}

/// Of many who prove one address for accounts of their own at once one has it.
#[apply(case)]
async fn of_sixteen_who_prove_one_address_at_once_one_has_it(fixture: Fixture) {
    let app = fixture.app().await;
    let mut tokens = Vec::new();
    for n in 0..16 {
        let member = proven(&app, &format!("person{n}")).await;
        app.emails.add(&app.acting(&member).await, "wanted@example.net").await.unwrap();
        tokens.push(newest(&app, "wanted@example.net").await.0);
        app.advance(Duration::from_secs(1));
    }
    let services = app.shared();
    let ends = at_once(16, |n| {
        let (services, token) = (services.clone(), tokens[n].clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move { services.emails.verify_link(&ctx, &token, None).await }
    })
    .await;
    assert_eq!(ends.into_iter().filter(Result::is_ok).count(), 1);
    app.advance(DAY);
}

/// AC-007: the link goes where it was asked for, if that address is proven, and to the first one otherwise; by a username it is
/// the first one too. It dies with the address that it went to.
#[apply(case)]
async fn a_link_to_reset_the_password_goes_to_the_proven_address_that_was_asked_for(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = proven(&app, "ada").await;
    let ctx = app.acting(&ada).await;
    let (first, further, unproven) = (ada.email.as_str(), "ada@example.net", "ada@example.com");
    add(&app, &ctx, further).await;
    app.emails.add(&ctx, unproven).await.unwrap();
    mails(&app).await;
    let resets = async |app: &TestApp| {
        let all = mails(app).await.into_iter().filter(|mail| mail.subject.contains("A new password"));
        all.map(|mail| mail.to).collect::<Vec<_>>()
    };
    let visitor = &at(&app, home());
    for (login, to) in [(further, Some(further)), (first, Some(first)), ("ada", Some(first)), (unproven, None)] {
        let before = resets(&app).await.len();
        app.recovery.forgot(visitor, login).await.unwrap();
        let all = resets(&app).await;
        assert_eq!(all.len() - before, usize::from(to.is_some()), "{login}");
        assert_eq!(all.first().map(String::as_str).filter(|_| to.is_some()), to, "{login}");
        app.advance(Duration::from_secs(1));
    }
    app.recovery.forgot(visitor, further).await.unwrap();
    let (stale, _) = newest(&app, further).await;
    let row = listed(&app, &ctx).await[1].id;
    app.emails.remove(&ctx, row).await.unwrap();
    let dead = app.recovery.reset(visitor, &stale, &password(OTHER_PASSWORD)).await;
    assert_eq!(refusal(dead), Refusal::InvalidCode);
    add(&app, &ctx, further).await;
    app.recovery.forgot(visitor, further).await.unwrap();
    let (link, _) = newest(&app, further).await;
    app.recovery.reset(visitor, &link, &password(OTHER_PASSWORD)).await.unwrap();
    let view = app.user_reader.show(ada.id).await.unwrap();
    assert_eq!((view.username.as_deref(), view.email_verified), (Some("ada"), true), "nothing is wiped");
    assert!(app.login(further, OTHER_PASSWORD).await.is_ok());
}
