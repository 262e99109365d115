//! Field encryption: a data key per user, wrapped by the master key. Destroying the wrapped key erases the user's
//! fields even from backups. Every ciphertext is bound to its table, column and row.

use std::{
    fmt::Display,
    sync::atomic::{AtomicBool, Ordering},
};

use userd_model::{Random, Sealed, UserId};
use zeroize::Zeroizing;

use crate::{
    CryptoError, MasterKeys,
    aead::{self, Key, Mark},
    mac::MacKey,
};

/// Marks values sealed under a data key; which one is known from the row.
const DATA_KEY: Mark = *b"data";

/// Wraps and opens data keys, and seals the few things that belong to no user.
#[derive(Debug)]
pub struct Fields {
    keys: MasterKeys,
    lacks_a_key: AtomicBool,
}

/// One user's key. Wiped when dropped.
pub struct DataKey(Key);

/// The place that a ciphertext is bound to: `table|column|row`. A value moved to another place cannot be opened.
#[must_use]
pub fn place(table: &str, column: &str, row: impl Display) -> String {
    format!("{table}|{column}|{row}")
}

impl Fields {
    /// Under these master keys.
    #[must_use]
    pub const fn new(keys: MasterKeys) -> Self {
        Self { keys, lacks_a_key: AtomicBool::new(false) }
    }

    /// The master keys.
    #[must_use]
    pub const fn master_keys(&self) -> &MasterKeys {
        &self.keys
    }

    /// Whether this wrapped data key or system value is under one of these keys.
    #[must_use]
    pub fn knows(&self, sealed: &Sealed) -> bool {
        aead::mark_of(sealed).is_some_and(|mark| self.keys.find(mark).is_some())
    }

    /// Whether anything was to be opened so far that is under none of these keys: the configuration lacks one.
    #[must_use]
    pub fn lacks_a_key(&self) -> bool {
        self.lacks_a_key.load(Ordering::Relaxed)
    }

    /// A new data key for `user`, wrapped for storing in the user's row.
    pub fn new_data_key(&self, random: &dyn Random, user: UserId) -> Result<Sealed, CryptoError> {
        let key = Zeroizing::new(random.secret());
        self.seal(random, &data_key_place(user), key.as_slice())
    }

    /// Unwraps the data key of `user`.
    pub fn open_data_key(&self, wrapped: &Sealed, user: UserId) -> Result<DataKey, CryptoError> {
        let bytes = self.open(&data_key_place(user), wrapped)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| CryptoError::CannotOpen)?;
        Ok(DataKey(Zeroizing::new(key)))
    }

    /// Seals something of the system (a signing key, the blind-index key) directly under the master key.
    pub fn seal_system(&self, random: &dyn Random, name: &str, plain: &[u8]) -> Result<Sealed, CryptoError> {
        self.seal(random, &system_place(name), plain)
    }

    /// Opens what [`Fields::seal_system`] sealed under the same name.
    pub fn open_system(&self, name: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.open(&system_place(name), sealed)
    }

    /// Whether this wrapped data key or system value is not under the current master key.
    #[must_use]
    pub fn needs_rewrap(&self, sealed: &Sealed) -> bool {
        aead::mark_of(sealed) != Some(self.keys.current().mark)
    }

    /// Wraps the data key of `user` again, under the current master key. The user's fields stay as they are.
    pub fn rewrap_data_key(&self, random: &dyn Random, wrapped: &Sealed, user: UserId) -> Result<Sealed, CryptoError> {
        let place = data_key_place(user);
        self.seal(random, &place, &self.open(&place, wrapped)?)
    }

    /// Seals a system value again, under the current master key.
    pub fn rewrap_system(&self, random: &dyn Random, name: &str, sealed: &Sealed) -> Result<Sealed, CryptoError> {
        self.seal_system(random, name, &self.open_system(name, sealed)?)
    }

    fn seal(&self, random: &dyn Random, place: &str, plain: &[u8]) -> Result<Sealed, CryptoError> {
        let master = self.keys.current();
        aead::seal(&master.key, master.mark, random, place, plain)
    }

    fn open(&self, place: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mark = aead::mark_of(sealed).ok_or(CryptoError::CannotOpen)?;
        let Some(master) = self.keys.find(mark) else {
            self.lacks_a_key.store(true, Ordering::Relaxed);
            return Err(CryptoError::UnknownMasterKey);
        };
        aead::open(&master.key, master.mark, place, sealed)
    }
}

impl DataKey {
    /// Seals a field for one [`place`].
    pub fn seal(&self, random: &dyn Random, place: &str, plain: &[u8]) -> Result<Sealed, CryptoError> {
        aead::seal(&self.0, DATA_KEY, random, place, plain)
    }

    /// Opens a field that was sealed for the same [`place`].
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        aead::open(&self.0, DATA_KEY, place, sealed)
    }
}

/// Seals any number of values: each under a subkey of its own, made from the vault's key and 128 random bits that are
/// kept in front of the sealed bytes. A single key must not seal more than 2^32 values with random nonces.
pub struct Vault(MacKey);

const SALT_LEN: usize = 16;

impl Vault {
    /// With this key.
    #[must_use]
    pub fn new(key: DataKey) -> Self {
        Self(MacKey::new(&key.0))
    }

    /// Seals a value for one [`place`].
    pub fn seal(&self, random: &dyn Random, place: &str, plain: &[u8]) -> Result<Sealed, CryptoError> {
        let salt = random.id_bytes();
        let sealed = self.subkey(&salt).seal(random, place, plain)?;
        Ok(Sealed([salt.as_slice(), &sealed.0].concat()))
    }

    /// Opens a value that was sealed for the same [`place`].
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (salt, body) = sealed.0.split_first_chunk::<SALT_LEN>().ok_or(CryptoError::CannotOpen)?;
        self.subkey(salt).open(place, &Sealed(body.to_vec()))
    }

    fn subkey(&self, salt: &[u8; SALT_LEN]) -> DataKey {
        DataKey(Zeroizing::new(self.0.tag(&[b"vault", salt])))
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

fn data_key_place(user: UserId) -> String {
    place("users", "data_key", user)
}

fn system_place(name: &str) -> String {
    place("system_secrets", "sealed", name)
}
