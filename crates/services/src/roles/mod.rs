//! Roles and permissions: making and changing them, giving and taking them, and asking what somebody may do.

mod check;
mod declared;
mod edit;
mod grants;
mod registry;
mod told;

pub use check::{Check, CheckResult, PermissionChecks};
pub use declared::{Declared, Planned};
pub use edit::{RoleInput, Roles};
pub use grants::{GrantInput, GrantView, Grants};
pub(crate) use grants::{REASON, give, take};
pub use registry::{PermissionView, Permissions};
