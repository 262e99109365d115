//! The life of an account over the whole program, by what arrives in mailboxes: confirmed, recovered, moved to another
//! address, invited, asked for terms, deleted and restored, erased.

use std::time::Duration;

use serde_json::{Value, json};
use userd_stand_ins::{
    Options,
    mailbox::{self, Mailbox},
};

use crate::support::{Caller, Engine, PASSWORD, Replica, TestApp, Tokens, unique, unique_email, until};

const NEW_PASSWORD: &str = "another long pass phrase 8";
const THIRD_PASSWORD: &str = "yet another pass phrase 9";

// What subjects of mails say.
const CONFIRM: &str = "is your code for";
const SIGN_IN: &str = "is your code to sign in";
const RESET: &str = "A new password for";
const CHANGED: &str = "Your e-mail address on";
const INVITED: &str = "You are invited to";

/// Everybody's mailbox, and which of its mails have been read. Notices come between others whenever they are written.
struct Post {
    mailbox: Mailbox,
    read: Vec<usize>,
}

impl Post {
    async fn open() -> Self {
        Self { mailbox: mailbox::start(Options::default(), 0).await.unwrap(), read: Vec::new() }
    }

    /// The app, sending its mails here.
    fn of(&self, app: &TestApp) -> TestApp {
        app.with("mail.url", &self.mailbox.smtp_url).with("mail.from", "Users <no-reply@example.org>")
    }

    fn unread(&self, to: &str, subject: &str) -> Option<usize> {
        let mails = self.mailbox.mails();
        let is_it = |at: &usize| mails[*at].to == [to] && mails[*at].subject().contains(subject);
        (0..mails.len()).find(|at| !self.read.contains(at) && is_it(at))
    }

    /// The text of the next mail to this address with these words in its subject.
    async fn next(&mut self, to: &str, subject: &str) -> String {
        until(subject, Duration::from_secs(20), async || self.unread(to, subject).is_some()).await;
        let at = self.unread(to, subject).unwrap();
        self.read.push(at);
        self.mailbox.mails().swap_remove(at).text
    }

