//! Registration that asks for approval: the account is there, and every way into it ends with one answer until somebody has
//! decided.

use userd_model::{EventKind, GrantKind, Permission, Refusal, RequestKind, RequestState, Role, Verdict};
use userd_services::{
    Completion, Failure, RegistrationMode, SignedIn,
    access_requests::{DecisionInput, RequestView},
    roles::{Check, GrantInput},
    sessions::Pending,
    testing::TestOptions,
};

use super::support::titles;
use crate::{
    deliveries::settle,
    emails::newest,
    factors::support::pending,
    fixture::{Fixture, MINUTE, TestApp, at_once, refusal, with},
    personas::{Member, PASSWORD, acting, at, elsewhere, home, login_with, registration},
    sign_in::elsewhere::{Elsewhere, code, offering},
};

/// Boris decides; others register and wait.
async fn waiting(fixture: &Fixture, change: impl FnOnce(&mut TestOptions)) -> (TestApp, Member, Member) {
    waiting_for(fixture, "host", change).await
}

/// The same where Boris holds this role, and holders of `host` are named to decide.
async fn waiting_for(
    fixture: &Fixture,
    role: &str,
    change: impl FnOnce(&mut TestOptions),
) -> (TestApp, Member, Member) {
    let app = fixture.app().await;
    let (boris, carol) = (app.member("boris").await, app.member("carol").await);
    app.make_role("host", &[], userd_model::RoleRules::default()).await;
    app.give_role(&boris, role).await;
    settle(&app).await;
    let mut options = with(|settings| {
        settings.registration = RegistrationMode::Approval;
        settings.registration_approvers = vec!["host".to_owned()];
    });
    (options.clock, options.seed) = (Some(std::sync::Arc::clone(&app.clock)), 2);
    change(&mut options);
    let app = fixture.app_with(options).await;
    // The leases of the first one end.
    app.advance(MINUTE);
    (app, boris, carol)
}

async fn register(app: &TestApp, name: &str) -> Result<Completion, Failure> {
    let email = format!("{name}@example.org");
    app.accounts.register(&at(app, home()), registration(Some(&email), Some(name)), None).await
}

async fn login(app: &TestApp, name: &str) -> Result<Completion, Failure> {
    app.sessions.login(&at(app, home()), login_with(name, PASSWORD)).await
}

fn must_wait(completion: Result<Completion, Failure>) -> Pending {
    let step = pending(completion.unwrap());
    assert_eq!(step.status, "approval_pending");
    step
}

async fn open(app: &TestApp, by: &Member) -> Vec<RequestView> {
    let ctx = acting(app, &app.actor(by).await);
    app.access_requests.list(&ctx, RequestState::Open, None, 10).await.unwrap().items
}

async fn decide(app: &TestApp, by: &Member, request: &RequestView, verdict: Verdict) -> Result<RequestView, Failure> {
    let ctx = acting(app, &app.actor(by).await);
    app.access_requests.decide(&ctx, request.request.id, verdict, &DecisionInput::default()).await
}

async fn go_on(app: &TestApp, step: &Pending) -> Result<Completion, Failure> {
    app.accounts.ask_whether_approved(&at(app, home()), &step.challenge).await
}

fn signed_in(completion: Result<Completion, Failure>) -> SignedIn {
    completion.unwrap().signed_in().unwrap()
}

#[apply(case)]
async fn an_account_waits_for_its_approval_and_its_owner_hears_of_it(fixture: Fixture) {
    let (app, boris, carol) = waiting(&fixture, |_| {}).await;
    let step = must_wait(register(&app, "ada").await);
    must_wait(login(&app, "ada").await);
    assert_eq!(refusal(register(&app, "ada").await), Refusal::EmailTaken, "its names are claimed");
    assert_eq!(must_wait(go_on(&app, &step).await).challenge, step.challenge, "the challenge stays");
    settle(&app).await;
    assert_eq!(titles(&app, &boris).await[0], "ada would like an account on 127.0.0.1");
    assert!(open(&app, &carol).await.is_empty());
    let asked = open(&app, &boris).await;
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((request.request.kind, request.request.name.as_str()), (RequestKind::Account, "registration"));
    assert_eq!(refusal(decide(&app, &carol, request, Verdict::Approve).await), Refusal::NotFound);
    app.advance(MINUTE);
    decide(&app, &boris, request, Verdict::Approve).await.unwrap();
    let ada = signed_in(go_on(&app, &step).await);
    assert_eq!(refusal(go_on(&app, &step).await), Refusal::ChallengeGone);
    assert_eq!(ada.user.last_sign_in_at, Some(app.now()));
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    signed_in(login(&app, "ada").await);
    settle(&app).await;
    let ada = Member { id: ada.user.id, email: "ada@example.org".to_owned(), tokens: ada.tokens };
    let told = titles(&app, &ada).await;
    assert!(told.contains(&"Your account on 127.0.0.1 is ready".to_owned()), "{told:?}");
}

