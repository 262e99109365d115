//! How clients prove themselves at token endpoints: the header, the form, or not at all. Which is right is each
//! provider's matter.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::ask::Ask;

/// What a client showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// No client id anywhere.
    Nothing,
    /// An `Authorization` header that cannot be read.
    Malformed,
    /// An id without a secret.
    Public(String),
    /// An id and a secret, from the header or the form.
    Secret(String, String),
}

impl Shown {
    /// From a request; the header goes before the form (RFC 6749 section 2.3).
    pub(crate) fn of(ask: &Ask) -> Self {
        if ask.header("authorization").is_some() {
            return basic(ask).unwrap_or(Self::Malformed);
        }
        let mut form = ask.form();
        match (form.remove("client_id"), form.remove("client_secret")) {
            (Some(id), Some(secret)) => Self::Secret(id, secret),
            (Some(id), None) => Self::Public(id),
            (None, _) => Self::Nothing,
        }
    }

    /// Whether this is the client, by its secret or, where `public_is_fine`, by its id alone.
    pub(crate) fn is(&self, id: &str, secret: &str, public_is_fine: bool) -> bool {
        match self {
            Self::Secret(given, shown) => given == id && shown == secret,
            Self::Public(given) => public_is_fine && given == id,
            Self::Nothing | Self::Malformed => false,
        }
    }
}

fn basic(ask: &Ask) -> Option<Shown> {
    let decoded = STANDARD.decode(ask.authorization("Basic")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode =
        |part: &str| url::form_urlencoded::parse(format!("v={part}").as_bytes()).next().map(|(_, v)| v.into_owned());
    Some(Shown::Secret(decode(id)?, decode(secret)?))
}
