//! Who may decide a request: whoever the role names, by name or by a role that they hold, and whoever may grant the thing
//! anyway; once it has waited for too long, those whom the role names for that. Never the one whose request it is.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use userd_model::{
    AccessRequest, AccessRequestId, GrantKind, Permission, Role, Standing, Timestamp, User, UserId,
    role::{Approvers, Notify},
};
use userd_storage::{Failure, UnitOfWork};

use super::Thing;
use crate::{
    Dependencies,
    role_reader::{every_role, read_permissions},
};

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
        let allowed = read_permissions(uow, &roles).await?;
        Ok(Self::holding(user, allowed, now))
    }

    /// The same for many: who holds the same roles may do the same, and most hold the one that they are asked for.
    async fn read_many(uow: &mut UnitOfWork, users: Vec<User>, now: Timestamp) -> Result<Vec<Self>, Failure> {
        let mut of_roles: BTreeMap<Vec<String>, Vec<Permission>> = BTreeMap::new();
        let mut found = Vec::with_capacity(users.len());
        for user in users {
            let roles: Vec<String> = user.roles_at(now).cloned().collect();
            let allowed = match of_roles.entry(roles) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => {
                    let allowed = read_permissions(uow, new.key()).await?;
                    new.insert(allowed).clone()
                }
            };
            found.push(Self::holding(user, allowed, now));
        }
        Ok(found)
    }

    fn holding(user: User, mut permissions: Vec<Permission>, now: Timestamp) -> Self {
        permissions.extend(user.permissions_at(now).filter_map(|word| Permission::parse(word)));
        Self { user, permissions, now }
    }

    pub(super) fn holds(&self, permission: &Permission) -> bool {
        self.permissions.contains(permission)
    }

    fn is_named(&self, named: &Approvers) -> bool {
        named.users.contains(&self.user.id) || named.roles.iter().any(|role| self.user.has_role(role, self.now))
    }

    /// As what they may decide about this, if at all.
    fn standing(&self, thing: &Thing) -> Option<Standing> {
        let may_grant =
            self.holds(&thing.right) && thing.allows.iter().all(|one| one.may_be_given_by(&self.permissions));
        if may_grant || self.is_named(&thing.rules.approvers) {
            return Some(Standing::Approver);
        }
        self.is_named(&thing.rules.escalate_to).then_some(Standing::Escalation)
    }

    /// Whether they may decide this request about this.
    pub(super) fn may_decide(&self, thing: &Thing, request: &AccessRequest) -> bool {
        let after = thing.rules.escalate_after_seconds;
        let is_theirs = self.standing(thing).is_some_and(|standing| request.is_up_to(standing, after, self.now));
        self.user.id != request.requester && self.user.is_in_use(self.now) && is_theirs
    }
}

/// Leaves out what those have said so far who may decide no more: they were blocked since, or have lost the right to it; and
/// approvals whose end has passed. `but` is whoever decides now, and was looked at.
pub(super) async fn leave_out_who_may_not(
    uow: &mut UnitOfWork,
    thing: &Thing,
    request: &mut AccessRequest,
    but: Option<UserId>,
    now: Timestamp,
) -> Result<(), Failure> {
    let earlier: Vec<UserId> =
        request.decisions.iter().filter_map(|decision| decision.by).filter(|by| Some(*by) != but).collect();
    if earlier.is_empty() {
        return Ok(());
    }
    let users: Vec<User> = uow.users().find_many(&earlier).await?.into_iter().flatten().collect();
    let approvers = Approver::read_many(uow, users, now).await?.into_iter();
    let may: Vec<UserId> =
        approvers.filter(|one| one.may_decide(thing, request)).map(|one| one.user.id).chain(but).collect();
    request.leave_out(now, |by| may.contains(&by));
    Ok(())
}

/// Those who may decide this request from the beginning, in the order in which they are told: whom the role names; where it
/// names nobody, or too few of them may, who may grant it too.
pub(super) async fn eligible(
    uow: &mut UnitOfWork,
    deps: &Dependencies,
    thing: &Thing,
    request: &AccessRequest,
    now: Timestamp,
) -> Result<Vec<UserId>, Failure> {
    let drawn = |mut candidates: Vec<UserId>| {
        if matches!(thing.rules.notify, Notify::Random(_)) {
            candidates.sort_by_cached_key(|user| lot(deps, request.id, *user));
        }
        candidates
    };
    let named = drawn(candidates(uow, &thing.rules.approvers).await?);
    let mut found = who_may(uow, named, thing, request, now).await?;
    if found.len() < thing.rules.quorum as usize {
        let others = drawn(holders_of(uow, &thing.right).await?);
        for user in who_may(uow, others, thing, request, now).await? {
            if !found.contains(&user) {
                found.push(user);
            }
        }
        found.truncate(Notify::MOST as usize);
    }
    Ok(found)
}

/// Those whom the role names for requests that waited for too long.
pub(super) async fn asked_late(
    uow: &mut UnitOfWork,
    thing: &Thing,
    request: &AccessRequest,
    now: Timestamp,
) -> Result<Vec<UserId>, Failure> {
    let candidates = candidates(uow, &thing.rules.escalate_to).await?;
    who_may(uow, candidates, thing, request, now).await
}

