//! How sign-ins end, for those who run the service: one counter, and three fields of the request's line in the access
//! log. Deliberately absent: any decision, and what the caller is told.

use metrics::counter;
use tracing::{Span, field};
use userd_model::{Refusal, UserId};
use userd_storage::Failure;

/// The method of those who sign in with a password; every other method is the id of a configured provider. No provider
/// may be called so.
pub(crate) const PASSWORD: &str = "password";
/// The second step of a sign-in, whatever its first one was.
pub(crate) const SECOND_FACTOR: &str = "second_factor";
/// Those who sign in with a code that was sent to their address.
pub(crate) const EMAIL_CODE: &str = "email_code";
/// Those who sign in by a passkey alone.
pub(crate) const PASSKEY: &str = "passkey";
/// The step in which terms are accepted, whatever came before it.
pub(crate) const TERMS: &str = "terms";
/// Those who ask whether their account is approved.
pub(crate) const APPROVAL: &str = "approval";
/// The method where it is not known: a made-up provider, a code that nobody gave out.
pub(crate) const UNKNOWN: &str = "unknown";

const SIGN_INS: &str = "userd_sign_ins_total";

/// Every outcome that is counted.
const OUTCOMES: [&str; 7] = ["signed_in", "step_required", "denied", "refused", "limited", "unavailable", "failed"];

/// Lets the series of these methods begin at zero.
pub(crate) fn declare<'a>(methods: impl IntoIterator<Item = &'a str>) {
    for method in methods {
        for outcome in OUTCOMES {
            counter!(SIGN_INS, "method" => method.to_owned(), "outcome" => outcome).increment(0);
        }
    }
}

/// Counts a sign-in that has ended: with whom, where a session began.
pub(crate) fn ended(method: &str, end: Result<Option<UserId>, &Failure>) {
    let outcome = match end {
        Ok(Some(user)) => {
            note_user(user);
            "signed_in"
        }
        Ok(None) => "step_required",
        Err(failure) => of(failure),
    };
    count(method, outcome);
    note(method, outcome);
}

/// Counts a sign-in that ended early: at its start, or when the provider sent the browser back.
pub(crate) fn ended_early(method: &str, failure: &Failure) {
    count(method, of(failure));
    note(method, of(failure));
}

/// Says on the request's line what came of a step that is no end of a sign-in: a link, a one-time code.
pub(crate) fn note(method: &str, outcome: &str) {
    Span::current().record("provider", method).record("outcome", outcome);
}

/// Says on the request's line whom it is about.
pub(crate) fn note_user(id: UserId) {
    Span::current().record("user_id", field::display(id));
}

fn count(method: &str, outcome: &'static str) {
    counter!(SIGN_INS, "method" => method.to_owned(), "outcome" => outcome).increment(1);
}

/// The word for a failure. A person who pressed "cancel" is nobody's fault.
pub(crate) fn of(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(refusal) => match refusal {
            Refusal::ProviderRefused("access_denied") => "denied",
            Refusal::TooManyAttempts(_) => "limited",
            Refusal::ProviderUnavailable | Refusal::Busy(_) => "unavailable",
            _ => "refused",
        },
        _ => "failed",
    }
}
