//! The one way to make a change: what it tells, when, and with which ids.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{sync::Notify, task::AbortHandle};
use userd_model::{EventId, EventKind, PendingStep, Refusal, Revoked, SessionId, UserId, UserStatus};
use userd_services::{Completion, Failure, sessions::Pending, testing::TestOptions};
use userd_storage::{
    Access, StoreError,
    testing::{Ending, Tamper, Tampered},
};
use uuid::Uuid;

use crate::{
    fixture::{Fixture, MINUTE, TestApp, refusal},
    personas::{PASSWORD, of},
};

/// What happens when a block or a rotation of keys is committed.
struct AtCommit<F>(F);

impl<F: Fn() -> Ending + Send + Sync + 'static> Tamper for AtCommit<F> {
    fn commit(&self, access: Access) -> Ending {
        if ["block_user", "rotate_signing_keys"].contains(&access.name) { self.0() } else { Ending::Commit }
    }
}

async fn app_with(fixture: &Fixture, seed: u64, at_commit: impl Fn() -> Ending + Send + Sync + 'static) -> TestApp {
    let engine = Tampered::over(Arc::clone(fixture.store.engine()), Arc::new(AtCommit(at_commit)));
    Fixture::over(engine).app_with(TestOptions { seed, ..TestOptions::default() }).await
}

/// One whose callers hang up at the commit.
struct HangingUp {
    app: TestApp,
    caller: Arc<Mutex<Option<AbortHandle>>>,
}

impl HangingUp {
    async fn on(fixture: &Fixture) -> Self {
        let caller = Arc::new(Mutex::new(None::<AbortHandle>));
        let hung_up = Arc::clone(&caller);
        let hangs_up = move || {
            if let Some(caller) = hung_up.lock().unwrap().take() {
                caller.abort();
            }
            Ending::Commit
        };
        Self { app: app_with(fixture, 1, hangs_up).await, caller }
    }

    /// Asks, hangs up, and waits until others are told of what was asked for.
    async fn ask(&self, request: impl Future<Output = Result<(), Failure>> + Send + 'static) {
        let go = Arc::new(Notify::new());
        let begin = Arc::clone(&go);
        let request = tokio::spawn(async move {
            begin.notified().await;
            request.await
        });
        *self.caller.lock().unwrap() = Some(request.abort_handle());
        let mut news = self.app.deps.cache.subscribe();
        go.notify_one();
        let _hung_up = request.await;
        let told = tokio::time::timeout(Duration::from_secs(20), news.next()).await;
        assert!(told.is_ok_and(|message| message.is_some()), "nobody is told");
    }
}

async fn status(app: &TestApp, user: UserId) -> UserStatus {
    app.user_reader.show(user).await.unwrap().status
}

