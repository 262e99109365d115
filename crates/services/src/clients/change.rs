//! One service account, as it is called and for whom its tokens may be.

use userd_model::{Act, ClientId, EventKind, Refusal, text};
use userd_storage::Failure;

use super::{
    ClientChange, ClientView, Clients,
    rotation::{InUse, must_be},
    view,
};
use crate::{Context, recent_proof};

impl Clients {
    /// One service account.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn read(&self, ctx: &Context, id: ClientId) -> Result<ClientView, Failure> {
        ctx.may(&Act::ListClients)?;
        let found = self.deps.store.reading().clients().find(id).await?;
        Ok(view(&found.ok_or(Refusal::NotFound)?))
    }

    /// Changes its name, and the audiences that its tokens may be for. Tokens for an audience that is taken away run
    /// out; a new secret ends them at once.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `InvalidInput`, `VersionMismatch`.
    pub async fn change(
        &self,
        ctx: &Context,
        id: ClientId,
        wanted: ClientChange,
        expected: Option<i64>,
    ) -> Result<ClientView, Failure> {
        recent_proof::may_administer(ctx, &Act::ChangeClient, &self.deps).await?;
        let name = wanted.name.map(|name| text::display_name(&name)).transpose();
        let name = &name.map_err(|detail| Refusal::field("/name", detail))?;
        let audiences = wanted.audiences.map(|list| list.map(|list| self.configured(&list)).transpose()).transpose()?;
        let audiences = &audiences;
        self.changes
            .run(ctx, "change_client", |mut change| async move {
                let mut client = change.clients().find(id).await?.ok_or(Refusal::NotFound)?;
                must_be(&client, InUse::Yes)?;
                client.must_have_version(expected)?;
                if let Some(name) = name {
                    client.name.clone_from(name);
                }
                if let Some(audiences) = audiences {
                    client.audiences.clone_from(audiences);
                }
                client.version += 1;
                change.clients().update(&client).await?;
                let audiences: Vec<_> = client.audiences.iter().flatten().collect();
                let data = serde_json::json!({ "name": client.name, "audiences": audiences });
                change.event(EventKind::ClientChanged, id, data);
                change.commit(view(&client)).await
            })
            .await
    }
}
