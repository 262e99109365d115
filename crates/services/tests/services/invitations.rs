//! Invitations to register: who invites, to what, and how often.

use std::time::Duration;

use userd_model::{EventKind, Invitation, Permission, Refusal, Role, RoleRules};
use userd_providers::NativeProof;
use userd_services::{
    Completion, Failure, RegistrationMode, SignedIn,
    accounts::Registration,
    invitations::{MadeInvitation, NewInvitation},
    links::LinkAct,
    sign_in::{Along, Start},
    testing::TestOptions,
};

use crate::{
    emails::{forgot, mails, newest},
    factors::support::pending,
    fixture::{DAY, Fixture, TestApp, at_once, refusal, with, wrong_fields},
    personas::{Member, PASSWORD, acting, at, elsewhere, home, of, password, registration},
    rights::support::allowing,
    sign_in::elsewhere::{Elsewhere, code, offering, person, refused},
};

fn by_invitation() -> TestOptions {
    with(|settings| settings.registration = RegistrationMode::Invite)
}

fn to(email: &str) -> NewInvitation {
    NewInvitation { email: Some(email.to_owned()), ..NewInvitation::default() }
}

async fn made(app: &TestApp, input: NewInvitation) -> MadeInvitation {
    app.invitations.create(&app.operator_context(), &input, None).await.unwrap()
}

/// The token of an invitation for so many accounts.
async fn token(app: &TestApp, uses: i64) -> String {
    made(app, NewInvitation { uses: Some(uses), ..NewInvitation::default() }).await.token.unwrap()
}

fn with_token(name: &str, token: &str) -> Registration {
    Registration { invitation: Some(token.to_owned()), ..registration(None, Some(name)) }
}

async fn register(app: &TestApp, asked: Registration) -> Result<Completion, Failure> {
    app.accounts.register(&at(app, home()), asked, None).await
}

async fn registered(app: &TestApp, asked: Registration) -> SignedIn {
    register(app, asked).await.unwrap().signed_in().unwrap()
}

#[apply(case)]
async fn where_invitations_are_wanted_nobody_registers_without_one(fixture: Fixture) {
    let app = fixture.app_with(by_invitation()).await;
    assert_eq!(refusal(register(&app, registration(None, Some("ada"))).await), Refusal::RegistrationClosed);
    for none in ["", "udl_", &format!("udl_{}", "A".repeat(43))] {
        assert_eq!(refusal(register(&app, with_token("ada", none)).await), Refusal::InvitationGone);
    }
    let token = token(&app, 2).await;
    let ada = registered(&app, with_token("ada", &token)).await;
    assert_eq!(ada.user.roles, Vec::<String>::new());
    registered(&app, with_token("grace", &token)).await;
    assert_eq!(refusal(register(&app, with_token("joan", &token)).await), Refusal::InvitationGone, "used up");
    let facts = app.facts_of(ada.user.id).await;
    assert!(facts[0].data["invitation_id"].is_string(), "{:?}", facts[0].data);
    let closed = fixture.app_with(with(|settings| settings.registration = RegistrationMode::Closed)).await;
    let spare = made(&closed, NewInvitation::default()).await.token.unwrap();
    assert_eq!(refusal(register(&closed, with_token("joan", &spare)).await), Refusal::RegistrationClosed);
}

/// A refused registration uses nothing up.
#[apply(case)]
async fn an_invitation_is_used_by_the_account_that_comes_of_it_alone(fixture: Fixture) {
    let app = fixture.app_with(by_invitation()).await;
    let token = token(&app, 1).await;
    let weak = Registration { password: password("short"), ..with_token("ada", &token) };
    assert_eq!(wrong_fields(register(&app, weak).await), ["/password"]);
    let admin = app.admin().await;
    app.accounts.change_username(&of(&app, &admin), "root.one", None).await.unwrap();
    assert_eq!(refusal(register(&app, with_token("root.one", &token)).await), Refusal::UsernameTaken);
    registered(&app, with_token("ada", &token)).await;
}

