//! Whom the operator asks for two factors, held or not: whoever holds one of the roles that are named, or one that includes
//! it. A role gives what it includes, so it asks for what that asks for.

use std::collections::BTreeSet;

use userd_model::User;
use userd_storage::{Failure, UnitOfWork};

use crate::{MfaSettings, role_reader::read_many};

impl MfaSettings {
    /// Whether this user is asked. What roles include is read as it is stored, level by level, and only where somebody is
    /// asked at all and holds a role.
    ///
    /// # Errors
    /// Storage faults.
    pub(crate) async fn asks(&self, unit: &mut UnitOfWork, user: &User) -> Result<bool, Failure> {
        let (mut seen, mut level) = (BTreeSet::new(), user.roles.clone());
        while !self.required_for.is_empty() && !level.is_empty() {
            if level.iter().any(|role| self.required_for.contains(role)) {
                return Ok(true);
            }
            let included = read_many(unit, &level).await?.into_iter().flat_map(|role| role.rules.includes);
            seen.extend(level);
            let new: BTreeSet<String> = included.filter(|role| !seen.contains(role)).collect();
            level = new.into_iter().collect();
        }
        Ok(false)
    }
}