    /// The token of its link.
    async fn token(&mut self, to: &str, subject: &str) -> String {
        let text = self.next(to, subject).await;
        let rest = text.split("/l/").nth(1).unwrap_or_else(|| panic!("no link: {text}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// Its code.
    async fn code(&mut self, to: &str, subject: &str) -> String {
        let text = self.next(to, subject).await;
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
        text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code: {text}")).to_owned()
    }
}

/// The button of the page behind a link.
async fn press(visitor: &Caller, token: &str) {
    let path = format!("/l/{token}");
    assert_eq!(visitor.get(&path).await.status, 200, "opening it changes nothing");
    let done = visitor.form(&path, &[("confirm", "yes")], None).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(visitor.get(&path).await.status, 410, "once");
}

async fn is_refused(visitor: &Caller, login: &str, password: &str) {
    let answer = visitor.post("/v1/auth/login", json!({ "login": login, "password": password })).await;
    answer.refused(401, "wrong_credentials");
}

/// Registers where addresses are confirmed first, by the code of the mail.
async fn register(visitor: &Caller, post: &mut Post, email: &str) -> Tokens {
    let asked = visitor.post("/v1/auth/register", json!({ "email": email, "password": PASSWORD })).await.expect(202);
    assert_eq!(asked["status"], "confirmation_required");
    let code = post.code(email, CONFIRM).await;
    let proof = json!({ "email": email, "code": code, "challenge": asked["challenge"] });
    Tokens::of(&visitor.post("/v1/auth/email/verify", proof).await.expect(200))
}

/// What is exported, but for times, sessions, what happened, and the version.
async fn exported(app: &TestApp, user: &str) -> Value {
    let mut archive = app.ask(&["users", "export", user]).await;
    for member in ["updated_at", "version", "last_sign_in_at"] {
        archive["account"].as_object_mut().unwrap().remove(member);
    }
    for section in ["exported_at", "sessions", "notifications", "events"] {
        archive[section] = Value::Null;
    }
    archive
}

on_each_engine! {
    /// Registered and confirmed by code and by link, recovered, at another address, signed in by a mailed code, and asked for
    /// another password.
    async fn an_account_is_confirmed_recovered_and_moved_by_what_arrives_in_mailboxes(app: TestApp) {
        let mut post = Post::open().await;
        let app = post.of(&app)
            .with("registration.email_confirmation", "required")
            .with("sign_in.email_code", "true");
        let replica = app.open().await;
        let visitor = replica.visitor();
        let (email, other) = (unique_email(), unique_email());

        // By code, which signs in; and by link, which does not.
        let ann = register(&visitor, &mut post, &email).await;
        assert_eq!(visitor.with(&ann).get("/v1/me").await.expect(200)["email_verified"], true);
        let bob = unique_email();
        visitor.post("/v1/auth/register", json!({ "email": bob, "password": PASSWORD })).await.expect(202);
        let link = post.token(&bob, CONFIRM).await;
        is_refused(&visitor, &bob, PASSWORD).await;
        press(&visitor, &link).await;
        visitor.login(&bob, PASSWORD).await;

        // A forgotten password: everything of before is dead.
        visitor.post("/v1/auth/password/forgot", json!({ "login": email })).await.expect(202);
        let link = post.token(&email, RESET).await;
        let reset = json!({ "token": link, "new_password": NEW_PASSWORD });
        visitor.post("/v1/auth/password/reset", reset.clone()).await.expect(204);
        visitor.post("/v1/auth/password/reset", reset).await.refused(422, "invalid_code");
        until("signed out", Duration::from_secs(1), async || !visitor.with(&ann).is_let_in().await).await;
        visitor.refresh(&ann.refresh).await.refused(401, "invalid_refresh_token");
        is_refused(&visitor, &email, PASSWORD).await;
        let ann = visitor.login(&email, NEW_PASSWORD).await;

        // Another address: confirmed at the new one, told to the old one.
        let change = json!({ "email": other, "current_password": NEW_PASSWORD });
        visitor.with(&ann).put("/v1/me/email", change).await.expect(202);
        let link = post.token(&other, CONFIRM).await;
        assert_eq!(visitor.with(&ann).get("/v1/me").await.expect(200)["email"], json!(email), "not before it is proven");
        press(&visitor, &link).await;
        let way_back = post.token(&email, CHANGED).await;
        assert_eq!(visitor.get(&format!("/l/{way_back}")).await.status, 200);
        is_refused(&visitor, &email, NEW_PASSWORD).await;

        // A mailed code at the new one; the old one gets none.
        visitor.post("/v1/auth/email-code/begin", json!({ "email": email })).await.expect(202);
        let begun = visitor.post("/v1/auth/email-code/begin", json!({ "email": other })).await.expect(202);
        let code = post.code(&other, SIGN_IN).await;
        let finish = json!({ "challenge": begun["challenge"], "code": code });
        let by_code = Tokens::of(&visitor.post("/v1/auth/email-code/finish", finish.clone()).await.expect(200));
        assert_eq!(by_code.user["email"], json!(other));
        assert_eq!(post.unread(&email, SIGN_IN), None);
        visitor.post("/v1/auth/email-code/finish", finish).await.refused(422, "invalid_code");

        // Another password is demanded: whoever knows the one so far gets no further by it.
        app.ask(&["users", "require-password-change", &other]).await;
        until("signed out", Duration::from_secs(1), async || !visitor.with(&by_code).is_let_in().await).await;
        let login = json!({ "login": other, "password": NEW_PASSWORD });
        let step = visitor.post("/v1/auth/login", login.clone()).await.expect(202);
        assert_eq!(step["status"], "password_change_required");
        let same = json!({ "challenge": step["challenge"], "new_password": NEW_PASSWORD });
        visitor.post("/v1/auth/continue", same).await.expect(422);
        let another = json!({ "challenge": step["challenge"], "new_password": THIRD_PASSWORD });
        visitor.post("/v1/auth/continue", another).await.expect(200);
        is_refused(&visitor, &other, NEW_PASSWORD).await;
        visitor.login(&other, THIRD_PASSWORD).await;
    }

    /// Invited, asked for terms, deleted and restored with everything, erased: then the address is anybody's.
    async fn an_account_is_invited_accepts_terms_and_comes_back_until_it_is_erased(app: TestApp) {
        let mut post = Post::open().await;
        let app = post.of(&app).with("registration.mode", "invite");
        let replica = app.open().await;
        let visitor = replica.visitor();
        let (email, username) = (unique_email(), unique("ann"));
        let body = json!({ "email": email, "username": username, "password": PASSWORD });
        visitor.post("/v1/auth/register", body.clone()).await.refused(403, "registration_closed");
        app.ask(&["invitations", "create", "--email", &email]).await;
        let mut invited = body;
        invited["invitation"] = json!(post.token(&email, INVITED).await);
        let registered = visitor.post("/v1/auth/register", invited.clone()).await.expect(201);
        assert_eq!(registered["user"]["email_verified"], true, "whoever has the invitation reads mail there");
        visitor.post("/v1/auth/register", invited).await.refused(410, "invitation_gone");
        assert!(replica.stop().await.status.success());

        // The same service with terms: asked at the next sign-in, once.
        let app = app
            .with("registration.documents.0.id", "terms")
            .with("registration.documents.0.version", "2026-11")
            .with("registration.documents.0.url", "https://example.org/terms");
        let replica: Replica = app.open().await;
        let visitor = replica.visitor();
        let login = json!({ "login": username, "password": PASSWORD });
        let step = visitor.post("/v1/auth/login", login.clone()).await.expect(202);
        assert_eq!((&step["status"], &step["documents"][0]["id"]), (&json!("terms_required"), &json!("terms")));
        let accept = json!({ "challenge": step["challenge"], "accept": [{ "id": "terms", "version": "2026-11" }] });
        visitor.post("/v1/auth/continue", accept).await.expect(200);
        let ann = visitor.login(&username, PASSWORD).await;

        // Deleted: refused everywhere, and back as it was.
        let before = exported(&app, &username).await;
        assert!(before.to_string().contains("2026-11"));
        let me = visitor.with(&ann);
        let gone = me.request(reqwest::Method::DELETE, "/v1/me").json(&json!({ "current_password": PASSWORD }));
        crate::support::caller::send(gone).await.unwrap().expect(202);
        until("signed out", Duration::from_secs(1), async || !me.is_let_in().await).await;
        visitor.refresh(&ann.refresh).await.refused(401, "invalid_refresh_token");
        let offered = visitor.post("/v1/auth/login", login.clone()).await.refused(403, "account_deleted");
        let restore = json!({ "restore_token": offered["restore_token"] });
        visitor.post("/v1/auth/restore", restore.clone()).await.expect(200);
        visitor.post("/v1/auth/restore", restore).await.refused(422, "invalid_code");
        assert_eq!(exported(&app, &username).await, before);

        // Erased: a stranger has the address, nobody the name.
        app.ask(&["users", "delete", &username]).await;
        app.ask(&["users", "purge", "--yes", ann.user_id()]).await;
        visitor.post("/v1/auth/login", login).await.refused(401, "wrong_credentials");
        app.ask(&["invitations", "create", "--email", &email]).await;
        let token = post.token(&email, INVITED).await;
        let accept = json!([{ "id": "terms", "version": "2026-11" }]);
        let body = json!({ "email": email, "password": PASSWORD, "invitation": token, "accept": accept });
        let mut named = body.clone();
        named["username"] = json!(username);
        visitor.post("/v1/auth/register", named).await.refused(409, "username_taken");
        let stranger = visitor.post("/v1/auth/register", body).await.expect(201);
        assert_ne!(stranger["user"]["id"], json!(ann.user_id()));
    }
}
