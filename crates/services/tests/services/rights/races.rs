//! Many at once: one terminal state, one grant.

use std::{collections::BTreeMap, sync::Arc};

use userd_model::{
    AccessRequestId, Actor, EventKind, GrantKind, Refusal, RequestState, RoleRules, UserId, Verdict, role::Approvers,
};
use userd_services::{Failure, Services, access_requests::DecisionInput, audit::Scope, users::Block};

use super::support::{allowing, requestable, wanting};
use crate::{
    fixture::{Fixture, TestApp, at_once},
    personas::{acting, of},
};

/// Rounds on each engine. By hand, with two replicas on PostgreSQL: `USERD_TEST_RACE_ROUNDS=1000 cargo nextest run -p userd-services
/// -E 'test(a_request_has_one_end) & test(postgres)'`.
fn rounds() -> usize {
    crate::fixture::rounds("USERD_TEST_RACE_ROUNDS", 1)
}

/// Sixty-four approve, decline, withdraw, change the role, block the approver and take the right away, all at once and in two
/// replicas: the request has one end, there is a grant exactly where that is the approval, and the log verifies. (12.2)
#[apply(case)]
async fn a_request_has_one_end_however_many_decide(fixture: Fixture) {
    let (first, second) = fixture.two_apps().await;
    first.register_permission("cms.write").await;
    let mut ends = BTreeMap::new();
    for number in 0..rounds() {
        let end = round([&first, &second], number).await;
        *ends.entry(end.as_str()).or_insert(0) += 1;
        if number % 50 == 0 {
            first.event_log.tick().await.unwrap();
        }
    }
    assert_eq!(ends.values().sum::<usize>(), rounds(), "{ends:?}");
    while first.event_log.tick().await.unwrap() > 0 {}
    first.audit.checkpoint().await.unwrap().unwrap();
    let found = first.audit.verify(&first.operator_context(), &Scope::default(), &|_, _| {}).await.unwrap();
    assert!(found.intact, "{found:?}");
}

/// One request, its requester and two approvers, and whatever can happen to them at once.
async fn round(replicas: [&TestApp; 2], number: usize) -> RequestState {
    let app = replicas[0];
    let name = format!("editor{number}");
    // Its own, so that a thousandth round looks at as many people as the first.
    let deciding = format!("approver{number}");
    app.make_role(&deciding, &["access_requests.read"], RoleRules::default()).await;
    let approvers = Approvers { roles: vec![deciding.clone()], ..Approvers::default() };
    app.make_role(&name, &["cms.write"], RoleRules { approvers, ..requestable() }).await;
    let ada = app.member(&format!("ada{number}")).await;
    let (boris, carol) = (app.member(&format!("boris{number}")).await, app.member(&format!("carol{number}")).await);
    for approver in [&boris, &carol] {
        app.give_role(approver, &deciding).await;
    }
    let asked = app.ask(&ada, wanting(&name)).await.unwrap();
    let people = Arc::new(Round {
        request: asked.request.id,
        roles: [name.clone(), deciding],
        ada: app.actor(&ada).await,
        deciding: [app.actor(&boris).await, app.actor(&carol).await],
        ids: [boris.id, carol.id],
    });
    let services = replicas.map(TestApp::shared);
    // Which of the two hears of it first is another one each time, and so is whether somebody decides before the role changes.
    let answers = at_once(64, |turn| {
        let (app, people) = (Arc::clone(&services[turn % 2]), Arc::clone(&people));
        async move { (turn, people.act(&app, (turn + number * 7) % 64).await) }
    })
    .await;
    let mut ends = 0;
    for (turn, answer) in answers {
        match answer {
            Ok(is_end) => ends += usize::from(is_end),
            Err(Failure::Refused(
                Refusal::RequestClosed(_)
                | Refusal::NotFound
                | Refusal::Blocked
                | Refusal::Forbidden
                | Refusal::NotSignedIn,
            )) => {}
            Err(other) => panic!("{turn}: {other:?}"),
        }
    }
    let request = app.request(&asked).await;
    let holds = app.reading().users().find(ada.id).await.unwrap().unwrap().holds(GrantKind::Role, &name);
    assert_eq!(holds, request.state == RequestState::Approved);
    // Where the approvers lost their right before anybody had decided, nobody did.
    let is_over = request.state != RequestState::Open;
    assert_eq!(ends, usize::from(is_over), "one ends it");
    let open = app.reading().open_access_requests().find(ada.id, GrantKind::Role, &name).await.unwrap();
    assert_eq!(open.is_some(), !is_over);
    let closed = app.count_of(ada.id, EventKind::AccessRequestClosed).await;
    assert_eq!(closed, usize::from(is_over));
    assert_eq!(app.count_of(ada.id, EventKind::RoleGranted).await, usize::from(holds));
    request.state
}

/// Who takes part in a round.
struct Round {
    request: AccessRequestId,
    /// The one that is asked for, and the one whose holders decide.
    roles: [String; 2],
    ada: Actor,
    deciding: [Actor; 2],
    ids: [UserId; 2],
}

impl Round {
    /// What one of the sixty-four does; whether it ended the request.
    async fn act(&self, app: &Services, turn: usize) -> Result<bool, Failure> {
        let operator = &app.operator_context();
        match turn {
            60 => {
                let approvers = Approvers { roles: vec!["support".into()], ..Approvers::default() };
                let input = allowing(&["cms.write"], RoleRules { approvers, ..requestable() });
                app.roles.replace(operator, &self.roles[0], &input, None).await.map(|_| false)
            }
            61 => app.access_requests.withdraw(&acting(app, &self.ada), self.request).await.map(|_| true),
            62 => app.users.block_with(operator, self.ids[0], &Block::default()).await.map(|_| false),
            63 => app.grants.revoke(operator, self.ids[1], GrantKind::Role, &self.roles[1]).await.map(|()| false),
            _ => {
                let verdict = if turn % 4 < 2 { Verdict::Approve } else { Verdict::Decline };
                let ctx = acting(app, &self.deciding[turn % 2]);
                let said = DecisionInput::default();
                app.access_requests.decide(&ctx, self.request, verdict, &said).await.map(|_| true)
            }
        }
    }
}

/// However many are sent at once, one request is open for one thing.
#[apply(case)]
async fn one_request_is_open_for_one_thing(fixture: Fixture) {
    let app = fixture.app().await;
    app.make_role("editor", &[], requestable()).await;
    let (ada, _root) = (app.member("ada").await, app.admin().await);
    let (services, actor) = (app.shared(), app.actor(&ada).await);
    let answers = at_once(16, |_| {
        let (app, actor) = (Arc::clone(&services), actor.clone());
        async move { app.access_requests.ask(&acting(&app, &actor), wanting("editor"), None).await }
    })
    .await;
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(made, 1);
    for answer in answers {
        match answer {
            Ok(_) | Err(Failure::Refused(Refusal::RequestOpen)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(app.access_requests.own(&of(&app, &ada), None, 10).await.unwrap().items.len(), 1);
}
