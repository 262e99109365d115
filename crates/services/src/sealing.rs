//! Contexts of sealed values: one opens only in the row that it was written in. Of two that change places in the
//! database, neither does.

/// The context of a value in the row with this key.
pub(crate) fn row_context(column: &str, key: &[&[u8]]) -> String {
    key.iter().fold(column.to_owned(), |context, part| context + "|" + &hex(part))
}

/// Bytes as text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |text, byte| text + &format!("{byte:02x}"))
}
