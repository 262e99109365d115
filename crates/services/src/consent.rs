//! What somebody accepted, when, and from where: as it waits with a registration, and as it is stored.

use serde::{Deserialize, Serialize};
use userd_model::{Acceptance, Accepted, EventKind, Refusal, Sealed, Timestamp, User, UserId, terms};
use userd_storage::Failure;

use crate::{
    Context, Dependencies,
    change::Change,
    user_reader::{internal, open_field, seal_field},
};

const ORIGIN: &str = "terms_origin";

/// What somebody accepted, when, and from where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Consent {
    accept: Vec<Accepted>,
    at: Timestamp,
    origin: Origin,
}

/// Where a consent came from, as it is sealed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Origin {
    address: Option<String>,
    device: Option<String>,
}

impl Consent {
    /// The consent of a request, checked; none where nothing is accepted.
    ///
    /// # Errors
    /// `InvalidInput` for what is no document in its current version.
    pub(crate) fn given(deps: &Dependencies, ctx: &Context, accept: &[Accepted]) -> Result<Option<Self>, Refusal> {
        terms::check(&deps.settings.documents, accept)?;
        let origin = Origin { address: ctx.origin.ip.clone(), device: ctx.origin.user_agent.clone() };
        Ok((!accept.is_empty()).then(|| Self { accept: accept.to_vec(), at: ctx.now, origin }))
    }

    /// The rows of it, for this user.
    pub(crate) fn rows(&self, deps: &Dependencies, user: UserId, key: &Sealed) -> Result<Vec<Acceptance>, Failure> {
        let plain = serde_json::to_vec(&self.origin).map_err(internal)?;
        let row = |accepted: &Accepted| {
            Ok(Acceptance {
                user_id: user,
                document: accepted.id.clone(),
                version: accepted.version.clone(),
                accepted_at: self.at,
                origin: Some(seal_field(deps, user, key, ORIGIN, &plain)?),
            })
        };
        self.accept.iter().map(row).collect()
    }
}

/// Remembers what is accepted. What was accepted before keeps its time.
pub(crate) async fn remember(change: &mut Change<'_>, user: UserId, rows: &[Acceptance]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut known = change.terms_acceptances().of_user(user).await?;
    for row in rows {
        if known.iter().any(|known| known.document == row.document && known.version == row.version) {
            continue;
        }
        change.terms_acceptances().write(row).await?;
        let data = serde_json::json!({ "document": row.document, "version": row.version });
        change.event(EventKind::TermsAccepted, user, data);
        known.push(row.clone());
    }
    Ok(())
}

/// Where an acceptance came from.
pub(crate) fn origin_of(deps: &Dependencies, user: &User, row: &Acceptance) -> Result<Option<Origin>, Failure> {
    let plain = open_field(deps, user, ORIGIN, row.origin.as_ref())?;
    plain.map(|plain| serde_json::from_str(&plain).map_err(internal)).transpose()
}
