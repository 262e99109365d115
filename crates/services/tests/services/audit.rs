//! The audit log: what happens is in it, once, in order, and in a tree that proves it.

use std::collections::BTreeMap;

use userd_crypto::transparency::{Edge, leaf_hash};
use userd_model::{Refusal, UserId};
use userd_services::{
    audit::{AuditFilter, NOT_AUDITED, Scope},
    event_log::EventLog,
};
use userd_storage::repositories::audit_entries::{AuditOrder, AuditRow};

use crate::{
    fixture::{Fixture, TestApp, refusal},
    personas::{Member, PASSWORD, acting, of},
};

/// The whole log.
pub(crate) async fn entries(app: &TestApp) -> Vec<AuditRow> {
    app.reading().audit_entries().from(AuditOrder::Whole, 0, 1_000_000).await.unwrap()
}

/// That positions have no gap, and that the end of the log is that of a tree over exactly these entries.
pub(crate) async fn is_one_log(app: &TestApp) -> Vec<AuditRow> {
    let entries = entries(app).await;
    let mut edge = Edge::default();
    for (row, position) in entries.iter().zip(0..) {
        assert_eq!(row.position, position);
        for tile in edge.append(leaf_hash(&row.entry)) {
            let kept = app.reading().audit_tiles().find(tile.level.into(), i64::try_from(tile.index).unwrap()).await;
            assert_eq!(kept.unwrap().unwrap().hashes, tile.hashes.concat());
        }
    }
    let head = app.reading().audit_heads().find().await.unwrap().unwrap();
    assert_eq!(Edge::from_bytes(&head.edge), Some(edge));
    entries
}

#[apply(case)]
async fn what_happened_is_in_the_log_once_with_who_did_it_from_where_and_in_which_request(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    app.event_log.tick().await.unwrap();
    app.event_log.tick().await.unwrap();
    let entries = is_one_log(&app).await;
    let acts: Vec<_> = entries.iter().map(|row| row.act.as_str()).collect();
    assert_eq!(acts, ["user.registered", "session.started", "user.username_changed"]);
    for row in &entries {
        assert_eq!((&row.actor, &row.subject), (&ada.id.to_string(), &ada.id.to_string()));
        let entry = String::from_utf8(row.entry.clone()).unwrap();
        assert!(!entry.contains("countess") && !entry.contains("127.0.0.1"), "{entry}");
    }
    app.login("countess", PASSWORD).await.unwrap();
    app.event_log.tick().await.unwrap();
    assert_eq!(is_one_log(&app).await.len(), 4);
}

/// The built-in role `auditor`, by its name: lists, proves and verifies, and changes nothing.
#[apply(case)]
async fn an_auditor_lists_proves_and_verifies(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    app.give_role(&ada, "auditor").await;
    app.event_log.tick().await.unwrap();
    app.audit.checkpoint().await.unwrap();
    let ada = Member { tokens: app.refresh(&ada.tokens.refresh_token).await.unwrap().tokens, ..ada };
    let ctx = || async { acting(&app, &app.actor(&ada).await) };
    let listed = app.audit.list(&ctx().await, &AuditFilter::default(), None, 10).await.unwrap().items;
    assert!(listed.iter().any(|entry| entry.act == "user.role_granted"), "{listed:?}");
    let id = userd_model::EventId(listed[0].id);
    assert!(app.audit.prove(&ctx().await, id).await.is_ok());
    assert!(app.audit.prove_consistency(&ctx().await, 1).await.is_ok());
    assert!(app.audit.verify(&ctx().await, &Scope::default(), &|_, _| {}).await.unwrap().intact);
    assert_eq!(refusal(app.users.block(&ctx().await, grace.id).await), Refusal::Forbidden);
    let plain = app.audit.list(&of(&app, &grace), &AuditFilter::default(), None, 10).await;
    assert_eq!(refusal(plain), Refusal::Forbidden);
}

/// What audit does not know it keeps all the same: only the listed kinds are left out.
#[apply(case)]
async fn facts_of_kinds_that_nobody_knows_are_entries_and_those_of_the_table_are_none(fixture: Fixture) {
    let app = fixture.app().await;
    let subject: UserId = UserId(uuid::Uuid::from_u128(7));
    let known = NOT_AUDITED.iter().map(|(kind, _)| *kind);
    let kinds: Vec<&str> = known.chain(["role.imagined", "user.changed"]).collect();
    let facts: Vec<_> = (1..).zip(&kinds).map(|(number, kind)| app.fact(kind, subject, number)).collect();
    app.push(&facts).await;
    app.event_log.tick().await.unwrap();
    let acts: Vec<_> = is_one_log(&app).await.into_iter().map(|row| row.act).collect();
    assert_eq!(acts, ["role.imagined", "user.changed"]);
}

/// Two replicas that pass facts on at once, of different shards, append to one log; and who lost the lease appends nothing.
#[apply(case)]
async fn two_replicas_at_once_append_one_log(fixture: Fixture) {
    let (first, second) = fixture.two_apps().await;
    let subjects: Vec<UserId> = (1..=40).map(|n| UserId(uuid::Uuid::from_u128(n))).collect();
    // Both have the leases, as far as they remember: what happens when one was frozen and wakes.
    first.event_log.tick().await.unwrap();
    let facts: Vec<_> =
        subjects.iter().flat_map(|id| (1..=5).map(|number| first.fact("user.changed", *id, number))).collect();
    first.push(&facts).await;
    let rounds = async |log: &EventLog| {
        for _ in 0..4 {
            log.append_with_old_leases().await.unwrap();
            log.tick().await.unwrap();
        }
    };
    tokio::join!(rounds(&first.event_log), rounds(&second.event_log), rounds(&first.event_log));
    let entries = is_one_log(&first).await;
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    entries.iter().for_each(|row| *numbers.entry(row.subject.clone()).or_default() += 1);
    assert_eq!((entries.len(), numbers.len()), (200, 40));
}
