//! Whether a sign-in is one from a new device, at every way in: the device's token says so, wherever it is.

use std::sync::Arc;

use serde_json::json;
use userd_model::EventKind;
use userd_providers::{NativeProof, Provider};
use userd_services::{
    RequestOrigin, SignedIn,
    sessions::Login,
    sign_in::{Along, BotPoll},
};
use userd_stand_ins::authenticator::Authenticator;

use super::{
    elsewhere::{Elsewhere, code, person},
    messenger::Messenger,
};
use crate::{
    emails::{mails, mails_to, newest},
    factors::support::{Phone, authenticator},
    fixture::{Fixture, MINUTE},
    personas::{Member, PASSWORD, at, elsewhere, home, login_with},
};

const WAYS: [&str; 8] =
    ["password", "mailed code", "provider", "provider and app", "token", "Mini App", "bot", "passkey"];

/// Somebody who comes in by one of the ways.
struct Somebody<'a> {
    way: &'static str,
    messenger: &'a Messenger,
    acme: &'a Elsewhere,
    member: Member,
    phone: Option<Phone>,
    laptop: Authenticator,
}

impl<'a> Somebody<'a> {
    async fn who_comes_by(way: &'static str, messenger: &'a Messenger, acme: &'a Elsewhere) -> Self {
        let app = &messenger.app;
        let member = app.member(&format!("by-{}", way.to_lowercase().replace(' ', "-"))).await;
        let (link, _) = newest(app, &member.email).await;
        app.emails.verify_link(&at(app, home()), &link, None).await.unwrap();
        let mut laptop = authenticator();
        let mut phone = None;
        match way {
            "provider" | "token" | "Mini App" => drop(app.link(&member, "acme").await),
            "provider and app" => {
                app.link(&member, "acme").await;
                phone = Some(app.phone_of(&member).await);
            }
            "bot" => drop(app.link(&member, "telegram").await),
            "passkey" => drop(app.passkey_of(&member, &mut laptop).await),
            _ => {}
        }
        Self { way, messenger, acme, member, phone, laptop }
    }

    /// Signs in from there, showing this token; whether that was news. A second step shows none.
    async fn comes(&mut self, from: RequestOrigin, device_token: Option<String>) -> (bool, SignedIn) {
        let app = &self.messenger.app;
        app.advance(MINUTE);
        let once = format!("{} {}", self.way, from.network);
        let ctx = &at(app, from.clone()).on_device(device_token.clone());
        let completion = match self.way {
            "password" => {
                let login = Login { device_token, ..login_with(&self.member.email, PASSWORD) };
                app.sessions.login(&at(app, from.clone()), login).await.unwrap()
            }
            "mailed code" => {
                mails(app).await;
                let begun = app.email_codes.begin(ctx, &self.member.email).await.unwrap();
                let digits = self.mailed_code().await;
                app.email_codes.finish(ctx, &begun.challenge, &digits, None).await.unwrap()
            }
            "token" => {
                let proof = NativeProof::AccessToken(&once);
                app.sign_in.native(ctx, "acme", proof, Along::default()).await.unwrap()
            }
            "Mini App" => {
                let proof = NativeProof::InitData(&once);
                app.sign_in.native(ctx, "acme", proof, Along::default()).await.unwrap()
            }
            "bot" => {
                let start = self.messenger.start().await;
                self.messenger.writes(7, &start.command).await;
                self.messenger.taps_code(7, &start, &start.match_code).await;
                match app.sign_in.poll_bot(ctx, &start.attempt, &start.secret).await.unwrap() {
                    BotPoll::Completed(completion) => *completion,
                    BotPoll::Pending => panic!("still pending"),
                }
            }
            "passkey" => {
                let begun = app.factors.begin_passkey_sign_in(ctx).await.unwrap();
                let answer = self.laptop.get(&begun.options).expect("it holds a passkey");
                app.factors.finish_passkey_sign_in(ctx, &begun.challenge, &answer, None).await.unwrap()
            }
            _ => {
                self.acme.is(person("acme", self.way));
                app.sign_in.exchange(ctx, &code(app.through("acme").await), None, None).await.unwrap()
            }
        };
        let signed_in = match (completion.signed_in(), &self.phone) {
            (Ok(signed_in), _) => signed_in,
            (Err(step), Some(phone)) => {
                let shown = phone.shows(app.now());
                let second = app.factors.second_step(&at(app, from), &step.challenge, &shown).await;
                second.unwrap().signed_in().unwrap()
            }
            (Err(step), None) => panic!("asked for more: {step:?}"),
        };
        let facts = app.facts_of(self.member.id).await;
        let (kind, session) = (EventKind::SessionStarted.as_str(), json!(signed_in.tokens.session_id));
        let began = facts.iter().find(|fact| fact.kind == kind && fact.data["session_id"] == session).unwrap();
        (began.data["new_device"] == json!(true), signed_in)
    }

    async fn mailed_code(&self) -> String {
        let mails = mails_to(&self.messenger.app, &self.member.email).await;
        let mail = mails.iter().find(|mail| mail.subject.contains("is your code to sign in")).expect("a code");
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
        mail.text.lines().find(is_code).unwrap().to_owned()
    }
}

/// Also where more is asked for in between: the step that follows is the same sign-in.
/// ASVS V6.3.5
#[apply(case)]
async fn at_every_way_in_the_token_of_a_device_makes_it_a_known_one_elsewhere_too(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |facts| facts.capabilities.mini_app = true);
    let messenger = Messenger::open_on(&fixture, |options| {
        options.settings.email_code_sign_in = true;
        options.providers.push(Arc::clone(&acme) as Arc<dyn Provider>);
    })
    .await;
    messenger.telegram.is(person("telegram", "7"));
    for (n, way) in WAYS.into_iter().enumerate() {
        acme.is(person("acme", way));
        let mut somebody = Somebody::who_comes_by(way, &messenger, &acme).await;
        let (first, phone) = somebody.comes(elsewhere(4 * n), None).await;
        let token = phone.tokens.device_token;
        assert!(token.is_some(), "{way}");
        let (known, _) = somebody.comes(elsewhere(4 * n + 1), token.clone()).await;
        let (unknown, _) = somebody.comes(elsewhere(4 * n + 2), None).await;
        let (of_nobody, _) = somebody.comes(elsewhere(4 * n + 3), token.map(|token| token.to_lowercase())).await;
        assert_eq!([first, known, unknown, of_nobody], [true, false, true, true], "{way}");
    }
}
