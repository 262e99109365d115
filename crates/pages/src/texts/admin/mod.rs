//! Administration, a table for each of its sections.

mod frame;
mod users;

/// Everything that administration says.
pub(crate) struct Admin {
    pub(crate) frame: frame::Frame,
    pub(crate) users: users::Users,
    pub(crate) acts: users::Acts,
    pub(crate) grants: users::Grants,
}

impl Admin {
    pub(super) const ENGLISH: Self = Self {
        frame: frame::Frame::ENGLISH,
        users: users::Users::ENGLISH,
        acts: users::Acts::ENGLISH,
        grants: users::Grants::ENGLISH,
    };
    pub(super) const RUSSIAN: Self = Self {
        frame: frame::Frame::RUSSIAN,
        users: users::Users::RUSSIAN,
        acts: users::Acts::RUSSIAN,
        grants: users::Grants::RUSSIAN,
    };
}

/// Every text: its key, in English, in Russian.
#[cfg(test)]
pub(super) fn all() -> Vec<(&'static str, &'static str, &'static str)> {
    [frame::Frame::ALL, users::Users::ALL, users::Acts::ALL, users::Grants::ALL].concat()
}
