//! Answers of `ExecuteQuery`: parts of result sets.

use ydb_grpc::ydb_proto::{
    Column, ResultSet, Value as WireValue,
    query::{ExecuteQueryResponsePart, TransactionMeta},
    status_ids::StatusCode,
    table_stats::QueryStats,
};

use crate::{failure::Failure, run::Table};

/// Rows of one part: small, so that clients see that results come in parts.
const ROWS_OF_A_PART: usize = 500;

/// All parts of a success; the first names the transaction.
pub(super) fn parts(results: &[Table], tx: Option<String>, with_stats: bool) -> Vec<ExecuteQueryResponsePart> {
    let mut parts = Vec::new();
    for (index, table) in results.iter().enumerate() {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|(name, data_type)| Column { name: name.clone(), r#type: Some(data_type.to_wire()) })
            .collect();
        let mut chunks: Vec<_> = table.rows.chunks(ROWS_OF_A_PART).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        for rows in chunks {
            let rows = rows.iter().map(|row| WireValue {
                items: row.iter().zip(&table.columns).map(|(value, (_, kind))| value.to_wire(kind)).collect(),
                ..Default::default()
            });
            let result_set = ResultSet { columns: columns.clone(), rows: rows.collect(), ..Default::default() };
            parts.push(ExecuteQueryResponsePart {
                status: StatusCode::Success as i32,
                result_set_index: i64::try_from(index).unwrap_or_default(),
                result_set: Some(result_set),
                ..Default::default()
            });
        }
    }
    if parts.is_empty() {
        parts.push(ExecuteQueryResponsePart { status: StatusCode::Success as i32, ..Default::default() });
    }
    if let (Some(first), Some(id)) = (parts.first_mut(), tx) {
        first.tx_meta = Some(TransactionMeta { id });
    }
    if let (true, Some(last)) = (with_stats, parts.last_mut()) {
        last.exec_stats = Some(QueryStats::default());
    }
    parts
}

pub(super) fn refusal(failure: &Failure) -> ExecuteQueryResponsePart {
    ExecuteQueryResponsePart { status: failure.status as i32, issues: failure.issues(), ..Default::default() }
}
