//! The tokens of links in messages: their form, their purposes and how long they are good. What following one does is in
//! `links.rs` and in the services of those that open something.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;
use userd_crypto::OpaqueSecret;
use userd_model::{Deletion, Email, Timestamp, User};
use userd_storage::{Failure, repositories::one_time_tokens::OneTimeToken};

use crate::{Dependencies, change::Changes, sealing::row_context, user_reader::internal};

/// What secret scanners recognise a link by.
pub(crate) const PREFIX: &str = "udl_";

/// Sets a new password.
pub(crate) const PASSWORD_RESET: &str = "password_reset";
/// How long a link to reset a password is good.
pub(crate) const PASSWORD_RESET_LIFE: Duration = Duration::from_secs(3600);

/// Restores a deleted account.
pub(crate) const RESTORE: &str = "account_restore";

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
/// or address, because it has an owner. One to an address that nobody has proven has none: whoever only claims the address would
/// keep its owner out by changing something again and again (decision 0068).
pub(crate) async fn mint_reset(
    deps: &Dependencies,
    changes: &Changes,
    user: &User,
    to: &Email,
) -> Result<Url, Failure> {
    let (token, hash) = OpaqueSecret::mint(PREFIX, deps.random.as_ref());
    let (owner, address) =
        (user.email_verified.then_some(user.id), deps.crypto.index.claim_hash("email", to.as_str()).to_vec());
    let (hash, address) = (&hash, &address);
    changes
        .run(&changes.system_context(), "mint_reset", |mut change| async move {
            let row = OneTimeToken {
                hash: hash.to_vec(),
                purpose: PASSWORD_RESET.to_owned(),
                owner,
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

pub(crate) const RESTORE_CONTEXT: &str = "one_time_tokens|restore";

/// What a link to restore says.
#[derive(Serialize, Deserialize)]
pub(crate) struct RestoreLink {
    /// When the account was deleted: a link of an earlier deletion restores nothing.
    pub(crate) deleted_at: Timestamp,
}

/// A link that restores a deleted account, for the mail that carries it.
pub(crate) async fn mint_restore(deps: &Dependencies, changes: &Changes, deletion: &Deletion) -> Result<Url, Failure> {
    let (token, hash) = OpaqueSecret::mint(PREFIX, deps.random.as_ref());
    let plain = serde_json::to_vec(&RestoreLink { deleted_at: deletion.deleted_at }).map_err(internal)?;
    let context = row_context(RESTORE_CONTEXT, &[&hash]);
    let payload = deps.vault.seal(deps.random.as_ref(), &context, &plain).map_err(internal)?.0;
    let (hash, payload) = (&hash, &payload);
    changes
        .run(&changes.system_context(), "mint_restore_link", |mut change| async move {
            let row = OneTimeToken {
                hash: hash.to_vec(),
                purpose: RESTORE.to_owned(),
                owner: Some(deletion.user_id),
                payload: payload.clone(),
                created_at: change.now,
                expires_at: deletion.purge_at,
            };
            change.one_time_tokens().insert(&row).await?;
            change.commit(()).await
        })
        .await?;
    url(deps, &token)
}
