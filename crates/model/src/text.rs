//! Parsed text.

