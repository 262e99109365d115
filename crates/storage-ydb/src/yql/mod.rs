//! What is said to YDB: statements (`statement.rs`), several of them in one text (`batch.rs`), schema steps
//! (`steps.rs`), the schema of today (`schema.rs`), and how indexes along time are spread (`spread.rs`). Texts and
//! types only; nothing here talks to anybody.

pub mod batch;
mod options;
pub mod schema;
pub mod spread;
pub mod statement;
pub mod steps;

use userd_storage::Kind;

/// What a parameter or a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A value of a kind.
    Of(Kind),
    /// The same or nothing.
    OrNull(Kind),
    /// How many rows.
    Limit,
    /// Any number of rows, each with these columns, sorted by name as YDB sorts them.
    Rows(Vec<(&'static str, Self)>),
    /// Any number of keys.
    Keys(Kind),
}

/// The type of a column in the schema. Ids are bytes and not `Uuid`, whose order is not that of its bytes; JSON is kept
/// as it was written, and `JsonDocument` would not.
#[must_use]
pub const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "Utf8",
        Kind::Bytes | Kind::Uuid => "String",
        Kind::I64 => "Int64",
        Kind::Bool => "Bool",
        Kind::Timestamp => "Timestamp",
        Kind::Json => "Json",
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Of(kind) => f.write_str(word(*kind)),
            Self::OrNull(kind) => write!(f, "Optional<{}>", word(*kind)),
            Self::Limit => f.write_str("Uint64"),
            Self::Keys(kind) => write!(f, "List<{}>", word(*kind)),
            Self::Rows(columns) => {
                f.write_str("List<Struct<")?;
                for (at, (name, of)) in columns.iter().enumerate() {
                    write!(f, "{}{name}:{of}", if at == 0 { "" } else { "," })?;
                }
                f.write_str(">>")
            }
        }
    }
}
