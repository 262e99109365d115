//! Changes of the profile by its owner.

use userd_model::{Event, EventId, EventKind, InvalidField, Refusal, UserId, text, user::ProfileChange};
use userd_storage::Failure;

use super::Accounts;
use crate::{UserView, revocations::changed};

/// A profile change as it comes in. An outer `None` leaves the field, an inner one clears it.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct ProfileInput {
    pub display_name: Option<Option<String>>,
    pub locale: Option<Option<String>>,
    pub time_zone: Option<Option<String>>,
    pub attributes: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Accounts {
    /// Changes the profile.
    ///
    /// # Errors
    /// `InvalidInput`, `VersionMismatch`, `NotFound`.
    pub async fn change_profile(
        &self,
        user: UserId,
        input: ProfileInput,
        expected: Option<i64>,
    ) -> Result<UserView, Failure> {
        let change = &checked(input)?;
        let now = self.parts.now();
        let event = &Event {
            id: EventId::mint(self.parts.random.as_ref()),
            kind: EventKind::UserChanged,
            user_id: user,
            at: now,
            data: serde_json::json!({}),
        };
        let entry = &self.sessions.revocations.mint_change(user, now);
        let (user, entries) = self
            .parts
            .store
            .transact("change_profile", |mut uow| async move {
                let mut user = uow.users().find(user).await?.ok_or(Refusal::NotFound)?;
                user.must_be_active()?;
                user.must_have_version(expected)?;
                user.change_profile(change.clone(), now);
                uow.users().update(&user).await?;
                uow.outbox().push(event).await?;
                let entries = vec![changed(entry, &user)];
                self.sessions.revocations.record(&mut uow, &entries).await?;
                uow.commit((user, entries)).await
            })
            .await?;
        self.people.changed(&user).await;
        self.sessions.revocations.announce(&entries).await;
        self.people.view(&user)
    }
}

fn checked(input: ProfileInput) -> Result<ProfileChange, Refusal> {
    let mut wrong = Vec::new();
    let change = ProfileChange {
        display_name: field(&mut wrong, "/display_name", input.display_name, text::display_name),
        locale: field(&mut wrong, "/locale", input.locale, text::locale),
        time_zone: field(&mut wrong, "/time_zone", input.time_zone, text::time_zone),
        attributes: input.attributes,
    };
    if let Some(attributes) = &change.attributes
        && let Err(detail) = text::attributes(attributes)
    {
        wrong.push(InvalidField::new("/attributes", detail));
    }
    if wrong.is_empty() { Ok(change) } else { Err(Refusal::InvalidInput(wrong)) }
}

fn field<E: Into<String>>(
    wrong: &mut Vec<InvalidField>,
    pointer: &str,
    input: Option<Option<String>>,
    check: impl FnOnce(&str) -> Result<String, E>,
) -> Option<Option<String>> {
    match input? {
        None => Some(None),
        Some(value) => match check(&value) {
            Ok(value) => Some(Some(value)),
            Err(detail) => {
                wrong.push(InvalidField::new(pointer, detail));
                None
            }
        },
    }
}
