//! Invitations to register, found by the hash of what their holders show.

use userd_model::{Invitation, InvitationId, Sealed, Timestamp, UserId};
use uuid::Uuid;

use super::{list, words};
use crate::{
    Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// Invitations.
pub struct Invitations<'a>(pub(super) &'a mut UnitOfWork);

statements_of! { INVITATIONS:
    INSERT = "invitations.insert": Shape::Insert;
    BY_ID = "invitations.by_id": Shape::Find;
    BY_TOKEN = "invitations.by_token": Shape::List(List::along("invitations_by_token").equal(1));
    UPDATE_USES = "invitations.update_uses": Shape::Update(&["uses"]);
    REMOVE = "invitations.remove": Shape::Remove;
    PAGE = "invitations.page": Shape::List(List::along("invitations_by_created").range(Range::Behind));
}

impl Invitations<'_> {
    /// Adds an invitation.
    ///
    /// # Errors
    /// `Duplicate(Key("invitations"))` when the id exists.
    pub async fn insert(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        let values: [Value; 8] = [
            invitation.id.into(),
            invitation.token_hash.clone().into(),
            invitation.email.as_ref().map(|email| email.0.clone()).into(),
            words(&invitation.roles),
            invitation.uses.into(),
            invitation.created_by.into(),
            invitation.created_at.into(),
            invitation.expires_at.into(),
        ];
        self.0.write(&INSERT, &values).await
    }

    /// The invitation with this id.
    pub async fn find(&mut self, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
        self.0.one(&BY_ID, &[id.into()], invitation).await
    }

    /// The invitation whose token has this hash.
    pub async fn by_token(&mut self, hash: &[u8]) -> Result<Option<Invitation>, StoreError> {
        self.0.one(&BY_TOKEN, &[hash.into(), 1_i64.into()], invitation).await
    }

    /// Writes how often it may still be used; one that is used up goes.
    pub async fn write_uses(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        if invitation.uses < 1 {
            return self.remove(invitation.id).await;
        }
        self.0.write(&UPDATE_USES, &[invitation.uses.into(), invitation.id.into()]).await
    }

    /// Removes an invitation.
    pub async fn remove(&mut self, id: InvitationId) -> Result<(), StoreError> {
        self.0.write(&REMOVE, &[id.into()]).await
    }

    /// Up to `limit` invitations by (`created_at`, id) ascending, behind `after`.
    pub async fn page(
        &mut self,
        after: Option<(Timestamp, InvitationId)>,
        limit: u32,
    ) -> Result<Vec<Invitation>, StoreError> {
        let (at, id) = after.unwrap_or((Timestamp::from_micros(0), InvitationId(Uuid::nil())));
        self.0.many(&PAGE, &[at.into(), id.into(), i64::from(limit).into()], invitation).await
    }
}

fn invitation(row: &mut Row) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: InvitationId(row.uuid(position!(INVITATIONS.id))?),
        token_hash: row.bytes(position!(INVITATIONS.token_hash))?,
        email: row.bytes_or_null(position!(INVITATIONS.email))?.map(Sealed),
        roles: list(row.json(position!(INVITATIONS.roles))?)?,
        uses: row.i64(position!(INVITATIONS.uses))?,
        created_by: row.uuid_or_null(position!(INVITATIONS.created_by))?.map(UserId),
        created_at: row.timestamp(position!(INVITATIONS.created_at))?,
        expires_at: row.timestamp(position!(INVITATIONS.expires_at))?,
    })
}
