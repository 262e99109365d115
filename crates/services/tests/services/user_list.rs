//! The list of accounts: filters, places, and what a page looks at.

use std::{collections::BTreeSet, time::Duration};

use userd_model::{Permission, Refusal, Role, User, UserId, UserStatus, Username};
use userd_services::{
    accounts::ProfileInput,
    user_list::{UserFilter, UserPage},
    users::Block,
};

use crate::{
    fixture::{Fixture, MINUTE, TestApp, refusal},
    personas::{acting, of},
    sign_in::app_with_acme,
};

/// Everything, page by page; each account once.
async fn all(app: &TestApp, filter: &UserFilter, limit: usize) -> Vec<UserId> {
    let (mut ids, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let UserPage { items, next } = app.users.list(&app.operator_context(), filter, after, limit).await.unwrap();
        assert!(items.len() <= limit);
        ids.extend(items.into_iter().map(|user| user.id));
        let Some(next) = next else {
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "none comes twice");
            return ids;
        };
        // As it travels in a cursor.
        after = serde_json::from_str(&serde_json::to_string(&next).unwrap()).unwrap();
    }
    panic!("no end")
}

fn filter(change: impl FnOnce(&mut UserFilter)) -> UserFilter {
    let mut filter = UserFilter::default();
    change(&mut filter);
    filter
}

/// Filters combine, and each is found whichever page it is on. (11.5)
#[apply(case)]
async fn accounts_are_listed_by_what_is_asked_of_them(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let root = app.admin().await;
    app.advance(MINUTE);
    let (ada, adam, grace) = (app.member("ada").await, app.member("adam").await, app.member("grace").await);
    let name = ProfileInput { display_name: Some(Some("ÀDA Ловлейс".into())), ..ProfileInput::default() };
    app.accounts.change_profile(&of(&app, &grace), name.clone(), None).await.unwrap();
    app.accounts.change_profile(&of(&app, &ada), name, None).await.unwrap();
    app.link(&adam, "acme").await;
    app.users.block(&app.operator_context(), grace.id).await.unwrap();
    let made = app.reading().users().find(root.id).await.unwrap().unwrap().created_at;
    let query = |text: &str| filter(|filter| filter.query = Some(text.to_owned()));
    for (asked, expected) in [
        (UserFilter::default(), vec![root.id, ada.id, adam.id, grace.id]),
        (query("ad"), vec![ada.id, adam.id]),
        (query(" ADA"), vec![ada.id, adam.id]),
        (query("àda лов"), vec![grace.id, ada.id]),
        (query("ada лов"), vec![]),
        (query("nobody@example.org"), vec![]),
        (filter(|filter| filter.role = Some(Role::ADMIN.to_owned())), vec![root.id]),
        (filter(|filter| filter.role = Some("adm".to_owned())), vec![]),
        (filter(|filter| filter.provider = Some("acme".to_owned())), vec![adam.id]),
        (filter(|filter| filter.provider = Some("acm".to_owned())), vec![]),
        (filter(|filter| filter.status = Some(UserStatus::Blocked)), vec![grace.id]),
        (filter(|filter| filter.status = Some(UserStatus::Active)), vec![root.id, ada.id, adam.id]),
        (filter(|filter| filter.created_after = Some(made)), vec![ada.id, adam.id, grace.id]),
        (
            filter(|filter| (filter.query, filter.provider) = (Some("ada".to_owned()), Some("acme".to_owned()))),
            vec![adam.id],
        ),
        (filter(|filter| (filter.status, filter.created_after) = (Some(UserStatus::Blocked), Some(app.now()))), vec![]),
        (filter(|filter| (filter.role, filter.status) = (Some("admin".to_owned()), Some(UserStatus::Blocked))), vec![]),
    ] {
        let expected: BTreeSet<_> = expected.into_iter().collect();
        for limit in [1, 2, 50] {
            let found: BTreeSet<_> = all(&app, &asked, limit).await.into_iter().collect();
            assert_eq!(found, expected, "{asked:?} by {limit}");
        }
    }
    let until = Some(app.now().plus(MINUTE));
    app.users.block_with(&app.operator_context(), adam.id, &Block { until, reason: None }).await.unwrap();
    let blocked = filter(|filter| filter.status = Some(UserStatus::Blocked));
    assert_eq!(all(&app, &blocked, 50).await.len(), 2);
    app.advance(MINUTE);
    assert_eq!(all(&app, &blocked, 50).await, [grace.id], "the other's block is over");
    // What was changed is found by what it is now.
    app.accounts.change_username(&of(&app, &ada), "countess", None).await.unwrap();
    assert_eq!(all(&app, &query("count"), 50).await, [ada.id]);
    let manager = app.service(&[Permission::USERS_MANAGE]).await;
    let listed = app.users.list(&acting(&app, &manager.actor), &UserFilter::default(), None, 5).await;
    assert_eq!(listed.map(drop).map_err(|failure| refusal::<()>(Err(failure))), Err(Refusal::Forbidden));
}

