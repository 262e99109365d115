//! Who is asked to decide, who is told of it, and whom it is put before when nobody does.

use std::time::Duration;

use userd_model::{
    EventKind, GrantKind, Refusal, RequestState, RequestedAction, RoleRules, Verdict,
    role::{Approvers, Notify},
};
use userd_services::{access_requests::AccessInput, roles::GrantInput};

use super::{
    requests::{decide, with_editors},
    support::{requestable, titles, wanting},
};
use crate::{
    deliveries::settle,
    fixture::{Fixture, MINUTE, TestApp, refusal},
    personas::{Member, of},
};

/// Whoever may grant the thing is an approver wherever the right comes from: a built-in role that has no row, or the permission
/// by itself. (12.2)
#[apply(case)]
async fn whoever_may_grant_it_is_asked_wherever_their_right_comes_from(fixture: Fixture) {
    let app = fixture.app().await;
    app.make_role("plain", &[], requestable()).await;
    let (ada, boris) = (app.member("ada").await, app.member("boris").await);
    assert_eq!(refusal(app.ask(&ada, wanting("plain")).await), Refusal::NoApprover);
    let none = GrantInput::default();
    app.grants.grant(&app.operator_context(), boris.id, GrantKind::Permission, "roles.grant", &none).await.unwrap();
    let asked = app.ask(&ada, wanting("plain")).await.unwrap();
    settle(&app).await;
    assert_eq!(asked_of(&app, std::slice::from_ref(&boris)).await, [1], "told");
    assert_eq!(decide(&app, &boris, &asked, Verdict::Approve).await.unwrap().state, RequestState::Approved);
}

/// Those whom a role names are asked; where too few of them may decide, whoever may grant it is asked too, and only where they do not
/// suffice together nobody could decide. (12.2)
#[apply(case)]
async fn where_too_few_of_those_named_may_decide_whoever_may_grant_it_is_asked(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, boris, root) = (app.member("ada").await, app.member("boris").await, app.admin().await);
    let approvers = Approvers { roles: vec!["approver".into()], ..Approvers::default() };
    for (name, quorum) in [("one", 1), ("two", 2), ("three", 3)] {
        app.make_role(name, &[], RoleRules { approvers: approvers.clone(), quorum, ..requestable() }).await;
    }
    let told = async || {
        settle(&app).await;
        asked_of(&app, &[boris.clone(), root.clone()]).await
    };
    // Nobody is an approver.
    assert_eq!(refusal(app.ask(&ada, wanting("two")).await), Refusal::NoApprover);
    let asked = app.ask(&ada, wanting("one")).await.unwrap();
    assert_eq!(told().await, [0, 1]);
    decide(&app, &root, &asked, Verdict::Decline).await.unwrap();
    app.give_role(&boris, "approver").await;
    app.ask(&ada, wanting("one")).await.unwrap();
    assert_eq!(told().await, [1, 1], "whom the role names is enough");
    app.ask(&ada, wanting("two")).await.unwrap();
    assert_eq!(told().await, [2, 2], "both are needed");
    assert_eq!(refusal(app.ask(&ada, wanting("three")).await), Refusal::NoApprover);
}

/// Nobody decides for an hour: those whom the role names for that are told, once, and may decide from then on, also before
/// anybody was told; not a second earlier. (12.2)
#[apply(case)]
async fn what_waits_too_long_is_put_before_others(fixture: Fixture) {
    const HOUR: Duration = Duration::from_secs(3600);
    let app = fixture.app().await;
    let carol = app.member("carol").await;
    let escalate_to = Approvers { users: vec![carol.id], ..Approvers::default() };
    let rules = RoleRules { escalate_after_seconds: Some(3600), escalate_to, ..requestable() };
    let (ada, boris) = with_editors(&app, rules).await;
    settle(&app).await;
    app.advance(MINUTE);
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    app.advance(HOUR - Duration::from_secs(1));
    let renewed =
        async |of: Member| Member { tokens: app.refresh(&of.tokens.refresh_token).await.unwrap().tokens, ..of };
    let (ada, boris, carol) = (renewed(ada).await, renewed(boris).await, renewed(carol).await);
    assert_eq!(app.access_requests.escalate_due().await.unwrap(), 0);
    assert_eq!(refusal(decide(&app, &carol, &asked, Verdict::Approve).await), Refusal::NotFound, "not theirs yet");
    settle(&app).await;
    assert!(!titles(&app, &carol).await.iter().any(|title| title.contains("asks for access")));
    app.advance(Duration::from_secs(1));
    let shown = app.access_requests.list(&of(&app, &carol), RequestState::Open, None, 10).await.unwrap();
    assert_eq!(shown.items.len(), 1, "theirs by the time alone");
    for looked_at in [1, 0] {
        assert_eq!(app.access_requests.escalate_due().await.unwrap(), looked_at);
        assert_eq!(app.count_of(ada.id, EventKind::AccessRequestEscalated).await, looked_at);
        settle(&app).await;
        let told = titles(&app, &carol).await;
        assert_eq!(told.iter().filter(|title| title.contains("asks for access")).count(), 1, "{told:?}");
    }
    assert_eq!(decide(&app, &carol, &asked, Verdict::Approve).await.unwrap().state, RequestState::Approved);
    // One that is decided in time is put before nobody.
    let removal = AccessInput { action: RequestedAction::Revoke, ..wanting("editor") };
    let removal = app.ask(&ada, removal).await.unwrap();
    decide(&app, &boris, &removal, Verdict::Decline).await.unwrap();
    app.advance(HOUR);
    assert_eq!(app.access_requests.escalate_due().await.unwrap(), 1, "looked at");
    assert_eq!(app.count_of(ada.id, EventKind::AccessRequestEscalated).await, 0, "and left alone");
}