#[apply(case)]
async fn an_invitation_to_an_address_goes_there_and_proves_it(fixture: Fixture) {
    let app = fixture.app_with(by_invitation()).await;
    let sent = made(&app, to("ada@example.org")).await;
    assert_eq!((sent.token, sent.invitation.email.as_deref()), (None, Some("ada@example.org")));
    let (token, _) = newest(&app, "ada@example.org").await;
    let other = Registration { email: Some("eve@example.org".to_owned()), ..with_token("eve", &token) };
    assert_eq!(wrong_fields(register(&app, other).await), ["/email"]);
    let ada = registered(&app, with_token("ada", &token)).await;
    assert_eq!((ada.user.email.as_deref(), ada.user.email_verified), (Some("ada@example.org"), true));
    assert_eq!(refusal(register(&app, with_token("eve", &token)).await), Refusal::InvitationGone);
}

/// The page behind the link: a password, an account, and nobody signed in.
#[apply(case)]
async fn the_link_of_an_invitation_makes_the_account_and_signs_nobody_in(fixture: Fixture) {
    let app = fixture.app_with(by_invitation()).await;
    made(&app, to("ada@example.org")).await;
    let (token, _) = newest(&app, "ada@example.org").await;
    let ctx = at(&app, home());
    assert_eq!(app.links.look(&ctx, &token).await.unwrap(), LinkAct::AcceptInvitation);
    let weak = app.accounts.accept_invitation(&ctx, &token, password("short")).await;
    assert_eq!(wrong_fields(weak), ["/new_password"]);
    app.accounts.accept_invitation(&ctx, &token, password(PASSWORD)).await.unwrap();
    let gone = app.accounts.accept_invitation(&ctx, &token, password(PASSWORD)).await;
    assert_eq!(refusal(gone), Refusal::InvitationGone);
    assert_eq!(refusal(app.links.look(&ctx, &token).await), Refusal::LinkGone);
    let ada = app.login("ada@example.org", PASSWORD).await.unwrap();
    assert!(ada.user.email_verified);
    let shown = self::token(&app, 1).await;
    assert_eq!(refusal(app.links.look(&ctx, &shown).await), Refusal::LinkGone, "it was sent to nobody");
}

/// Where addresses are proven first, a mailed invitation is that proof; one without an address waits with the registration.
#[apply(case)]
async fn an_invitation_waits_with_the_registration_for_the_proof_of_the_address(fixture: Fixture) {
    let options = with(|settings| {
        settings.registration = RegistrationMode::Invite;
        settings.email_confirmation_required = true;
    });
    let app = fixture.app_with(options).await;
    made(&app, to("ada@example.org")).await;
    let (mailed, _) = newest(&app, "ada@example.org").await;
    assert!(registered(&app, with_token("ada", &mailed)).await.user.email_verified);
    let token = token(&app, 1).await;
    let asked = |name: &str| Registration { email: Some(format!("{name}@example.org")), ..with_token(name, &token) };
    let step = pending(register(&app, asked("grace")).await.unwrap());
    assert_eq!(step.status, "confirmation_required");
    pending(register(&app, asked("joan")).await.unwrap());
    let (grace, _) = newest(&app, "grace@example.org").await;
    let (joan, _) = newest(&app, "joan@example.org").await;
    app.emails.verify_link(&at(&app, home()), &grace, None).await.unwrap();
    assert!(app.login("grace", PASSWORD).await.is_ok());
    let late = app.emails.verify_link(&at(&app, home()), &joan, None).await;
    assert_eq!(refusal(late), Refusal::InvitationGone, "others were faster");
}

