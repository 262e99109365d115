//! Roles, permissions, grants, and requests for them.

mod approvers;
mod cost;
mod declared;
mod grants;
mod races;
mod registration;
mod requests;
mod roles;
pub(crate) mod support;