/// Where no role is named, and where nobody holds the one that is, whoever holds `users.manage` is told and decides: also by the
/// built-in role that has no row.
#[apply(case)]
async fn a_user_manager_hears_of_accounts_that_wait_where_nobody_else_is_named(fixture: Fixture) {
    let (app, boris, _) = waiting_for(&fixture, "user_manager", |_| {}).await;
    let step = must_wait(register(&app, "ada").await);
    settle(&app).await;
    assert_eq!(titles(&app, &boris).await[0], "ada would like an account on 127.0.0.1", "nobody is a host");
    let mut options = with(|settings| settings.registration = RegistrationMode::Approval);
    (options.clock, options.seed) = (Some(std::sync::Arc::clone(&app.clock)), 3);
    let app = fixture.app_with(options).await;
    app.advance(MINUTE);
    must_wait(register(&app, "grace").await);
    settle(&app).await;
    assert_eq!(titles(&app, &boris).await[0], "grace would like an account on 127.0.0.1", "no role is named");
    let asked = open(&app, &boris).await;
    assert_eq!(asked.len(), 2);
    let of_ada = asked.iter().min_by_key(|one| one.request.created_at).unwrap();
    decide(&app, &boris, of_ada, Verdict::Approve).await.unwrap();
    signed_in(go_on(&app, &step).await);
}

/// Who was refused, or not answered in time, is blocked, and told once; an administrator can still change their mind.
#[apply(case)]
async fn a_refused_account_is_blocked_and_can_be_let_in_later(fixture: Fixture) {
    let (app, boris, _) = waiting(&fixture, |_| {}).await;
    let step = must_wait(register(&app, "ada").await);
    let asked = open(&app, &boris).await;
    let id = asked[0].request.requester;
    must_wait(register(&app, "grace").await);
    decide(&app, &boris, &asked[0], Verdict::Decline).await.unwrap();
    assert_eq!(refusal(login(&app, "ada").await), Refusal::Blocked);
    assert_eq!(refusal(go_on(&app, &step).await), Refusal::Blocked);
    assert_eq!(app.count_of(id, EventKind::UserBlocked).await, 1);
    app.advance(MINUTE * 60 * 24 * 30);
    assert_eq!(app.access_requests.expire_due().await.unwrap(), 1);
    assert_eq!(refusal(login(&app, "grace").await), Refusal::Blocked);
    app.users.unblock(&app.operator_context(), id).await.unwrap();
    signed_in(login(&app, "ada").await);
}

/// Rights that were given to an account before it is let in count for nothing until then.
#[apply(case)]
async fn an_account_that_waits_may_nothing_decides_nothing_and_is_no_other_administrator(fixture: Fixture) {
    let (app, boris, _) = waiting(&fixture, |_| {}).await;
    let (root, operator) = (app.admin().await, app.operator_context());
    must_wait(register(&app, "ada").await);
    let id = open(&app, &boris).await[0].request.requester;
    let (role, for_good) = (GrantKind::Role, GrantInput::default());
    app.grants.grant(&operator, id, role, Role::ADMIN, &for_good).await.unwrap();
    let asking = acting(&app, &app.service(&[Permission::PERMISSIONS_CHECK]).await.actor);
    let check = [Check { subject: id, permission: "users.read".to_owned() }];
    assert_eq!(app.permission_checks.check(&asking, &check).await.unwrap()[0].reason, "not_active");
    assert_eq!(refusal(app.users.block(&operator, root.id).await), Refusal::LastAdministrator);
    decide(&app, &boris, &open(&app, &boris).await[0], Verdict::Approve).await.unwrap();
    assert_eq!(app.permission_checks.check(&asking, &check).await.unwrap()[0].reason, "granted");
    app.users.block(&operator, root.id).await.unwrap();
}

