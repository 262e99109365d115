//! What changes at one replica shows at the others at once: they are told what to forget, and what to refuse.

use std::{collections::BTreeSet, mem, sync::Arc};

use userd_model::{FactorId, GrantKind, Refusal, RequestedAction, RevocationId, Revoked, Timestamp, UserId, Verdict};
use userd_services::{
    Failure, UserView,
    access_requests::{AccessInput, DecisionInput},
    accounts::ProfileInput,
    roles::GrantInput,
    testing::TestOptions,
    users::Block,
};
use userd_storage::testing::ManualClock;

use crate::{
    emails::{mails, newest},
    fixture::{Fixture, MINUTE, TestApp},
    further_emails::add,
    personas::{Member, OTHER_PASSWORD, PASSWORD, acting, at, home, password},
    rights::support::{allowing, requestable, wanting},
    simulation::line::{Line, Messages},
};

/// What there is to be seen of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The account, as it is shown.
    Account,
    /// What the role allows.
    Role,
    /// Neither: what is not remembered, or tokens alone.
    Nothing,
}

/// Every change, what is different after it, what verifiers elsewhere are told to refuse, and whether the token of before is
/// good still.
const CHANGES: [(&str, Of, &[&str], bool); 31] = [
    ("the name", Of::Account, &[], true),
    ("the username", Of::Account, &[], true),
    ("an address proven", Of::Account, &[], true),
    ("the address changed", Of::Account, &[], true),
    ("an address added", Of::Account, &[], true),
    ("another address first", Of::Account, &[], true),
    ("an address removed", Of::Account, &[], true),
    ("a role given", Of::Account, &[], true),
    ("a role taken", Of::Account, &["user"], false),
    ("a role at its end", Of::Account, &[], false),
    ("a permission given", Of::Account, &[], true),
    ("a permission taken", Of::Account, &["user"], false),
    ("a request approved", Of::Account, &[], true),
    ("a removal approved", Of::Account, &["user"], false),
    ("a role that allows more", Of::Role, &[], true),
    ("a role that allows less", Of::Role, &["role"], false),
    ("a factor added", Of::Nothing, &[], true),
    ("a factor removed", Of::Nothing, &[], true),
    ("factors reset", Of::Account, &["session", "user"], false),
    ("the password changed", Of::Nothing, &["session"], false),
    ("the password set", Of::Nothing, &["session"], false),
    ("a new password demanded", Of::Account, &["session", "user"], false),
    ("a session ended", Of::Nothing, &["session"], false),
    ("signed out", Of::Account, &["session", "user"], false),
    ("blocked", Of::Account, &["session", "user"], false),
    ("blocked for a while", Of::Account, &["session", "user"], false),
    ("unblocked", Of::Account, &["user"], false),
    ("a block at its end", Of::Account, &[], false),
    ("deleted", Of::Account, &["session", "user"], false),
    ("restored", Of::Account, &[], false),
    ("erased", Of::Account, &["user"], false),
];

/// Two replicas, each with a memory of its own, and what one says to the other.
struct Replicas {
    here: TestApp,
    there: TestApp,
    said: Messages,
}

impl Replicas {
    async fn over(fixture: &Fixture) -> Self {
        let (said, clock) = (Messages::default(), Arc::new(ManualClock::at(Timestamp::from_seconds(1_767_225_600))));
        let number = |number: usize| TestOptions {
            cache: Some(Line::of(number, Arc::clone(&clock), 2, Arc::clone(&said))),
            clock: Some(Arc::clone(&clock)),
            seed: number as u64 + 1,
            ..TestOptions::default()
        };
        let (here, there) = (fixture.app_with(number(0)).await, fixture.app_with(number(1)).await);
        Self { here, there, said }
    }

    /// What was said here arrives there. Nobody polls.
    async fn deliver(&self) {
        let said = mem::take(&mut *self.said.lock().unwrap());
        for (_, message) in said.iter().filter(|(to, _)| *to == 1) {
            self.there.hear(message).await.unwrap();
        }
    }

    /// What verifiers elsewhere have been told so far.
    async fn told(&self) -> Vec<(RevocationId, Revoked)> {
        let page = self.here.revocations.feed(&self.here.operator_context(), None, 200).await.unwrap();
        assert!(!page.has_more);
        page.entries.into_iter().map(|entry| (entry.id, entry.what)).collect()
    }
}