/// Preset roles are at most what the inviter may grant, when it is made and when it is taken (AC-033).
#[apply(case)]
async fn nobody_invites_to_more_than_they_may_do_themselves(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, root) = (app.member("ada").await, app.admin().await);
    let admin =
        NewInvitation { roles: vec![Role::ADMIN.to_owned(), Role::ADMIN.to_owned()], ..NewInvitation::default() };
    let refused = app.invitations.create(&app.acting(&ada).await, &admin, None).await;
    assert_eq!(refusal(refused), Refusal::Forbidden);
    let manager = app.service(&[Permission::USERS_MANAGE]).await.actor;
    let refused = app.invitations.create(&acting(&app, &manager), &admin, None).await;
    assert_eq!(wrong_fields(refused), ["/roles/0", "/roles/1"]);
    let unknown = NewInvitation { roles: vec!["nobodys".to_owned()], ..NewInvitation::default() };
    assert_eq!(wrong_fields(app.invitations.create(&app.operator_context(), &unknown, None).await), ["/roles/0"]);
    let ctx = app.acting(&root).await;
    let first = app.invitations.create(&ctx, &admin, None).await.unwrap();
    assert_eq!((first.invitation.roles.len(), first.invitation.created_by), (1, Some(root.id)));
    let second = app.invitations.create(&ctx, &admin, None).await.unwrap();
    let deputy = registered(&app, with_token("deputy", &first.token.unwrap())).await;
    assert_eq!(deputy.user.roles, [Role::ADMIN]);
    assert_eq!(app.count_of(deputy.user.id, EventKind::RoleGranted).await, 1);
    let third = app.invitations.create(&ctx, &NewInvitation::default(), None).await.unwrap();
    app.rewrite(root.id, |user| user.roles.clear()).await;
    let (second, third) = (second.token.unwrap(), third.token.unwrap());
    let lost = register(&app, with_token("eve", &second)).await;
    assert_eq!(refusal(lost), Refusal::InvitationGone, "whoever made it may not give that any more");
    registered(&app, with_token("grace", &third)).await;
    let fourth = app.invitations.create(&ctx, &NewInvitation::default(), None).await.unwrap().token.unwrap();
    app.users.block(&app.operator_context(), root.id).await.unwrap();
    assert_eq!(refusal(register(&app, with_token("eve", &fourth)).await), Refusal::InvitationGone);
}

/// What is remembered of a role may be a moment old, here after a change at another replica: what is stored decides.
#[apply(case)]
async fn an_inviter_whose_role_allows_less_by_now_gives_no_more(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    for word in ["cms.read", "cms.write"] {
        here.register_permission(word).await;
    }
    here.make_role("writer", &["cms.read", "cms.write"], RoleRules::default()).await;
    here.make_role("inviter", &["cms.read", "cms.write", "users.manage"], RoleRules::default()).await;
    let ada = here.member("ada").await;
    here.give_role(&ada, "inviter").await;
    let ada = Member { tokens: here.login("ada", PASSWORD).await.unwrap().tokens, ..ada };
    let two = NewInvitation { roles: vec!["writer".to_owned()], uses: Some(2), ..NewInvitation::default() };
    let token = here.invitations.create(&here.acting(&ada).await, &two, None).await.unwrap().token.unwrap();
    assert_eq!(registered(&here, with_token("grace", &token)).await.user.roles, ["writer"]);
    let less = allowing(&["cms.read", "users.manage"], RoleRules::default());
    there.roles.replace(&there.operator_context(), "inviter", &less, None).await.unwrap();
    let remembered = here.role_reader.permissions(&["inviter".to_owned()]).await.unwrap();
    assert!(remembered.iter().any(|word| word.as_str() == "cms.write"), "a moment old");
    assert_eq!(refusal(register(&here, with_token("eve", &token)).await), Refusal::InvitationGone);
}

