//! Keys of roles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{text::Optional, values::FilePath};

/// Roles and permissions that are declared beside the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RolesConfig {
    /// The file that declares them, as `userd roles export` writes it: `userd roles plan` and `userd roles apply` read it where no
    /// other one is named. Nothing of it is applied at start. Empty: none.
    pub file: Optional<FilePath>,
}
