//! How we prove who we are at a token endpoint (RFC 6749 section 2.3, RFC 7523). Which way is used is configuration.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use userd_model::Timestamp;
use userd_outbound::{Call, Secret};
use zeroize::Zeroizing;

use crate::{assertion::AssertionKey, fault::ProviderFault};

/// Our credentials at one provider.
pub(crate) enum ClientAuth {
    /// A public client: the id in the form, PKCE proves the rest.
    Public,
    /// `client_secret_basic`: id and secret form-encoded first (RFC 6749 section 2.3.1).
    Basic(Secret),
    /// `client_secret_post`.
    Post(Secret),
    /// `private_key_jwt`, with the issuer as the audience.
    PrivateKeyJwt { key: AssertionKey, audience: String },
    /// `client_secret_post` with a secret that we sign for a few minutes.
    AppleSecret { key: AssertionKey, team_id: String, audience: String },
}

/// The form fields and headers that prove it, for one call.
#[derive(Default)]
pub(crate) struct Proof {
    pub(crate) form: Vec<(&'static str, Zeroizing<String>)>,
    authorization: Option<Zeroizing<String>>,
}

impl Proof {
    pub(crate) fn headers(&self, call: Call) -> Call {
        match &self.authorization {
            Some(value) => call.header("authorization", value),
            None => call,
        }
    }
}

impl ClientAuth {
    pub(crate) fn prove(&self, client_id: &str, now: Timestamp) -> Result<Proof, ProviderFault> {
        let id = ("client_id", Zeroizing::new(client_id.to_owned()));
        Ok(match self {
            Self::Public => Proof { form: vec![id], authorization: None },
            Self::Basic(secret) => Proof { form: vec![id], authorization: Some(basic(client_id, secret.expose())) },
            Self::Post(secret) => {
                let secret = ("client_secret", Zeroizing::new(secret.expose().to_owned()));
                Proof { form: vec![id, secret], authorization: None }
            }
            Self::AppleSecret { key, team_id, audience } => {
                let secret = key.apple_secret(team_id, client_id, audience, now)?;
                let secret = ("client_secret", Zeroizing::new(secret.expose().to_owned()));
                Proof { form: vec![id, secret], authorization: None }
            }
            Self::PrivateKeyJwt { key, audience } => {
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned();
                let assertion = key.client_assertion(client_id, audience, now)?;
                let form = vec![
                    id,
                    ("client_assertion_type", Zeroizing::new(kind)),
                    ("client_assertion", Zeroizing::new(assertion)),
                ];
                Proof { form, authorization: None }
            }
        })
    }
}

pub(crate) fn basic(id: &str, secret: &str) -> Zeroizing<String> {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(id), encode(secret)));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_encoded_before_they_are_joined() {
        assert_eq!(basic("a:b", "c d").as_str(), format!("Basic {}", STANDARD.encode("a%3Ab:c+d")));
    }
}
