//! Requests for a change of rights: who may ask, who decides, and what comes of it.

use std::time::Duration;

use userd_model::{
    EventKind, GrantKind, GrantSource, Refusal, RequestState, RequestedAction, Role, RoleRules, Verdict,
    role::{Approvers, AutoApprove},
};
use userd_services::{
    access_requests::{AccessInput, DecisionInput, RequestView},
    roles::GrantInput,
};

use super::support::{requestable, titles, wanting};
use crate::{
    deliveries::settle,
    fixture::{Fixture, MINUTE, TestApp, refusal, wrong_fields},
    personas::{Member, acting, of},
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

fn silent() -> DecisionInput {
    DecisionInput::default()
}

pub(super) async fn decide(
    app: &TestApp,
    by: &Member,
    request: &RequestView,
    verdict: Verdict,
) -> Result<RequestView, userd_services::Failure> {
    let ctx = acting(app, &app.actor(by).await);
    app.access_requests.decide(&ctx, request.request.id, verdict, &silent()).await
}

/// Whoever holds `approver` decides about `editor`.
pub(super) async fn with_editors(app: &TestApp, rules: RoleRules) -> (Member, Member) {
    app.register_permission("cms.write").await;
    let approvers = Approvers { roles: vec!["approver".into()], ..Approvers::default() };
    app.make_role("editor", &["cms.write"], RoleRules { approvers, ..rules }).await;
    let (ada, boris) = (app.member("ada").await, app.member("boris").await);
    app.give_role(&boris, "approver").await;
    (ada, boris)
}

/// The mission's story: asked, told, approved, done, and told. (12.2)
#[apply(case)]
async fn a_request_is_asked_decided_and_carried_out(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris) = with_editors(&app, requestable()).await;
    settle(&app).await;
    app.advance(MINUTE);
    let asked = app.ask(&ada, AccessInput { duration_seconds: Some(3600), ..wanting("editor") }).await.unwrap();
    assert_eq!((asked.state, asked.reason.as_deref()), (RequestState::Open, Some("I need it")));
    settle(&app).await;
    assert_eq!(titles(&app, &boris).await[0], "ada asks for access on 127.0.0.1");
    // The approver sees it, others do not.
    let boris_acts = || async { acting(&app, &app.actor(&boris).await) };
    let page = app.access_requests.list(&boris_acts().await, RequestState::Open, None, 10).await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(app.access_requests.show(&boris_acts().await, asked.request.id).await.unwrap(), asked);
    let carol = app.member("carol").await;
    assert_eq!(refusal(app.access_requests.show(&of(&app, &carol), asked.request.id).await), Refusal::NotFound);
    let others = app.access_requests.list(&of(&app, &carol), RequestState::Open, None, 10).await.unwrap();
    assert!(others.items.is_empty() && others.next.is_none());
    assert_eq!(refusal(decide(&app, &carol, &asked, Verdict::Approve).await), Refusal::NotFound);

    app.advance(MINUTE);
    let input = DecisionInput { comment: Some("welcome".into()), expires_at: None };
    let done =
        app.access_requests.decide(&boris_acts().await, asked.request.id, Verdict::Approve, &input).await.unwrap();
    assert_eq!((done.state, done.decisions[0].1.as_deref()), (RequestState::Approved, Some("welcome")));
    let held = app.grants.of_user(&of(&app, &ada), ada.id).await.unwrap();
    let [one] = held.as_slice() else { panic!("{held:?}") };
    assert_eq!((one.grant.source, one.reason.as_deref()), (GrantSource::Request, Some("I need it")));
    assert_eq!(one.grant.granted_by, boris.id.to_string());
    assert_eq!(one.grant.period.expires_at, Some(app.now().plus(Duration::from_secs(3600))));
    let tokens = app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens;
    assert_eq!(app.who(&tokens.access_token).await.unwrap().token.claims.permissions, ["cms.write"]);
    settle(&app).await;
    let told = titles(&app, &ada).await;
    assert_eq!(told[0], "Your request on 127.0.0.1 was approved");
    assert!(!told.iter().any(|title| title.contains("role")), "told once: {told:?}");
    assert_eq!(
        refusal(decide(&app, &boris, &asked, Verdict::Decline).await),
        Refusal::RequestClosed(RequestState::Approved)
    );
}