async fn shown(app: &TestApp, id: UserId) -> Option<UserView> {
    match app.user_reader.show(id).await {
        Ok(view) => Some(view),
        Err(Failure::Refused(Refusal::NotFound)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

async fn stored(app: &TestApp, id: UserId) -> Option<UserView> {
    let user = app.reading().users().find(id).await.unwrap()?;
    Some(app.user_reader.view(&user).unwrap())
}

fn word(what: &Revoked) -> &'static str {
    match what {
        Revoked::Session { .. } => "session",
        Revoked::User { .. } => "user",
        Revoked::Role { .. } => "role",
        _ => "something else",
    }
}

/// Somebody to whom it happens, and a role of theirs alone.
struct Ada<'a> {
    app: &'a TestApp,
    root: &'a Member,
    member: Member,
    role: String,
    factor: Option<FactorId>,
}

impl<'a> Ada<'a> {
    /// As it is before a change; the token that is looked at.
    async fn before(app: &'a TestApp, root: &'a Member, change: &str, number: usize) -> (Self, String) {
        let member = app.member(&format!("ada{number}")).await;
        let mut ada = Self { app, root, member, role: format!("writer{number}"), factor: None };
        let (operator, id) = (app.operator_context(), ada.member.id);
        app.make_role(&ada.role, &["cms.read", "cms.write"], requestable()).await;
        match change {
            "an address added" | "another address first" | "an address removed" => {
                ada.prove().await;
                if change != "an address added" {
                    ada.add_address().await;
                }
            }
            "a role taken" | "a removal approved" | "a role that allows more" | "a role that allows less" => {
                app.give_role(&ada.member, &ada.role).await;
            }
            "a role at its end" => {
                let for_a_minute = GrantInput { expires_at: Some(app.now().plus(MINUTE)), ..GrantInput::default() };
                app.grants.grant(&operator, id, GrantKind::Role, &ada.role, &for_a_minute).await.unwrap();
            }
            "a permission taken" => ada.give_permission().await,
            "a factor removed" | "factors reset" => {
                let phone = app.phone_of(&ada.member).await;
                ada.member.tokens = app.login_with_phone(&ada.member.email, &phone).await.tokens;
                ada.factor = Some(phone.factor);
            }
            _ => {}
        }
        // What of a session goes on elsewhere is looked at where the session itself may stay.
        let tokens = match change {
            "the password changed" => app.login(&ada.member.email, PASSWORD).await.unwrap().tokens,
            _ => {
                ada.member.tokens = app.refresh(&ada.member.tokens.refresh_token).await.unwrap().tokens;
                ada.member.tokens.clone()
            }
        };
        match change {
            "unblocked" => drop(app.users.block(&operator, id).await.unwrap()),
            "a block at its end" => ada.block_for_a_minute().await,
            "restored" | "erased" => {
                app.deletions.delete(&operator, id).await.unwrap();
            }
            _ => {}
        }
        (ada, tokens.access_token)
    }

    async fn happens(&self, change: &str) {
        let (app, member, id) = (self.app, &self.member, self.member.id);
        let operator = app.operator_context();
        match change {
            "the name" => {
                let named = ProfileInput { display_name: Some(Some("Ada".to_owned())), ..ProfileInput::default() };
                app.accounts.change_profile(&app.acting(member).await, named, None).await.unwrap();
            }
            "the username" => {
                let name = format!("countess-{}", self.role);
                app.accounts.change_username(&app.acting(member).await, &name, None).await.unwrap();
            }
            "an address proven" => self.prove().await,
            "the address changed" => {
                mails(app).await;
                let new = format!("new-{}", member.email);
                app.emails.change(&app.acting(member).await, &new, Some(&password(PASSWORD)), None).await.unwrap();
                let (link, _) = newest(app, &new).await;
                app.emails.verify_link(&at(app, home()), &link, None).await.unwrap();
            }
            "an address added" => self.add_address().await,
            "another address first" | "an address removed" => {
                let ctx = app.acting(member).await;
                let further = app.emails.list(&ctx).await.unwrap()[1].id;
                match change {
                    "an address removed" => app.emails.remove(&ctx, further).await.unwrap(),
                    _ => app.emails.make_primary(&ctx, further).await.unwrap(),
                }
            }
            "a role given" => app.give_role(member, &self.role).await,
            "a role taken" => app.grants.revoke(&operator, id, GrantKind::Role, &self.role).await.unwrap(),
            "a role at its end" => {
                app.advance(MINUTE);
                assert_eq!(app.grants.end_due().await.unwrap(), 1);
            }
            "a permission given" => self.give_permission().await,
            "a permission taken" => {
                app.grants.revoke(&operator, id, GrantKind::Permission, "cms.write").await.unwrap();
            }
            "a request approved" => self.is_approved(RequestedAction::Grant).await,
            "a removal approved" => self.is_approved(RequestedAction::Revoke).await,
            "a role that allows more" => self.role_allows(&["cms.print", "cms.read", "cms.write"]).await,
            "a role that allows less" => self.role_allows(&["cms.read"]).await,
            "a factor added" => drop(app.phone_of(member).await),
            "a factor removed" => {
                app.factors.remove(&app.acting(member).await, self.factor.unwrap()).await.unwrap();
            }
            "factors reset" => app.factors.reset(&operator, id).await.unwrap(),
            "the password changed" => {
                let (old, new) = (password(PASSWORD), password(OTHER_PASSWORD));
                app.accounts.change_password(&app.acting(member).await, &old, &new).await.unwrap();
            }
            "the password set" => {
                app.accounts.set_password(&operator, id, &password(OTHER_PASSWORD)).await.unwrap();
            }
            "a new password demanded" => app.users.require_password_change(&operator, id).await.unwrap(),
            "a session ended" => {
                app.sessions.end(&app.acting(member).await, id, member.tokens.session_id).await.unwrap();
            }
            "signed out" => drop(app.users.sign_out(&operator, id).await.unwrap()),
            "blocked" => drop(app.users.block(&operator, id).await.unwrap()),
            "blocked for a while" => self.block_for_a_minute().await,
            "unblocked" => drop(app.users.unblock(&operator, id).await.unwrap()),
            "a block at its end" => {
                app.advance(MINUTE);
                assert!(app.users.end_blocks().await.unwrap() > 0);
            }
            "deleted" => {
                app.deletions.delete(&operator, id).await.unwrap();
            }
            "restored" => drop(app.deletions.restore(&operator, id).await.unwrap()),
            "erased" => app.deletions.purge(&operator, id).await.unwrap(),
            other => panic!("nobody knows how to make this happen: {other}"),
        }
    }

    async fn prove(&self) {
        let (link, _) = newest(self.app, &self.member.email).await;
        self.app.emails.verify_link(&at(self.app, home()), &link, None).await.unwrap();
    }

    async fn add_address(&self) {
        let ctx = self.app.acting(&self.member).await;
        add(self.app, &ctx, &format!("further-{}", self.member.email)).await;
    }

    async fn give_permission(&self) {
        let (operator, input) = (self.app.operator_context(), GrantInput::default());
        let kind = GrantKind::Permission;
        self.app.grants.grant(&operator, self.member.id, kind, "cms.write", &input).await.unwrap();
    }

    async fn block_for_a_minute(&self) {
        let block = Block { until: Some(self.app.now().plus(MINUTE)), ..Block::default() };
        self.app.users.block_with(&self.app.operator_context(), self.member.id, &block).await.unwrap();
    }

    async fn role_allows(&self, words: &[&str]) {
        let input = allowing(words, requestable());
        self.app.roles.replace(&self.app.operator_context(), &self.role, &input, None).await.unwrap();
    }

    async fn is_approved(&self, action: RequestedAction) {
        let app = self.app;
        let asked = app.ask(&self.member, AccessInput { action, ..wanting(&self.role) }).await.unwrap();
        let tokens = app.login(&self.root.email, PASSWORD).await.unwrap().tokens;
        let ctx = acting(app, &app.actor(&Member { tokens, ..self.root.clone() }).await);
        let input = DecisionInput::default();
        app.access_requests.decide(&ctx, asked.request.id, Verdict::Approve, &input).await.unwrap();
    }
}

/// Nothing is remembered longer than until the message comes, and what shall not be accepted any more stands in the feed, in
/// the words that verifiers know.
/// ASVS V7.4.1, V8.3.2
#[apply(case)]
async fn every_change_of_an_account_is_told_to_the_other_replicas_and_to_verifiers(fixture: Fixture) {
    let replicas = Replicas::over(&fixture).await;
    let (here, there) = (&replicas.here, &replicas.there);
    let root = here.admin().await;
    for word in ["cms.read", "cms.write", "cms.print"] {
        here.register_permission(word).await;
    }
    for (number, (change, of, refused, stays_good)) in CHANGES.into_iter().enumerate() {
        let (ada, token) = Ada::before(here, &root, change, number).await;
        let (id, role) = (ada.member.id, [ada.role.clone()]);
        replicas.deliver().await;
        let told: BTreeSet<_> = replicas.told().await.into_iter().map(|(id, _)| id).collect();
        let was_good = there.who(&token).await.is_ok();
        let was_gone = ["unblocked", "a block at its end", "restored", "erased"].contains(&change);
        assert_eq!(was_good, !was_gone, "{change}");
        let account = shown(there, id).await;
        let allowed = there.role_reader.permissions(&role).await.unwrap();
        assert_eq!(account, stored(here, id).await, "before: {change}");

        ada.happens(change).await;
        replicas.deliver().await;
        let after = shown(there, id).await;
        assert_eq!(after, stored(here, id).await, "{change}");
        assert_eq!(after != account, of == Of::Account, "{change}");
        let allows = there.role_reader.permissions(&role).await.unwrap();
        assert_eq!(allows, here.role_reader.permissions(&role).await.unwrap(), "{change}");
        assert_eq!(allows != allowed, of == Of::Role, "{change}");
        for replica in [here, there] {
            assert_eq!(replica.who(&token).await.is_ok(), stays_good, "{change}");
        }
        let news = replicas.told().await.into_iter().filter(|(id, _)| !told.contains(id));
        let news: BTreeSet<_> = news.map(|(_, what)| word(&what)).collect();
        assert_eq!(news.into_iter().collect::<Vec<_>>(), refused, "{change}");
    }
}
