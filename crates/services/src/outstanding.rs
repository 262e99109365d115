//! What was mailed to a user, is not followed yet, and would open the account or change how it is come in by: a link that sets
//! a password, a code that signs in, the proof of another address. Whoever adds or takes away a factor or an account
//! elsewhere may do so because somebody else was in; none of it must lead in again.
//!
//! Where something is taken away, the sign-ins that are under way die too: each of them may rest on what is gone. What is
//! added takes nothing from them: they ask for the factors that are held by then.
//!
//! Deliberately absent: changes of the password or the address and wipes, after which every token of the user is gone. What
//! stays here: the proof of the address that the account has, a reset that was sent to an address that nobody has proven, links that only unsubscribe or throw somebody out (their rows
//! have no owner), and set-ups that are under way. Rows that are written after the taking, by who came in before it, are the
//! completion's to refuse (`sessions/completion.rs`).

use userd_model::UserId;
use userd_storage::Failure;

use crate::{
    Dependencies,
    change::Change,
    email_code_rows::CODE_PURPOSE,
    link_tokens::PASSWORD_RESET,
    mailbox_proofs::{AskedIn, Proofs},
    sessions::{BOT_PURPOSE, CHALLENGE_PURPOSE, EXCHANGE_PURPOSE},
};

/// Sign-ins that are under way: what was proven so far is in them.
const UNDER_WAY: [&str; 3] = [CHALLENGE_PURPOSE, EXCHANGE_PURPOSE, BOT_PURPOSE];

/// Lets it die, within a change that takes a way in or a factor away, and with it whatever that one began.
pub(crate) async fn begun_dies(deps: &Dependencies, change: &mut Change<'_>, user: UserId) -> Result<(), Failure> {
    for purpose in UNDER_WAY {
        change.one_time_tokens().remove_of_owner_for(user, purpose).await?;
    }
    outstanding_dies(deps, change, user).await
}

/// Lets it die, within a change that adds a way in or a factor.
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