/// AC-097: nobody decides about their own request, whatever they may do. (12.2)
/// ASVS V2.3.5
#[apply(case)]
async fn nobody_decides_about_their_own_request(fixture: Fixture) {
    let app = fixture.app().await;
    app.make_role("editor", &[], requestable()).await;
    let (root, ada) = (app.admin().await, app.member("ada").await);
    app.give_role(&ada, Role::ADMIN).await;
    let ada = Member { tokens: app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens, ..ada };
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    for verdict in [Verdict::Approve, Verdict::Decline] {
        assert_eq!(refusal(decide(&app, &ada, &asked, verdict).await), Refusal::OwnRequest);
    }
    assert_eq!(app.request(&asked).await.decisions, []);
    assert_eq!(decide(&app, &root, &asked, Verdict::Approve).await.unwrap().state, RequestState::Approved);
    let alone = app.ask(&root, wanting("editor")).await.unwrap();
    app.grants.revoke(&app.operator_context(), ada.id, GrantKind::Role, Role::ADMIN).await.unwrap();
    app.access_requests.withdraw(&of(&app, &root), alone.request.id).await.unwrap();
    assert_eq!(refusal(app.ask(&root, wanting("editor")).await), Refusal::NoApprover, "there is nobody else");
}

/// AC-098: `roles.grant` decides about what its holder may do; an approver about exactly the roles that name them. (12.2)
#[apply(case)]
async fn an_approver_decides_about_exactly_what_is_theirs(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris) = with_editors(&app, requestable()).await;
    app.make_role("granter", &["roles.grant", "users.read", "deliveries.read"], RoleRules::default()).await;
    app.roles
        .replace(&app.operator_context(), "support", &super::support::allowing(&["users.read"], requestable()), None)
        .await
        .unwrap();
    app.make_role("strong", &["users.manage"], requestable()).await;
    let (granter, _root) = (app.member("granter").await, app.admin().await);
    app.give_role(&granter, "granter").await;
    // What they may see is in their next token; what they may decide counts at once.
    let boris = Member { tokens: app.refresh(&boris.tokens.refresh_token).await.unwrap().tokens, ..boris };
    let support = app.ask(&ada, wanting("support")).await.unwrap();
    let strong = app.ask(&ada, wanting("strong")).await.unwrap();
    let editor = app.ask(&ada, wanting("editor")).await.unwrap();
    assert_eq!(
        refusal(decide(&app, &boris, &support, Verdict::Approve).await),
        Refusal::Forbidden,
        "sees, decides not"
    );
    assert_eq!(refusal(decide(&app, &granter, &strong, Verdict::Approve).await), Refusal::NotFound);
    assert_eq!(refusal(decide(&app, &granter, &editor, Verdict::Approve).await), Refusal::NotFound);
    assert_eq!(decide(&app, &granter, &support, Verdict::Approve).await.unwrap().state, RequestState::Approved);
    assert_eq!(decide(&app, &boris, &editor, Verdict::Decline).await.unwrap().state, RequestState::Declined);
    // A right that was taken away a moment ago is no right.
    let again = app.ask(&ada, wanting("editor")).await.unwrap();
    let stale = acting(&app, &app.actor(&boris).await);
    app.grants.revoke(&app.operator_context(), boris.id, GrantKind::Role, "approver").await.unwrap();
    let answer = app.access_requests.decide(&stale, again.request.id, Verdict::Approve, &silent()).await;
    assert_eq!(refusal(answer), Refusal::Forbidden);
}

