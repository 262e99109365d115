//! What the service says about itself: to those who trust its tokens, and to browsers that it sends somewhere.

use std::{sync::Arc, time::Duration};

use userd_model::Timestamp;

use crate::Services;

impl Services {
    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.deps.now()
    }

    /// The public signing keys (RFC 7517), as JSON.
    #[must_use]
    pub fn key_set(&self) -> Arc<[u8]> {
        self.deps.crypto.tokens.jwks()
    }

    /// How long a key is published before it signs.
    #[must_use]
    pub fn key_published_before(&self) -> Duration {
        self.deps.settings.publish_before
    }

    /// `iss` of tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.deps.settings.issuer
    }

    /// The service's own address, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.deps.settings.sign_in.public_url
    }

    /// Where a browser may be sent after signing in.
    #[must_use]
    pub fn return_to(&self) -> &[String] {
        &self.deps.settings.sign_in.return_to
    }
}
