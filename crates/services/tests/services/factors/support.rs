//! Somebody with an authenticator app, and how they sign in.

use userd_crypto::{TotpSecret, Zeroizing};
use userd_model::{DeletedBy, Deletion, FactorId, Refusal, Timestamp, UserId, UserStatus};
use userd_services::{
    Completion, Context, Failure, SignedIn,
    factors::{Shown, TotpBegun},
    sessions::Pending,
};
use userd_stand_ins::authenticator::Authenticator;
use userd_storage::repositories::password_credentials::PasswordCredential;

use crate::{
    fixture::{DAY, MINUTE, TestApp, refusal},
    personas::{Member, PASSWORD, at, authenticated, home, login_with},
};

/// An authenticator app.
pub(crate) struct Phone {
    pub(crate) factor: FactorId,
    pub(crate) recovery_codes: Vec<String>,
    secret: TotpSecret,
}

impl Phone {
    /// What an app makes of the secret on the screen.
    pub(crate) fn reading(begun: &TotpBegun) -> Self {
        let mut bits = String::new();
        for character in begun.secret.chars() {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(character).unwrap();
            bits += &format!("{value:05b}");
        }
        let bytes = bits
            .as_bytes()
            .chunks_exact(8)
            .map(|eight| u8::from_str_radix(std::str::from_utf8(eight).unwrap(), 2).unwrap());
        let secret = TotpSecret::from_bytes(Zeroizing::new(bytes.collect()));
        Self { factor: begun.id, recovery_codes: Vec::new(), secret }
    }

    pub(crate) fn code(&self, now: Timestamp) -> String {
        self.secret.code(now)
    }

    pub(crate) fn shows(&self, now: Timestamp) -> Shown {
        Shown::Totp(Zeroizing::new(self.code(now)))
    }

    /// A code that is none of those that are good now.
    pub(crate) fn wrong(&self, now: Timestamp) -> Shown {
        let good: Vec<_> = [-30, 0, 30].map(|off| self.code(Timestamp::from_seconds(now.seconds() + off))).into();
        let wrong = (0..10).map(|n| format!("{n:06}")).find(|code| !good.contains(code)).unwrap();
        Shown::Totp(Zeroizing::new(wrong))
    }
}

impl TestApp {
    /// The context of a member's token.
    pub(crate) async fn acting(&self, member: &Member) -> Context {
        authenticated(self, &self.who(&member.tokens.access_token).await.unwrap())
    }

    /// Sets an authenticator app up.
    pub(crate) async fn phone_of(&self, member: &Member) -> Phone {
        let begun = self.factors.begin_totp(&self.acting(member).await, Some("phone"), None).await.unwrap();
        let mut phone = Phone::reading(&begun);
        let confirmed =
            self.factors.confirm_totp(&self.acting(member).await, begun.id, &phone.code(self.now())).await.unwrap();
        phone.recovery_codes = confirmed.unwrap_or_default();
        // The code of the set-up was used; the next one comes soon.
        self.advance(MINUTE);
        phone
    }

    /// The first step of a sign-in of somebody with a second factor.
    pub(crate) async fn first_step(&self, login: &str) -> Pending {
        pending(self.sessions.login(&at(self, home()), login_with(login, PASSWORD)).await.unwrap())
    }

    pub(crate) async fn second_step(&self, challenge: &Pending, shown: &Shown) -> Result<Completion, Failure> {
        self.factors.second_step(&at(self, home()), &challenge.challenge, shown).await
    }

    /// Both steps.
    pub(crate) async fn login_with_phone(&self, login: &str, phone: &Phone) -> SignedIn {
        let challenge = self.first_step(login).await;
        self.second_step(&challenge, &phone.shows(self.now())).await.unwrap().signed_in().unwrap()
    }
}

impl TestApp {
    /// Sets a passkey up. Answers the recovery codes of the first factor too.
    pub(crate) async fn passkey_of(
        &self,
        member: &Member,
        authenticator: &mut Authenticator,
    ) -> (FactorId, Option<Vec<String>>) {
        let ctx = self.acting(member).await;
        let begun = self.factors.begin_passkey(&ctx, Some("passkey")).await.unwrap();
        let made = authenticator.create(&begun.options).unwrap();
        let (added, codes) = self.factors.finish_passkey(&ctx, &begun.challenge, &made).await.unwrap();
        // A device that is seen from now on is seen after the factor.
        self.advance(MINUTE);
        (added.id, codes)
    }

    /// Signs in by a passkey alone.
    pub(crate) async fn login_by_passkey(&self, authenticator: &mut Authenticator) -> Result<Completion, Failure> {
        let ctx = at(self, home());
        let begun = self.factors.begin_passkey_sign_in(&ctx).await.unwrap();
        let answer = authenticator.get(&begun.options).expect("it holds a passkey");
        self.factors.finish_passkey_sign_in(&ctx, &begun.challenge, &answer, Some("laptop")).await
    }

    /// The answer to what a second step asks for.
    pub(crate) async fn answer_of(&self, challenge: &Pending, authenticator: &mut Authenticator) -> Shown {
        let begun = self.factors.begin_second_factor(&at(self, home()), &challenge.challenge).await.unwrap();
        Shown::Passkey(authenticator.get(&begun.options).expect("it holds a passkey"))
    }
}

/// One in a browser on this machine.
pub(crate) fn authenticator() -> Authenticator {
    Authenticator::at("http://localhost:8080")
}

#[track_caller]
pub(crate) fn pending(completion: Completion) -> Pending {
    completion.signed_in().expect_err("a session began")
}

/// Whether it was refused as not right.
#[track_caller]
pub(crate) fn is_wrong<T>(answer: Result<T, Failure>) -> bool {
    refusal(answer) == Refusal::InvalidCode
}

pub(crate) fn recovery(code: &str) -> Shown {
    Shown::RecoveryCode(Zeroizing::new(code.to_owned()))
}

/// What stands in the account's rows: what ends sessions would end the device and the repeat with them. Terms are the
/// configuration's.
pub(crate) async fn owe(app: &TestApp, user: UserId, what: &str) {
    match what {
        "password" => {
            let demanded = app.deps.store.transact("demand", |mut uow| async move {
                let password = uow.password_credentials().find(user).await?.unwrap();
                let password = PasswordCredential { must_change: true, ..password };
                uow.password_credentials().upsert(&password).await?;
                uow.commit(()).await
            });
            demanded.await.unwrap();
        }
        "approval" => {
            let since = app.now();
            app.rewrite(user, |user| user.awaits_approval_since = Some(since)).await;
        }
        _ => {}
    }
}

/// The rows alone.
pub(crate) async fn delete_restorably(app: &TestApp, user: UserId) {
    app.delete(user).await;
    let deletion = &Deletion::new(user, DeletedBy::Owner, UserStatus::Active, app.now(), 30 * DAY);
    let put = app.deps.store.transact("delete", |mut uow| async move {
        uow.deletions().write(deletion).await?;
        uow.commit(()).await
    });
    put.await.unwrap();
}
