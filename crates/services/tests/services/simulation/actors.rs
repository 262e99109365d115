//! Who acts in a play: people, an administrator, a consumer of events, and what goes on in each replica by itself. Each
//! holds every answer against the ledger.

use std::sync::{Arc, atomic::Ordering};

use userd_model::{GrantKind, Refusal, SessionId};
use userd_services::{Failure, events::EventsFailure, roles::GrantInput};

use super::{
    scheduler::Rng,
    world::{REPLICAS, World},
};
use crate::{
    events::Consumer,
    personas::{PASSWORD, at, home, of_session, registration, started},
};

/// Things that somebody does.
const ACTS: usize = 10;
/// How often something is tried again before somebody does something else.
const TRIES: usize = 12;
const ROLE: &str = "auditor";

/// A session that somebody holds the tokens of.
#[derive(Clone)]
struct Held {
    session: SessionId,
    refresh: String,
    access: String,
    /// Somebody asked for its end.
    may_be_over: bool,
}

/// Somebody with an account.
pub(super) struct Person {
    world: Arc<World>,
    id: usize,
    rng: Rng,
    held: Vec<Held>,
    /// Tokens that should be of no use.
    thrown_away: Vec<Held>,
}

impl Person {
    pub(super) fn new(world: Arc<World>, id: usize) -> Self {
        let rng = Rng::seeded(world.seed * 1_000 + id as u64);
        Self { world, id, rng, held: Vec::new(), thrown_away: Vec::new() }
    }

    fn name(&self) -> String {
        format!("person{}", self.id)
    }

    /// Some replica, between two requests.
    async fn somewhere(&self) -> usize {
        self.world.idle(self.id).await;
        self.rng.below(REPLICAS)
    }

    pub(super) async fn live(mut self) -> Self {
        self.register().await;
        for _ in 0..ACTS {
            match self.rng.below(10) {
                0..2 => self.sign_in().await,
                2..6 => self.renew().await,
                6..8 => self.show().await,
                8 => self.show_what_was_thrown_away().await,
                _ => self.sign_out().await,
            }
        }
        self
    }

    fn hold(&mut self, pair: userd_services::TokenPair) {
        self.world.ledger().accounts[self.id].sessions.push(pair.session_id);
        self.held.push(Held {
            session: pair.session_id,
            refresh: pair.refresh_token,
            access: pair.access_token,
            may_be_over: false,
        });
    }

    /// Until it is known that there is an account.
    async fn register(&mut self) {
        let email = format!("{}@example.org", self.name());
        loop {
            let replica = self.somewhere().await;
            let at_replica = self.world.replica(replica);
            let asked = async {
                let input = registration(Some(&email), Some(&self.name()));
                at_replica.app.accounts.register(&at(&at_replica.app, home()), input, None).await.map(started)
            };
            match self.world.call(self.id, replica, asked).await {
                Some(Ok(signed_in)) => {
                    self.world.ledger().accounts[self.id].id = Some(signed_in.user.id);
                    return self.hold(signed_in.tokens);
                }
                // It was kept, and the answer was lost.
                Some(Err(Failure::Refused(Refusal::EmailTaken | Refusal::UsernameTaken))) => {
                    while self.held.is_empty() {
                        self.sign_in().await;
                    }
                    return;
                }
                Some(Err(Failure::Store(_))) | None => {}
                Some(Err(other)) => panic!("{other:?}"),
            }
        }
    }

    async fn sign_in(&mut self) {
        let replica = self.somewhere().await;
        let at_replica = self.world.replica(replica);
        let name = self.name();
        match self.world.call(self.id, replica, at_replica.app.login(&name, PASSWORD)).await {
            Some(Ok(signed_in)) => {
                self.world.ledger().accounts[self.id].id = Some(signed_in.user.id);
                self.hold(signed_in.tokens);
            }
            Some(Err(Failure::Refused(refusal))) => {
                assert!(self.world.ledger().accounts[self.id].block_began, "turned away: {refusal:?}");
            }
            Some(Err(Failure::Store(_))) | None => {}
            Some(Err(other)) => panic!("{other:?}"),
        }
    }

