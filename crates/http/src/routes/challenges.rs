//! Challenges at a route of another step: where they are answered is said, and they stay. Nobody learns of them who has not
//! been given them. Deliberately absent: what resolves a step (each at its own route).

use userd_model::{PendingStep, Refusal};
use userd_services::{Context, Failure};
use userd_web::problem::Problem;

use crate::api::Api;

/// Why a challenge is not taken at a route, which resolves one step (`own`), or none that a sign-in waits for.
pub(super) async fn not_taken(
    api: &Api,
    ctx: &Context,
    (challenge, own): (&str, Option<PendingStep>),
    failure: Failure,
) -> Problem {
    if matches!(failure, Failure::Refused(Refusal::ChallengeGone))
        && let Ok(step) = api.services.accounts.asked_for(ctx, challenge).await
        && own != Some(step)
    {
        return answered_elsewhere(step).into();
    }
    failure.into()
}

/// Where a challenge of this step is answered.
pub(super) fn answered_elsewhere(step: PendingStep) -> Refusal {
    Refusal::field(
        "/challenge",
        match step {
            PendingStep::SecondFactor => "is answered at /v1/auth/second-factor: `method`, and `code` or `credential`",
            PendingStep::FactorSetup => "is answered at /v1/auth/continue: `method`; then `code` or `credential`",
            PendingStep::PasswordChange => "is answered at /v1/auth/continue: `new_password`",
            PendingStep::Terms => "is answered at /v1/auth/continue: `accept`",
            PendingStep::Approval => "is answered at /v1/auth/continue, with nothing more",
            PendingStep::Confirmation => "is answered at /v1/auth/email/verify: `email` and `code`",
            PendingStep::Restore => "is answered at /v1/auth/restore: it is the `restore_token`",
        },
    )
}
