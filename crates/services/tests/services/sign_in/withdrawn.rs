//! What was begun by a way in that is withdrawn before it is completed: each way in with each way of withdrawing it.

use userd_model::{Refusal, UserId};
use userd_providers::pkce_challenge;
use userd_services::{
    Completion, Context, Failure,
    factors::Shown,
    sign_in::{BotStart, Emptied},
};
use userd_storage::repositories::one_time_tokens::OneTimeToken;

use super::{
    elsewhere::{code, person},
    messenger::Messenger,
};
use crate::{
    emails::{mails, newest},
    factors::support::{authenticator, owe, pending, recovery},
    fixture::{Fixture, MINUTE, TestApp, refusal, with},
    further_emails::{add, proven},
    personas::{Member, at, authenticated, home},
};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// What somebody who came by an account elsewhere can hold back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    /// The one-time code that the provider's answer brought.
    Code,
    /// The code for an application, of a session that began by the account.
    ForApplication,
    /// A sign-in through the bot that is confirmed in the chat.
    Bot,
    /// The challenge of a step that is asked for.
    Step,
}

const BEGUN: [Begun; 4] = [Begun::Code, Begun::ForApplication, Begun::Bot, Begun::Step];

/// How the account elsewhere is withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Withdrawn {
    Not,
    ByOwner,
    ByAdministrator,
    Moved,
    /// Whoever came in by it is admitted before, and what they hold is written after.
    Meanwhile,
}

const WITHDRAWN: [Withdrawn; 5] =
    [Withdrawn::Not, Withdrawn::ByOwner, Withdrawn::ByAdministrator, Withdrawn::Moved, Withdrawn::Meanwhile];

enum Held {
    Code(String),
    ForApplication(String),
    Bot(BotStart),
    Step(String),
}

/// AC-007: whoever had linked their account elsewhere holds one sign-in back while its owner takes the link away.
#[apply(case)]
async fn what_an_account_elsewhere_began_dies_with_the_link_to_it(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let app = &messenger.app;
    let root = app.admin().await;
    let pairs = WITHDRAWN.into_iter().flat_map(|withdrawn| BEGUN.map(|begun| (withdrawn, begun)));
    for (number, (withdrawn, begun)) in (100_u64..).zip(pairs) {
        messenger.telegram.is(person("telegram", &number.to_string()));
        let ada = app.member(&format!("ada{number}")).await;
        app.link(&ada, "telegram").await;
        let held = begin(&messenger, begun, ada.id, number).await;
        withdraw(app, withdrawn, (&ada, &root), number).await;
        let end = complete(&messenger, &held).await;
        if withdrawn == Withdrawn::Not {
            assert!(end.is_ok(), "{begun:?}");
            continue;
        }
        let gone = if begun == Begun::Step { Refusal::ChallengeGone } else { Refusal::InvalidCode };
        assert_eq!(refusal(end), gone, "{begun:?}, {withdrawn:?}");
        assert_eq!(app.devices_of(ada.id).await, [ada.tokens.session_id], "{begun:?}, {withdrawn:?}");
    }
}

async fn begin(messenger: &Messenger, begun: Begun, user: UserId, number: u64) -> Held {
    let app = &messenger.app;
    match begun {
        Begun::Code => Held::Code(code(app.through("telegram").await)),
        Begun::ForApplication => Held::ForApplication(for_application(app, &in_a_session(app).await).await),
        Begun::Bot => {
            let start = messenger.start().await;
            messenger.writes(number, &start.command).await;
            messenger.taps_code(number, &start, &start.match_code).await;
            Held::Bot(start)
        }
        Begun::Step => {
            owe(app, user, "approval").await;
            let shown = code(app.through("telegram").await);
            let step = pending(app.sign_in.exchange(&at(app, home()), &shown, None, None).await.unwrap());
            approve(app, user).await;
            Held::Step(step.challenge)
        }
    }
}

