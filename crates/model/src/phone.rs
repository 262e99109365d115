//! Parsed text.
pub struct Phone;
