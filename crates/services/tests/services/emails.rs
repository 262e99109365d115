//! Proving an e-mail address, and changing it.

use std::time::Duration;

use userd_model::{PendingStep, Refusal};
use userd_services::{
    Completion, Context,
    deliveries::MailView,
    emails::{Code, Verified},
    events::EventStart,
    links::{Confirmation, Followed, LinkAct},
    sessions::Pending,
    settings::EmailDomains,
    testing::{TestOptions, settings},
};

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, at_once, refusal, with},
    personas::{Member, OTHER_PASSWORD, PASSWORD, at, elsewhere, home, of, password, registration},
};

/// Everything that was asked for is sent; the mails so far, newest first.
pub(crate) async fn mails(app: &TestApp) -> Vec<MailView> {
    app.event_log.tick().await.unwrap();
    app.deliveries.tick().await.unwrap();
    // What is asked for later is newer.
    app.advance(Duration::from_millis(1));
    app.deliveries.mails(&app.operator_context(), 1000).await.unwrap()
}

pub(crate) async fn mails_to(app: &TestApp, address: &str) -> Vec<MailView> {
    mails(app).await.into_iter().filter(|mail| mail.to == address).collect()
}

/// The newest mail to an address: the token of its link, and its code.
pub(crate) async fn newest(app: &TestApp, address: &str) -> (String, String) {
    let found = mails_to(app, address).await;
    let text = &found.first().unwrap_or_else(|| panic!("no mail to {address}")).text;
    let token = text.split("/l/").nth(1).map(|rest| rest.split_whitespace().next().unwrap().to_owned());
    let code = text.lines().find(|line| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit()));
    (token.unwrap_or_default(), code.unwrap_or_default().to_owned())
}

async fn required(fixture: &Fixture) -> TestApp {
    let settings = userd_services::Settings { email_confirmation_required: true, ..settings() };
    fixture.app_with(TestOptions { settings, ..TestOptions::default() }).await
}

async fn begin(app: &TestApp, email: &str, username: Option<&str>) -> Pending {
    let asked = app.accounts.register(&at(app, home()), registration(Some(email), username), None).await.unwrap();
    asked.signed_in().unwrap_err()
}

async fn verify(
    app: &TestApp,
    ctx: &Context,
    email: &str,
    code: &str,
    challenge: Option<&str>,
) -> Result<Verified, userd_services::Failure> {
    app.emails.verify_code(ctx, &Code { email, code, challenge }, None).await
}

async fn is_proven(app: &TestApp, member: &Member) -> bool {
    app.user_reader.show(member.id).await.unwrap().email_verified
}

/// Later than whatever was sent before.
pub(crate) async fn forgot(app: &TestApp, ctx: &Context, login: &str) {
    mails(app).await;
    app.recovery.forgot(ctx, login).await.unwrap();
}

/// The kinds of what the account's inbox, event log and audit are made of.
async fn kinds_of(app: &TestApp, member: &Member) -> Vec<String> {
    app.event_log.tick().await.unwrap();
    let page = app.events.page(&app.operator_context(), EventStart::Oldest, 200).await.unwrap();
    let of_member = page.events.into_iter().filter(|event| event.subject.user_id() == Some(member.id));
    of_member.map(|event| event.kind).collect()
}

fn wrong(code: &str) -> String {
    if code == "000000" { "000001".to_owned() } else { "000000".to_owned() }
}

#[apply(case)]
async fn a_new_account_is_asked_to_prove_its_address_and_does_so_by_link_or_code(fixture: Fixture) {
    let app = fixture.app().await;
    for (name, by_link) in [("ada", true), ("grace", false)] {
        let member = app.member(name).await;
        assert!(!is_proven(&app, &member).await);
        let (token, code) = newest(&app, &member.email).await;
        let ctx = &at(&app, elsewhere(1));
        if by_link {
            app.emails.verify_link(ctx, &token, None).await.unwrap();
            assert_eq!(refusal(app.emails.verify_link(ctx, &token, None).await), Refusal::InvalidCode, "once");
        } else {
            assert!(matches!(verify(&app, ctx, &member.email, &code, None).await.unwrap(), Verified::Confirmed));
            assert_eq!(refusal(verify(&app, ctx, &member.email, &code, None).await), Refusal::InvalidCode, "once");
        }
        assert!(is_proven(&app, &member).await);
        assert!(!app.is_out(&member.tokens).await, "the session goes on");
        assert!(kinds_of(&app, &member).await.contains(&"user.email_verified".to_owned()));
    }
}

