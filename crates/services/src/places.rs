//! Where an address is, as far as somebody here knows. Deliberately absent: the file that says so
//! (`crates/userd/src/wiring/places.rs`), and anything that is decided by it.

use std::net::IpAddr;

use userd_model::texts::Language;

use crate::Dependencies;

/// Knows where addresses are.
pub trait Places: Send + Sync {
    /// What people call the place of this address in a language.
    fn place(&self, address: IpAddr, language: Language) -> Option<String>;
}

impl Dependencies {
    /// Where the address of a session or a fact is; nothing where nobody knows.
    #[must_use]
    pub fn place_of(&self, address: &str, language: Language) -> Option<String> {
        self.places.as_ref()?.place(address.parse().ok()?, language)
    }
}
