//! What may somebody do? Asked by other services, answered from memory: for tokens that are too full, and where a right
//! that was just given or taken must count at once.

use userd_model::{Act, Permission, Refusal, UserId, UserStatus};
use userd_storage::Failure;

use crate::{Context, Dependencies, role_reader::RoleReader, user_reader::UserReader};

/// Answers what somebody may do.
pub struct PermissionChecks {
    pub(crate) deps: Dependencies,
    pub(crate) users: UserReader,
    pub(crate) roles: RoleReader,
}

/// A question.
#[derive(Clone, Debug)]
pub struct Check {
    /// The user.
    pub subject: UserId,
    /// The permission.
    pub permission: String,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Whether the user may.
    pub allowed: bool,
    /// Why: `granted`, `not_granted`, `unknown_subject` or `not_active`.
    pub reason: &'static str,
}

impl PermissionChecks {
    /// The most questions at once.
    pub const MOST: usize = 1000;

    /// The answers, in the order of the questions.
    ///
    /// # Errors
    /// `Forbidden`, also to a service account that asks for words beyond its own; storage faults.
    pub async fn check(&self, ctx: &Context, checks: &[Check]) -> Result<Vec<CheckResult>, Failure> {
        ctx.may(&Act::CheckPermissions)?;
        let mut results = Vec::with_capacity(checks.len());
        let mut last: Option<(UserId, Answer)> = None;
        for check in checks {
            ctx.actor.must_reach(&check.permission)?;
            let answer = match last.take() {
                Some((subject, answer)) if subject == check.subject => answer,
                _ => self.of(check.subject).await?,
            };
            results.push(answer.to(&check.permission));
            last = Some((check.subject, answer));
        }
        Ok(results)
    }

    async fn of(&self, subject: UserId) -> Result<Answer, Failure> {
        let now = self.deps.now();
        let user = match self.users.current(subject).await {
            Err(Failure::Refused(Refusal::NotFound)) => return Ok(Answer::Unknown),
            other => other?,
        };
        match user.status_at(now) {
            UserStatus::Active if !user.is_in_use(now) => Ok(Answer::NotActive),
            UserStatus::Active => Ok(Answer::May(self.roles.rights_of(&user, now).await?.permissions)),
            UserStatus::Blocked => Ok(Answer::NotActive),
            // Whether an account was there is nobody's business.
            UserStatus::Deleted => Ok(Answer::Unknown),
        }
    }
}

enum Answer {
    Unknown,
    NotActive,
    May(Vec<Permission>),
}

impl Answer {
    fn to(&self, permission: &str) -> CheckResult {
        let (allowed, reason) = match self {
            Self::Unknown => (false, "unknown_subject"),
            Self::NotActive => (false, "not_active"),
            Self::May(held) if held.iter().any(|held| held.as_str() == permission) => (true, "granted"),
            Self::May(_) => (false, "not_granted"),
        };
        CheckResult { allowed, reason }
    }
}
