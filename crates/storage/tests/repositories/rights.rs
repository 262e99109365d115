//! Roles, permissions, grants and requests for them: what was written comes back, in order, and only to whom it belongs.

use std::time::Duration;

use userd_model::{AccessRequest, Grant, GrantKind, Period, RequestState, Role, RoleRules, Timestamp, UserId};
use uuid::Uuid;

use crate::{
    samples::{self, id, moment, seconds, word},
    stores::{on_every_store, transact},
};

#[tokio::test]
async fn a_role_is_added_replaced_listed_and_removed() {
    on_every_store(async |store| {
        let rules =
            RoleRules { includes: vec!["support".into()], max_duration_seconds: Some(60), ..RoleRules::default() };
        let role = &Role { name: word(), permissions: vec!["users.read".to_owned()], version: 1, ..Role::default() };
        let wider = &Role { rules, managed: true, version: 2, ..role.clone() };
        assert_eq!(store.reading().roles().find(&role.name).await.unwrap(), None);
        for role in [role, wider] {
            transact!(store, uow => uow.roles().upsert(role, moment()).await?).unwrap();
            assert_eq!(store.reading().roles().find(&role.name).await.unwrap().as_ref(), Some(role));
        }
        let mut all = Vec::<Role>::new();
        loop {
            let after = all.last().map_or("", |role| &role.name).to_owned();
            let page = store.reading().roles().page(&after, 3).await.unwrap();
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        assert!(all.contains(wider) && !all.contains(role));
        assert!(all.is_sorted_by(|a, b| a.name.as_bytes() < b.name.as_bytes()));
        transact!(store, uow => uow.roles().remove(&role.name).await?).unwrap();
        assert_eq!(store.reading().roles().find(&role.name).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_permission_is_registered_listed_and_removed() {
    on_every_store(async |store| {
        let permission = &samples::registered_permission();
        let name = permission.name.as_str();
        transact!(store, uow => uow.permissions().upsert(permission).await?).unwrap();
        assert_eq!(store.reading().permissions().find(name).await.unwrap().as_ref(), Some(permission));
        let before = &name[..name.len() - 1];
        assert_eq!(store.reading().permissions().page(before, 1).await.unwrap(), std::slice::from_ref(permission));
        transact!(store, uow => uow.permissions().remove(name).await?).unwrap();
        assert_eq!(store.reading().permissions().find(name).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_grant_is_found_by_its_holder_and_by_its_end() {
    on_every_store(async |store| {
        let user: UserId = id();
        let first = &samples::grant(user);
        let end = first.period.expires_at.unwrap();
        let endless = Grant {
            name: word(),
            kind: GrantKind::Permission,
            period: Period::default(),
            reason: None,
            ..first.clone()
        };
        let grants = &[first.clone(), endless.clone(), samples::grant(id())];
        transact!(store, uow => uow.grants().upsert_many(grants).await?).unwrap();
        // "permission" comes before "role".
        assert_eq!(store.reading().grants().of_user(user).await.unwrap(), [endless.clone(), first.clone()]);
        let again = &Grant { source: userd_model::GrantSource::Config, ..first.clone() };
        transact!(store, uow => uow.grants().upsert_many(std::slice::from_ref(again)).await?).unwrap();
        let found = store.reading().grants().find(user, GrantKind::Role, &first.name).await.unwrap();
        assert_eq!(found.as_ref(), Some(again), "one of a thing");
        assert!(store.reading().grants().ended(end, 1000).await.unwrap().contains(again));
        let before = Timestamp::from_micros(end.micros() - 1);
        assert!(!store.reading().grants().ended(before, 1000).await.unwrap().contains(again));
        assert!(store.reading().grants().ending_from(end, 1000).await.unwrap().contains(again));
        assert!(!store.reading().grants().ending_from(end.plus(seconds(1)), 1000).await.unwrap().contains(again));
        let gone = &[(GrantKind::Role, first.name.clone())];
        transact!(store, uow => uow.grants().remove_many(user, gone).await?).unwrap();
        assert_eq!(store.reading().grants().of_user(user).await.unwrap(), [endless]);
    })
    .await;
}

#[tokio::test]
async fn a_request_is_found_by_its_maker_its_state_and_its_end() {
    on_every_store(async |store| {
        let user: UserId = id();
        let open = &samples::access_request(user);
        let later = &AccessRequest {
            id: id(),
            reason: None,
            starts_at: None,
            duration_seconds: None,
            state: RequestState::Withdrawn,
            created_at: open.created_at.plus(seconds(1)),
            ..open.clone()
        };
        transact!(store, uow => {
            uow.access_requests().write(open).await?;
            uow.access_requests().write(later).await?;
            uow.open_access_requests().insert(open).await?;
        })
        .unwrap();
        assert_eq!(store.reading().access_requests().find(open.id).await.unwrap().as_ref(), Some(open));
        let end = (Timestamp::from_seconds(200_000_000_000), userd_model::AccessRequestId(Uuid::max()));
        let all = store.reading().access_requests().of_user(user, end, 9).await.unwrap();
        assert_eq!(all, [later.clone(), open.clone()], "the newest first");
        let behind = (later.created_at, later.id);
        assert_eq!(
            store.reading().access_requests().of_user(user, behind, 9).await.unwrap(),
            std::slice::from_ref(open)
        );
        let of_state = (open.created_at.plus(Duration::from_micros(1)), open.id);
        let found = store.reading().access_requests().in_state(RequestState::Open, of_state, 1).await.unwrap();
        assert_eq!(found, std::slice::from_ref(open));
        assert!(store.reading().access_requests().over(open.expires_at, 1000).await.unwrap().contains(open));
        let before = Timestamp::from_micros(open.expires_at.micros() - 1);
        assert!(!store.reading().access_requests().over(before, 1000).await.unwrap().contains(open));

        let mine = store.reading().open_access_requests().find(user, open.kind, &open.name).await.unwrap();
        assert_eq!(mine, Some(open.id));
        transact!(store, uow => uow.open_access_requests().remove(open).await?).unwrap();
        assert_eq!(store.reading().open_access_requests().find(user, open.kind, &open.name).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_waits_for_others_is_found_by_its_time() {
    on_every_store(async |store| {
        let (request, due) = (&samples::access_request(id()), moment());
        for at in [due.plus(seconds(9)), due] {
            transact!(store, uow => uow.access_request_escalations().write(request, at).await?).unwrap();
        }
        let before = Timestamp::from_micros(due.micros() - 1);
        assert!(!store.reading().access_request_escalations().due(before, 1000).await.unwrap().contains(&request.id));
        assert!(store.reading().access_request_escalations().due(due, 1000).await.unwrap().contains(&request.id));
        transact!(store, uow => uow.access_request_escalations().remove(request.id).await?).unwrap();
        assert!(!store.reading().access_request_escalations().due(due, 1000).await.unwrap().contains(&request.id));
    })
    .await;
}

#[tokio::test]
async fn messages_about_a_request_are_found_by_it() {
    on_every_store(async |store| {
        let (request, other): (userd_model::AccessRequestId, userd_model::AccessRequestId) = (id(), id());
        let (ada, boris): (UserId, UserId) = (id(), id());
        transact!(store, uow => {
            for (of, user, message) in [(request, ada, 7), (request, ada, 7), (request, boris, 9), (other, ada, 8)] {
                uow.request_messages().write(of, (user, message), moment()).await?;
            }
        })
        .unwrap();
        let mut found = store.reading().request_messages().of_request(request, 9).await.unwrap();
        found.sort_by_key(|(_, message)| *message);
        assert_eq!(found, [(ada, 7), (boris, 9)]);
        assert_eq!(store.reading().request_messages().of_request(request, 1).await.unwrap().len(), 1);
    })
    .await;
}
