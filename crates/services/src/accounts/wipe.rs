//! What goes when somebody proves the mailbox of an account that only claims it (decision 0008): every way in which the
//! claimant could come back, and what they wrote about themself.

use serde_json::json;
use userd_model::{EventKind, User};
use userd_storage::Failure;

use crate::change::Change;

/// Why a factor went: whoever proved the address took over an account that nobody had proven.
const PROVEN_BY_ANOTHER: &str = "mailbox_proven_by_another";

/// Wipes the account, whose address is proven from now on. The user's row is left to the caller, who writes it with a
/// raised epoch.
pub(crate) async fn wipe_claimant(change: &mut Change<'_>, user: &mut User) -> Result<(), Failure> {
    change.password_credentials().remove(user.id).await?;
    change.one_time_tokens().remove_of_owner(user.id).await?;
    for identity in change.identities().of_user(user.id).await? {
        change.identities().remove(identity.id).await?;
        let data = json!({ "identity_id": identity.id, "provider": identity.provider });
        change.event(EventKind::IdentityUnlinked, user.id, data);
    }
    for stale in change.claims().of_owner(user.id).await? {
        if matches!(stale.kind.as_str(), "phone" | "username" | "username_skeleton" | "identity" | "passkey") {
            change.claims().remove(&stale.hash).await?;
        }
    }
    for factor in change.factors().of_user(user.id).await? {
        change.factors().remove(factor.id).await?;
        let data = json!({ "factor_id": factor.id, "kind": factor.kind.as_str(), "reason": PROVEN_BY_ANOTHER });
        change.event(EventKind::FactorRemoved, user.id, data);
    }
    for address in change.further_emails().of_user(user.id).await? {
        change.further_emails().remove(address.id).await?;
    }
    change.terms_acceptances().remove_of_user(user.id).await?;
    change.recovery_codes().replace(user.id, &[]).await?;
    user.forget_profile();
    user.email_verified = true;
    Ok(())
}