/// A re-run derives the same ids; the next change of the same request derives others.
#[apply(case)]
async fn a_change_that_runs_again_has_the_same_ids(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = &app.context();
    let seen = &Mutex::new(Vec::<[EventId; 2]>::new());
    for _ in 0..2 {
        app.changes
            .run(ctx, "ids", |mut change| async move {
                seen.lock().unwrap().push([change.id(), change.id()]);
                change.commit(()).await
            })
            .await
            .unwrap();
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.dedup();
    assert_eq!(seen.len(), 2, "one pair for each change, however often it ran");
    let all: std::collections::BTreeSet<_> = seen.concat().into_iter().collect();
    assert_eq!(all.len(), 4, "no id comes twice");
}

/// What is refused leaves nothing: no row, no event, no revocation, nothing in the view.
#[apply(case)]
async fn a_refused_change_tells_nothing(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let before = app.events_of(ada.id).await;
    let (session_id, user_id) = (ada.tokens.session_id, ada.id);
    let refused = app
        .changes
        .run(&of(&app, &ada), "refused", |mut change| async move {
            change.event(EventKind::UserChanged, user_id, serde_json::json!({}));
            change.revoke(Revoked::Session { session_id, user_id });
            Err::<userd_services::change::Committed<()>, _>(Refusal::NotFound.into())
        })
        .await;
    assert_eq!(refusal(refused), Refusal::NotFound);
    assert_eq!(app.events_of(ada.id).await, before);
    assert!(app.who(&ada.tokens.access_token).await.is_ok());
    assert!(app.revocations.feed(&app.operator_context(), None, 9).await.unwrap().entries.is_empty());
}

/// What is committed is told before the caller hears of it: here at once, elsewhere through the table.
#[apply(case)]
async fn a_committed_change_is_told_at_once(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let ada = here.member("ada").await;
    assert!(there.who(&ada.tokens.access_token).await.is_ok());
    let (session_id, user_id) = (ada.tokens.session_id, ada.id);
    here.changes
        .run(&of(&here, &ada), "told", |mut change| async move {
            change.event(EventKind::UserChanged, user_id, serde_json::json!({}));
            change.revoke(Revoked::Session { session_id, user_id });
            change.commit(()).await
        })
        .await
        .unwrap();
    assert!(here.who(&ada.tokens.access_token).await.is_err());
    assert_eq!(here.count_of(ada.id, EventKind::UserChanged).await, 1);
    there.follow_revocations().await.unwrap();
    assert!(there.who(&ada.tokens.access_token).await.is_err());
}

/// Whoever forgets a user shows the new one afterwards, here and in the other replica.
#[apply(case)]
async fn a_forgotten_user_is_read_anew_in_every_replica(fixture: Fixture) {
    let (here, there) = fixture.two_apps().await;
    let ada = here.member("ada").await;
    for app in [&here, &there] {
        assert_eq!(app.user_reader.show(ada.id).await.unwrap().display_name, None);
    }
    let id = ada.id;
    here.changes
        .run(&of(&here, &ada), "forget", |mut change| async move {
            let mut user = change.users().find(id).await?.unwrap();
            user.display_name = Some("Ada".to_owned());
            user.touch(change.now);
            change.users().update(&user).await?;
            change.forget(&user);
            change.commit(()).await
        })
        .await
        .unwrap();
    there.follow_revocations().await.unwrap();
    for app in [&here, &there] {
        assert_eq!(app.user_reader.show(ada.id).await.unwrap().display_name.as_deref(), Some("Ada"));
    }
}

/// A request may be dropped while its commit is under way. What is kept then has its consequences all the same: nobody is
/// shown or asked about as they were before.
#[apply(fault_case)]
async fn a_caller_who_hangs_up_at_the_commit_keeps_nobody_from_hearing_of_it(fixture: Fixture) {
    let caller = HangingUp::on(&fixture).await;
    let app = &caller.app;
    let ada = app.member("ada").await;
    assert_eq!(status(app, ada.id).await, UserStatus::Active);
    let (services, ctx, id) = (app.shared(), app.operator_context(), ada.id);
    caller.ask(async move { services.users.block(&ctx, id).await.map(drop) }).await;
    assert_eq!(status(app, ada.id).await, UserStatus::Blocked);
    assert!(app.who(&ada.tokens.access_token).await.is_err());
}

/// Who changes the keys loads them. Where nobody waits for that any more the next poll does, though it was heard here before.
#[apply(fault_case)]
async fn keys_that_were_changed_for_a_caller_who_hung_up_are_loaded(fixture: Fixture) {
    let caller = HangingUp::on(&fixture).await;
    let app = &caller.app;
    let before = app.deps.crypto.tokens.jwks();
    let (services, ctx) = (app.shared(), app.operator_context());
    caller.ask(async move { services.signing_keys.rotate(&ctx).await.map(drop) }).await;
    app.follow_revocations().await.unwrap();
    assert_ne!(app.deps.crypto.tokens.jwks(), before, "the heir that was made is published");
}

/// Where nobody knows whether a commit was kept, what is stored counts, and tokens die by what is stored.
#[apply(fault_case)]
async fn a_commit_without_an_answer_leaves_nothing_old_behind(fixture: Fixture) {
    let unknown = || StoreError::OutcomeUnknown("as told".to_owned());
    let kept = app_with(&fixture, 1, move || Ending::CommitAndSay(unknown())).await;
    let lost = app_with(&fixture, 2, move || Ending::RollBack(unknown())).await;
    for (app, name, then) in [(kept, "ada", UserStatus::Blocked), (lost, "grace", UserStatus::Active)] {
        let member = app.member(name).await;
        assert_eq!(status(&app, member.id).await, UserStatus::Active);
        let blocked = app.users.block(&app.operator_context(), member.id).await;
        assert!(matches!(blocked, Err(Failure::Store(StoreError::OutcomeUnknown(_)))), "{blocked:?}");
        assert_eq!(status(&app, member.id).await, then);
        app.follow_revocations().await.unwrap();
        assert_eq!(app.who(&member.tokens.access_token).await.is_ok(), then == UserStatus::Active);
    }
}

/// A change that waited for hashing tells its revocations when it is made, not when its request began: pollers look
/// only seconds behind the newest entry.
#[apply(case)]
async fn a_change_has_the_time_at_which_it_begins(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.context();
    app.advance(MINUTE);
    let at = app.changes.run(&ctx, "late", |change| async move {
        let now = change.now;
        change.commit(now).await
    });
    assert_eq!(at.await.unwrap(), app.now());
}

/// Every outcome between a proof and a session is one shape, with the published words.
#[test]
fn a_step_that_is_asked_for_is_status_challenge_and_time() {
    let words: Vec<&str> = PendingStep::ALL.iter().map(|step| step.status()).collect();
    let published = [
        "second_factor_required",
        "factor_setup_required",
        "password_change_required",
        "confirmation_required",
        "approval_pending",
        "terms_required",
        "account_deleted",
    ];
    assert_eq!(words, published);
    let (status, challenge) = (words[0].to_owned(), "secret".to_owned());
    let pending = Pending { status, challenge, methods: Vec::new(), documents: Vec::new(), expires_in: 600 };
    assert!(!format!("{:?}", Completion::Pending(pending.clone())).contains("secret"), "no secret is printed");
    let json = serde_json::to_value(&pending).unwrap();
    assert_eq!(json, serde_json::json!({ "status": words[0], "challenge": "secret", "expires_in": 600 }));
}

/// An account that the operator makes has not signed in; its first sign-in says when.
#[apply(case)]
async fn an_administrator_made_at_the_command_line_has_not_signed_in(fixture: Fixture) {
    let app = fixture.app().await;
    let made = crate::personas::registration(Some("root@example.org"), None);
    let made = app.setup.create_administrator(&app.operator_context(), made).await.unwrap();
    assert_eq!(made.last_sign_in_at, None);
    assert_eq!(app.count_of(made.id, EventKind::SessionStarted).await, 0);
    let signed_in = app.login("root@example.org", PASSWORD).await.unwrap();
    assert_eq!(signed_in.user.last_sign_in_at, Some(app.now()));
    assert_ne!(signed_in.tokens.session_id, SessionId(Uuid::nil()));
}
