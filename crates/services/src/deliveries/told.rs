//! What the link "this was not me" of a notice takes back: everything, from the mailbox or the chat that was the account's long
//! before; nothing but the sessions from anywhere else. Whoever got in reads the inbox too, and the mail to the address that
//! they have brought along.

use url::Url;
use userd_model::{EventKind, Fact, SessionId, User};
use userd_storage::Failure;

use super::Deliveries;
use crate::{
    fact_drafts::OpenedFact,
    links::{Happened, Told, is_settled},
    user_reader::{internal, open_field},
};

/// Where a notice goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Inbox,
    FirstAddress,
    FurtherAddress,
    Chat,
}

impl Deliveries {
    /// The link of a notice, for whom it reaches.
    pub(super) async fn not_me(
        &self,
        user: &User,
        (fact, opened): (&Fact, &OpenedFact),
        reached: Reached,
    ) -> Result<Url, Failure> {
        let told = match reached {
            Reached::Inbox | Reached::FurtherAddress => None,
            Reached::FirstAddress => self.told_by_mail(user, fact, opened).await?,
            Reached::Chat => self.told_in_chat(user, fact).await?,
        };
        let session_id = fact.data.get("session_id").and_then(|id| serde_json::from_value(id.clone()).ok());
        self.mint_not_me(user, session_id, told).await
    }

    /// In a unit of work of its own, as [`Self::mint`].
    pub(super) async fn mint_not_me(
        &self,
        user: &User,
        session_id: Option<SessionId>,
        told: Option<Told>,
    ) -> Result<Url, Failure> {
        let told = &told;
        self.changes
            .run(&self.changes.system_context(), "mint_link", |mut change| async move {
                let url = self.links.mint_not_me(&mut change, user.id, session_id, told.clone()).await?;
                change.commit(url).await
            })
            .await
    }

    async fn told_by_mail(&self, user: &User, fact: &Fact, opened: &OpenedFact) -> Result<Option<Told>, Failure> {
        let first = open_field(&self.deps, user, "email", user.email.as_ref())?.filter(|_| user.email_verified);
        let Some(to) = first else { return Ok(None) };
        let hash = self.deps.crypto.index.claim_hash("email", &to);
        let claim = self.deps.store.reading().claims().find(&hash).await?.filter(|claim| claim.owner == user.id);
        let is_theirs = claim.is_some_and(|claim| is_settled(user, claim.created_at, fact.at));
        // Who had the address that was the first one before is told by a letter of their own.
        let is_brought_along = fact.kind == EventKind::EmailChanged.as_str();
        if !is_theirs || is_brought_along {
            return Ok(None);
        }
        Ok(Some(Told { at: fact.at, to: Some(to), what: happened(fact, opened)? }))
    }

    async fn told_in_chat(&self, user: &User, fact: &Fact) -> Result<Option<Told>, Failure> {
        let identities = self.deps.store.reading().identities().of_user(user.id).await?;
        // The chat that the notice goes to (`chat_of`).
        let chat = identities.iter().find(|identity| identity.bot_access);
        let is_theirs = chat.is_some_and(|chat| is_settled(user, chat.created_at, fact.at));
        let is_link = fact.kind == EventKind::IdentityLinked.as_str();
        let what = if is_link { linked(fact)? } else { Happened::Passed };
        Ok(is_theirs.then_some(Told { at: fact.at, to: None, what }))
    }
}

/// What the fact brought that can be taken back.
fn happened(fact: &Fact, opened: &OpenedFact) -> Result<Happened, Failure> {
    let kind = EventKind::ALL.iter().find(|kind| kind.as_str() == fact.kind);
    Ok(match kind {
        Some(EventKind::IdentityLinked) => linked(fact)?,
        Some(EventKind::EmailAdded) => {
            let address = opened.personal.as_ref().and_then(|personal| personal.get("email"));
            let address = address.and_then(serde_json::Value::as_str);
            address.map_or(Happened::Passed, |address| Happened::AddressAdded(address.to_owned()))
        }
        Some(EventKind::FactorAdded) => match fact.data.get("factor_id") {
            Some(id) => Happened::Factor(serde_json::from_value(id.clone()).map_err(internal)?),
            None => Happened::Passed,
        },
        Some(EventKind::RecoveryCodesMade) => Happened::RecoveryCodes,
        _ => Happened::Passed,
    })
}

fn linked(fact: &Fact) -> Result<Happened, Failure> {
    match fact.data.get("identity_id") {
        Some(id) => Ok(Happened::Linked(serde_json::from_value(id.clone()).map_err(internal)?)),
        None => Ok(Happened::Passed),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use userd_model::{EventId, FactActor, Timestamp, UserId};

    use super::*;

    fn fact(kind: &str, data: Value) -> Fact {
        Fact {
            id: EventId::from_random([3; 16]),
            kind: kind.to_owned(),
            public: true,
            subject: UserId::from_random([1; 16]).into(),
            number: 1,
            actor: FactActor::unknown(),
            request_id: None,
            origin: None,
            personal: None,
            at: Timestamp::from_seconds(1_800_000_000),
            data,
        }
    }

    /// What "this was not me" takes back of each fact, as the link keeps it.
    #[test]
    fn a_link_takes_back_what_its_fact_brought() {
        let id = "6a1f0c3e-0000-4000-8000-000000000001";
        let personal = Some(json!({ "email": "eve@example.org" }));
        let opened = OpenedFact { personal, ..OpenedFact::default() };
        for (kind, data, opened, expected) in [
            ("identity.linked", json!({ "identity_id": id }), &opened, json!({ "linked": id })),
            ("identity.linked", json!({}), &opened, json!("passed")),
            ("user.email_added", json!({}), &opened, json!({ "address_added": "eve@example.org" })),
            ("user.email_added", json!({}), &OpenedFact::default(), json!("passed")),
            ("factor.added", json!({ "factor_id": id, "kind": "totp" }), &opened, json!({ "factor": id })),
            ("factor.added", json!({}), &opened, json!("passed")),
            ("factor.recovery_codes_made", json!({}), &opened, json!("recovery_codes")),
            ("user.password_changed", json!({ "identity_id": id, "factor_id": id }), &opened, json!("passed")),
            ("session.started", json!({ "session_id": id }), &opened, json!("passed")),
        ] {
            let found = happened(&fact(kind, data.clone()), opened).expect("what it brought");
            assert_eq!(serde_json::to_value(found).expect("JSON"), expected, "{kind} {data}");
        }
        for kind in ["identity.linked", "factor.added"] {
            let odd = json!({ "identity_id": "odd", "factor_id": "odd" });
            assert!(happened(&fact(kind, odd), &opened).is_err(), "a fact of ours names ids: {kind}");
        }
    }
}
