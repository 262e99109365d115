//! The matrix: every way in, with every state of the account, what policy asks for, what is held and what is owed.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use userd_model::{Document, UserStatus};
use userd_providers::{Kind, NativeProof};
use userd_services::{
    Completion, Failure, Settings, SignedIn,
    factors::StepUp,
    sessions::Login,
    sign_in::{Along, BotPoll},
    testing::{TestOptions, settings},
};
use userd_stand_ins::authenticator::Authenticator;

use super::support::{authenticator, delete_restorably, owe};
use crate::{
    emails::{mails, newest},
    fixture::{Fixture, TestApp},
    personas::{Member, PASSWORD, at, authenticated, home, login_with, password, registration},
    sign_in::{
        elsewhere::{Elsewhere, code, offering, person},
        messenger::Messenger,
    },
};

/// Ways in, and ways to stay in. `app` is an application that hands over a proof itself, `mini app` the messenger's.
const WAYS: [&str; 12] = [
    "password", "device", "mail", "provider", "app", "mini app", "bot", "passkey", "repeat", "restore", "refresh",
    "step-up",
];
/// `deleted` is for good, `restorable` by its owner.
const ACCOUNTS: [&str; 4] = ["active", "blocked", "deleted", "restorable"];
const POLICIES: [&str; 3] = ["none", "required", "remembering"];
const HELD: [&str; 3] = ["nothing", "totp", "passkey"];
/// What stands between the proof and the session besides.
const OWED: [&str; 4] = ["nothing", "password", "approval", "terms"];

/// One cell.
#[derive(Clone, Copy)]
struct Cell {
    way: &'static str,
    account: &'static str,
    policy: &'static str,
    holds: &'static str,
    owes: &'static str,
}

impl Cell {
    /// Whether there is such a thing. What an account owes is asked of one that is in use.
    fn is_possible(self) -> bool {
        (self.way != "passkey" || self.holds == "passkey")
            && (self.way != "restore" || self.account == "restorable")
            && (self.account == "active" || self.owes == "nothing")
    }

    fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for account in ACCOUNTS {
            for policy in POLICIES {
                for holds in HELD {
                    for owes in OWED {
                        cells.extend(WAYS.map(|way| Self { way, account, policy, holds, owes }));
                    }
                }
            }
        }
        cells.retain(|cell| cell.is_possible());
        cells
    }

    /// What this service asks for.
    fn settings(self) -> Settings {
        let mut settings = settings();
        settings.email_code_sign_in = true;
        match self.policy {
            "required" => settings.mfa.required_for = vec!["admin".to_owned()],
            "remembering" => settings.mfa.remember_devices = Duration::from_secs(3600),
            _ => {}
        }
        if self.owes == "terms" {
            let url = "https://example.org/terms".to_owned();
            settings.documents =
                vec![Document { id: "terms".to_owned(), version: "1".to_owned(), url, required: true }];
        }
        settings
    }
}

/// How a way in ended, in a word.
fn word(answer: Result<Completion, Failure>) -> String {
    match answer {
        Ok(Completion::SignedIn(_)) => "signed in".to_owned(),
        Ok(Completion::Pending(pending)) => pending.status,
        Err(Failure::Refused(refusal)) => format!("{refusal:?}"),
        Err(other) => panic!("{other:?}"),
    }
}

fn of_session(answer: Result<SignedIn, Failure>) -> String {
    word(answer.map(|signed_in| Completion::SignedIn(Box::new(signed_in))))
}

/// AC-026, AC-138: reviewed; written anew with `UPDATE=1`.
/// ASVS V6.1.3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "UPDATE=1 lets the test rewrite what it compares with")]
async fn the_matrix_of_ways_in_is_the_reviewed_one() {
    let mut lines = String::from("way in    account    policy        holds   owes     ends with\n");
    let cells = Cell::all();
    // Each has a database of its own, and is begun as soon as one of four is done.
    let mut ends = stream::iter(cells.iter().map(|cell| tokio::spawn(end_of(*cell)))).buffered(4);
    for Cell { way, account, policy, holds, owes } in &cells {
        let end = ends.next().await.unwrap().unwrap();
        writeln!(lines, "{way:<9} {account:<10} {policy:<13} {holds:<7} {owes:<8} {end}").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/factors/ways_in.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &lines).unwrap();
    }
    assert_eq!(lines, std::fs::read_to_string(path).unwrap());
}

/// Somebody with the role `admin` and a proven address, an account at the messenger, a session and what they hold.
struct Ada {
    lax: TestApp,
    telegram: Arc<Elsewhere>,
    member: Member,
    laptop: Authenticator,
}

