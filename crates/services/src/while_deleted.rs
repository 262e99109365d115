//! Changes of an account that is deleted: they are made to what it comes back as.

use userd_model::{Deletion, User, UserStatus};
use userd_storage::Failure;

use crate::change::Change;

/// Lets a deleted account be what it would come back as, so that a change finds it like any other. Answers its deletion, for
/// [`stays_deleted`]; none for an account that is not deleted.
pub(crate) async fn as_it_comes_back(change: &mut Change<'_>, user: &mut User) -> Result<Option<Deletion>, Failure> {
    if user.status != UserStatus::Deleted {
        return Ok(None);
    }
    let deletion = change.deletions().find(user.id).await?;
    if let Some(deletion) = &deletion {
        user.status = deletion.status_before;
    }
    Ok(deletion)
}

/// The account stays deleted, and comes back as it is now.
pub(crate) async fn stays_deleted(change: &mut Change<'_>, user: &mut User, deletion: Deletion) -> Result<(), Failure> {
    let status_before = std::mem::replace(&mut user.status, UserStatus::Deleted);
    Ok(change.deletions().write(&Deletion { status_before, ..deletion }).await?)
}
