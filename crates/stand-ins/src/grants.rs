//! Codes and the tokens they become. Who may have one, and how an error is spelled, is each provider's matter.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use userd_model::Timestamp;

use crate::{ask::Ask, outside, server::locked, test_users::TestUser};

/// How long a code lives.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// What a person agreed to.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) person: TestUser,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) device_id: Option<String>,
    pub(crate) issued: Timestamp,
}

impl Grant {
    /// From the authorize request.
    pub(crate) fn of(ask: &Ask, person: TestUser, now: Timestamp) -> Self {
        Self {
            person,
            redirect_uri: ask.query_param("redirect_uri"),
            challenge: Challenge::of(ask),
            scope: ask.query_param("scope").unwrap_or_default(),
            nonce: ask.query_param("nonce"),
            device_id: ask.query_param("device_id"),
            issued: now,
        }
    }

    pub(crate) fn has_scope(&self, name: &str) -> bool {
        self.scope.split([' ', ',']).any(|scope| scope == name)
    }
}

/// A PKCE challenge (RFC 7636).
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    value: String,
    method: String,
}

impl Challenge {
    /// From the authorize request; the method's case does not count, since VK's own documents write `s256`.
    pub(crate) fn of(ask: &Ask) -> Option<Self> {
        let value = ask.query_param("code_challenge")?;
        let method = ask.query_param("code_challenge_method").unwrap_or_else(|| "plain".to_owned());
        Some(Self { value, method: method.to_ascii_uppercase() })
    }

    /// `S256` or `PLAIN`, or whatever else was sent.
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    fn answered_by(&self, verifier: &str) -> bool {
        let lawful = (43..=128).contains(&verifier.len());
        let value = if self.method == "S256" { outside::sha256_text(verifier) } else { verifier.to_owned() };
        lawful && value == self.value
    }
}

/// Whether the verifier belongs to the challenge: both, or neither (RFC 9700 section 2.1.1).
pub(crate) fn proven(challenge: Option<&Challenge>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => challenge.answered_by(verifier),
        _ => false,
    }
}

/// A pair of tokens that was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) grant: Grant,
    pub(crate) expires: Timestamp,
}

/// The books of one stand-in.
#[derive(Default)]
pub(crate) struct Books {
    codes: Mutex<BTreeMap<String, Grant>>,
    tokens: Mutex<Vec<Issued>>,
}

impl Books {
    pub(crate) fn new_code(&self, grant: Grant) -> String {
        let code = outside::random_text();
        locked(&self.codes).insert(code.clone(), grant);
        code
    }

    /// The grant behind a code, once, for ten minutes.
    pub(crate) fn take_code(&self, code: &str, now: Timestamp) -> Option<Grant> {
        locked(&self.codes).remove(code).filter(|grant| grant.issued.plus(CODE_LIFE) > now)
    }

    pub(crate) fn issue(&self, grant: Grant, life: Duration, now: Timestamp) -> Issued {
        let issued = Issued {
            access_token: format!("at-{}", outside::random_text()),
            refresh_token: format!("rt-{}", outside::random_text()),
            grant,
            expires: now.plus(life),
        };
        locked(&self.tokens).push(issued.clone());
        issued
    }

    pub(crate) fn by_access_token(&self, token: &str, now: Timestamp) -> Option<Issued> {
        locked(&self.tokens).iter().find(|issued| issued.access_token == token && issued.expires > now).cloned()
    }

    /// Takes a pair out by its refresh token; what replaces it is put back with [`Books::put`].
    pub(crate) fn take_by_refresh_token(&self, token: &str) -> Option<Issued> {
        let mut tokens = locked(&self.tokens);
        let at = tokens.iter().position(|issued| issued.refresh_token == token)?;
        Some(tokens.remove(at))
    }

    pub(crate) fn put(&self, issued: Issued) {
        locked(&self.tokens).push(issued);
    }

    /// Ends the pair that either token belongs to.
    pub(crate) fn end(&self, token: &str) -> bool {
        let mut tokens = locked(&self.tokens);
        let before = tokens.len();
        tokens.retain(|issued| issued.access_token != token && issued.refresh_token != token);
        tokens.len() < before
    }

    /// Ends all but the newest `keep` pairs among those that `belongs` picks.
    pub(crate) fn keep_newest(&self, keep: usize, belongs: impl Fn(&Issued) -> bool) {
        let mut tokens = locked(&self.tokens);
        let mut surplus = tokens.iter().filter(|issued| belongs(issued)).count().saturating_sub(keep);
        tokens.retain(|issued| {
            let oldest = surplus > 0 && belongs(issued);
            surplus -= usize::from(oldest);
            !oldest
        });
    }

    /// Ends everything of a person, as a password change there does.
    pub(crate) fn end_all_of(&self, key: &str) {
        locked(&self.tokens).retain(|issued| issued.grant.person.key != key);
    }
}
