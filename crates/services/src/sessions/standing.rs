//! What a user has to prove, and whether what was proven is enough: read from the account, the factors that are held and
//! the policy of the operator. The rule itself is the model's (`userd_model::sign_in`).

use userd_model::{Factor, Level, User, sign_in::Standing};

use super::Sessions;

impl Sessions {
    /// Where somebody stands who has proven who they are by these methods.
    pub(super) fn standing(&self, user: &User, amr: &[String], factors: &[Factor]) -> Standing {
        Standing {
            level: Level::of(amr),
            holds_factor: !factors.is_empty(),
            must_have_two: self.deps.settings.mfa.asks(user),
            is_remembered: false,
        }
    }
}
