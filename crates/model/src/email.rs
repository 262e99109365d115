//! Parsed text.
pub struct Email;
