//! Sealing and opening what an identity holds, for those who sign in and link.

use userd_crypto::Zeroizing;
use userd_model::{Identity, IdentityId, Refusal, Sealed, User};
use userd_providers::Profile;
use userd_storage::Failure;

use super::SignIn;
use crate::{
    remembered::{Remembered, context, open, remembered},
    user_reader::internal,
};

impl SignIn {
    pub(super) fn seal_profile(&self, user: &User, id: IdentityId, remembered: &Remembered) -> Result<Sealed, Failure> {
        let bytes = serde_json::to_vec(remembered).map_err(internal)?;
        self.seal(user, id, "profile", &bytes)
    }

    pub(super) fn seal_tokens(
        &self,
        user: &User,
        id: IdentityId,
        profile: &Profile,
    ) -> Result<Option<Sealed>, Failure> {
        let Some(tokens) = &profile.tokens else { return Ok(None) };
        let bytes = tokens.to_sealable().map_err(internal)?;
        self.seal(user, id, "tokens", &bytes).map(Some)
    }

    pub(super) fn remembered(&self, user: &User, identity: &Identity) -> Result<Option<Remembered>, Failure> {
        remembered(&self.deps, user, identity)
    }

    pub(super) fn seal(&self, user: &User, id: IdentityId, field: &str, plain: &[u8]) -> Result<Sealed, Failure> {
        let wrapped = user.data_key.as_ref().ok_or(Refusal::NotFound)?;
        let key = self.deps.crypto.fields.open_data_key(wrapped, user.id).map_err(internal)?;
        key.seal(self.deps.random.as_ref(), &context(id, field), plain).map_err(internal)
    }

    pub(super) fn open(
        &self,
        user: &User,
        id: IdentityId,
        field: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        open(&self.deps, user, id, field, sealed)
    }
}