#[apply(case)]
async fn as_many_as_the_role_says_must_agree_and_the_last_word_counts(fixture: Fixture) {
    let app = fixture.app().await;
    let rules = RoleRules { quorum: 2, decline_quorum: 2, ..requestable() };
    let (ada, boris) = with_editors(&app, rules).await;
    assert_eq!(refusal(app.ask(&ada, wanting("editor")).await), Refusal::NoApprover, "one is too few");
    let (carol, dora) = (app.member("carol").await, app.member("dora").await);
    app.give_role(&carol, "approver").await;
    app.give_role(&dora, "approver").await;
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    let state = |view: RequestView| (view.state, view.decisions.len());
    assert_eq!(state(decide(&app, &boris, &asked, Verdict::Approve).await.unwrap()), (RequestState::Open, 1));
    assert_eq!(state(decide(&app, &boris, &asked, Verdict::Approve).await.unwrap()), (RequestState::Open, 1));
    assert_eq!(state(decide(&app, &carol, &asked, Verdict::Decline).await.unwrap()), (RequestState::Open, 2));
    assert_eq!(state(decide(&app, &carol, &asked, Verdict::Approve).await.unwrap()), (RequestState::Approved, 2));
    let second = app.ask(&dora, wanting("editor")).await.unwrap();
    decide(&app, &boris, &second, Verdict::Decline).await.unwrap();
    let end = decide(&app, &carol, &second, Verdict::Decline).await.unwrap();
    assert_eq!(end.state, RequestState::Declined);
    assert!(!app.grants.of_user(&of(&app, &dora), dora.id).await.unwrap().iter().any(|one| one.grant.name == "editor"));
}

/// What somebody said counts as long as they may say it: whoever was blocked since, or has lost the right, is no part of the
/// quorum any more, whatever they said. (12.2)
#[apply(case)]
async fn what_was_said_by_who_may_decide_no_more_does_not_count(fixture: Fixture) {
    let app = fixture.app().await;
    let rules = RoleRules { quorum: 2, decline_quorum: 2, ..requestable() };
    let (ada, boris) = with_editors(&app, rules).await;
    let mut approvers = Vec::new();
    for name in ["carol", "dora", "emil", "gina"] {
        let member = app.member(name).await;
        app.give_role(&member, "approver").await;
        approvers.push(member);
    }
    let [carol, dora, emil, gina] = approvers.as_slice() else { panic!() };
    let (operator, hal) = (app.operator_context(), app.member("hal").await);
    let counts = async |asked: &RequestView| {
        let request = app.request(asked).await;
        (request.state, request.decisions.iter().filter_map(|decision| decision.by).collect::<Vec<_>>())
    };
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    decide(&app, &boris, &asked, Verdict::Approve).await.unwrap();
    app.grants.revoke(&operator, boris.id, GrantKind::Role, "approver").await.unwrap();
    decide(&app, carol, &asked, Verdict::Approve).await.unwrap();
    assert_eq!(counts(&asked).await, (RequestState::Open, vec![carol.id]), "Boris is no approver");
    app.users.block(&operator, carol.id).await.unwrap();
    decide(&app, dora, &asked, Verdict::Approve).await.unwrap();
    assert_eq!(counts(&asked).await, (RequestState::Open, vec![dora.id]), "Carol is blocked");
    assert_eq!(app.grants.of_user(&of(&app, &ada), ada.id).await.unwrap(), []);
    decide(&app, emil, &asked, Verdict::Approve).await.unwrap();
    assert_eq!(counts(&asked).await, (RequestState::Approved, vec![dora.id, emil.id]));
    // The same of those who decline.
    let asked = app.ask(&hal, wanting("editor")).await.unwrap();
    decide(&app, dora, &asked, Verdict::Decline).await.unwrap();
    app.users.block(&operator, dora.id).await.unwrap();
    decide(&app, emil, &asked, Verdict::Decline).await.unwrap();
    assert_eq!(counts(&asked).await, (RequestState::Open, vec![emil.id]));
    decide(&app, gina, &asked, Verdict::Decline).await.unwrap();
    assert_eq!(counts(&asked).await, (RequestState::Declined, vec![emil.id, gina.id]));
}

