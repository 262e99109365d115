//! Many at once: one terminal state, one grant.

use std::sync::Arc;

use userd_model::{EventKind, GrantKind, Refusal, RequestState, RoleRules, Verdict, role::Approvers};
use userd_services::{Failure, access_requests::DecisionInput, users::Block};

use super::support::{requestable, wanting};
use crate::{
    fixture::{Fixture, at_once},
    personas::{acting, of},
};

/// Sixty-four approve, decline, withdraw, block the approver and take the right away, all at once: the request has one end,
/// and there is a grant exactly where that is the approval. (12.2)
#[apply(case)]
async fn a_request_has_one_end_however_many_decide(fixture: Fixture) {
    let app = fixture.app().await;
    app.register_permission("cms.write").await;
    let approvers = Approvers { roles: vec!["approver".into()], ..Approvers::default() };
    app.make_role("editor", &["cms.write"], RoleRules { approvers, ..requestable() }).await;
    let (ada, boris, carol) = (app.member("ada").await, app.member("boris").await, app.member("carol").await);
    for approver in [&boris, &carol] {
        app.give_role(approver, "approver").await;
    }
    let asked = app.ask(&ada, wanting("editor")).await.unwrap();
    let id = asked.request.id;
    let (services, ada_id) = (app.shared(), ada.id);
    let (ada_ctx, approving) = (Arc::new(ada.clone()), [app.actor(&boris).await, app.actor(&carol).await]);
    let answers = at_once(64, |turn| {
        let (app, ada, approving) = (Arc::clone(&services), Arc::clone(&ada_ctx), approving.clone());
        async move {
            let verdict = if turn % 4 < 2 { Verdict::Approve } else { Verdict::Decline };
            let ctx = acting(&app, &approving[turn % 2]);
            let answer = match turn {
                61 => app.access_requests.withdraw(&of(&app, &ada), id).await.map(drop),
                62 => {
                    let userd_model::Actor::User { id: boris, .. } = approving[0] else { unreachable!() };
                    app.users.block_with(&app.operator_context(), boris, &Block::default()).await.map(drop)
                }
                63 => {
                    let userd_model::Actor::User { id: carol, .. } = approving[1] else { unreachable!() };
                    app.grants.revoke(&app.operator_context(), carol, GrantKind::Role, "approver").await
                }
                _ => app.access_requests.decide(&ctx, id, verdict, &DecisionInput::default()).await.map(drop),
            };
            (turn, answer)
        }
    })
    .await;
    let mut ends = 0;
    for (turn, answer) in answers {
        match answer {
            Ok(()) if turn < 62 => ends += 1,
            Ok(()) => {}
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
    assert_eq!(ends, 1, "one ends it");
    let request = app.request(&asked).await;
    assert_ne!(request.state, RequestState::Open);
    let holds = app.reading().users().find(ada_id).await.unwrap().unwrap().holds(GrantKind::Role, "editor");
    assert_eq!(holds, request.state == RequestState::Approved);
    assert_eq!(app.count_of(ada_id, EventKind::RoleGranted).await, usize::from(holds));
    assert_eq!(app.count_of(ada_id, EventKind::AccessRequestClosed).await, 1);
    let open = app.reading().open_access_requests().find(ada_id, GrantKind::Role, "editor").await.unwrap();
    assert_eq!(open, None);
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
        async move { app.access_requests.ask(&acting(&app, &actor), wanting("editor")).await }
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