/// The page behind the link asks first (mail scanners), then proves.
#[apply(case)]
async fn opening_the_link_proves_nothing_and_confirming_it_is_carried_out_by_the_service(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let (token, _) = newest(&app, &ada.email).await;
    let ctx = &at(&app, home());
    assert_eq!(app.links.look(ctx, &token).await.unwrap(), LinkAct::ConfirmEmail);
    let one_click = app.links.follow(ctx, &token, Confirmation::OneClick).await.unwrap();
    assert_eq!(one_click, Followed::Ask(LinkAct::ConfirmEmail));
    assert!(!is_proven(&app, &ada).await);
    let form = app.links.follow(ctx, &token, Confirmation::Form).await.unwrap();
    assert_eq!(form, Followed::Elsewhere(LinkAct::ConfirmEmail));
    app.emails.verify_link(ctx, &token, None).await.unwrap();
    assert_eq!(refusal(app.links.look(ctx, &token).await), Refusal::LinkGone);
}

/// AC-011: registration tells nobody whether an address has an account: the answers are alike, nothing is claimed, and
/// the owner of a taken address hears of it by mail.
#[apply(case)]
async fn a_registration_that_waits_answers_the_same_for_free_and_taken_addresses(fixture: Fixture) {
    let app = required(&fixture).await;
    let pending = begin(&app, "ada@example.org", Some("ada")).await;
    assert_eq!(pending.status, "confirmation_required");
    let (_, code) = newest(&app, "ada@example.org").await;
    let ctx = &at(&app, home());
    let verified = verify(&app, ctx, "ada@example.org", &code, Some(&pending.challenge)).await.unwrap();
    let Verified::Completed(completion) = verified else { panic!("nobody is signed in") };
    let Completion::SignedIn(signed_in) = *completion else { panic!("a step is asked for") };
    assert!(signed_in.user.email_verified);
    assert_eq!(signed_in.user.username.as_deref(), Some("ada"));

    let again = begin(&app, "ada@example.org", Some("lovelace")).await;
    assert_eq!((again.status, again.expires_in), (pending.status, pending.expires_in));
    let told = mails_to(&app, "ada@example.org").await;
    assert!(!told[0].text.contains("/l/"), "no link for whoever asked: {}", told[0].text);
    assert!(told[0].subject.contains("account"), "{}", told[0].subject);
    // The challenge leads nowhere, whatever the code.
    for _ in 0..6 {
        let guessed = verify(&app, ctx, "ada@example.org", "123456", Some(&again.challenge)).await;
        assert_eq!(refusal(guessed), Refusal::InvalidCode);
    }
    assert_eq!(app.login("lovelace", PASSWORD).await.map(drop).map_err(|_| ()), Err(()));
}

/// A client that lost the answer, or sends it sixty-four times at once, has one registration waiting and one mail on its way,
/// whether the address is free or taken; what it hears goes on.
/// F17: of a race for one thing there is one winner.
#[apply(case)]
async fn a_repeated_registration_that_waits_is_one_row_and_one_mail(fixture: Fixture) {
    let app = required(&fixture).await;
    let (ctx, email) = (&at(&app, home()), "ada@example.org");
    let asked = || registration(Some(email), None);
    for (is_taken, name) in [(false, "first"), (true, "second")] {
        let before = mails_to(&app, email).await.len();
        let key = app.idempotency.request("register", name, b"body");
        let services = app.shared();
        let ends = at_once(64, |n| {
            let (services, key) = (services.clone(), key.clone());
            let ctx = services.context().from_origin(elsewhere(n));
            async move { services.accounts.register(&ctx, registration(Some(email), None), Some(&key)).await }
        })
        .await;
        let ends: Vec<_> = ends.into_iter().map(|end| end.unwrap().signed_in().unwrap_err()).collect();
        let challenge = &ends[0].challenge;
        assert!(ends.iter().all(|end| (&end.challenge, end.expires_in) == (challenge, 600)));
        app.advance(MINUTE);
        let again = app.accounts.register(ctx, asked(), Some(&key)).await.unwrap().signed_in().unwrap_err();
        assert_eq!((&again.challenge, again.expires_in), (challenge, 540));
        assert_eq!(mails_to(&app, email).await.len(), before + 1);
        let other = app.idempotency.request("register", name, b"another body");
        let other = app.accounts.register(ctx, asked(), Some(&other)).await;
        assert_eq!(refusal(other), Refusal::IdempotencyMismatch);
        let (_, code) = newest(&app, email).await;
        let verified = verify(&app, ctx, email, &code, Some(challenge)).await;
        assert_eq!(matches!(verified, Ok(Verified::Completed(_))), !is_taken);
        app.advance(10 * MINUTE);
        let late = app.accounts.register(ctx, asked(), Some(&key)).await;
        assert_eq!(refusal(late), Refusal::SecretAlreadyShown);
    }
}