/// What cannot be asked for does not tell whether it is there.
#[apply(case)]
async fn what_cannot_be_asked_for_is_refused_at_once(fixture: Fixture) {
    let app = fixture.app().await;
    let rules = RoleRules { reason_prompt: Some("Which ticket?".into()), ..requestable() };
    let (ada, _) = with_editors(&app, rules).await;
    for name in ["support", Role::ADMIN, "nothing", "Not A Name"] {
        assert_eq!(refusal(app.ask(&ada, wanting(name)).await), Refusal::NotRequestable, "{name}");
    }
    let of_permission = |name: &str| AccessInput { kind: GrantKind::Permission, ..wanting(name) };
    for name in ["cms.write", "users.read", "no.such"] {
        assert_eq!(refusal(app.ask(&ada, of_permission(name)).await), Refusal::NotRequestable, "{name}");
    }
    let silent = AccessInput { reason: None, ..wanting("editor") };
    assert_eq!(wrong_fields(app.ask(&ada, silent).await), ["/reason"]);
    let short = AccessInput { duration_seconds: Some(59), ..wanting("editor") };
    assert_eq!(wrong_fields(app.ask(&ada, short).await), ["/duration_seconds"]);
    let removal = AccessInput { action: RequestedAction::Revoke, ..wanting("editor") };
    assert_eq!(refusal(app.ask(&ada, removal.clone()).await), Refusal::NothingToChange);
    let timed = AccessInput { duration_seconds: Some(60), ..removal };
    assert_eq!(wrong_fields(app.ask(&ada, timed).await), ["/duration_seconds"]);
    app.ask(&ada, wanting("editor")).await.unwrap();
    assert_eq!(refusal(app.ask(&ada, wanting("editor")).await), Refusal::RequestOpen);
    let catalogue = app.access_requests.catalogue(&of(&app, &ada)).await.unwrap();
    assert_eq!(catalogue.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["editor"]);
}

#[apply(case)]
async fn a_grant_is_asked_for_from_a_minute_to_ten_years_and_within_ten(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, _) = with_editors(&app, requestable()).await;
    let most = RoleRules::MAX_DURATION;
    let last = app.now().plus(Duration::from_secs(most));
    let lasting = |seconds| AccessInput { duration_seconds: Some(seconds), ..wanting("editor") };
    let from = |start| AccessInput { starts_at: Some(start), ..wanting("editor") };
    let removal = AccessInput { action: RequestedAction::Revoke, duration_seconds: Some(60), ..from(last) };
    for (input, pointers) in [
        (lasting(59), vec!["/duration_seconds"]),
        (lasting(most + 1), vec!["/duration_seconds"]),
        (from(last.plus(Duration::from_secs(1))), vec!["/starts_at"]),
        (AccessInput { reason: Some("x".repeat(501)), ..lasting(59) }, vec!["/reason", "/duration_seconds"]),
        (removal, vec!["/duration_seconds", "/starts_at"]),
    ] {
        assert_eq!(wrong_fields(app.ask(&ada, input).await), pointers);
    }
    for input in [lasting(60), lasting(most), from(last)] {
        let asked = app.ask(&ada, input).await.unwrap().request.id;
        app.access_requests.withdraw(&of(&app, &ada), asked).await.unwrap();
    }
}

#[apply(case)]
async fn a_removal_is_asked_for_and_done(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris) = with_editors(&app, requestable()).await;
    app.give_role(&ada, "editor").await;
    assert_eq!(refusal(app.ask(&ada, wanting("editor")).await), Refusal::NothingToChange);
    let removal = AccessInput { action: RequestedAction::Revoke, ..wanting("editor") };
    let asked = app.ask(&ada, removal).await.unwrap();
    assert_eq!(decide(&app, &boris, &asked, Verdict::Approve).await.unwrap().state, RequestState::Approved);
    assert_eq!(app.grants.of_user(&of(&app, &ada), ada.id).await.unwrap(), []);
    assert_eq!(app.count_of(ada.id, EventKind::RoleRevoked).await, 1);
}

