//! Everything sealed under an earlier master key comes under the current one, beside the work.

use userd_model::Sealed;
use userd_storage::Failure;

use super::{SigningKeys, context};
use crate::{Context, user_reader::internal};

impl SigningKeys {
    /// Re-wraps everything sealed under a previous master key, in small units of work. Answers how many.
    pub async fn rewrap(&self, ctx: &Context, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<u64, Failure> {
        let mut count = self.rewrap_system(ctx).await?;
        progress(count);
        let mut after = None;
        loop {
            let page = self.deps.store.reading().users().page(after, 200).await?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some((last.created_at, last.id));
            for user in &page {
                if user.data_key.as_ref().is_some_and(|key| self.deps.crypto.fields.needs_rewrap(key)) {
                    self.rewrap_user(ctx, user.id).await?;
                    count += 1;
                    progress(count);
                }
            }
        }
    }

    async fn rewrap_user(&self, ctx: &Context, id: userd_model::UserId) -> Result<(), Failure> {
        self.changes
            .run(ctx, "rewrap_user", |mut change| async move {
                let Some(mut user) = change.users().find(id).await? else { return change.commit(()).await };
                let Some(key) = &user.data_key else { return change.commit(()).await };
                let random = self.deps.random.as_ref();
                user.data_key = Some(self.deps.crypto.fields.rewrap_data_key(random, key, id).map_err(internal)?);
                change.users().update(&user).await?;
                // What is remembered opens with the old key only, and may outlive it.
                change.forget(&user);
                change.commit(()).await
            })
            .await
    }

    async fn rewrap_system(&self, ctx: &Context) -> Result<u64, Failure> {
        let fields = &self.deps.crypto.fields;
        let again = |context: &str, sealed: &Sealed| -> Result<Option<Sealed>, Failure> {
            if !fields.needs_rewrap(sealed) {
                return Ok(None);
            }
            let plain = fields.open_system(context, sealed).map_err(internal)?;
            fields.seal_system(self.deps.random.as_ref(), context, &plain).map(Some).map_err(internal)
        };
        let again = &again;
        self.changes
            .run(ctx, "rewrap_system", |mut change| async move {
                let mut count = 0;
                for mut key in change.signing_keys().all().await? {
                    if let Some(sealed) = again(&context(&key.kid), &key.private_key)? {
                        key.private_key = sealed;
                        change.signing_keys().update(&key).await?;
                        count += 1;
                    }
                }
                for (name, sealed) in change.system_secrets().all().await? {
                    if let Some(sealed) = crate::start::rewrap_secret(&self.deps, &name, &sealed)? {
                        change.system_secrets().update(&name, &sealed).await?;
                        count += 1;
                    }
                }
                change.commit(count).await
            })
            .await
    }
}