async fn complete(messenger: &Messenger, held: &Held) -> Result<(), Failure> {
    let (app, ctx) = (&messenger.app, &at(&messenger.app, home()));
    match held {
        Held::Code(code) => app.sign_in.exchange(ctx, code, None, None).await.map(drop),
        Held::ForApplication(code) => app.sign_in.exchange(ctx, code, Some(VERIFIER), None).await.map(drop),
        Held::Bot(start) => messenger.poll(start).await.map(drop),
        Held::Step(challenge) => app.accounts.ask_whether_approved(ctx, challenge).await.map(drop),
    }
}

async fn withdraw(app: &TestApp, withdrawn: Withdrawn, (ada, root): (&Member, &Member), number: u64) {
    let ctx = app.acting(ada).await;
    let id = app.sign_in.identities(&ctx, ada.id).await.unwrap().remove(0).id;
    match withdrawn {
        Withdrawn::Not => {}
        Withdrawn::ByOwner => app.sign_in.unlink(&ctx, id).await.unwrap(),
        Withdrawn::ByAdministrator => app.sign_in.unlink_of(&app.acting(root).await, ada.id, id).await.unwrap(),
        Withdrawn::Moved => {
            let grace = app.member(&format!("grace{number}")).await;
            let shown = code(app.through("telegram").await);
            app.sign_in.move_here(&app.acting(&grace).await, &shown, None, Emptied::Kept).await.unwrap();
        }
        Withdrawn::Meanwhile => {
            let rows = app.reading().one_time_tokens().of_owner(ada.id, app.now()).await.unwrap();
            app.sign_in.unlink(&ctx, id).await.unwrap();
            write(app, &rows).await;
        }
    }
}

async fn write(app: &TestApp, rows: &[OneTimeToken]) {
    let written = app.deps.store.transact("write", |mut uow| async move {
        for row in rows {
            uow.one_time_tokens().replace(row).await?;
        }
        uow.commit(()).await
    });
    written.await.unwrap();
}

/// Somebody who has just come by the account elsewhere.
async fn in_a_session(app: &TestApp) -> Context {
    let tokens = app.sign_in_through("telegram").await.tokens;
    authenticated(app, &app.who(&tokens.access_token).await.unwrap())
}

async fn for_application(app: &TestApp, ctx: &Context) -> String {
    app.sign_in.code_for_app(ctx, "https://app.example/done", &pkce_challenge(VERIFIER)).await.unwrap()
}

/// Nothing stands between the challenge and the session any more.
async fn approve(app: &TestApp, user: UserId) {
    app.rewrite(user, |user| user.awaits_approval_since = None).await;
}

/// A session that is ended by itself leaves nothing that begins another one; one that has just unlinked the account that it
/// began by goes on, to applications too.
#[apply(case)]
async fn a_code_for_an_application_lives_as_long_as_the_session_that_made_it(fixture: Fixture) {
    let messenger = Messenger::open(&fixture).await;
    let app = &messenger.app;
    messenger.telegram.is(person("telegram", "7"));
    let ada = app.member("ada").await;
    app.link(&ada, "telegram").await;

    let thief = in_a_session(app).await;
    let held = Held::ForApplication(for_application(app, &thief).await);
    app.sessions.end(&app.acting(&ada).await, ada.id, thief.user().unwrap().1).await.unwrap();
    assert_eq!(refusal(complete(&messenger, &held).await), Refusal::InvalidCode);

    let owner = in_a_session(app).await;
    let linked = app.sign_in.identities(&owner, ada.id).await.unwrap().remove(0).id;
    app.sign_in.unlink(&owner, linked).await.unwrap();
    let held = Held::ForApplication(for_application(app, &owner).await);
    complete(&messenger, &held).await.unwrap();
}

/// What was shown for the challenge of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    App,
    RecoveryCode,
    Passkey,
    MailedCode,
}

