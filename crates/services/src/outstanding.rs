//! What was mailed to a user, is not followed yet, and would open the account or change how it is come in by: a link that sets
//! a password, a code that signs in, the proof of another address. Whoever adds or takes away a factor or an account
//! elsewhere may do so because somebody else was in; none of it must lead in again.
//!
//! Deliberately absent: changes of the password or the address and wipes, after which every token of the user is gone. What
//! stays here: the proof of the address that the account has, a reset that was sent to an address that nobody has proven, links
//! that only unsubscribe or throw somebody out (the rows of these have no owner), and sign-ins and set-ups that are under way,
//! which ask for the factors that are held by then.

use userd_model::UserId;
use userd_storage::Failure;

use crate::{
    Dependencies,
    change::Change,
    email_code_rows::CODE_PURPOSE,
    link_tokens::PASSWORD_RESET,
    mailbox_proofs::{AskedIn, Proofs},
};

/// Lets it die, within the change of the ways in.
pub(crate) async fn outstanding_dies(
    deps: &Dependencies,
    change: &mut Change<'_>,
    user: UserId,
) -> Result<(), Failure> {
    let now = change.now;
    for purpose in [PASSWORD_RESET, CODE_PURPOSE] {
        change.one_time_tokens().remove_of_owner_for(user, purpose).await?;
    }
    Proofs(deps).forget_other_addresses(change, user, now, AskedIn::AllBut(None)).await
}
