//! Terms: the documents that an account needs, and which of them its owner has accepted in which version. Deliberately
//! absent: what they say; where that stands is configured.

use serde::{Deserialize, Serialize};

use crate::{InvalidField, Refusal, Sealed, Timestamp, UserId};

/// A document, in the version that counts now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Names it for good.
    pub id: String,
    /// A word that changes when it has to be accepted anew.
    pub version: String,
    /// Where it can be read.
    pub url: String,
    /// Whether nobody signs in who has not accepted it.
    pub required: bool,
}

/// A document that somebody says to accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Which.
    pub id: String,
    /// In which version.
    pub version: String,
}

/// A document that a user has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Who.
    pub user_id: UserId,
    /// Which.
    pub document: String,
    /// In which version.
    pub version: String,
    /// When.
    pub accepted_at: Timestamp,
    /// From where: sealed.
    pub origin: Option<Sealed>,
}

/// The most that may be accepted at once.
const MOST: usize = 64;

/// Refuses what names no document in its current version.
///
/// # Errors
/// `InvalidInput` with every entry that is wrong.
pub fn check(documents: &[Document], accept: &[Accepted]) -> Result<(), Refusal> {
    if accept.len() > MOST {
        return Err(Refusal::field("/accept", "must have at most 64 items"));
    }
    let is_current = |accepted: &Accepted| {
        documents.iter().any(|known| known.id == accepted.id && known.version == accepted.version)
    };
    let wrong: Vec<InvalidField> = accept
        .iter()
        .enumerate()
        .filter_map(|(at, accepted)| match accept.iter().take(at).any(|earlier| earlier == accepted) {
            true => Some((at, "stands here twice")),
            false => (!is_current(accepted)).then_some((at, "is no document in its current version")),
        })
        .map(|(at, detail)| InvalidField::new(format!("/accept/{at}"), detail))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::InvalidInput(wrong)) }
}

/// The required documents that are not accepted in the version that counts now.
#[must_use]
pub fn owed(documents: &[Document], accepted: &[Acceptance]) -> Vec<Document> {
    let is_accepted =
        |document: &Document| accepted.iter().any(|row| row.document == document.id && row.version == document.version);
    documents.iter().filter(|document| document.required && !is_accepted(document)).cloned().collect()
}