/// The role as it is now says when: one that waits longer by now is looked at again then.
#[apply(case)]
async fn a_role_that_changes_its_mind_escalates_later(fixture: Fixture) {
    let app = fixture.app().await;
    let escalate_to = Approvers { roles: vec!["support".into()], ..Approvers::default() };
    let rules = RoleRules { escalate_after_seconds: Some(60), escalate_to, ..requestable() };
    let (ada, _) = with_editors(&app, rules.clone()).await;
    let carol = app.member("carol").await;
    app.give_role(&carol, "support").await;
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    let approvers = Approvers { roles: vec!["approver".into()], ..Approvers::default() };
    let later = RoleRules { approvers, escalate_after_seconds: Some(120), ..rules };
    let input = super::support::allowing(&["cms.write"], later);
    app.roles.replace(&app.operator_context(), "editor", &input, None).await.unwrap();
    app.advance(MINUTE);
    assert_eq!(app.access_requests.escalate_due().await.unwrap(), 1);
    assert_eq!(app.count_of(ada.id, EventKind::AccessRequestEscalated).await, 0);
    assert_eq!(refusal(decide(&app, &carol, &asked, Verdict::Approve).await), Refusal::NotFound);
    app.advance(MINUTE);
    assert_eq!(app.access_requests.escalate_due().await.unwrap(), 1);
    assert_eq!(app.count_of(ada.id, EventKind::AccessRequestEscalated).await, 1);
    assert_eq!(decide(&app, &carol, &asked, Verdict::Decline).await.unwrap().state, RequestState::Declined);
}

/// Who is told is a matter of the role; the requester never is, and whoever is not told may decide all the same. (12.2)
#[apply(case)]
async fn a_role_says_which_of_its_approvers_are_told(fixture: Fixture) {
    let app = fixture.app().await;
    let mut approvers = Vec::new();
    for name in ["boris", "carol", "dora", "emil"] {
        let member = app.member(name).await;
        app.give_role(&member, "approver").await;
        approvers.push(member);
    }
    let ada = &approvers[3];
    let named = Approvers { roles: vec!["approver".into()], users: vec![approvers[1].id] };
    for (name, notify) in [("all", Notify::All), ("named", Notify::Named), ("drawn", Notify::Random(2))] {
        let rules = RoleRules { approvers: named.clone(), notify, ..requestable() };
        app.make_role(name, &[], rules).await;
    }
    let both = Approvers { roles: vec!["approver".into()], users: vec![ada.id] };
    app.make_role("own", &[], RoleRules { approvers: both, notify: Notify::Named, ..requestable() }).await;
    let mut seen = std::collections::BTreeSet::new();
    for (name, told) in [("all", 3), ("named", 1), ("drawn", 2), ("own", 3)] {
        settle(&app).await;
        let before = asked_of(&app, &approvers).await;
        let asked = app.ask(ada, wanting(name)).await.unwrap();
        settle(&app).await;
        let after = asked_of(&app, &approvers).await;
        let heard: Vec<usize> = (0..4).filter(|place| after[*place] > before[*place]).collect();
        assert_eq!((heard.len(), heard.contains(&3)), (told, false), "{name}: {heard:?}");
        if name == "named" {
            assert_eq!(heard, [1]);
        }
        seen.extend(heard);
        let silent = (0..3).find(|place| after[*place] == before[*place]).unwrap_or(0);
        decide(&app, &approvers[silent], &asked, Verdict::Decline).await.unwrap();
    }
    assert_eq!(seen.len(), 3);
}

async fn asked_of(app: &TestApp, members: &[Member]) -> Vec<usize> {
    let mut counts = Vec::new();
    for member in members {
        let told = titles(app, member).await;
        counts.push(told.iter().filter(|title| title.contains("asks for access")).count());
    }
    counts
}