/// Deleting and restoring it lets nobody in past those who decide: what was not approved meanwhile comes back blocked.
#[apply(case)]
async fn an_account_that_waits_is_not_let_in_by_its_restoration(fixture: Fixture) {
    let (app, boris, _) = waiting(&fixture, |_| {}).await;
    must_wait(register(&app, "ada").await);
    let id = open(&app, &boris).await[0].request.requester;
    app.advance(MINUTE);
    app.deletions.delete(&app.operator_context(), id).await.unwrap();
    app.advance(MINUTE * (60 * 24 * 30 - 1));
    assert_eq!(app.access_requests.expire_due().await.unwrap(), 1);
    app.deletions.restore(&app.operator_context(), id).await.unwrap();
    assert_eq!(refusal(login(&app, "ada").await), Refusal::Blocked);
}

/// Sign-ups through providers, registrations that wait for their address first; who was invited waits for nobody.
#[apply(case)]
async fn every_way_of_registering_waits(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let (app, boris, _) = waiting(&fixture, |options| {
        options.settings.email_confirmation_required = true;
        options.providers = offering(&[&acme]).providers;
    })
    .await;
    let through = code(app.through("acme").await);
    must_wait(app.sign_in.exchange(&at(&app, home()), &through, None, None).await);
    assert_eq!(pending(register(&app, "ada").await.unwrap()).status, "confirmation_required");
    assert_eq!(open(&app, &boris).await.len(), 1, "nobody decides about an address that is not proven");
    let (token, _) = newest(&app, "ada@example.org").await;
    app.emails.verify_link(&at(&app, home()), &token, None).await.unwrap();
    must_wait(login(&app, "ada").await);
    assert_eq!(open(&app, &boris).await.len(), 2);
    // A person who has the right to administer accounts decides as well as who is named.
    let root = app.admin().await;
    for request in open(&app, &boris).await {
        decide(&app, &root, &request, Verdict::Approve).await.unwrap();
    }
    signed_in(login(&app, "ada").await);
    let again = code(app.through("acme").await);
    signed_in(app.sign_in.exchange(&at(&app, home()), &again, None, None).await);
}

/// F18: approved, declined and signed in to, all at once: one end, and a session only where it is approved.
#[apply(case)]
async fn an_account_has_one_decision_however_many_decide(fixture: Fixture) {
    let (app, boris, _) = waiting(&fixture, |_| {}).await;
    let step = must_wait(register(&app, "ada").await);
    let asked = open(&app, &boris).await;
    let (id, owner, by) = (asked[0].request.id, asked[0].request.requester, app.actor(&boris).await);
    let services = app.shared();
    let ends = at_once(64, |turn| {
        let (app, by, challenge) = (services.clone(), by.clone(), step.challenge.clone());
        async move {
            let ctx = app.context().from_origin(elsewhere(turn));
            if turn % 3 == 2 {
                return app
                    .accounts
                    .ask_whether_approved(&ctx, &challenge)
                    .await
                    .ok()
                    .and_then(|end| end.who())
                    .is_some();
            }
            let verdict = if turn % 3 == 0 { Verdict::Approve } else { Verdict::Decline };
            let ended = app.access_requests.decide(&acting(&app, &by), id, verdict, &DecisionInput::default()).await;
            assert!(matches!(ended, Ok(_) | Err(Failure::Refused(Refusal::RequestClosed(_)))), "{ended:?}");
            false
        }
    })
    .await;
    let user = app.reading().users().find(owner).await.unwrap().unwrap();
    let is_approved = user.must_be_active(app.now()).is_ok();
    assert_eq!(user.awaits_approval_since, None);
    assert_eq!(app.count_of(owner, EventKind::AccessRequestClosed).await, 1);
    let sessions = ends.into_iter().filter(|signed_in| *signed_in).count();
    assert!(sessions <= usize::from(is_approved), "{sessions} sessions");
    assert_eq!(app.count_of(owner, EventKind::SessionStarted).await, sessions);
}
