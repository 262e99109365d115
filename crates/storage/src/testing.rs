//! What tests need: engines that misbehave on purpose, and databases that are gone afterwards. Public, because the
//! tests of other crates use it too; nothing in service does.
