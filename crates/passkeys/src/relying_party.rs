//! Whom passkeys belong to: a domain, and the places whose pages may ask for them.

use url::{Host, Url};

/// A domain and its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// The domain; never changed, or every passkey is lost.
    pub id: String,
    /// What people read.
    pub name: String,
    /// Pages at the domain or below it, and apps (`android:apk-key-hash:…`).
    pub origins: Vec<Url>,
    /// Pages elsewhere that may use the same passkeys, because the domain says so (`/.well-known/webauthn`).
    pub related: Vec<Url>,
}

/// Why a relying party can have no passkeys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Built without them.
    #[error("this program was built without passkeys (cargo feature `passkeys`)")]
    NotBuilt,
    /// The id is no domain.
    #[error("{0:?} is no domain: passkeys belong to a domain, as `example.org` or `localhost`")]
    NoDomain(String),
    /// A page could never ask for them.
    #[error("{origin} is not at {id} or below it, by https (http only for localhost)")]
    Elsewhere {
        /// What was given.
        origin: String,
        /// The domain.
        id: String,
    },
    /// Nowhere to ask from.
    #[error("there is no origin whose pages could ask for passkeys")]
    NoOrigin,
    /// The library says no.
    #[error("{0}")]
    Refused(String),
}

impl RelyingParty {
    /// The relying party of a service that is reached at `public_url`, where nothing else is said: its own domain. On a
    /// loopback address it is `localhost`, which is where a browser has to look at it: there are no passkeys at addresses.
    /// None elsewhere at an address.
    #[must_use]
    pub fn at(public_url: &Url) -> Option<Self> {
        let (id, mut origins) = match public_url.host()? {
            Host::Domain(domain) => (domain.to_owned(), Vec::new()),
            Host::Ipv4(ip) if ip.is_loopback() => ("localhost".to_owned(), vec![named_localhost(public_url)?]),
            Host::Ipv6(ip) if ip.is_loopback() => ("localhost".to_owned(), vec![named_localhost(public_url)?]),
            _ => return None,
        };
        origins.push(public_url.clone());
        Some(Self { name: id.clone(), id, origins, related: Vec::new() })
    }

    /// Every place whose answers are taken.
    pub fn all_origins(&self) -> impl Iterator<Item = &Url> {
        self.origins.iter().chain(&self.related)
    }

    /// Whether it can have passkeys at all.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), Unusable> {
        let parsed = Url::parse(&format!("https://{}/", self.id)).ok();
        if parsed.as_ref().and_then(Url::domain) != Some(self.id.as_str()) {
            return Err(Unusable::NoDomain(self.id.clone()));
        }
        if !self.origins.iter().any(|origin| origin.domain().is_some()) {
            return Err(Unusable::NoOrigin);
        }
        match self.origins.iter().find(|origin| !self.is_own(origin)) {
            Some(origin) => Err(Unusable::Elsewhere { origin: origin.to_string(), id: self.id.clone() }),
            None => Ok(()),
        }
    }

    fn is_own(&self, origin: &Url) -> bool {
        let below = |domain: &str| domain.strip_suffix(self.id.as_str()).is_some_and(|rest| rest.ends_with('.'));
        match (origin.scheme(), origin.host()) {
            ("android", None) => true,
            ("https", Some(Host::Domain(domain))) => domain == self.id || below(domain),
            ("http", Some(Host::Domain(domain))) => {
                (domain == "localhost" || domain.ends_with(".localhost")) && (domain == self.id || below(domain))
            }
            // No browser asks for passkeys there; programs that test do.
            ("http" | "https", Some(Host::Ipv4(ip))) => ip.is_loopback() && self.id == "localhost",
            ("http" | "https", Some(Host::Ipv6(ip))) => ip.is_loopback() && self.id == "localhost",
            _ => false,
        }
    }
}

fn named_localhost(url: &Url) -> Option<Url> {
    let mut named = url.clone();
    named.set_host(Some("localhost")).ok()?;
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_service_at_an_address_has_no_passkeys_but_for_trying_on_this_machine() {
        let party = RelyingParty::at(&url("https://id.example.org")).unwrap();
        assert_eq!((party.id.as_str(), party.origins.len()), ("id.example.org", 1));
        assert_eq!(party.check(), Ok(()));
        let party = RelyingParty::at(&url("http://127.0.0.1:8080")).unwrap();
        assert_eq!(party.id, "localhost");
        assert_eq!(party.origins, [url("http://localhost:8080"), url("http://127.0.0.1:8080")]);
        assert_eq!(party.check(), Ok(()));
        assert_eq!(RelyingParty::at(&url("https://192.0.2.7")), None);
    }

    #[test]
    fn pages_that_could_never_ask_for_them_are_refused() {
        let party = |id: &str, origins: &[&str]| RelyingParty {
            id: id.to_owned(),
            name: id.to_owned(),
            origins: origins.iter().map(|origin| url(origin)).collect(),
            related: Vec::new(),
        };
        for good in [
            party("example.org", &["https://id.example.org", "https://example.org:8443", "android:apk-key-hash:abc"]),
            party("localhost", &["http://localhost:3000", "http://app.localhost:3000"]),
        ] {
            assert_eq!(good.check(), Ok(()), "{good:?}");
        }
        for bad in [
            party("example.org", &["https://notexample.org"]),
            party("example.org", &["http://example.org"]),
            party("id.example.org", &["https://example.org"]),
            party("example.org", &["https://example.org", "http://127.0.0.1"]),
        ] {
            assert!(matches!(bad.check(), Err(Unusable::Elsewhere { .. })), "{bad:?}");
        }
        assert_eq!(party("example.org", &[]).check(), Err(Unusable::NoOrigin));
        assert_eq!(party("example.org", &["android:apk-key-hash:abc"]).check(), Err(Unusable::NoOrigin));
        for id in ["", "127.0.0.1", "https://example.org", "example.org:8443", "Example.org", "a b"] {
            assert_eq!(party(id, &["https://example.org"]).check(), Err(Unusable::NoDomain(id.to_owned())), "{id}");
        }
    }
}
