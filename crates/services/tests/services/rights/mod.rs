//! Roles, permissions, grants, and requests for them.

mod grants;
mod races;
mod registration;
mod requests;
mod roles;
mod support;