/// A request ends by itself, before anybody writes that down, and makes room for the next. (12.2)
#[apply(case)]
async fn an_open_request_expires(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris) = with_editors(&app, requestable()).await;
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    app.advance(WEEK);
    let boris = Member { tokens: app.refresh(&boris.tokens.refresh_token).await.unwrap().tokens, ..boris };
    let ada = Member { tokens: app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens, ..ada };
    let late = decide(&app, &boris, &asked, Verdict::Approve).await;
    assert_eq!(refusal(late), Refusal::RequestClosed(RequestState::Expired));
    let own = app.access_requests.own(&of(&app, &ada), None, 10).await.unwrap();
    assert_eq!(own.items[0].state, RequestState::Expired);
    let ctx = app.operator_context();
    assert!(app.access_requests.list(&ctx, RequestState::Open, None, 10).await.unwrap().items.is_empty());
    let next = app.ask(&ada, wanting("editor")).await.unwrap();
    assert_eq!(app.request(&asked).await.state, RequestState::Expired);
    app.advance(WEEK);
    assert_eq!(app.access_requests.expire_due().await.unwrap(), 1);
    assert_eq!(app.access_requests.expire_due().await.unwrap(), 0);
    assert_eq!(app.request(&next).await.state, RequestState::Expired);
    settle(&app).await;
    assert_eq!(titles(&app, &ada).await[0], "Your request on 127.0.0.1 was not approved");
}

/// Whom the role trusts is granted it at once, for as long as the role says at most. (12.2)
#[apply(case)]
async fn a_rule_grants_at_once(fixture: Fixture) {
    let app = fixture.app().await;
    let auto_approve = AutoApprove::Holders { roles: vec!["support".into()] };
    let rules = RoleRules { auto_approve, max_duration_seconds: Some(600), ..requestable() };
    let (ada, boris) = with_editors(&app, rules).await;
    assert_eq!(app.ask(&ada, wanting("editor")).await.unwrap().state, RequestState::Open);
    let carol = app.member("carol").await;
    app.rewrite(carol.id, |user| user.email_verified = true).await;
    app.give_role(&carol, "support").await;
    let done = app.ask(&carol, wanting("editor")).await.unwrap();
    assert_eq!((done.state, done.decisions[0].0.by), (RequestState::Approved, None));
    let held = app.grants.of_user(&of(&app, &carol), carol.id).await.unwrap();
    let editor = held.iter().find(|one| one.grant.name == "editor").unwrap();
    assert_eq!(editor.grant.period.expires_at, Some(app.now().plus(Duration::from_secs(600))));
    assert_eq!(editor.grant.granted_by, "rule");
    // Renewed before it ends, in one step.
    app.advance(MINUTE);
    let again = app.ask(&carol, wanting("editor")).await.unwrap();
    assert_eq!(again.state, RequestState::Approved);
    let _ = boris;
}

/// Whoever may make rules for a while does not keep a right by one for good: others decide. (0064)
#[apply(case)]
async fn a_rule_never_serves_those_who_may_make_rules(fixture: Fixture) {
    let app = fixture.app().await;
    app.admin().await;
    let rules = RoleRules { auto_approve: AutoApprove::All(true), ..requestable() };
    app.make_role("keeper", &["roles.manage"], rules).await;
    for (name, right) in [("ada", "roles.manage"), ("boris", "roles.grant")] {
        let member = app.member(name).await;
        app.rewrite(member.id, |user| user.email_verified = true).await;
        let input = GrantInput { expires_at: Some(app.now().plus(MINUTE)), ..GrantInput::default() };
        app.grants.grant(&app.operator_context(), member.id, GrantKind::Permission, right, &input).await.unwrap();
        let asked = app.ask(&member, wanting("keeper")).await.unwrap();
        assert_eq!((asked.state, asked.decisions.len()), (RequestState::Open, 0), "{right}");
    }
    let carol = app.member("carol").await;
    app.rewrite(carol.id, |user| user.email_verified = true).await;
    assert_eq!(app.ask(&carol, wanting("keeper")).await.unwrap().state, RequestState::Approved);
}

