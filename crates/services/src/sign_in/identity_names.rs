//! What accounts elsewhere are called in claims: provider, issuer and subject as one text. Deliberately absent: looking
//! one up and changing it (`admit.rs`, `identities.rs`, `bot.rs`).

use userd_providers::Profile;

/// The kind of claims on accounts elsewhere.
pub(super) const KIND: &str = "identity";

/// Everything a profile is known by: its subject, and the second one where the provider has two.
pub(super) fn names(profile: &Profile) -> Vec<String> {
    let secondary = profile.secondary.as_ref().map(|key| (key.issuer.as_str(), key.subject.as_str()));
    [Some((profile.issuer.as_str(), profile.subject.as_str())), secondary]
        .into_iter()
        .flatten()
        .map(|(issuer, subject)| name(&profile.provider, issuer, subject))
        .collect()
}

/// One account elsewhere as one text; JSON keeps the three parts apart whatever they hold.
pub(super) fn name(provider: &str, issuer: &str, subject: &str) -> String {
    serde_json::json!([provider, issuer, subject]).to_string()
}
