//! How many mails of one kind an address gets, and how many wrong codes of such mails are compared. Both are counted by the
//! address, from wherever and in however many attempts, and whether it is somebody's or not (decision 0066).
//!
//! Strangers share one count, of which one network has a part. Whoever its owner is known by, a session or a device that has
//! signed in before, has a count of their own, so that strangers shut nobody out.
//!
//! Deliberately absent: what one network asks for, to whatever addresses (`limits.rs`).

use serde::{Deserialize, Serialize};
use userd_model::{Refusal, UserId};
use userd_storage::Failure;
use userd_templates::Kind;

use crate::{
    Context, Dependencies,
    limits::{Limited, Limits},
    passwords::current_device,
    sealing::hex,
};

/// Who asks for a mail or shows a code, as far as it sets them apart from strangers.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Asking {
    network: String,
    /// For whom their session or their device speaks.
    speaks_for: Option<UserId>,
}

/// What was taken of the counts, to be given back where nothing comes of it.
#[derive(Default)]
pub(crate) struct Reserved(Vec<(Limited, String)>);

impl Asking {
    /// Looks at what is shown, never at the address: it takes as long for one that nobody has.
    pub(crate) async fn of(deps: &Dependencies, ctx: &Context) -> Result<Self, Failure> {
        let network = ctx.origin.network.clone();
        if let Ok((user, _)) = ctx.user() {
            return Ok(Self { network, speaks_for: Some(user) });
        }
        let shown = ctx.device_token.as_deref().and_then(|token| deps.crypto.device_tokens.parse(token));
        let device = match shown {
            Some(shown) => current_device(deps, shown).await?,
            None => None,
        };
        Ok(Self { network, speaks_for: device.map(|device| device.user) })
    }

    /// Somebody who may ask in the name of an account.
    pub(crate) fn on_behalf_of(user: UserId, ctx: &Context) -> Self {
        Self { network: ctx.origin.network.clone(), speaks_for: Some(user) }
    }

    /// Whether it is the owner, as far as that is known.
    pub(crate) fn is(&self, owner: Option<UserId>) -> bool {
        owner.is_some() && self.speaks_for == owner
    }
}

impl Limits {
    /// Reserves one more mail of this kind to the address with this claim, which is `owner`'s if it is anybody's. None where
    /// it got too many. To be asked before anything is made that the mail would carry: a code that no mail brings
    /// is there only to be guessed. What goes out by itself is asked for by nobody.
    pub(crate) async fn reserve_mail(
        &self,
        (kind, claim): (Kind, &[u8]),
        asking: Option<&Asking>,
        owner: Option<UserId>,
    ) -> Option<Reserved> {
        let recipient = format!("{}|{}", kind.as_str(), hex(claim));
        let counts = match asking {
            None => vec![(Limited::MailPerRecipient, recipient)],
            Some(asking) if asking.is(owner) => vec![(Limited::MailPerRecipient, format!("{recipient}|known"))],
            // The network before all of them: one that has used up its own takes nothing of the others'.
            Some(asking) => vec![
                (Limited::MailPerRecipient, format!("{recipient}|{}", asking.network)),
                (Limited::MailPerRecipientFromAll, recipient),
            ],
        };
        let mut reserved = Reserved::default();
        for (what, key) in counts {
            if self.reserve(what, &key).await.is_err() {
                self.give_all_back(reserved).await;
                return None;
            }
            reserved.0.push((what, key));
        }
        Some(reserved)
    }

    /// Reserves one code that is shown for the address with this claim, before it is compared; by its owner, where that is
    /// known.
    ///
    /// # Errors
    /// `TooManyAttempts`: then nobody may be told whether it was right.
    pub(crate) async fn reserve_guess(&self, claim: &[u8], is_known: bool) -> Result<Reserved, Refusal> {
        let address = hex(claim);
        let key = if is_known { format!("{address}|known") } else { address };
        self.reserve(Limited::CodePerAddress, &key).await?;
        Ok(Reserved(vec![(Limited::CodePerAddress, key)]))
    }

    /// Nothing came of it, or the code was right.
    pub(crate) async fn give_all_back(&self, reserved: Reserved) {
        for (what, key) in reserved.0 {
            self.give_back(what, &key).await;
        }
    }
}