#[apply(case)]
async fn until_the_address_is_proven_nothing_of_a_registration_is_there(fixture: Fixture) {
    let app = required(&fixture).await;
    let first = begin(&app, "ada@example.org", Some("ada")).await;
    assert_eq!(refusal(app.login("ada@example.org", PASSWORD).await), Refusal::WrongCredentials);
    // Somebody else takes the name meanwhile.
    begin(&app, "grace@example.org", Some("ada")).await;
    let (token, _) = newest(&app, "grace@example.org").await;
    let ctx = &at(&app, home());
    app.emails.verify_link(ctx, &token, None).await.unwrap();
    assert!(app.login("ada", PASSWORD).await.is_ok(), "a link begins the account, and signs nobody in");
    let (token, code) = newest(&app, "ada@example.org").await;
    assert_eq!(refusal(app.emails.verify_link(ctx, &token, None).await), Refusal::UsernameTaken);
    let code = Code { email: "ada@example.org", code: &code, challenge: Some(&first.challenge) };
    let verified = app.emails.verify_code(ctx, &code, Some("lovelace")).await.unwrap();
    assert!(matches!(verified, Verified::Completed(_)), "asked anew, and given");
    assert!(app.login("lovelace", PASSWORD).await.is_ok());
    let taken = app.accounts.register(ctx, registration(Some("new@example.org"), Some("lovelace")), None).await;
    assert_eq!(refusal(taken), Refusal::UsernameTaken);
    let without = app.accounts.register(ctx, registration(None, Some("nobody")), None).await;
    assert!(matches!(refusal(without), Refusal::InvalidInput(_)));
}

/// AC-004: six digits cannot be guessed, from however many addresses: five wrong ones end the code, and they are counted
/// at the code itself. Whoever guesses takes nothing from the reader of the mail: its link stays.
#[apply(case)]
async fn a_code_dies_after_five_wrong_ones_and_after_ten_minutes_and_the_link_after_a_day(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = |app: &TestApp| at(app, home());
    let ada = app.member("ada").await;
    let (token, code) = newest(&app, &ada.email).await;
    for _ in 0..5 {
        let guessed = verify(&app, &ctx(&app), &ada.email, &wrong(&code), None).await;
        assert_eq!(refusal(guessed), Refusal::InvalidCode);
    }
    assert_eq!(refusal(verify(&app, &ctx(&app), &ada.email, &code, None).await), Refusal::InvalidCode);
    app.emails.verify_link(&ctx(&app), &token, None).await.unwrap();

    let grace = app.member("grace").await;
    let (token, code) = newest(&app, &grace.email).await;
    app.advance(10 * MINUTE);
    assert_eq!(refusal(verify(&app, &ctx(&app), &grace.email, &code, None).await), Refusal::InvalidCode);
    app.advance(DAY - 11 * MINUTE);
    assert_eq!(app.links.look(&ctx(&app), &token).await.unwrap(), LinkAct::ConfirmEmail);
    app.advance(MINUTE);
    assert_eq!(refusal(app.emails.verify_link(&ctx(&app), &token, None).await), Refusal::InvalidCode);
}

/// Whoever asks what a challenge wants is not sent for a code that no mail has any more.
#[apply(case)]
async fn a_challenge_ends_with_what_its_mail_proves(fixture: Fixture) {
    let app = required(&fixture).await;
    let ctx = &at(&app, home());
    let spent = begin(&app, "ada@example.org", None).await.challenge;
    let (_, code) = newest(&app, "ada@example.org").await;
    assert_eq!(app.accounts.asked_for(ctx, &spent).await.unwrap(), PendingStep::Confirmation);
    for _ in 0..5 {
        assert_eq!(
            refusal(verify(&app, ctx, "ada@example.org", &wrong(&code), Some(&spent)).await),
            Refusal::InvalidCode
        );
    }
    let used = begin(&app, "grace@example.org", None).await.challenge;
    let (_, code) = newest(&app, "grace@example.org").await;
    verify(&app, ctx, "grace@example.org", &code, Some(&used)).await.unwrap();
    for challenge in [spent, used] {
        assert_eq!(refusal(app.accounts.asked_for(ctx, &challenge).await), Refusal::ChallengeGone);
    }
}

