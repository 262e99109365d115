//! What a statement answers. Reading a column as the wrong kind is `Corrupt`, never a panic.

use userd_model::Timestamp;
use uuid::Uuid;

use crate::{Kind, StoreError, Value};

/// The rows of one answer, in order.
pub type Rows = Vec<Row>;

/// One row: values in the order of the statement's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Value>);

macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident, $optional:ident: $variant:ident => $type:ty);+ $(;)?) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// `Corrupt` when the column is absent, null or of another kind.
        pub fn $name(&mut self, column: usize) -> Result<$type, StoreError> {
            self.$optional(column)?.ok_or_else(|| StoreError::corrupt(format!("column {column} is null")))
        }

        /// The same, where the column may be null.
        ///
        /// # Errors
        /// `Corrupt` when the column is absent or of another kind.
        pub fn $optional(&mut self, column: usize) -> Result<Option<$type>, StoreError> {
            match self.take(column)? {
                Value::$variant(value) => Ok(Some(value)),
                Value::Null(Kind::$variant) => Ok(None),
                other => Err(StoreError::corrupt(format!(
                    "column {column} is {:?}, expected {:?}", other.kind(), Kind::$variant
                ))),
            }
        }
    )+};
}

impl Row {
    /// Moves the value out; each column is read once.
    fn take(&mut self, column: usize) -> Result<Value, StoreError> {
        self.0
            .get_mut(column)
            .map(|slot| std::mem::replace(slot, Value::Bool(false)))
            .ok_or_else(|| StoreError::corrupt(format!("no column {column}")))
    }

    readers! {
        /// Text.
        text, text_or_null: Text => String;
        /// Bytes.
        bytes, bytes_or_null: Bytes => Vec<u8>;
        /// A number.
        i64, i64_or_null: I64 => i64;
        /// A truth value.
        bool, bool_or_null: Bool => bool;
        /// A moment.
        timestamp, timestamp_or_null: Timestamp => Timestamp;
        /// An id.
        uuid, uuid_or_null: Uuid => Uuid;
        /// A document.
        json, json_or_null: Json => serde_json::Value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_read_once_and_as_what_it_is() {
        let mut row =
            Row(vec![Value::I64(7), Value::Null(Kind::Text), Value::Text("a".to_owned()), Value::Null(Kind::I64)]);
        assert_eq!(row.i64(0).unwrap(), 7);
        assert!(matches!(row.i64(0), Err(StoreError::Corrupt(_))), "read already");
        assert_eq!(row.text_or_null(1).unwrap(), None);
        assert!(matches!(row.uuid_or_null(2), Err(StoreError::Corrupt(_))), "another kind");
        assert!(matches!(row.i64(3), Err(StoreError::Corrupt(_))), "null");
        assert!(matches!(row.text_or_null(4), Err(StoreError::Corrupt(_))), "no such column");
        let mut nothing = Row(vec![Value::Null(Kind::I64)]);
        assert!(matches!(nothing.text_or_null(0), Err(StoreError::Corrupt(_))), "nothing of another kind");
    }
}
