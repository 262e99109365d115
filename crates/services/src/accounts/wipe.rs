//! What goes when somebody proves the mailbox of an account that only claims it (decision 0008): every way in which the
//! claimant could come back, and what they wrote about themself.

use userd_model::User;
use userd_storage::Failure;

use crate::change::Change;

/// Wipes the account, whose address is proven from now on. The user's row is left to the caller, who writes it with a
/// raised epoch.
pub(crate) async fn wipe_claimant(change: &mut Change<'_>, user: &mut User) -> Result<(), Failure> {
    change.password_credentials().remove(user.id).await?;
    change.one_time_tokens().remove_of_owner(user.id).await?;
    for identity in change.identities().of_user(user.id).await? {
        change.identities().remove(identity.id).await?;
    }
    for stale in change.claims().of_owner(user.id).await? {
        if matches!(stale.kind.as_str(), "phone" | "username" | "username_skeleton" | "identity") {
            change.claims().remove(&stale.hash).await?;
        }
    }
    for factor in change.factors().of_user(user.id).await? {
        change.factors().remove(factor.id).await?;
    }
    change.recovery_codes().replace(user.id, &[]).await?;
    user.forget_profile();
    user.email_verified = true;
    Ok(())
}