/// AC-007: a second device of a thief, or their address, is found and removed while they wait with a step of a sign-in.
#[apply(case)]
async fn a_step_dies_with_the_factor_or_the_address_that_was_shown_for_it(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.email_code_sign_in = true)).await;
    let proofs = [Proof::App, Proof::RecoveryCode, Proof::Passkey, Proof::MailedCode];
    for (number, (proof, is_withdrawn)) in
        proofs.into_iter().flat_map(|proof| [(proof, false), (proof, true)]).enumerate()
    {
        let name = format!("ada{number}");
        let ada = proven(&app, &name).await;
        let challenge = match proof {
            Proof::App | Proof::RecoveryCode => by_app(&app, proof, (&ada, &name), is_withdrawn).await,
            Proof::Passkey => by_passkey(&app, &ada, is_withdrawn).await,
            Proof::MailedCode => by_mail(&app, (&ada, &name), is_withdrawn).await,
        };
        approve(&app, ada.id).await;
        let end = app.accounts.ask_whether_approved(&at(&app, home()), &challenge).await;
        if is_withdrawn {
            assert_eq!(refusal(end), Refusal::ChallengeGone, "{proof:?}");
        } else {
            assert!(end.is_ok(), "{proof:?}");
        }
    }
}

async fn by_app(app: &TestApp, proof: Proof, (ada, name): (&Member, &str), is_withdrawn: bool) -> String {
    let phone = app.phone_of(ada).await;
    let owner = Member { tokens: app.login_with_phone(name, &phone).await.tokens, ..ada.clone() };
    app.advance(MINUTE);
    owe(app, ada.id, "approval").await;
    let asked = app.first_step(name).await;
    let shown: Shown = if proof == Proof::App { phone.shows(app.now()) } else { recovery(&phone.recovery_codes[0]) };
    let challenge = step(app.second_step(&asked, &shown).await);
    let ctx = app.acting(&owner).await;
    match proof {
        _ if !is_withdrawn => {}
        Proof::RecoveryCode => drop(app.factors.renew_recovery_codes(&ctx).await.unwrap()),
        _ => app.factors.remove(&ctx, phone.factor).await.unwrap(),
    }
    challenge
}

async fn by_passkey(app: &TestApp, ada: &Member, is_withdrawn: bool) -> String {
    let mut laptop = authenticator();
    let (factor, _) = app.passkey_of(ada, &mut laptop).await;
    let tokens = app.login_by_passkey(&mut laptop).await.unwrap().signed_in().unwrap().tokens;
    let owner = Member { tokens, ..ada.clone() };
    owe(app, ada.id, "approval").await;
    let challenge = step(app.login_by_passkey(&mut laptop).await);
    if is_withdrawn {
        app.factors.remove(&app.acting(&owner).await, factor).await.unwrap();
    }
    challenge
}

async fn by_mail(app: &TestApp, (ada, name): (&Member, &str), is_withdrawn: bool) -> String {
    let (ctx, visitor, further) = (app.acting(ada).await, at(app, home()), format!("{name}@example.net"));
    add(app, &ctx, &further).await;
    owe(app, ada.id, "approval").await;
    let mut sent = Vec::new();
    for _ in 0..2 {
        mails(app).await;
        let challenge = app.email_codes.begin(&visitor, &further).await.unwrap().challenge;
        sent.push((challenge, newest(app, &further).await.1));
    }
    let (asked, code) = &sent[0];
    let challenge = step(app.email_codes.finish(&visitor, asked, code, None).await);
    if is_withdrawn {
        let row = app.emails.list(&ctx).await.unwrap()[1].id;
        app.emails.remove(&ctx, row).await.unwrap();
        let (asked, code) = &sent[1];
        let late = app.email_codes.finish(&visitor, asked, code, None).await;
        assert_eq!(refusal(late), Refusal::InvalidCode, "a code of an address that was removed");
    }
    challenge
}

/// The challenge of the step that a proof leads to.
#[track_caller]
fn step(completion: Result<Completion, Failure>) -> String {
    let asked = pending(completion.unwrap());
    assert_eq!(asked.status, "approval_pending");
    asked.challenge
}