#[apply(case)]
async fn of_sixty_four_at_once_one_proves_the_address(fixture: Fixture) {
    let app = required(&fixture).await;
    let pending = begin(&app, "ada@example.org", None).await;
    let (_, code) = newest(&app, "ada@example.org").await;
    let (services, challenge) = (app.shared(), pending.challenge);
    let ends = at_once(64, |n| {
        let (services, code, challenge) = (services.clone(), code.clone(), challenge.clone());
        let ctx = services.context().from_origin(elsewhere(n));
        async move {
            let code = Code { email: "ada@example.org", code: &code, challenge: Some(&challenge) };
            services.emails.verify_code(&ctx, &code, None).await
        }
    })
    .await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    let lost = ends.into_iter().filter(Result::is_err).map(|end| refusal(end.map(drop)));
    assert!(lost.into_iter().all(|why| why == Refusal::InvalidCode));
}

#[apply(case)]
async fn resending_is_answered_the_same_for_every_address_and_writes_to_those_that_wait(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, ctx) = (app.member("ada").await, at(&app, home()));
    let (first, _) = newest(&app, &ada.email).await;
    for address in [ada.email.as_str(), "nobody@example.org"] {
        assert!(app.emails.resend(&ctx, address, None).await.unwrap().is_none());
    }
    assert_eq!(mails_to(&app, "nobody@example.org").await.len(), 0);
    let (second, _) = newest(&app, &ada.email).await;
    assert_ne!(first, second);
    assert_eq!(refusal(app.emails.verify_link(&ctx, &first, None).await), Refusal::InvalidCode, "the newest counts");
    app.emails.verify_link(&ctx, &second, None).await.unwrap();
    let before = mails_to(&app, &ada.email).await.len();
    app.emails.resend(&ctx, &ada.email, None).await.unwrap();
    assert_eq!(mails_to(&app, &ada.email).await.len(), before, "there is nothing to prove");
}

#[apply(case)]
async fn a_waiting_registration_gets_a_new_code_by_its_challenge(fixture: Fixture) {
    let app = required(&fixture).await;
    let (old, ctx) = (begin(&app, "ada@example.org", None).await, at(&app, home()));
    let (_, old_code) = newest(&app, "ada@example.org").await;
    let renewed = app.emails.resend(&ctx, "ada@example.org", Some(&old.challenge)).await.unwrap().unwrap();
    let (_, code) = newest(&app, "ada@example.org").await;
    for (code, challenge) in [(&old_code, &old.challenge), (&code, &old.challenge)] {
        let late = verify(&app, &ctx, "ada@example.org", code, Some(challenge)).await;
        assert_eq!(refusal(late), Refusal::InvalidCode);
    }
    assert!(app.emails.resend(&ctx, "grace@example.org", Some(&renewed.challenge)).await.unwrap().is_none());
    assert!(verify(&app, &ctx, "ada@example.org", &code, Some(&renewed.challenge)).await.is_ok());
}