/// Which of those who may decide are told.
pub(super) fn told<'a>(thing: &Thing, eligible: &'a [UserId]) -> &'a [UserId] {
    let enough = thing.rules.quorum as usize;
    let count = match thing.rules.notify {
        Notify::All => eligible.len(),
        // They are the first.
        Notify::Named => {
            let is_named = |user: &&UserId| thing.rules.approvers.users.contains(user);
            let named = eligible.iter().take_while(is_named).count();
            if named < enough { eligible.len() } else { named }
        }
        Notify::Random(count) => (count as usize).max(enough),
    };
    eligible.get(..count).unwrap_or(eligible)
}

/// Users named one by one, then those who hold a role that is named.
async fn candidates(uow: &mut UnitOfWork, named: &Approvers) -> Result<Vec<UserId>, Failure> {
    let mut found = named.users.clone();
    let mut holders = BTreeSet::new();
    for role in &named.roles {
        holders.extend(uow.user_terms().holders(role).await?);
    }
    found.sort_unstable();
    found.dedup();
    found.extend(holders.into_iter().filter(|user| !named.users.contains(user)));
    Ok(found)
}

async fn who_may(
    uow: &mut UnitOfWork,
    candidates: Vec<UserId>,
    thing: &Thing,
    request: &AccessRequest,
    now: Timestamp,
) -> Result<Vec<UserId>, Failure> {
    let mut found = Vec::new();
    // As many at once as are told at most; mostly that is everybody.
    for some in candidates.chunks(Notify::MOST as usize) {
        let users: Vec<User> = uow.users().find_many(some).await?.into_iter().flatten().collect();
        for approver in Approver::read_many(uow, users, now).await? {
            if approver.may_decide(thing, request) {
                found.push(approver.user.id);
            }
            if found.len() == Notify::MOST as usize {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Draws who is told of a request: another order for each, and the same one when the unit of work runs again.
fn lot(deps: &Dependencies, request: AccessRequestId, user: UserId) -> [u8; 32] {
    deps.crypto.index.keyed_hash("who is told of a request", &[request.0.as_bytes(), user.0.as_bytes()])
}

/// Whoever holds this permission: by itself, or by a role.
async fn holders_of(uow: &mut UnitOfWork, right: &Permission) -> Result<Vec<UserId>, Failure> {
    let mut found: BTreeSet<UserId> =
        uow.user_terms().holders_of(GrantKind::Permission, right.as_str()).await?.into_iter().collect();
    for role in roles_with(uow, right).await? {
        found.extend(uow.user_terms().holders(&role).await?);
    }
    Ok(found.into_iter().collect())
}

/// Roles whose holders have this permission: by themselves, or by what they include. Rows take the place of what is built in, but
/// for the role that may do everything.
async fn roles_with(uow: &mut UnitOfWork, right: &Permission) -> Result<BTreeSet<String>, Failure> {
    let rows = every_role(uow).await?.into_iter().filter(|role| !role.is_admin());
    let all = Role::built_in_names().filter_map(Role::built_in).chain(rows);
    let all: BTreeMap<String, Role> = all.map(|role| (role.name.clone(), role)).collect();
    let has = |role: &Role| role.permissions.iter().any(|word| word == right.as_str());
    let mut found: BTreeSet<String> = all.values().filter(|role| has(role)).map(|role| role.name.clone()).collect();
    loop {
        let includes_one = |role: &&Role| role.rules.includes.iter().any(|name| found.contains(name));
        let above = all.values().filter(|role| !found.contains(&role.name)).filter(includes_one);
        let above: Vec<String> = above.map(|role| role.name.clone()).collect();
        if above.is_empty() {
            return Ok(found);
        }
        found.extend(above);
    }
}

/// What a user is called to those who decide.
pub(super) fn name_of(user: &User) -> String {
    let name = user.display_name.clone();
    name.or_else(|| user.username.as_ref().map(|username| username.as_str().to_owned()))
        .unwrap_or_else(|| user.id.to_string())
}

#[cfg(test)]
mod tests {
    use userd_model::RoleRules;

    use super::*;

    /// Four may decide; the role names the first two of them.
    #[test]
    fn as_many_are_told_as_the_role_says_and_never_fewer_than_must_agree() {
        let [one, two, three, four] = [1, 2, 3, 4].map(|number| UserId::from_random([number; 16]));
        let eligible = [one, two, three, four];
        let thing = |notify, quorum| {
            let approvers = Approvers { users: vec![two, one], roles: Vec::new() };
            let rules = RoleRules { approvers, notify, quorum, ..RoleRules::default() };
            Thing { rules, allows: Vec::new(), right: Permission::ROLES_GRANT }
        };
        for (notify, quorum, count) in [
            (Notify::All, 1, 4),
            (Notify::Named, 1, 2),
            (Notify::Named, 2, 2),
            (Notify::Named, 3, 4),
            (Notify::Random(1), 1, 1),
            (Notify::Random(3), 1, 3),
            (Notify::Random(1), 2, 2),
            (Notify::Random(9), 1, 4),
        ] {
            assert_eq!(told(&thing(notify, quorum), &eligible), &eligible[..count], "{notify:?} {quorum}");
        }
        assert_eq!(told(&thing(Notify::Named, 1), &[three, one]), [three, one], "whom it names may not decide first");
        assert!(told(&thing(Notify::All, 1), &[]).is_empty());
    }
}
