//! What roles allow. `admin` is built in and allows everything; other roles are rows.

use std::{sync::Arc, time::Duration};

use userd_cache::{Cached, Loaded};
use userd_model::{Permission, Role};
use userd_storage::Failure;

use crate::Dependencies;

/// Resolves role names to permissions.
#[derive(Clone)]
pub struct Roles {
    deps: Dependencies,
    rows: Arc<Cached<Role, Failure>>,
}

impl Roles {
    pub(crate) fn new(deps: Dependencies) -> Self {
        let rows = Cached::new(deps.cache.clone(), deps.random.clone(), "role", Duration::from_secs(60));
        Self { deps, rows: Arc::new(rows) }
    }

    /// The permissions of all these roles together, sorted, each once. Unknown roles allow nothing.
    pub async fn permissions(&self, names: &[String]) -> Result<Vec<Permission>, Failure> {
        if names.iter().any(|name| name == Role::ADMIN) {
            return Ok(Permission::WELL_KNOWN.to_vec());
        }
        let mut all = Vec::new();
        for name in names {
            if let Some(role) = self.find(name).await? {
                all.extend(role.permissions.iter().filter_map(|word| Permission::parse(word)));
            }
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    async fn find(&self, name: &str) -> Result<Option<Role>, Failure> {
        let store = &self.deps.store;
        self.rows
            .get_or_load(name, || async move {
                let role = store.reading().roles().find(name).await.map_err(Failure::from)?;
                Ok::<_, Failure>(role.map(|value| Loaded { version: 0, value }))
            })
            .await
    }
}