/// Another address counts once it is proven; the old one is told, with a way to undo the damage.
/// ASVS V6.3.7
#[apply(case)]
async fn a_changed_address_is_proven_first_and_the_old_one_is_told(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, ctx) = (app.member("ada").await, |app: &TestApp, ada: &Member| of(app, ada));
    let (token, _) = newest(&app, &ada.email).await;
    app.emails.verify_link(&at(&app, home()), &token, None).await.unwrap();
    forgot(&app, &at(&app, home()), "ada").await;
    let (reset, _) = newest(&app, &ada.email).await;
    let me = ctx(&app, &ada);
    let wrong = app.emails.change(&me, "new@example.org", Some(&password(OTHER_PASSWORD)), None).await;
    assert_eq!(refusal(wrong), Refusal::WrongCurrentPassword);
    assert!(matches!(refusal(app.emails.change(&me, "new@example.org", None, None).await), Refusal::InvalidInput(_)));
    let pending = app.emails.change(&me, "new@example.org", Some(&password(PASSWORD)), None).await.unwrap();
    assert_eq!(app.user_reader.show(ada.id).await.unwrap().email.as_deref(), Some(ada.email.as_str()));
    let (_, code) = newest(&app, "new@example.org").await;
    // With the bearer or with the challenge; for a stranger without either the address is nobody's.
    let stranger = verify(&app, &at(&app, elsewhere(3)), "new@example.org", &code, None).await;
    assert_eq!(refusal(stranger), Refusal::InvalidCode);
    let verified = verify(&app, &me, "new@example.org", &code, Some(&pending.challenge)).await.unwrap();
    assert!(matches!(verified, Verified::Confirmed), "no new tokens");
    let view = app.user_reader.show(ada.id).await.unwrap();
    assert_eq!((view.email.as_deref(), view.email_verified), (Some("new@example.org"), true));
    let told = mails_to(&app, &ada.email).await;
    assert!(told[0].subject.contains("changed"), "{}", told[0].subject);
    assert!(kinds_of(&app, &ada).await.contains(&"user.email_changed".to_owned()));
    assert!(app.login("new@example.org", PASSWORD).await.is_ok());
    assert_eq!(refusal(app.login(&ada.email, PASSWORD).await), Refusal::WrongCredentials);
    // A link on its way to the old address is worth nothing any more.
    let late = app.recovery.reset(&at(&app, home()), &reset, &password(OTHER_PASSWORD)).await;
    assert_eq!(refusal(late), Refusal::InvalidCode);
    // And the address is free for somebody else.
    assert!(app.accounts.register(&at(&app, home()), registration(Some(&ada.email), None), None).await.is_ok());
}

/// AC-012: asking for a taken address answers like asking for a free one.
#[apply(case)]
async fn an_address_of_somebody_else_is_not_taken_over_and_nobody_is_told_but_its_owner(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    mails(&app).await;
    let me = of(&app, &ada);
    app.emails.change(&me, &grace.email, Some(&password(PASSWORD)), None).await.unwrap();
    let told = mails_to(&app, &grace.email).await;
    assert!(!told[0].text.contains("/l/") && told[0].subject.contains("account"), "{}", told[0].text);
    // A free one that somebody registers meanwhile.
    app.emails.change(&me, "free@example.org", Some(&password(PASSWORD)), None).await.unwrap();
    let (token, _) = newest(&app, "free@example.org").await;
    app.accounts.register(&at(&app, home()), registration(Some("free@example.org"), None), None).await.unwrap();
    assert_eq!(refusal(app.emails.verify_link(&me, &token, None).await), Refusal::EmailTaken);
}

/// With the limits that are built in.
fn limited(is_required: bool) -> TestOptions {
    with(|settings| {
        settings.limits.enabled = true;
        settings.email_confirmation_required = is_required;
    })
}

/// AC-004: codes beyond the mails would be there only to be guessed, and each would bring five guesses more. Sixty networks
/// register the same address: twenty mails, and as many guesses at all of them as five mails have.
#[apply(case)]
async fn registering_an_address_again_and_again_brings_no_more_guesses_at_it(fixture: Fixture) {
    let (app, email) = (fixture.app_with(limited(true)).await, "ada@example.org");
    let (mut compared, mut last) = (0, None);
    for n in 0..60 {
        let ctx = at(&app, elsewhere(n));
        let asked = app.accounts.register(&ctx, registration(Some(email), None), None).await.unwrap();
        let pending = asked.signed_in().unwrap_err();
        assert_eq!((pending.status.as_str(), pending.expires_in), ("confirmation_required", 600));
        for _ in 0..5 {
            let guessed = verify(&app, &ctx, email, "123456", Some(&pending.challenge)).await.map(drop);
            compared += usize::from(refusal(guessed) == Refusal::InvalidCode);
        }
        last = Some((ctx, pending.challenge));
    }
    assert_eq!((mails_to(&app, email).await.len(), compared), (20, 25));
    // Whoever was left without a mail asks for it later, and goes on.
    let (ctx, challenge) = last.unwrap();
    app.advance(10 * MINUTE);
    let renewed = app.emails.resend(&ctx, email, Some(&challenge)).await.unwrap().unwrap();
    let (_, code) = newest(&app, email).await;
    let verified = verify(&app, &ctx, email, &code, Some(&renewed.challenge)).await;
    assert!(matches!(verified, Ok(Verified::Completed(_))));
}

