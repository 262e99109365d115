//! Streams of shared signals: set up by receivers, filled from the event log, taken by polling or pushed.

use std::{
    collections::{BTreeMap, VecDeque},
    future::{pending, ready},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use userd_channels::webhook::{Allowed, WebhookOptions, WebhookSender};
use userd_model::{Permission, Refusal, SessionId, Signal, StreamId};
use userd_services::{
    Context,
    global_revocation::NamedSubject,
    streams::{DeliveryInput, POLL, PUSH, PollAnswer, PollRequest, Round, SetError, StreamInput},
    testing::TestOptions,
};
use userd_stand_ins::webhook_receiver::WebhookReceiver;

use crate::{
    fixture::{DAY, Fixture, MINUTE, TestApp, refusal, with, wrong_fields},
    personas::{acting, of},
    webhooks::receiver,
};

const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const UPDATED: &str = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";

/// A receiver with the permissions that it needs.
async fn owner(app: &TestApp) -> Context {
    acting(app, &app.service(&[Permission::SSF_READ, Permission::SSF_MANAGE]).await.actor)
}

fn pushed_to(url: &str, authorization: Option<&str>) -> StreamInput {
    let delivery = DeliveryInput {
        method: PUSH.to_owned(),
        endpoint_url: Some(url.to_owned()),
        authorization_header: authorization.map(str::to_owned),
    };
    StreamInput { delivery: Some(delivery), ..StreamInput::default() }
}

async fn polled_stream(app: &TestApp, ctx: &Context) -> StreamId {
    app.streams.create(ctx, StreamInput::default()).await.unwrap().stream_id
}

/// What waits, at once.
async fn poll(app: &TestApp, ctx: &Context, id: StreamId, request: PollRequest) -> PollAnswer {
    app.event_log.tick().await.unwrap();
    let request = PollRequest { return_immediately: true, ..request };
    app.streams.poll(ctx, id, request, ready(())).await.unwrap()
}

/// What tokens say, by their type; not verified here.
fn read(sets: &BTreeMap<String, String>) -> Vec<(String, Value)> {
    let claims = |token: &String| -> Value {
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let mut read: Vec<_> = sets.values().map(claims).map(|claims| (kind(&claims), claims)).collect();
    read.sort_by(|a, b| a.0.cmp(&b.0));
    read
}

fn kind(claims: &Value) -> String {
    let events = claims["events"].as_object().unwrap();
    assert_eq!(events.len(), 1, "one event in a token");
    events.keys().next().unwrap().clone()
}

fn acknowledging(sets: &BTreeMap<String, String>) -> PollRequest {
    PollRequest { ack: sets.keys().cloned().collect(), ..PollRequest::default() }
}

async fn sign_out(app: &TestApp, name: &str) -> (userd_model::UserId, SessionId) {
    let user = app.member(name).await;
    app.sessions.sign_out(&of(app, &user)).await.unwrap();
    (user.id, user.tokens.session_id)
}

/// AC-170: whoever has not set a stream up cannot even learn that it is there.
#[apply(case)]
async fn a_stream_is_its_receivers_alone_and_leads_outside(fixture: Fixture) {
    let strict = WebhookSender::new(WebhookOptions { allowed: Allowed::default(), ..WebhookOptions::default() });
    let options = TestOptions { webhooks: Some(Arc::new(strict.unwrap())), ..TestOptions::default() };
    let app = fixture.app_with(options).await;
    let (ctx, other) = (owner(&app).await, owner(&app).await);
    for inside in
        ["http://shop.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://u:p@a.example/"]
    {
        let refused = app.streams.create(&ctx, pushed_to(inside, None)).await;
        assert_eq!(wrong_fields(refused), ["/delivery/endpoint_url"], "{inside}");
    }
    let bad = pushed_to("https://shop.example/", Some("Bearer a\r\nx: y"));
    assert_eq!(wrong_fields(app.streams.create(&ctx, bad).await), ["/delivery/authorization_header"]);
    let asked = StreamInput {
        description: Some("The shop".to_owned()),
        ..pushed_to("https://shop.example/s3cret", Some("Bearer s3cret"))
    };
    let made = app.streams.create(&ctx, asked).await.unwrap();
    let id = made.stream_id;
    assert_eq!((made.method, made.status, made.events_delivered.len()), (PUSH, "enabled", Signal::ALL.len()));
    let row = app.reading().streams().find(id).await.unwrap().unwrap();
    let sealed = row.push.unwrap().0;
    assert!(!sealed.windows(6).any(|part| part == b"s3cret"), "sealed at rest");
    assert!(!serde_json::to_string(&made).unwrap().contains("Bearer"), "shown to nobody");

    assert_eq!(app.streams.list(&ctx).await.unwrap().len(), 1);
    assert!(app.streams.list(&other).await.unwrap().is_empty());
    let nothing = StreamInput::default;
    assert_eq!(refusal(app.streams.read(&other, id).await), Refusal::NotFound);
    assert_eq!(refusal(app.streams.change(&other, id, nothing(), false).await), Refusal::NotFound);
    assert_eq!(refusal(app.streams.remove(&other, id).await), Refusal::NotFound);
    assert_eq!(refusal(app.streams.status(&other, id).await), Refusal::NotFound);
    assert_eq!(refusal(app.streams.set_status(&other, id, "disabled", None).await), Refusal::NotFound);
    assert_eq!(refusal(app.streams.verify(&other, id, None).await), Refusal::NotFound);
    let answer = app.streams.poll(&other, id, PollRequest::default(), ready(())).await;
    assert_eq!(refusal(answer), Refusal::NotFound);
    let answer = app.streams.poll(&ctx, id, PollRequest::default(), ready(())).await;
    assert_eq!(refusal(answer), Refusal::NotFound, "it is pushed");
    let reader = acting(&app, &app.service(&[Permission::SSF_READ]).await.actor);
    assert_eq!(refusal(app.streams.create(&reader, nothing()).await), Refusal::Forbidden);
    let admin = app.admin().await;
    let admin = acting(&app, &app.actor(&admin).await);
    assert_eq!(refusal(app.streams.create(&admin, nothing()).await), Refusal::Forbidden, "people have none");

    let events = Some(vec![Signal::SessionRevoked.uri().to_owned(), "https://example.org/unknown".to_owned()]);
    let changed = StreamInput { events_requested: events, ..nothing() };
    let changed = app.streams.change(&ctx, id, changed, false).await.unwrap();
    assert_eq!(changed.events_delivered, [Signal::SessionRevoked.uri()]);
    assert_eq!((changed.events_requested.len(), changed.method), (2, PUSH), "what is not said stays");
    let replaced = app.streams.change(&ctx, id, nothing(), true).await.unwrap();
    assert_eq!((replaced.method, replaced.description, replaced.events_delivered.len()), (POLL, None, 8));
    for _ in 0..3 {
        app.streams.create(&ctx, nothing()).await.unwrap();
    }
    assert_eq!(refusal(app.streams.create(&ctx, nothing()).await), Refusal::TooManyStreams);
    app.streams.remove(&ctx, id).await.unwrap();
    app.streams.create(&ctx, nothing()).await.unwrap();
    assert_eq!(app.streams.list(&app.operator_context()).await.unwrap().len(), 4, "the operator sees all");
    let told: Vec<_> = app.facts_of(id).await.into_iter().map(|fact| fact.kind).collect();
    assert_eq!(told, ["stream.created", "stream.changed", "stream.changed", "stream.removed"]);
    assert_eq!(app.reading().stream_keys().all().await.unwrap().len(), 1, "one key for all");
}

/// AC-171: what is signed here for receivers is no access token, whatever verifies those.
#[apply(case)]
async fn what_happens_waits_in_a_stream_until_it_is_acknowledged(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = owner(&app).await;
    let before = app.key_set();
    sign_out(&app, "before").await;
    app.event_log.tick().await.unwrap();
    let id = polled_stream(&app, &ctx).await;
    assert!(poll(&app, &ctx, id, PollRequest::default()).await.sets.is_empty(), "from now on");
    assert!(app.key_set().len() > before.len(), "the key is published with the first stream");

    let (user, session) = sign_out(&app, "ada").await;
    let first = poll(&app, &ctx, id, PollRequest::default()).await;
    let said = read(&first.sets);
    assert_eq!(said.len(), 1);
    let (kind, claims) = &said[0];
    assert_eq!(kind, Signal::SessionRevoked.uri());
    assert_eq!(first.sets.keys().next().unwrap(), claims["jti"].as_str().unwrap());
    let subject = json!({ "format": "iss_sub", "iss": app.issuer(), "sub": user });
    let session = json!({ "format": "opaque", "id": session });
    assert_eq!(claims["sub_id"], json!({ "format": "complex", "user": subject, "session": session }));
    assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
    assert_eq!(claims["events"][kind]["initiating_entity"], "user");
    let token = first.sets.values().next().unwrap();
    assert_eq!(app.who(token).await.unwrap_err(), Refusal::NotSignedIn, "no access token");
    assert_eq!(poll(&app, &ctx, id, PollRequest::default()).await, first, "the same text until it is taken");

    app.users.block(&app.operator_context(), user).await.unwrap();
    sign_out(&app, "grace").await;
    let one = PollRequest { max_events: Some(1), ..acknowledging(&first.sets) };
    let second = poll(&app, &ctx, id, one).await;
    assert!(second.sets.len() == 1 && second.more_available);
    let fault = SetError { err: "invalid_key".to_owned(), description: Some("no such kid".to_owned()) };
    // One id, written in two ways.
    let spelled = |jti: &String| [(jti.clone(), fault.clone()), (jti.to_uppercase(), fault.clone())];
    let set_errs = second.sets.keys().flat_map(spelled).collect();
    let third = poll(&app, &ctx, id, PollRequest { set_errs, ..PollRequest::default() }).await;
    assert!(third.sets.len() == 1 && !third.more_available && third.sets != second.sets);
    let only = PollRequest { max_events: Some(0), ..acknowledging(&third.sets) };
    assert_eq!(poll(&app, &ctx, id, only).await, PollAnswer::default());
    let unknown =
        PollRequest { ack: vec!["nonsense".to_owned(), uuid::Uuid::nil().to_string()], ..PollRequest::default() };
    assert!(poll(&app, &ctx, id, unknown).await.sets.is_empty());

    // Every kind of fact that has a signal.
    let operator = app.operator_context();
    app.users.unblock(&operator, user).await.unwrap();
    app.users.block(&operator, user).await.unwrap();
    let said = read(&poll(&app, &ctx, id, PollRequest::default()).await.sets);
    let kinds: Vec<_> = said.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, [Signal::AccountDisabled.uri(), Signal::AccountEnabled.uri()]);
    assert_eq!(said[0].1["sub_id"]["sub"], json!(user));
    let ids: Vec<_> = said.iter().map(|(_, claims)| claims["txn"].as_str().unwrap().to_owned()).collect();
    assert!(ids[0] != ids[1]);

    // Who is restored and still blocked is not enabled by it.
    app.deletions.delete(&operator, user).await.unwrap();
    app.deletions.restore(&operator, user).await.unwrap();
    app.users.unblock(&operator, user).await.unwrap();
    app.event_log.tick().await.unwrap();
    let said = read(&poll(&app, &ctx, id, PollRequest::default()).await.sets);
    let enabled = said.iter().filter(|(kind, _)| kind == Signal::AccountEnabled.uri());
    assert_eq!(enabled.count(), 2, "by the two that unblocked");
}

/// Where something waits it is answered at once; where nothing does, the answer is held back until something comes, or until
/// the wait is ended.
#[apply(case)]
async fn an_answer_is_held_back_until_there_is_something_in_it(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = owner(&app).await;
    let id = polled_stream(&app, &ctx).await;
    let comes = async {
        sign_out(&app, "ada").await;
        app.event_log.tick().await.unwrap();
    };
    let held = app.streams.poll(&ctx, id, PollRequest::default(), pending());
    let (first, ()) = tokio::join!(held, comes);
    let first = first.unwrap();
    assert_eq!(read(&first.sets).len(), 1);
    let again = app.streams.poll(&ctx, id, PollRequest::default(), ready(())).await.unwrap();
    assert_eq!(again, first, "what waits is there before the wait could end");
    let taken = app.streams.poll(&ctx, id, acknowledging(&first.sets), ready(())).await.unwrap();
    assert_eq!(taken, PollAnswer::default());
}

/// A thousand are acknowledged at once, and a hundred given at most, whatever is asked for.
#[apply(fault_case)]
async fn a_poll_has_its_bounds(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = owner(&app).await;
    let id = polled_stream(&app, &ctx).await;
    let member = app.member("ada").await;
    let facts: Vec<_> = (1..=101)
        .map(|number| {
            let mut fact = app.fact("session.ended", member.id, 2 + number);
            fact.data = json!({ "session_id": SessionId(uuid::Uuid::from_u128(7)), "reason": "signed_out" });
            fact
        })
        .collect();
    app.push(&facts).await;
    let asking = |most| PollRequest { max_events: Some(most), ..PollRequest::default() };
    let all = poll(&app, &ctx, id, asking(1_000)).await;
    assert_eq!((all.sets.len(), all.more_available), (100, true));
    assert_eq!(poll(&app, &ctx, id, PollRequest::default()).await.sets.len(), 100);
    let two = poll(&app, &ctx, id, asking(2)).await;
    assert_eq!((two.sets.len(), two.more_available), (2, true));
    let names = |count: usize| (0..count).map(|number| number.to_string());
    let errs = |count| names(count).map(|name| (name, SetError::default())).collect();
    let named = |ack: usize, set_errs| PollRequest { ack: names(ack).collect(), set_errs, ..asking(0) };
    for (request, is_too_much) in
        [(named(600, errs(400)), false), (named(600, errs(401)), true), (named(1_001, errs(0)), true)]
    {
        let answer = app.streams.poll(&ctx, id, request, ready(())).await;
        if is_too_much {
            assert_eq!(wrong_fields(answer), ["/ack"]);
        } else {
            assert_eq!(answer.unwrap(), PollAnswer::default());
        }
    }
    let most = poll(&app, &ctx, id, acknowledging(&all.sets)).await;
    assert_eq!((most.sets.len(), most.more_available), (1, false), "the last");
}

/// As the contract has them.
#[apply(fault_case)]
async fn what_a_receiver_asks_for_has_its_bounds(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = owner(&app).await;
    let id = polled_stream(&app, &ctx).await;
    let events = |count: usize, length: usize| {
        let types = (0..count).map(|number| format!("{number:0length$}")).collect();
        StreamInput { events_requested: Some(types), ..StreamInput::default() }
    };
    let said = |length: usize| StreamInput { description: Some("x".repeat(length)), ..StreamInput::default() };
    let header = |length: usize| pushed_to("https://shop.example/", Some(&"x".repeat(length)));
    let delivery = DeliveryInput { method: "pigeon".to_owned(), endpoint_url: None, authorization_header: None };
    let by_pigeon = StreamInput { delivery: Some(delivery), ..StreamInput::default() };
    let nameless = StreamInput { events_requested: Some(vec![String::new()]), ..StreamInput::default() };
    for (input, pointers) in [
        (events(1, 1), vec![]),
        (events(50, 500), vec![]),
        (events(0, 1), vec!["/events_requested"]),
        (events(51, 2), vec!["/events_requested"]),
        (events(1, 501), vec!["/events_requested"]),
        (nameless, vec!["/events_requested"]),
        (said(500), vec![]),
        (said(501), vec!["/description"]),
        (header(4096), vec![]),
        (header(4097), vec!["/delivery/authorization_header"]),
        (by_pigeon, vec!["/delivery/method"]),
    ] {
        let wrong = match app.streams.change(&ctx, id, input, false).await {
            Ok(_) => Vec::new(),
            refused => wrong_fields(refused),
        };
        assert_eq!(wrong, pointers);
    }
    assert_eq!(wrong_fields(app.streams.verify(&ctx, id, Some(&"x".repeat(1025))).await), ["/state"]);
    app.streams.verify(&ctx, id, Some(&"x".repeat(1024))).await.unwrap();
    app.advance(MINUTE - Duration::from_secs(1));
    let soon = app.streams.verify(&ctx, id, None).await;
    assert_eq!(refusal(soon), Refusal::TooManyAttempts(Duration::from_secs(1)));
}

#[apply(case)]
async fn a_stream_is_paused_switched_off_and_proves_that_it_lives(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = owner(&app).await;
    let id = polled_stream(&app, &ctx).await;
    app.streams.set_status(&ctx, id, "paused", Some("moving house")).await.unwrap();
    assert_eq!(app.streams.status(&ctx, id).await.unwrap().reason.as_deref(), Some("moving house"));
    sign_out(&app, "ada").await;
    assert!(poll(&app, &ctx, id, PollRequest::default()).await.sets.is_empty(), "held");
    app.streams.set_status(&ctx, id, "enabled", None).await.unwrap();
    let held = poll(&app, &ctx, id, PollRequest::default()).await;
    assert_eq!(held.sets.len(), 1, "and not lost");
    app.streams.set_status(&ctx, id, "disabled", None).await.unwrap();
    sign_out(&app, "grace").await;
    app.event_log.tick().await.unwrap();
    app.streams.set_status(&ctx, id, "enabled", None).await.unwrap();
    assert!(poll(&app, &ctx, id, PollRequest::default()).await.sets.is_empty(), "not kept");
    assert_eq!(wrong_fields(app.streams.set_status(&ctx, id, "on", None).await), ["/status"]);

    app.streams.verify(&ctx, id, Some("a state")).await.unwrap();
    let said = read(&poll(&app, &ctx, id, PollRequest::default()).await.sets);
    assert_eq!(said[0].1["events"][VERIFICATION], json!({ "state": "a state" }));
    assert_eq!(said[0].1["sub_id"], json!({ "format": "opaque", "id": id }));
    assert_eq!(refusal(app.streams.verify(&ctx, id, None).await), Refusal::TooManyAttempts(MINUTE));
    app.advance(MINUTE);
    app.streams.verify(&ctx, id, None).await.unwrap();

    // Where somebody else pauses it, its receiver is told, although it is paused.
    app.streams.set_status(&app.operator_context(), id, "paused", Some("too loud")).await.unwrap();
    let said = read(&poll(&app, &ctx, id, PollRequest::default()).await.sets);
    assert_eq!(said[0].0, UPDATED);
    assert_eq!(said[0].1["events"][UPDATED], json!({ "status": "paused", "reason": "too loud" }));
    // A log that is not the one it was in: it begins with what is kept, and nothing twice.
    app.streams.set_status(&ctx, id, "enabled", None).await.unwrap();
    let waiting = poll(&app, &ctx, id, PollRequest::default()).await.sets;
    let moved = |stream: &mut userd_model::Stream| stream.cursor = vec![1_000_000; stream.cursor.len()];
    rewrite(&app, id, &moved).await;
    let kept = poll(&app, &ctx, id, acknowledging(&waiting)).await;
    assert_eq!(kept.sets.len(), 2, "both sign-outs");
}

async fn rewrite(app: &TestApp, id: StreamId, how: &(dyn Fn(&mut userd_model::Stream) + Sync)) {
    let written = app.deps.store.transact("rewrite", |mut uow| async move {
        let mut stream = uow.streams().find(id).await?.unwrap();
        how(&mut stream);
        uow.streams().update(&stream).await?;
        uow.commit(()).await
    });
    written.await.unwrap();
}

fn bodies(receiver: &WebhookReceiver) -> Vec<String> {
    receiver.received().into_iter().map(|received| received.body).collect()
}

async fn round(app: &TestApp) -> usize {
    app.event_log.tick().await.unwrap();
    let Round { taken, has_streams } = app.shared().push_signals().await.unwrap();
    assert!(has_streams);
    taken
}

#[apply(case)]
async fn signals_are_pushed_in_order_and_wait_for_a_receiver_that_is_down(fixture: Fixture) {
    let app = fixture.app().await;
    let receiver = receiver(&app).await;
    let ctx = owner(&app).await;
    let id = app.streams.create(&ctx, pushed_to(&receiver.url(), Some("Bearer s3cret"))).await.unwrap().stream_id;
    receiver.turn(|knobs| knobs.status = 202);
    sign_out(&app, "ada").await;
    sign_out(&app, "grace").await;
    assert_eq!(round(&app).await, 2);
    assert_eq!(round(&app).await, 0, "each once");
    let sent = bodies(&receiver);
    assert!(sent.len() == 2 && sent.iter().all(|token| token.split('.').count() == 3));

    // Down: it is left alone for a second, then two …, and the one in front comes first.
    receiver.turn(|knobs| knobs.status = 503);
    sign_out(&app, "mary").await;
    sign_out(&app, "edith").await;
    assert_eq!((round(&app).await, round(&app).await), (0, 0));
    assert_eq!(bodies(&receiver).len(), 3, "not again at once");
    app.advance(Duration::from_secs(3));
    round(&app).await;
    assert_eq!(bodies(&receiver).len(), 4);
    assert!(app.streams.read(&ctx, id).await.unwrap().failing_since.is_some());
    receiver.turn(|knobs| knobs.status = 202);
    app.advance(MINUTE);
    assert_eq!(round(&app).await, 2);
    let sent = bodies(&receiver);
    assert_eq!((sent.len(), &sent[2], &sent[3]), (6, &sent[3], &sent[4]), "the same text, and nothing lost");
    assert!(app.streams.read(&ctx, id).await.unwrap().failing_since.is_none());

    // For days: paused, which is told; nothing is lost.
    receiver.turn(|knobs| knobs.status = 500);
    sign_out(&app, "joan").await;
    round(&app).await;
    app.advance(DAY * 6);
    round(&app).await;
    let status = app.streams.status(&ctx, id).await.unwrap();
    assert_eq!(status.status, "paused");
    receiver.turn(|knobs| knobs.status = 202);
    assert_eq!(round(&app).await, 1, "that it is paused");
    app.streams.set_status(&app.operator_context(), id, "enabled", None).await.unwrap();
    assert_eq!(round(&app).await, 2, "what was held, and that it goes on");
    // Whoever is disabled is told no more.
    let client = app.streams.read(&ctx, id).await.unwrap().client_id;
    app.clients.disable(&app.operator_context(), client).await.unwrap();
    sign_out(&app, "rosa").await;
    assert_eq!(round(&app).await, 0);
}

/// Nobody calls a receiver before the time that it asked for, and the one that fails is given its five days to the end.
#[apply(fault_case)]
async fn a_receiver_gets_the_time_that_it_asks_for_and_five_days_in_all(fixture: Fixture) {
    let app = fixture.app().await;
    let receiver = receiver(&app).await;
    let ctx = owner(&app).await;
    let id = app.streams.create(&ctx, pushed_to(&receiver.url(), None)).await.unwrap().stream_id;
    receiver.turn(|knobs| {
        knobs.status = 429;
        knobs.headers = vec![("retry-after", "600".to_owned())];
    });
    sign_out(&app, "ada").await;
    for (wait, calls) in [(0, 1), (599, 1), (1, 2)] {
        app.advance(Duration::from_secs(wait));
        assert_eq!(round(&app).await, 0);
        assert_eq!(bodies(&receiver).len(), calls, "after {wait} seconds more");
    }
    receiver.turn(|knobs| {
        knobs.status = 202;
        knobs.headers.clear();
    });
    app.advance(MINUTE * 10);
    assert_eq!(round(&app).await, 1);
    receiver.turn(|knobs| knobs.status = 500);
    sign_out(&app, "grace").await;
    for (wait, status) in [(Duration::ZERO, "enabled"), (DAY * 5 - MINUTE, "enabled"), (MINUTE, "paused")] {
        app.advance(wait);
        round(&app).await;
        assert_eq!(app.streams.status(&ctx, id).await.unwrap().status, status, "after {wait:?} more");
    }
}

/// The statuses that a receiver answers with next; then it takes everything.
type Statuses = Arc<Mutex<VecDeque<u16>>>;

/// A receiver that says why it does not take a token, as the stand-in does not.
async fn picky(answers: &Statuses) -> String {
    async fn take(State(answers): State<Statuses>) -> (StatusCode, &'static str) {
        let status = answers.lock().unwrap().pop_front().unwrap_or(202);
        (StatusCode::from_u16(status).unwrap(), r#"{"err":"invalid_key"}"#)
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(take)).with_state(Arc::clone(answers));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// A signal that its receiver has looked at and does not want holds nobody up for longer than its tries; one that cannot be
/// taken now is not given up. What was taken in a round begins the count anew.
#[apply(fault_case)]
async fn a_signal_that_is_not_wanted_is_given_up_after_its_tries(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.webhooks.tries = 2)).await;
    let answers = Statuses::default();
    let ctx = owner(&app).await;
    app.streams.create(&ctx, pushed_to(&picky(&answers).await, None)).await.unwrap();
    let rounds = async |say: &[u16], taken: &[usize]| {
        answers.lock().unwrap().extend(say);
        for taken in taken {
            app.advance(MINUTE);
            assert_eq!(round(&app).await, *taken, "{say:?}");
        }
        assert!(answers.lock().unwrap().is_empty(), "{say:?}");
    };
    sign_out(&app, "ada").await;
    sign_out(&app, "grace").await;
    rounds(&[400, 400, 202], &[0, 2, 0]).await;
    sign_out(&app, "mary").await;
    rounds(&[503, 503, 503, 202], &[0, 0, 0, 1, 0]).await;
    sign_out(&app, "joan").await;
    rounds(&[400], &[0]).await;
    sign_out(&app, "rosa").await;
    rounds(&[202, 400, 202], &[1, 1, 0]).await;
}

/// AC-172: another party ends everything of somebody, and learns of nobody else.
#[apply(case)]
async fn another_party_ends_everything_of_somebody(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = acting(&app, &app.service(&[Permission::TOKENS_REVOKE]).await.actor);
    let issuer = app.issuer().to_owned();
    for (n, name) in ["ada", "grace", "mary"].into_iter().enumerate() {
        let user = app.member(name).await;
        let id = user.id.to_string();
        let subject =
            [NamedSubject::IssuerAndId(&issuer, &id), NamedSubject::Id(&id), NamedSubject::Email(&user.email)][n];
        app.global_revocation.revoke(&ctx, subject).await.unwrap();
        assert!(app.is_out(&user.tokens).await, "{subject:?}");
        let told = app.events_of(user.id).await;
        assert!(told.iter().any(|kind| kind == "session.ended"));
    }
    let user = app.member("edith").await;
    let id = user.id.to_string();
    let nobody = [
        NamedSubject::IssuerAndId("https://elsewhere.example", &id),
        NamedSubject::Id("nonsense"),
        NamedSubject::Id("00000000-0000-4000-8000-000000000000"),
        NamedSubject::Email("nobody@example.org"),
        NamedSubject::Email("edith"),
    ];
    for subject in nobody {
        assert_eq!(refusal(app.global_revocation.revoke(&ctx, subject).await), Refusal::NotFound, "{subject:?}");
    }
    let other = acting(&app, &app.service(&[Permission::USERS_MANAGE]).await.actor);
    for id in [id.as_str(), "nonsense"] {
        let refused = app.global_revocation.revoke(&other, NamedSubject::Id(id)).await;
        assert_eq!(refusal(refused), Refusal::Forbidden, "whoever may not learns nothing");
    }
    assert!(!app.is_out(&user.tokens).await);
}

/// The `kid` of a token.
fn signer(sets: &BTreeMap<String, String>) -> String {
    let part = sets.values().next().unwrap().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[apply(fault_case)]
async fn the_key_of_signals_is_followed_by_one_that_was_published_before(fixture: Fixture) {
    let app = fixture.app().await;
    app.streams.keep_keys().await.unwrap();
    assert!(app.reading().stream_keys().all().await.unwrap().is_empty(), "none without a stream");
    let ctx = owner(&app).await;
    let id = polled_stream(&app, &ctx).await;
    sign_out(&app, "ada").await;
    let first = signer(&poll(&app, &ctx, id, PollRequest::default()).await.sets);
    let published = || String::from_utf8(app.key_set().to_vec()).unwrap();
    app.advance(app.deps.settings.rotation_period);
    app.streams.keep_keys().await.unwrap();
    let keys: Vec<_> = app.reading().stream_keys().all().await.unwrap().into_iter().map(|key| key.kid).collect();
    assert!(keys.len() == 2 && keys[0] == first && keys.iter().all(|kid| published().contains(kid)));
    assert_eq!(signer(&poll(&app, &ctx, id, PollRequest::default()).await.sets), first, "not before its time");
    app.advance(app.deps.settings.publish_before);
    assert_eq!(signer(&poll(&app, &ctx, id, PollRequest::default()).await.sets), keys[1]);
    app.streams.keep_keys().await.unwrap();
    assert!(published().contains(&first), "what it signed may be on its way");
    app.advance(DAY * 2);
    app.streams.keep_keys().await.unwrap();
    assert!(!published().contains(&first) && published().contains(&keys[1]));
    assert_eq!(app.reading().stream_keys().all().await.unwrap().len(), 1);
}
