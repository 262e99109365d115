//! Attacks of somebody who registers an address that is not theirs and wants to keep its owner out of it (decisions 0008 and
//! 0068): the owner has it in the end, by every way that proves it, and the squatter nothing of theirs.

use userd_model::{EventKind, Refusal, RequestState, RoleRules, UserStatus, role::AutoApprove};
use userd_services::{accounts::Registration, invitations::NewInvitation};

use crate::{
    emails::{forgot, mails, mails_to, newest},
    fixture::{Fixture, TestApp, refusal},
    personas::{
        Member, OTHER_PASSWORD, PASSWORD, at, elsewhere, home, login_with, of, password, registration, started,
    },
    rights::support::{requestable, wanting},
    sign_in::{
        app_with_acme,
        elsewhere::{proven, refused},
    },
};

async fn delete(app: &TestApp, squatter: &Member, with: &str) {
    app.deletions.delete_own(&of(app, squatter), Some(&password(with))).await.unwrap();
}

/// What a sign-in to the deleted account offers.
async fn offer(app: &TestApp, login: &str) -> String {
    let answer = app.sessions.login(&at(app, home()), login_with(login, PASSWORD)).await.unwrap();
    answer.signed_in().unwrap_err().challenge
}

/// Deleting keeps nobody out: the owner comes by the provider, and the squatter gets back an account without the address,
/// whatever was offered to them before.
#[apply(case)]
async fn a_squatter_who_deletes_the_account_keeps_the_owner_out_of_no_provider(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let squatter = app.member("victim").await;
    delete(&app, &squatter, PASSWORD).await;
    let early = offer(&app, &squatter.email).await;
    acme.is(proven("acme", "7", &squatter.email));
    let owner = app.sign_in_through("acme").await;
    assert_ne!(owner.user.id, squatter.id);
    assert_eq!((owner.user.email.as_deref(), owner.user.email_verified), (Some("victim@example.org"), true));
    assert_eq!(refusal(app.login(&squatter.email, PASSWORD).await), Refusal::WrongCredentials, "the owner's login");

    let back = app.deletions.restore_own(&at(&app, home()), &early).await.map(started).unwrap();
    assert_eq!((back.user.id, back.user.email, back.user.email_verified), (squatter.id, None, false));
    assert_eq!(app.count_of(squatter.id, EventKind::EmailRemoved).await, 1);
    // Once more, since they have nothing to squat with.
    delete(&app, &Member { tokens: back.tokens, ..squatter }, PASSWORD).await;
    assert_eq!(app.sign_in_through("acme").await.user.id, owner.user.id);
    forgot(&app, &at(&app, elsewhere(7)), "victim@example.org").await;
    assert!(mails_to(&app, "victim@example.org").await[0].subject.contains("password"));
}

/// Nor out of a registration, with the proof of the address after it; an administrator's deletion frees it as well.
#[apply(case)]
async fn a_squatter_who_deletes_the_account_keeps_the_owner_out_of_no_registration(fixture: Fixture) {
    let app = fixture.app().await;
    for by_operator in [false, true] {
        let name = if by_operator { "mary" } else { "victim" };
        let squatter = app.member(name).await;
        mails(&app).await;
        if by_operator {
            app.deletions.delete(&app.operator_context(), squatter.id).await.unwrap();
        } else {
            delete(&app, &squatter, PASSWORD).await;
        }
        let asked = registration(Some(&squatter.email), None);
        let owner = app.accounts.register(&at(&app, elsewhere(7)), asked, None).await.map(started).unwrap();
        assert_ne!(owner.user.id, squatter.id);
        let (link, _) = newest(&app, &squatter.email).await;
        app.emails.verify_link(&at(&app, elsewhere(7)), &link, None).await.unwrap();
        assert!(app.user_reader.show(owner.user.id).await.unwrap().email_verified);
        let restored = app.deletions.restore(&app.operator_context(), squatter.id).await.unwrap();
        assert_eq!((restored.status, restored.email), (UserStatus::Active, None));
        assert_eq!(app.login(&squatter.email, PASSWORD).await.unwrap().user.id, owner.user.id);
    }
}

/// Nobody wants the address: whoever never proved it has it back. Who has proven it keeps it all the time.
#[apply(case)]
async fn a_deleted_account_comes_back_with_an_address_that_nobody_took(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let ada = app.member("ada").await;
    delete(&app, &ada, PASSWORD).await;
    let offered = offer(&app, &ada.email).await;
    let back = app.deletions.restore_own(&at(&app, home()), &offered).await.map(started).unwrap();
    assert_eq!(back.user.email.as_deref(), Some("ada@example.org"));
    assert_eq!(app.count_of(ada.id, EventKind::EmailRemoved).await, 0);

    app.rewrite(ada.id, |user| user.email_verified = true).await;
    delete(&app, &Member { tokens: back.tokens, ..ada }, PASSWORD).await;
    let again = app.accounts.register(&at(&app, home()), registration(Some("ada@example.org"), None), None).await;
    assert_eq!(refusal(again), Refusal::EmailTaken);
    acme.is(proven("acme", "7", "ada@example.org"));
    assert_eq!(refused(app.through("acme").await), Refusal::AccountExists);
    let other = app.login("ada", OTHER_PASSWORD).await;
    assert_eq!(refusal(other), Refusal::WrongCredentials);
}

