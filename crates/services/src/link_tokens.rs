//! The tokens of links in messages: their form, their purposes and how long they are good. What following one does is in
//! `links.rs` and in the services of those that open something.

use std::time::Duration;

use url::Url;
use userd_crypto::OpaqueSecret;
use userd_model::{Email, User};
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use crate::{Dependencies, change::Changes, user_reader::internal};

/// What secret scanners recognise a link by.
pub(crate) const PREFIX: &str = "udl_";

/// Sets a new password.
pub(crate) const PASSWORD_RESET: &str = "password_reset";
/// How long a link to reset a password is good.
pub(crate) const PASSWORD_RESET_LIFE: Duration = Duration::from_secs(3600);

/// Where a link leads.
pub(crate) fn url(deps: &Dependencies, token: &str) -> Result<Url, Failure> {
    let url = format!("{}/l/{token}", deps.settings.sign_in.public_url.trim_end_matches('/'));
    Url::parse(&url).map_err(|_| internal("the public URL is malformed"))
}

/// The hash to look a link up by; `None` for what is none.
pub(crate) fn hash_of(token: &str) -> Option<[u8; 32]> {
    OpaqueSecret::hash_of(PREFIX, token)
}

/// A link that sets a new password, for the mail that carries it. It dies with any change of the account's credentials
/// or address, because it has an owner.
pub(crate) async fn mint_reset(
    deps: &Dependencies,
    changes: &Changes,
    user: &User,
    to: &Email,
) -> Result<Url, Failure> {
    let (token, hash) = OpaqueSecret::mint(PREFIX, deps.random.as_ref());
    let (owner, address) = (user.id, deps.crypto.index.claim_hash("email", to.as_str()).to_vec());
    let (hash, address) = (&hash, &address);
    changes
        .run(&changes.system_context(), "mint_reset", |mut change| async move {
            let row = OneTimeToken {
                hash: hash.to_vec(),
                purpose: PASSWORD_RESET.to_owned(),
                owner: Some(owner),
                payload: address.clone(),
                created_at: change.now,
                expires_at: change.now.plus(PASSWORD_RESET_LIFE),
            };
            change.one_time_tokens().insert(&row).await?;
            change.commit(()).await
        })
        .await?;
    url(deps, &token)
}
