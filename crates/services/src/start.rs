//! Unlocking: reads the sealed system secrets with the master key (making them on the very first start, with the installation's id) and builds
//! the CryptoManager from them. Afterwards no other part needs the master key.

use std::sync::Arc;

use userd_crypto::{
    BlindIndex, CryptoManager, DeviceTokens, Fields, MasterKeys, PasswordOptions, Passwords, RefreshTokens,
    TokenOptions, Tokens, Vault, transparency::CheckpointKey,
};
use userd_model::{Clock, Random, Sealed, UserId};
use userd_storage::{Failure, Store, StoreError, repositories::system_secrets::INSTALLATION};

use crate::{Dependencies, user_reader::internal};

/// The key of the blind indexes and of the tags of opaque tokens.
pub(crate) const INDEX: &str = "blind_index";
/// The key that signs checkpoints of the audit log. Auditors keep its public half, so it is never changed.
const CHECKPOINTS: &str = "checkpoint_key";
/// The data key of what belongs to no single user.
const VAULT: &str = "vault";

/// How tokens and passwords are made.
pub struct CryptoOptions {
    /// Issuer, audience, size of the memory of verified tokens.
    pub tokens: TokenOptions,
    /// Parameters and bounds of password hashing.
    pub passwords: PasswordOptions,
}

/// Builds the CryptoManager, and the vault, from the database's sealed secrets.
///
/// # Errors
/// A master key that did not seal them, storage faults.
pub async fn unlock(
    store: &Store,
    master: MasterKeys,
    random: &Arc<dyn Random>,
    clock: &Arc<dyn Clock>,
    options: CryptoOptions,
) -> Result<(CryptoManager, Vault), Failure> {
    let fields = Fields::new(master);
    if store.reading().system_secrets().find(VAULT).await?.is_none() {
        first_secrets(store, &fields, random.as_ref(), clock.as_ref()).await?;
    }
    if store.reading().system_secrets().find(INSTALLATION).await?.is_none() {
        name_installation(store, random.as_ref(), clock.as_ref()).await?;
    }
    if store.reading().system_secrets().find(CHECKPOINTS).await?.is_none() {
        first_checkpoint_key(store, &fields, random.as_ref(), clock.as_ref()).await?;
    }
    store.pin_installation().await?;
    let mut reading = store.reading();
    let missing = || Failure::Internal("the system secrets are missing".to_owned());
    let index = reading.system_secrets().find(INDEX).await?.ok_or_else(missing)?;
    let vault = reading.system_secrets().find(VAULT).await?.ok_or_else(missing)?;
    let checkpoints = reading.system_secrets().find(CHECKPOINTS).await?.ok_or_else(missing)?;
    let index = fields.open_system(INDEX, &index).map_err(foreign)?;
    let vault = fields.open_data_key(&vault, nobody()).map_err(foreign)?;
    let checkpoints = fields.open_system(CHECKPOINTS, &checkpoints).map_err(foreign)?;
    let index = BlindIndex::new(<[u8; 32]>::try_from(index.as_slice()).map_err(internal)?);
    let crypto = CryptoManager {
        passwords: Passwords::new(options.passwords, Arc::clone(random), Arc::clone(clock)).map_err(internal)?,
        tokens: Tokens::new(options.tokens),
        refresh_tokens: RefreshTokens::new(index.derive("refresh tokens")),
        browser_secrets: RefreshTokens::of_browsers(index.derive("browser sessions")),
        host_secrets: RefreshTokens::of_hosts(index.derive("sessions at hosts")),
        device_tokens: DeviceTokens::new(index.derive("device tokens")),
        checkpoints: CheckpointKey::from_pkcs8(&checkpoints).map_err(internal)?,
        fields,
        index,
    };
    Ok((crypto, Vault::new(vault)))
}

