//! The configured witness of the audit log: `audit.witness_url` and `audit.witness_key`. Nothing is contacted here.

use std::sync::Arc;

use async_trait::async_trait;
use userd_channels::witness::WitnessClient;
use userd_crypto::transparency::WitnessKey;
use userd_services::audit::CheckpointWitness;

use super::{WiringError, part};
use crate::config::Config;

struct Witness {
    key: WitnessKey,
    client: WitnessClient,
}

/// The witness, where there is one.
pub(super) fn of(config: &Config) -> Result<Option<Arc<dyn CheckpointWitness>>, WiringError> {
    let (Some(url), Some(key)) = (config.audit.witness_url.as_ref(), config.audit.witness_key.as_ref()) else {
        return Ok(None);
    };
    let client = WitnessClient::new(url.as_str()).map_err(part)?;
    Ok(Some(Arc::new(Witness { key: key.key().clone(), client })))
}

#[async_trait]
impl CheckpointWitness for Witness {
    fn key(&self) -> &WitnessKey {
        &self.key
    }

    async fn add_checkpoint(&self, body: String) -> Result<(u16, String), String> {
        self.client.add_checkpoint(body).await
    }
}
