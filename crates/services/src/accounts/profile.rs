//! Changes of the profile, by its owner or an administrator.

use userd_model::{Act, EventKind, InvalidField, Refusal, User, UserId, UserStatus, text, user::ProfileChange};
use userd_storage::Failure;

use super::Accounts;
use crate::{Context, UserView};

/// A profile change as it comes in. An outer `None` leaves the field, an inner one clears it.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members of the contract's body")]
pub struct ProfileInput {
    pub display_name: Option<Option<String>>,
    pub locale: Option<Option<String>>,
    pub time_zone: Option<Option<String>>,
    pub attributes: Option<serde_json::Map<String, serde_json::Value>>,
    pub phone: Option<Option<String>>,
}

impl Accounts {
    /// Changes the profile of the signed-in user.
    ///
    /// # Errors
    /// `InvalidInput`, `VersionMismatch`.
    pub async fn change_profile(
        &self,
        ctx: &Context,
        input: ProfileInput,
        expected: Option<i64>,
    ) -> Result<UserView, Failure> {
        let (id, _) = ctx.user()?;
        self.change_profile_of(ctx, id, input, expected).await
    }

    /// Changes the profile of any account, blocked ones included.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InvalidInput`, `VersionMismatch`.
    pub async fn change_profile_of(
        &self,
        ctx: &Context,
        id: UserId,
        input: ProfileInput,
        expected: Option<i64>,
    ) -> Result<UserView, Failure> {
        ctx.may(&Act::ChangeProfile(id))?;
        let is_owner = ctx.user().is_ok_and(|(user, _)| user == id);
        let profile = &checked(input)?;
        let user = self
            .changes
            .run(ctx, "change_profile", |mut change| async move {
                let mut user = if is_owner {
                    change.active_user(id).await?
                } else {
                    let found = change.users().find(id).await?.filter(|user| user.status != UserStatus::Deleted);
                    found.ok_or(Refusal::NotFound)?
                };
                user.must_have_version(expected)?;
                let before = shown(&user);
                user.change_profile(profile.clone(), change.now);
                change.users().update(&user).await?;
                let both = serde_json::json!({ "before": before, "after": shown(&user) });
                change.event(EventKind::UserChanged, id, serde_json::json!({})).personal(both);
                change.forget(&user);
                change.commit(user).await
            })
            .await?;
        self.user_reader.view(&user)
    }
}

/// The profile, as the fact of its change keeps it.
fn shown(user: &User) -> serde_json::Value {
    serde_json::json!({
        "display_name": user.display_name, "locale": user.locale, "time_zone": user.time_zone,
        "attributes": user.attributes,
    })
}

fn checked(input: ProfileInput) -> Result<ProfileChange, Refusal> {
    let mut wrong = Vec::new();
    let change = ProfileChange {
        display_name: field(&mut wrong, "/display_name", input.display_name, text::display_name),
        locale: field(&mut wrong, "/locale", input.locale, text::locale),
        time_zone: field(&mut wrong, "/time_zone", input.time_zone, text::time_zone),
        attributes: input.attributes,
        forgets_phone: input.phone == Some(None),
    };
    if let Some(Some(_)) = input.phone {
        wrong.push(InvalidField::new("/phone", "can only be removed; a provider tells it"));
    }
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