    /// Renews a session, and again until an answer comes: a lost one signs nobody out.
    async fn renew(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let nth = self.rng.below(self.held.len());
        for _ in 0..TRIES {
            let replica = self.somewhere().await;
            let at_replica = self.world.replica(replica);
            let held = self.held[nth].clone();
            let was_over = self.world.ledger().accounts[self.id].ended.contains_key(&held.session);
            match self.world.call(self.id, replica, at_replica.app.refresh(&held.refresh)).await {
                Some(Ok(signed_in)) => {
                    assert!(!was_over, "a session that had ended was renewed");
                    self.held[nth].refresh = signed_in.tokens.refresh_token;
                    self.held[nth].access = signed_in.tokens.access_token;
                    return;
                }
                Some(Err(Failure::Refused(refusal))) => {
                    let may_be = held.may_be_over || self.world.ledger().accounts[self.id].block_began;
                    assert!(may_be, "signed out for nothing: {refusal:?}");
                    self.thrown_away.push(self.held.remove(nth));
                    return;
                }
                Some(Err(Failure::Store(_))) | None => {}
                Some(Err(other)) => panic!("{other:?}"),
            }
        }
    }

    async fn show(&mut self) {
        if !self.held.is_empty() {
            let held = self.held[self.rng.below(self.held.len())].clone();
            self.show_access(&held).await;
        }
    }

    async fn show_what_was_thrown_away(&mut self) {
        if !self.thrown_away.is_empty() {
            let held = self.thrown_away[self.rng.below(self.thrown_away.len())].clone();
            self.show_access(&held).await;
        }
    }

    /// A replica that has looked since somebody was told of the end takes the access token no more.
    async fn show_access(&self, held: &Held) {
        let replica = self.somewhere().await;
        let must_be_refused = {
            let ledger = self.world.ledger();
            let ended = ledger.accounts[self.id].ended.get(&held.session);
            ended.is_some_and(|told| ledger.looked[replica].is_some_and(|looked| looked > *told))
        };
        let at_replica = self.world.replica(replica);
        let answer = self.world.call(self.id, replica, at_replica.app.who(&held.access)).await;
        if let Some(answer) = answer {
            assert!(!(must_be_refused && answer.is_ok()), "the token of a session that had ended was taken");
        }
    }

    async fn sign_out(&mut self) {
        let Some(user) = self.world.ledger().accounts[self.id].id else { return };
        if self.held.is_empty() {
            return;
        }
        let nth = self.rng.below(self.held.len());
        let replica = self.somewhere().await;
        let at_replica = self.world.replica(replica);
        let session = self.held[nth].session;
        self.held[nth].may_be_over = true;
        let context = of_session(&at_replica.app, user, session, home());
        let asked = at_replica.app.sessions.end(&context, user, session);
        if let Some(Ok(())) = self.world.call(self.id, replica, asked).await {
            let step = self.world.scheduler.now();
            self.world.ledger().accounts[self.id].ended.entry(session).or_insert(step);
            self.thrown_away.push(self.held.remove(nth));
        }
    }

    /// When all is quiet: whoever has not ended is there and goes on, whoever has ended is out everywhere.
    pub(super) async fn look_back(&self) {
        for held in &self.held {
            let replica = self.world.replica(self.rng.below(REPLICAS));
            let (is_over, may_be_over) = {
                let account = &self.world.ledger().accounts[self.id];
                (account.ended.contains_key(&held.session), held.may_be_over || account.block_began)
            };
            let answer = replica.app.refresh(&held.refresh).await;
            assert!(answer.is_ok() || may_be_over, "signed out for nothing: {answer:?}");
            assert!(!(is_over && answer.is_ok()), "a session that had ended was renewed");
        }
        let ended: Vec<Held> = {
            let account = &self.world.ledger().accounts[self.id];
            let all = self.held.iter().chain(&self.thrown_away);
            all.filter(|held| account.ended.contains_key(&held.session)).cloned().collect()
        };
        for (held, number) in ended.iter().flat_map(|held| (0..REPLICAS).map(move |number| (held, number))) {
            let replica = self.world.replica(number);
            assert!(replica.app.who(&held.access).await.is_err(), "the token of a session that had ended was taken");
            assert!(replica.app.refresh(&held.refresh).await.is_err(), "a session that had ended was renewed");
        }
    }
}

