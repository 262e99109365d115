//! Keys of the audit log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{text::Optional, values::FilePath};

/// The audit log. How long its entries are kept is `retention.audit`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// A file to which signed checkpoints are appended, outside the database: whoever rewrites the log cannot rewrite
    /// them. Put it where the service may only append. Empty: checkpoints are in the log of the process and in events.
    pub checkpoint_file: Optional<FilePath>,
}
