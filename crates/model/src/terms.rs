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

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str, version: &str, required: bool) -> Document {
        Document { id: id.to_owned(), version: version.to_owned(), url: String::new(), required }
    }

    fn says(id: &str, version: &str) -> Accepted {
        Accepted { id: id.to_owned(), version: version.to_owned() }
    }

    fn accepted(id: &str, version: &str) -> Acceptance {
        Acceptance {
            user_id: UserId(uuid::Uuid::nil()),
            document: id.to_owned(),
            version: version.to_owned(),
            accepted_at: Timestamp::from_seconds(1),
            origin: None,
        }
    }

    fn wrong(accept: &[Accepted]) -> Vec<String> {
        let documents = [document("terms", "2", true), document("privacy", "1", false)];
        match check(&documents, accept) {
            Ok(()) => Vec::new(),
            Err(Refusal::InvalidInput(fields)) => fields.into_iter().map(|field| field.pointer).collect(),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_document_in_its_current_version_is_accepted_and_each_once() {
        assert_eq!(wrong(&[]), [""; 0]);
        assert_eq!(wrong(&[says("terms", "2"), says("privacy", "1")]), [""; 0]);
        for one in [says("terms", "1"), says("privacy", "2"), says("cookies", "2"), says("", "")] {
            assert_eq!(wrong(&[says("terms", "2"), one]), ["/accept/1"]);
        }
        assert_eq!(wrong(&[says("terms", "2"), says("privacy", "1"), says("terms", "2")]), ["/accept/2"]);
    }

    #[test]
    fn no_more_is_looked_at_than_there_can_be() {
        let documents: Vec<_> = (0..=MOST).map(|number| document(&number.to_string(), "1", true)).collect();
        let all: Vec<_> = documents.iter().map(|document| says(&document.id, "1")).collect();
        assert_eq!(check(&documents, &all[..MOST]), Ok(()));
        assert_eq!(check(&documents, &all), Err(Refusal::field("/accept", "must have at most 64 items")));
    }

    #[test]
    fn what_is_required_is_owed_until_its_current_version_is_accepted() {
        let documents = [document("terms", "2", true), document("privacy", "1", true), document("news", "1", false)];
        let ids = |rows: &[Acceptance]| owed(&documents, rows).into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(&[]), ["terms", "privacy"]);
        assert_eq!(ids(&[accepted("terms", "1"), accepted("privacy", "1")]), ["terms"]);
        assert_eq!(ids(&[accepted("terms", "1"), accepted("terms", "2")]), ["privacy"]);
        // The version of one is no version of another.
        assert_eq!(ids(&[accepted("privacy", "2"), accepted("terms", "2")]), ["privacy"]);
        assert_eq!(ids(&[accepted("terms", "2"), accepted("privacy", "1")]), [""; 0]);
    }
}