/// Many accounts without passwords.
async fn crowd(app: &TestApp, like: UserId, count: u32) -> Vec<UserId> {
    let pattern = &app.reading().users().find(like).await.unwrap().unwrap();
    let users: Vec<User> = (0..count)
        .map(|n| {
            let id = UserId(uuid::Uuid::from_u128(u128::from(n) + 1));
            User {
                id,
                username: Some(Username::stored(format!("crowd{n:05}"))),
                email: None,
                data_key: Some(app.deps.crypto.fields.new_data_key(app.deps.random.as_ref(), id).unwrap()),
                created_at: pattern.created_at.plus(Duration::from_secs(u64::from(n) + 1)),
                ..pattern.clone()
            }
        })
        .collect();
    for users in users.chunks(100) {
        app.deps
            .store
            .transact("crowd", |mut uow| async move {
                uow.defer_writes();
                for user in users {
                    uow.users().insert(user).await?;
                }
                uow.commit(()).await
            })
            .await
            .unwrap();
    }
    users.into_iter().map(|user| user.id).collect()
}

/// A page looks at a thousand accounts and no more: it may be empty and have a cursor. (11.5)
#[apply(case)]
async fn a_rare_filter_makes_short_pages_and_no_scan(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let crowd = crowd(&app, ada.id, 1_150).await;
    let last = *crowd.last().unwrap();
    app.users.block(&app.operator_context(), last).await.unwrap();
    let rare = filter(|filter| (filter.query, filter.status) = (Some("crowd".to_owned()), Some(UserStatus::Blocked)));
    let first = app.users.list(&app.operator_context(), &rare, None, 50).await.unwrap();
    assert_eq!(first.items, []);
    let second = app.users.list(&app.operator_context(), &rare, first.next, 50).await.unwrap();
    assert_eq!((second.items[0].id, second.items.len()), (last, 1));
    assert_eq!(second.next, None);
    // The rarer one drives: nothing else is looked at.
    let blocked = filter(|filter| filter.status = Some(UserStatus::Blocked));
    let page = app.users.list(&app.operator_context(), &blocked, None, 50).await.unwrap();
    assert_eq!((page.items.len(), page.next), (1, None));
}

/// Accounts of before this index are found once the service has written their words, once. (11.5)
#[apply(case)]
async fn accounts_of_an_earlier_version_are_found_by_their_words_too(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let crowd = crowd(&app, ada.id, 250).await;
    let query = |text: &str| filter(|filter| filter.query = Some(text.to_owned()));
    let strip = &crowd;
    app.deps
        .store
        .transact("strip", |mut uow| async move {
            for id in strip {
                let bare = User { username: None, ..uow.users().find(*id).await?.unwrap() };
                uow.user_terms().rewrite(&bare).await?;
            }
            uow.commit(()).await
        })
        .await
        .unwrap();
    assert!(all(&app, &query("crowd"), 200).await.is_empty());
    app.users.write_missing_terms().await.unwrap();
    assert_eq!(all(&app, &query("crowd"), 200).await.len(), 250);
    app.users.write_missing_terms().await.unwrap();
}