#[apply(case)]
async fn invitations_are_listed_withdrawn_and_end_by_themselves(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    let ada = app.member("ada").await;
    assert_eq!(refusal(app.invitations.page(&of(&app, &ada), None, 10).await), Refusal::Forbidden);
    let (short, long) = (made(&app, NewInvitation::default()).await, made(&app, to("grace@example.org")).await);
    app.advance(Duration::from_secs(1));
    let late = NewInvitation { expires_at: Some(app.now().plus(30 * DAY)), uses: Some(3), ..NewInvitation::default() };
    let late = made(&app, late).await;
    let page = app.invitations.page(&operator, None, 2).await.unwrap();
    let last = page.last().map(|last| (last.created_at, last.id));
    let rest = app.invitations.page(&operator, last, 2).await.unwrap();
    let mut ids: Vec<_> = page.iter().chain(&rest).map(|shown| shown.id).collect();
    let mut expected = vec![short.invitation.id, long.invitation.id, late.invitation.id];
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert_eq!(rest[0].uses, 3);
    assert_eq!(refusal(app.invitations.revoke(&of(&app, &ada), late.invitation.id).await), Refusal::Forbidden);
    app.advance(Invitation::LIFE);
    assert_eq!(refusal(register(&app, with_token("eve", &short.token.unwrap())).await), Refusal::InvitationGone);
    assert_eq!(app.invitations.page(&app.operator_context(), None, 2).await.unwrap().len(), 1);
    app.invitations.revoke(&operator, late.invitation.id).await.unwrap();
    assert_eq!(refusal(app.invitations.revoke(&operator, late.invitation.id).await), Refusal::NotFound);
    assert_eq!(refusal(register(&app, with_token("eve", &late.token.unwrap())).await), Refusal::InvitationGone);
    let facts = app.facts_of(late.invitation.id).await;
    let words: Vec<&str> = facts.iter().map(|fact| fact.kind.as_str()).collect();
    assert_eq!(words, ["invitation.created", "invitation.revoked"]);
}

#[apply(case)]
async fn what_is_wrong_with_an_invitation_is_told_all_at_once(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.email_domains.blocked = vec!["spam.example".to_owned()])).await;
    let operator = app.operator_context();
    let wrong = NewInvitation {
        email: Some("eve@spam.example".to_owned()),
        roles: vec!["nobodys".to_owned()],
        uses: Some(2),
        expires_at: Some(app.now()),
        locale: Some("not a language".to_owned()),
    };
    let fields = wrong_fields(app.invitations.create(&operator, &wrong, None).await);
    assert_eq!(fields, ["/email", "/uses", "/expires_at", "/locale", "/roles/0"]);
    for uses in [0, -1, Invitation::MOST_USES + 1] {
        let wrong = NewInvitation { uses: Some(uses), ..NewInvitation::default() };
        assert_eq!(wrong_fields(app.invitations.create(&operator, &wrong, None).await), ["/uses"]);
    }
    let distant = NewInvitation { expires_at: Some(app.now().plus(366 * DAY)), ..NewInvitation::default() };
    assert_eq!(wrong_fields(app.invitations.create(&operator, &distant, None).await), ["/expires_at"]);
}

#[apply(case)]
async fn a_repeat_makes_no_second_invitation_and_shows_the_same_token_for_some_minutes(fixture: Fixture) {
    let app = fixture.app().await;
    let key = app.idempotency.request("POST /v1/invitations operator", "key-of-ours", b"body");
    let ask = async || app.invitations.create(&app.operator_context(), &NewInvitation::default(), Some(&key)).await;
    let (first, again) = (ask().await.unwrap(), ask().await.unwrap());
    assert_eq!((first.invitation.id, &first.token), (again.invitation.id, &again.token));
    assert!(again.token.is_some());
    app.advance(Duration::from_secs(601));
    assert_eq!(refusal(ask().await), Refusal::SecretAlreadyShown);
}