#[apply(case)]
async fn a_request_is_taken_back_by_its_maker_alone(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris) = with_editors(&app, requestable()).await;
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    let id = asked.request.id;
    assert_eq!(refusal(app.access_requests.withdraw(&of(&app, &boris), id).await), Refusal::NotFound);
    assert_eq!(app.access_requests.withdraw(&of(&app, &ada), id).await.unwrap().state, RequestState::Withdrawn);
    let twice = app.access_requests.withdraw(&of(&app, &ada), id).await;
    assert_eq!(refusal(twice), Refusal::RequestClosed(RequestState::Withdrawn));
    assert!(app.ask(&ada, wanting("editor")).await.is_ok(), "there is room for another one");
}

/// A grant that is over before it begins is none.
#[apply(case)]
async fn an_approval_does_not_end_before_the_grant_begins(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris) = with_editors(&app, requestable()).await;
    let start = app.now().plus(MINUTE * 120);
    let asked = app.ask(&ada, AccessInput { starts_at: Some(start), ..wanting("editor") }).await.unwrap();
    let ctx = acting(&app, &app.actor(&boris).await);
    let until = |end| DecisionInput { expires_at: Some(end), comment: None };
    for end in [app.now().plus(MINUTE * 10), start] {
        let answer = app.access_requests.decide(&ctx, asked.request.id, Verdict::Approve, &until(end)).await;
        assert_eq!(wrong_fields(answer), ["/expires_at"]);
    }
    let end = start.plus(MINUTE);
    app.access_requests.decide(&ctx, asked.request.id, Verdict::Approve, &until(end)).await.unwrap();
    let held = app.grants.of_user(&of(&app, &ada), ada.id).await.unwrap();
    let period = &held.iter().find(|one| one.grant.name == "editor").unwrap().grant.period;
    assert_eq!((period.starts_at, period.expires_at), (Some(start), Some(end)));
}

/// The approver may shorten, never lengthen; and what waits for somebody who was deleted is decided no more.
#[apply(case)]
async fn an_approver_may_shorten_a_grant(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris) = with_editors(&app, requestable()).await;
    let asked = app.ask(&ada, AccessInput { duration_seconds: Some(3600), ..wanting("editor") }).await.unwrap();
    let ctx = acting(&app, &app.actor(&boris).await);
    let past = DecisionInput { expires_at: Some(app.now()), comment: None };
    let answer = app.access_requests.decide(&ctx, asked.request.id, Verdict::Approve, &past).await;
    assert_eq!(wrong_fields(answer), ["/expires_at"]);
    let end = app.now().plus(MINUTE * 5);
    let shorter = DecisionInput { expires_at: Some(end), comment: None };
    app.access_requests.decide(&ctx, asked.request.id, Verdict::Approve, &shorter).await.unwrap();
    let held = app.grants.of_user(&of(&app, &ada), ada.id).await.unwrap();
    assert_eq!(held[0].grant.period.expires_at, Some(end));
    let input = GrantInput::default();
    let ctx = app.operator_context();
    app.grants.revoke(&ctx, ada.id, GrantKind::Role, "editor").await.unwrap();
    let open = app
        .ask(
            &Member { tokens: app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens, ..ada.clone() },
            wanting("editor"),
        )
        .await
        .unwrap();
    app.delete(ada.id).await;
    assert_eq!(refusal(decide(&app, &boris, &open, Verdict::Approve).await), Refusal::NotFound);
    assert_eq!(refusal(app.grants.grant(&ctx, ada.id, GrantKind::Role, "editor", &input).await), Refusal::NotFound);
}