/// Whether the master key opens what the database is sealed with. Nothing is changed.
///
/// # Errors
/// A master key that did not seal it, a database that was never served, storage faults.
pub async fn opens(store: &Store, master: MasterKeys) -> Result<(), Failure> {
    let fields = Fields::new(master);
    let missing = || Failure::Internal("the database holds no system secrets: it was never served".to_owned());
    let index = store.reading().system_secrets().find(INDEX).await?.ok_or_else(missing)?;
    let vault = store.reading().system_secrets().find(VAULT).await?.ok_or_else(missing)?;
    fields.open_system(INDEX, &index).map_err(foreign)?;
    fields.open_data_key(&vault, nobody()).map_err(foreign)?;
    Ok(())
}

async fn first_secrets(store: &Store, fields: &Fields, random: &dyn Random, clock: &dyn Clock) -> Result<(), Failure> {
    let now = clock.now();
    let index = &fields.seal_system(random, INDEX, &random.secret()).map_err(internal)?;
    let vault = &fields.new_data_key(random, nobody()).map_err(internal)?;
    store
        .transact("first_secrets", |mut uow| async move {
            // Of several replicas starting at once, the first one's secrets are everybody's.
            let (old_index, old_vault) =
                (uow.system_secrets().find(INDEX).await?, uow.system_secrets().find(VAULT).await?);
            if old_index.is_none() && old_vault.is_none() {
                uow.system_secrets().insert(INDEX, index, now).await.map_err(lost_race)?;
                uow.system_secrets().insert(VAULT, vault, now).await.map_err(lost_race)?;
            }
            uow.commit(()).await
        })
        .await
}

/// Makes the key of the audit log's checkpoints, at the first start and at the first one after an upgrade.
async fn first_checkpoint_key(
    store: &Store,
    fields: &Fields,
    random: &dyn Random,
    clock: &dyn Clock,
) -> Result<(), Failure> {
    let key = CheckpointKey::generate().map_err(internal)?;
    let (key, now) = (&fields.seal_system(random, CHECKPOINTS, &key).map_err(internal)?, clock.now());
    store
        .transact("first_checkpoint_key", |mut uow| async move {
            if uow.system_secrets().find(CHECKPOINTS).await?.is_none() {
                uow.system_secrets().insert(CHECKPOINTS, key, now).await.map_err(lost_race)?;
            }
            uow.commit(()).await
        })
        .await
}

/// Gives the installation an id, by which its database is told from another one.
async fn name_installation(store: &Store, random: &dyn Random, clock: &dyn Clock) -> Result<(), Failure> {
    let (id, now) = (&Sealed(random.id_bytes().to_vec()), clock.now());
    store
        .transact("name_installation", |mut uow| async move {
            if uow.system_secrets().find(INSTALLATION).await?.is_none() {
                uow.system_secrets().insert(INSTALLATION, id, now).await.map_err(lost_race)?;
            }
            uow.commit(()).await
        })
        .await
}

/// Another replica was first: look again.
fn lost_race(error: StoreError) -> StoreError {
    match error {
        StoreError::Duplicate(_) => StoreError::Conflict,
        other => other,
    }
}

/// Re-wraps one system secret under the current master key, if it is not.
pub(crate) fn rewrap_secret(deps: &Dependencies, name: &str, sealed: &Sealed) -> Result<Option<Sealed>, Failure> {
    let (fields, random) = (&deps.crypto.fields, deps.random.as_ref());
    // The installation's id is not sealed.
    if name == INSTALLATION || !fields.needs_rewrap(sealed) {
        return Ok(None);
    }
    if name == VAULT {
        return fields.rewrap_data_key(random, sealed, nobody()).map(Some).map_err(internal);
    }
    fields.rewrap_system(random, name, sealed).map(Some).map_err(internal)
}

/// The vault's key is wrapped like a user's, for a user that can't exist.
fn nobody() -> UserId {
    UserId(uuid::Uuid::nil())
}

fn foreign(fault: impl std::fmt::Display) -> Failure {
    Failure::Internal(format!(
        "the database was sealed with another master key ({fault}); give that key, or name it in \
         crypto.previous_master_key_files"
    ))
}
