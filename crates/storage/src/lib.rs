//! Storage remembers. Repositories are written once, over a small engine interface; an engine knows how to
//! begin, run a statement, commit and classify errors, and nothing about users.
//!
//! Deliberately absent: business rules (the model has them), cryptography (rows carry sealed bytes), HTTP.

pub mod engine;
pub mod engines;
pub mod error;
pub mod migrations;
pub mod repositories;
pub mod row;
pub mod statement;
pub mod store;
pub mod tables;
#[cfg(feature = "testing")]
pub mod testing;
pub mod unit_of_work;
pub mod value;

pub use engine::{Access, Call, Engine, Pin, Transaction};
pub use error::{Duplicate, Failure, StoreError};
pub use row::{Row, Rows};
pub use statement::Statement;
pub use store::Store;
pub use unit_of_work::UnitOfWork;
pub use value::{Kind, NEVER, Value};