#[apply(case)]
async fn of_sixty_four_at_once_as_many_register_as_the_invitation_has_uses(fixture: Fixture) {
    let app = fixture.app_with(by_invitation()).await;
    let token = token(&app, 5).await;
    let services = app.shared();
    let ends = at_once(64, |n| {
        let (services, asked) = (services.clone(), with_token(&format!("guest{n}"), &token));
        let ctx = services.context().from_origin(elsewhere(n));
        async move { services.accounts.register(&ctx, asked, None).await }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = ends.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 5);
    for end in lost {
        assert_eq!(refusal(end), Refusal::InvitationGone);
    }
    assert_eq!(app.invitations.page(&app.operator_context(), None, 10).await.unwrap(), []);
}

/// A first sign-in through a provider takes the invitation with which it began, and none later.
#[apply(case)]
async fn a_sign_up_through_a_provider_takes_the_invitation_that_it_began_with(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let app = fixture.app_with(TestOptions { providers: offering(&[&acme]).providers, ..by_invitation() }).await;
    assert_eq!(refused(app.through("acme").await), Refusal::ProviderRefused("sign_up_closed"));
    let token = token(&app, 1).await;
    let start = |token: &str| Start { invitation: Some(token.to_owned()), ..Start::default() };
    let ctx = at(&app, home());
    let none = app.sign_in.start(&ctx, "acme", start("udl_none")).await;
    assert_eq!(refusal(none), Refusal::InvitationGone, "told before anybody is sent away");
    let (begun, late) = (app.sign_in.start(&ctx, "acme", start(&token)).await.unwrap(), start(&token));
    let late = app.sign_in.start(&ctx, "acme", late).await.unwrap();
    let through = code(app.come_back("acme", &begun).await);
    let first = app.sign_in.exchange(&at(&app, home()), &through, None, None).await.unwrap().signed_in().unwrap();
    assert!(app.facts_of(first.user.id).await[0].data["invitation_id"].is_string());
    acme.is(person("acme", "2"));
    let gone = refused(app.come_back("acme", &late).await);
    assert_eq!(gone, Refusal::ProviderRefused("invitation_refused"), "one account came of it");
    acme.is(person("acme", "1"));
    let again = code(app.through("acme").await);
    let again = app.sign_in.exchange(&at(&app, home()), &again, None, None).await.unwrap().signed_in().unwrap();
    assert_eq!(again.user.id, first.user.id, "whoever has an account needs none");
}

/// Apps, Mini Apps and the widget hand an invitation over along with their proof. Whoever comes again with one that is used up
/// comes in as before.
#[apply(case)]
async fn a_proof_that_is_handed_over_takes_an_invitation_with_it(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |facts| facts.capabilities.mini_app = true);
    let app = fixture.app_with(TestOptions { providers: offering(&[&acme]).providers, ..by_invitation() }).await;
    let come = async |data: &str, invitation: Option<&str>| {
        let along = Along { invitation, ..Along::default() };
        app.sign_in.native(&at(&app, home()), "acme", NativeProof::InitData(data), along).await
    };
    assert_eq!(refusal(come("data-1", None).await), Refusal::ProviderRefused("sign_up_closed"));
    for wrong in ["", "nonsense", "udl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(refusal(come("data-1", Some(wrong)).await), Refusal::InvitationGone, "{wrong}");
    }
    let invitation = token(&app, 1).await;
    let first = come("data-1", Some(&invitation)).await.unwrap().signed_in().unwrap();
    assert!(app.facts_of(first.user.id).await[0].data["invitation_id"].is_string());
    let again = come("data-2", Some(&invitation)).await.unwrap().signed_in().unwrap();
    assert_eq!(again.user.id, first.user.id, "it does no harm to whoever has an account");
    acme.is(person("acme", "2"));
    assert_eq!(refusal(come("data-3", Some(&invitation)).await), Refusal::InvitationGone, "one account came of it");
    let token_of_app = NativeProof::AccessToken("token");
    let invitation = token(&app, 1).await;
    let along = Along { invitation: Some(&invitation), ..Along::default() };
    assert!(app.sign_in.native(&at(&app, home()), "acme", token_of_app, along).await.is_ok());
}

/// An invitation is no way around the lock of a mailbox: whoever claims the address keeps it until it is proven.
#[apply(case)]
async fn an_invited_address_that_has_an_account_is_taken(fixture: Fixture) {
    let app = fixture.app().await;
    let ada: Member = app.member("ada").await;
    mails(&app).await;
    app.advance(Duration::from_secs(1));
    made(&app, to(&ada.email)).await;
    let (token, _) = newest(&app, &ada.email).await;
    assert_eq!(refusal(register(&app, with_token("other", &token)).await), Refusal::EmailTaken);
    forgot(&app, &at(&app, home()), &ada.email).await;
    let (reset, _) = newest(&app, &ada.email).await;
    app.recovery.reset(&at(&app, home()), &reset, &password("seven purple ships at noon")).await.unwrap();
}
