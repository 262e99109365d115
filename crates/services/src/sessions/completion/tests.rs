//! The outcomes that no rule of the model asks for yet: what is written for them, and what is not.

use std::sync::Arc;

use userd_crypto::OpaqueSecret;

use userd_model::Refusal;

use super::*;
use crate::{
    accounts::Registration,
    passwords::Password,
    sealing::row_context,
    sessions::challenge::{CHALLENGE_LIFE, CHALLENGE_PURPOSE, CONTEXT, PREFIX},
    testing::{TestApp, TestOptions, test_app},
};

async fn carried_out(app: &TestApp, outcome: &SignInOutcome) -> Result<Completion, Failure> {
    let (services, sessions) = (&app.services, &app.services.sessions);
    let registration = Registration {
        email: Some("ada@example.org".to_owned()),
        ..Registration::with(Password::new("correct horse battery staple".to_owned()))
    };
    let ctx = &services.operator_context();
    let id = services.setup.create_administrator(ctx, registration).await?.id;
    let proof = Proof { amr: "pwd", device_name: Some("phone".to_owned()), identity: None, device: None };
    let arrival = &sessions.arrive(ctx, id, proof, ctx.now);
    let completed = services
        .changes
        .run(ctx, "carry_out", |mut change| async move {
            let user = change.users().find(id).await?.ok_or(Refusal::NotFound)?;
            let before = change.sessions().for_sign_in(id, arrival.session.created_at).await?;
            let completed = sessions.carry_out(&mut change, outcome.clone(), user, arrival, before).await?;
            change.commit(completed).await
        })
        .await?;
    sessions.completion(completed, arrival).await
}

async fn app() -> Result<TestApp, Failure> {
    test_app(Arc::new(userd_storage::testing::memory_store().await?), TestOptions::default()).await
}

#[tokio::test]
async fn a_step_that_is_asked_for_begins_no_session_and_keeps_what_was_proven_sealed() {
    let app = app().await.expect("an app");
    let asked = carried_out(&app, &SignInOutcome::Pending(PendingStep::SecondFactor)).await.expect("an answer");
    let Err(pending) = asked.signed_in() else { panic!("a session began") };
    assert_eq!((pending.status.as_str(), pending.expires_in), ("second_factor_required", 600));
    let hash = OpaqueSecret::hash_of(PREFIX, &pending.challenge).expect("an opaque secret");
    let (deps, now) = (&app.services.deps, app.services.deps.now());
    let mut reading = deps.store.reading();
    let kept =
        reading.one_time_tokens().find(&hash, CHALLENGE_PURPOSE, now).await.expect("a row").expect("a challenge");
    let proven =
        deps.vault.open(&row_context(CONTEXT, &[&hash]), &userd_model::Sealed(kept.payload.clone())).expect("opens");
    let proven: serde_json::Value = serde_json::from_slice(&proven).expect("JSON");
    assert_eq!((&proven["step"], &proven["device_name"]), (&"second_factor_required".into(), &"phone".into()));
    let owner = kept.owner.expect("an owner");
    assert!(reading.sessions().alive_of_user(owner, now).await.expect("rows").is_empty(), "no session began");
    let user = reading.users().find(owner).await.expect("a row").expect("a user");
    assert_eq!(user.last_sign_in_at, None, "nobody has signed in");
    let audience = &proven["audience"];
    assert!(audience.is_null(), "the tokens will be for whom the first request asked: {audience}");
    let later = now.plus(CHALLENGE_LIFE);
    assert!(reading.one_time_tokens().find(&hash, CHALLENGE_PURPOSE, later).await.expect("a row").is_none());
}

#[tokio::test]
async fn what_is_refused_leaves_no_session() {
    for (outcome, refusal) in [
        (SignInOutcome::Refused(Refusal::Blocked), Refusal::Blocked),
        (SignInOutcome::Refused(Refusal::NotSignedIn), Refusal::NotSignedIn),
    ] {
        let answer = carried_out(&app().await.expect("an app"), &outcome).await;
        assert!(matches!(answer, Err(Failure::Refused(refused)) if refused == refusal));
    }
}
