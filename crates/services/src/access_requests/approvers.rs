//! Who may decide a request: whoever the role names, by name or by a role that they hold, and whoever may grant the thing
//! anyway. Never the one whose request it is.

use userd_model::{Permission, Role, Timestamp, User, UserId, UserStatus};
use userd_storage::{Failure, UnitOfWork};

use super::Thing;
use crate::role_reader::{every_role, read_permissions};

/// More approvers than this are not told of a request.
const MOST: usize = 50;

/// Somebody who may decide, with what they hold as it is stored.
pub(super) struct Approver {
    user: User,
    permissions: Vec<Permission>,
    now: Timestamp,
}

impl Approver {
    /// Reads what somebody holds. In the unit of work that decides: what was taken from them meanwhile counts.
    pub(super) async fn read(uow: &mut UnitOfWork, user: User, now: Timestamp) -> Result<Self, Failure> {
        let roles: Vec<String> = user.roles_at(now).cloned().collect();
        let mut permissions = read_permissions(uow, &roles).await?;
        permissions.extend(user.permissions_at(now).filter_map(|word| Permission::parse(word)));
        Ok(Self { user, permissions, now })
    }

    fn holds(&self, permission: &Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// Whether they may decide about this for somebody.
    pub(super) fn may_decide(&self, thing: &Thing, requester: UserId) -> bool {
        let named = &thing.rules.approvers;
        let is_named =
            named.users.contains(&self.user.id) || named.roles.iter().any(|role| self.user.has_role(role, self.now));
        let may_grant =
            self.holds(&thing.right) && thing.allows.iter().all(|one| one.may_be_given_by(&self.permissions));
        self.user.id != requester && self.user.status_at(self.now) == UserStatus::Active && (is_named || may_grant)
    }
}

/// Those who may decide about this for somebody: whom the role names; where it names nobody, who may grant it.
pub(super) async fn eligible(
    uow: &mut UnitOfWork,
    thing: &Thing,
    requester: UserId,
    now: Timestamp,
) -> Result<Vec<UserId>, Failure> {
    let mut candidates: Vec<UserId> = thing.rules.approvers.users.clone();
    let roles = if thing.rules.approvers.is_empty() {
        roles_with(uow, &thing.right).await?
    } else {
        thing.rules.approvers.roles.clone()
    };
    for role in &roles {
        candidates.extend(uow.user_terms().holders(role).await?);
    }
    candidates.sort_unstable();
    candidates.dedup();
    let mut found = Vec::new();
    for id in candidates {
        let Some(user) = uow.users().find(id).await? else { continue };
        if Approver::read(uow, user, now).await?.may_decide(thing, requester) {
            found.push(id);
        }
        if found.len() == MOST {
            break;
        }
    }
    Ok(found)
}

/// Roles whose holders have this permission.
async fn roles_with(uow: &mut UnitOfWork, right: &Permission) -> Result<Vec<String>, Failure> {
    let mut names = vec![Role::ADMIN.to_owned()];
    for role in every_role(uow).await? {
        if read_permissions(uow, std::slice::from_ref(&role.name)).await?.contains(right) {
            names.push(role.name);
        }
    }
    Ok(names)
}

/// What a user is called to those who decide.
pub(super) fn name_of(user: &User) -> String {
    let name = user.display_name.clone();
    name.or_else(|| user.username.as_ref().map(|username| username.as_str().to_owned()))
        .unwrap_or_else(|| user.id.to_string())
}