/// Blocks, unblocks, gives and takes a role.
pub(super) async fn administer(world: Arc<World>, id: usize) {
    let rng = Rng::seeded(world.seed * 1_000 + id as u64);
    for _ in 0..ACTS {
        world.idle(id).await;
        let (person, replica) = (rng.below(world.ledger().accounts.len()), rng.below(REPLICAS));
        let Some(user) = world.ledger().accounts[person].id else { continue };
        let at_replica = world.replica(replica);
        let (app, context) = (&at_replica.app, at_replica.app.operator_context());
        match rng.below(8) {
            0 => {
                let there = world.ledger().accounts[person].sessions.clone();
                world.ledger().accounts[person].block_began = true;
                if let Some(Ok(_)) = world.call(id, replica, app.users.block(&context, user)).await {
                    let step = world.scheduler.now();
                    let ended = &mut world.ledger().accounts[person].ended;
                    for session in there {
                        ended.entry(session).or_insert(step);
                    }
                }
            }
            1..4 => drop(world.call(id, replica, app.users.unblock(&context, user)).await),
            4..7 => {
                let input = GrantInput::default();
                let asked = app.grants.grant(&context, user, GrantKind::Role, ROLE, &input);
                match world.call(id, replica, asked).await {
                    Some(Ok(_)) => world.ledger().accounts[person].has_role = Some(true),
                    Some(Err(Failure::Refused(_))) => {}
                    _ => world.ledger().accounts[person].has_role = None,
                }
            }
            _ => {
                let asked = app.grants.revoke(&context, user, GrantKind::Role, ROLE);
                match world.call(id, replica, asked).await {
                    Some(Ok(())) => world.ledger().accounts[person].has_role = Some(false),
                    Some(Err(Failure::Refused(refusal))) => {
                        assert_ne!(world.ledger().accounts[person].has_role, Some(true), "lost: {refusal:?}");
                    }
                    _ => world.ledger().accounts[person].has_role = None,
                }
            }
        }
    }
}

/// What goes on beside requests, in one replica.
pub(super) async fn work(world: Arc<World>, id: usize, number: usize) {
    let rng = Rng::seeded(world.seed * 1_000 + id as u64);
    while !world.is_over.load(Ordering::SeqCst) {
        world.idle(id).await;
        let replica = world.replica(number);
        match rng.below(8) {
            0..4 => drop(world.call(id, number, replica.log.tick()).await),
            4 => drop(world.call(id, number, replica.app.sweeper.tick()).await),
            5 => drop(world.call(id, number, replica.log.give_back()).await),
            _ => {
                let step = world.scheduler.now();
                if let Some(Ok(())) = world.call(id, number, replica.app.follow_revocations()).await {
                    world.ledger().looked[number] = Some(step);
                }
            }
        }
    }
}

/// Reads the feed, wherever it is answered.
pub(super) async fn consume(world: Arc<World>, id: usize) -> Consumer {
    let (rng, mut consumer) = (Rng::seeded(world.seed * 1_000 + id as u64), Consumer::default());
    while !world.is_over.load(Ordering::SeqCst) {
        world.idle(id).await;
        let number = rng.below(REPLICAS);
        let replica = world.replica(number);
        match world.call(id, number, consumer.read_page(&replica.app, 1 + rng.below(20))).await {
            Some(Ok(_)) | Some(Err(EventsFailure::Failure(Failure::Store(_)))) | None => {}
            Some(Err(other)) => panic!("{other:?}"),
        }
    }
    consumer
}