/// Nor does a rule that gives a role to everybody: whoever holds rights is not won, so it serves nobody whose address is not
/// proven. Others decide.
#[apply(case)]
async fn a_squatter_gets_no_rights_by_a_rule_that_would_keep_the_owner_out(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let rules = RoleRules { auto_approve: AutoApprove::All(true), ..requestable() };
    app.make_role("beta", &[], rules).await;
    let squatter = app.member("victim").await;
    assert_eq!(refusal(app.ask(&squatter, wanting("beta")).await), Refusal::NoApprover, "nobody is there to decide");
    app.admin().await;
    assert_eq!(app.ask(&squatter, wanting("beta")).await.unwrap().state, RequestState::Open);
    forgot(&app, &at(&app, elsewhere(7)), &squatter.email).await;
    assert!(mails_to(&app, &squatter.email).await[0].subject.contains("password"));
    acme.is(proven("acme", "7", &squatter.email));
    assert_eq!(app.sign_in_through("acme").await.user.id, squatter.id, "won");
    assert!(app.is_out(&squatter.tokens).await);

    let proven_one = app.member("ada").await;
    app.rewrite(proven_one.id, |user| user.email_verified = true).await;
    assert_eq!(app.ask(&proven_one, wanting("beta")).await.unwrap().state, RequestState::Approved);
    let nameless = app.accounts.register(&at(&app, home()), registration(None, Some("nameless")), None).await;
    let nameless = nameless.map(started).unwrap();
    let nameless = Member { id: nameless.user.id, email: String::new(), tokens: nameless.tokens };
    assert_eq!(app.ask(&nameless, wanting("beta")).await.unwrap().state, RequestState::Approved, "nothing to win");
}

/// Nor an invitation that gives roles to whoever shows it: the account begins when its address is proven.
#[apply(case)]
async fn a_squatter_with_an_invitation_to_roles_holds_no_address_before_its_proof(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    app.make_role("beta", &[], RoleRules::default()).await;
    let invited = async |roles: &[&str]| {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let new = NewInvitation { roles, uses: Some(2), ..NewInvitation::default() };
        app.invitations.create(&operator, &new, None).await.unwrap().token.unwrap()
    };
    let (to_roles, plain) = (invited(&["beta"]).await, invited(&[]).await);
    let register = async |email: Option<&str>, name: &str, invitation: &str| {
        let asked = Registration { invitation: Some(invitation.to_owned()), ..registration(email, Some(name)) };
        app.accounts.register(&at(&app, home()), asked, None).await.unwrap()
    };
    let waits = register(Some("victim@example.org"), "eve", &to_roles).await.signed_in().unwrap_err();
    assert_eq!(waits.status, "confirmation_required");
    mails(&app).await;
    let owner = app.member("victim").await;
    let (link, _) = newest(&app, &owner.email).await;
    app.emails.verify_link(&at(&app, home()), &link, None).await.unwrap();
    assert!(app.user_reader.show(owner.id).await.unwrap().email_verified, "the address was free");

    let named = register(None, "grace", &to_roles).await.signed_in().unwrap();
    assert_eq!(named.user.roles, ["beta"], "no address, nothing to prove");
    let deferred = register(Some("joan@example.org"), "joan", &plain).await.signed_in().unwrap();
    assert_eq!((deferred.user.email_verified, deferred.user.roles.len()), (false, 0), "as everybody");
}

/// Nor do changes, which let links die: the link to an address that nobody has proven is the owner's, whatever the squatter does
/// until it is followed.
#[apply(case)]
async fn a_squatter_who_changes_the_password_all_the_time_kills_no_link_of_the_owners(fixture: Fixture) {
    let app = fixture.app().await;
    let (squatter, owner) = (app.member("victim").await, at(&app, elsewhere(7)));
    forgot(&app, &owner, &squatter.email).await;
    let (link, _) = newest(&app, &squatter.email).await;
    let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
    app.accounts.change_password(&of(&app, &squatter), &old, &new).await.unwrap();
    delete(&app, &squatter, OTHER_PASSWORD).await;
    let dead = app.recovery.reset(&owner, &link, &password("seven purple ships at noon")).await;
    assert_eq!(refusal(dead), Refusal::InvalidCode, "of a deleted account: the address is free meanwhile");
    let offered = app.sessions.login(&at(&app, home()), login_with("victim", OTHER_PASSWORD)).await.unwrap();
    let offered = offered.signed_in().unwrap_err().challenge;
    app.deletions.restore_own(&at(&app, home()), &offered).await.map(started).unwrap();
    app.recovery.reset(&owner, &link, &password("seven purple ships at noon")).await.unwrap();
    let won = app.login(&squatter.email, "seven purple ships at noon").await.unwrap();
    assert_eq!((won.user.id, won.user.username, won.user.email_verified), (squatter.id, None, true));
    let again = app.recovery.reset(&owner, &link, &password(PASSWORD)).await;
    assert_eq!(refusal(again), Refusal::InvalidCode, "once");
}

/// Whoever forgot the password before the address was proven, and proves it first, uses the link all the same; with another
/// password it is dead, as every link is.
#[apply(case)]
async fn a_link_from_before_the_proof_is_good_for_the_forgotten_password_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = &at(&app, home());
    for changes in [false, true] {
        let ada = app.member(if changes { "mary" } else { "ada" }).await;
        let (proof, _) = newest(&app, &ada.email).await;
        forgot(&app, ctx, &ada.email).await;
        let (link, _) = newest(&app, &ada.email).await;
        app.emails.verify_link(ctx, &proof, None).await.unwrap();
        if changes {
            let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
            app.accounts.change_password(&of(&app, &ada), &old, &new).await.unwrap();
        }
        let set = app.recovery.reset(ctx, &link, &password("seven purple ships at noon")).await;
        assert_eq!(set.is_ok(), !changes);
        assert!(app.user_reader.show(ada.id).await.unwrap().username.is_some(), "nothing is wiped");
    }
}