impl Ada {
    async fn holding(fixture: &Fixture, holds: &str) -> Self {
        let telegram = Elsewhere::new("telegram", |facts| {
            facts.kind = Kind::Telegram;
            facts.capabilities.mini_app = true;
        });
        telegram.is(person("telegram", "7"));
        let lax = fixture.app_with(offering(&[&telegram])).await;
        let key = lax.idempotency.request("POST /v1/auth/register", "key-of-ada", b"body");
        let made = lax.accounts.register(&at(&lax, home()), body(), Some(&key)).await.unwrap().signed_in().unwrap();
        let mut member = Member { id: made.user.id, email: "ada@example.org".to_owned(), tokens: made.tokens };
        lax.link(&member, "telegram").await;
        let settle =
            |user: &mut userd_model::User| (user.roles, user.email_verified) = (vec!["admin".to_owned()], true);
        lax.rewrite(member.id, settle).await;
        let mut laptop = authenticator();
        match holds {
            "totp" => {
                let phone = lax.phone_of(&member).await;
                member.tokens = lax.login_with_phone("ada", &phone).await.tokens;
            }
            "passkey" => {
                lax.passkey_of(&member, &mut laptop).await;
                member.tokens = lax.login_by_passkey(&mut laptop).await.unwrap().signed_in().unwrap().tokens;
            }
            _ => {}
        }
        Self { lax, telegram, member, laptop }
    }

    /// Deleted as she would do it, with somebody left to administer; the link of the mail.
    async fn deletes_herself(&self) -> String {
        self.lax.admin().await;
        mails(&self.lax).await;
        let ctx = self.lax.acting(&self.member).await;
        self.lax.deletions.delete_own(&ctx, Some(&password(PASSWORD))).await.unwrap();
        newest(&self.lax, &self.member.email).await.0
    }
}

fn body() -> userd_services::accounts::Registration {
    registration(Some("ada@example.org"), Some("ada"))
}

async fn end_of(cell: Cell) -> String {
    let fixture = Fixture { store: Arc::new(userd_storage::testing::memory_store().await.unwrap()) };
    let mut ada = Ada::holding(&fixture, cell.holds).await;
    let (id, through) = (ada.member.id, code(ada.lax.through("telegram").await));
    owe(&ada.lax, id, cell.owes).await;
    let mut link = String::new();
    match cell.account {
        "blocked" => ada.lax.rewrite(id, |user| user.status = UserStatus::Blocked).await,
        "deleted" => ada.lax.delete(id).await,
        "restorable" if cell.way == "restore" => link = ada.deletes_herself().await,
        "restorable" => delete_restorably(&ada.lax, id).await,
        _ => {}
    }
    let options = || TestOptions {
        settings: cell.settings(),
        clock: Some(Arc::clone(&ada.lax.clock)),
        seed: 2,
        ..offering(&[&ada.telegram])
    };
    if cell.way == "bot" {
        let (clock, settings) = (Some(Arc::clone(&ada.lax.clock)), cell.settings());
        let change = |options: &mut TestOptions| (options.clock, options.settings, options.seed) = (clock, settings, 2);
        return by_bot(&Messenger::open_on(&fixture, change).await).await;
    }
    let app = fixture.app_with(options()).await;
    let ctx = at(&app, home());
    let tokens = ada.member.tokens.clone();
    word(match cell.way {
        "password" => app.sessions.login(&ctx, login_with("ada", PASSWORD)).await,
        "device" => {
            let device_token = tokens.device_token;
            app.sessions.login(&ctx, Login { device_token, ..login_with("ada", PASSWORD) }).await
        }
        "mail" => {
            mails(&app).await;
            let challenge = app.email_codes.begin(&ctx, &ada.member.email).await.unwrap().challenge;
            let (_, digits) = newest(&app, &ada.member.email).await;
            app.email_codes.finish(&ctx, &challenge, &digits, None).await
        }
        "provider" => app.sign_in.exchange(&ctx, &through, None, None).await,
        "app" => app.sign_in.native(&ctx, "telegram", NativeProof::AccessToken("a token"), Along::default()).await,
        "mini app" => app.sign_in.native(&ctx, "telegram", NativeProof::InitData("some data"), Along::default()).await,
        "passkey" => app.login_by_passkey(&mut ada.laptop).await,
        "repeat" => {
            let key = app.idempotency.request("POST /v1/auth/register", "key-of-ada", b"body");
            app.accounts.register(&ctx, body(), Some(&key)).await
        }
        "restore" => app.deletions.restore_own(&ctx, &link).await,
        "refresh" => return of_session(app.refresh(&tokens.refresh_token).await),
        _ => match app.who(&tokens.access_token).await {
            Err(refusal) => Err(refusal.into()),
            Ok(who) => {
                let shown = StepUp { password: Some(password(PASSWORD)), factor: None };
                return of_session(app.factors.step_up(&authenticated(&app, &who), shown).await);
            }
        },
    })
}

/// Asks, writes to the bot, taps the right code, and asks what has come of it.
async fn by_bot(messenger: &Messenger) -> String {
    let start = messenger.start().await;
    messenger.writes(7, &start.command).await;
    messenger.taps_code(7, &start, &start.match_code).await;
    match messenger.poll(&start).await {
        Ok(BotPoll::Completed(answer)) => word(Ok(*answer)),
        Ok(BotPoll::Pending) => "pending".to_owned(),
        Err(failure) => word(Err(failure)),
    }
}