/// Where no mail goes out, nothing is replaced: what was mailed before stays good.
#[apply(case)]
async fn asking_again_and_again_for_a_mail_takes_nothing_from_who_has_one(fixture: Fixture) {
    let app = fixture.app_with(limited(false)).await;
    let ada = app.member("ada").await;
    for n in 0..60 {
        assert!(app.emails.resend(&at(&app, elsewhere(n)), &ada.email, None).await.unwrap().is_none());
        mails(&app).await;
    }
    assert_eq!(mails_to(&app, &ada.email).await.len(), 20);
    let (link, _) = newest(&app, &ada.email).await;
    assert_eq!(app.links.look(&at(&app, home()), &link).await.unwrap(), LinkAct::ConfirmEmail);
    // Its owner, who is signed in, is not shut out by strangers.
    app.emails.resend(&of(&app, &ada), &ada.email, None).await.unwrap();
    let (newer, _) = newest(&app, &ada.email).await;
    assert_ne!(link, newer);
    app.emails.verify_link(&at(&app, home()), &newer, None).await.unwrap();
}

#[apply(case)]
async fn a_registration_that_waits_keeps_its_code_when_no_more_mails_go_out(fixture: Fixture) {
    let (app, email) = (fixture.app_with(limited(true)).await, "ada@example.org");
    let (mut waits, ctx) = (begin(&app, email, None).await, at(&app, home()));
    for _ in 0..4 {
        mails(&app).await;
        waits = app.emails.resend(&ctx, email, Some(&waits.challenge)).await.unwrap().unwrap();
    }
    let (_, code) = newest(&app, email).await;
    let same = app.emails.resend(&ctx, email, Some(&waits.challenge)).await.unwrap().unwrap();
    assert_eq!((&same.challenge, mails_to(&app, email).await.len()), (&waits.challenge, 5));
    // What leads nowhere takes no place from whoever waits.
    for n in 0..30 {
        assert!(app.emails.resend(&at(&app, elsewhere(n)), email, Some(&"A".repeat(43))).await.unwrap().is_none());
    }
    let other = app.emails.resend(&at(&app, elsewhere(31)), email, Some(&waits.challenge)).await.unwrap().unwrap();
    assert_ne!(other.challenge, waits.challenge, "from another network there is room");
    assert_eq!(refusal(verify(&app, &ctx, email, &code, Some(&waits.challenge)).await), Refusal::InvalidCode);
    let (_, code) = newest(&app, email).await;
    assert!(verify(&app, &ctx, email, &code, Some(&other.challenge)).await.is_ok());
}

/// Codes cannot be guessed by spreading over addresses from one network.
#[apply(case)]
async fn wrong_codes_count_per_network_whatever_the_address(fixture: Fixture) {
    let mut settings = settings();
    settings.limits.enabled = true;
    let app = fixture.app_with(TestOptions { settings, ..TestOptions::default() }).await;
    let mut last = None;
    for n in 0..31 {
        last = Some(verify(&app, &at(&app, home()), &format!("user{n}@example.org"), "123456", None).await);
    }
    assert!(matches!(refusal(last.unwrap().map(drop)), Refusal::TooManyAttempts(_)));
}

#[apply(case)]
async fn addresses_at_unwanted_domains_are_refused_at_registration_and_at_a_change(fixture: Fixture) {
    let email_domains = EmailDomains {
        allowed: vec!["example.org".to_owned(), "mail.evil.example".to_owned()],
        blocked: vec!["evil.example".to_owned()],
    };
    let settings = userd_services::Settings { email_domains, ..settings() };
    let app = fixture.app_with(TestOptions { settings, ..TestOptions::default() }).await;
    let ada = app.member("ada").await;
    for address in ["ada@example.net", "ada@sub.example.org", "ada@evil.example", "ada@mail.evil.example"] {
        let registered = app.accounts.register(&at(&app, home()), registration(Some(address), None), None).await;
        assert!(matches!(refusal(registered), Refusal::InvalidInput(_)), "{address}");
        let changed = app.emails.change(&of(&app, &ada), address, Some(&password(PASSWORD)), None).await;
        assert!(matches!(refusal(changed), Refusal::InvalidInput(_)), "{address}");
    }
}
