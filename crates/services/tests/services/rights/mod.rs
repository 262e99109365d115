//! Roles, permissions, grants, and requests for them.

mod grants;
mod races;
mod requests;
mod roles;
mod support;
