//! Decorators for tests.
