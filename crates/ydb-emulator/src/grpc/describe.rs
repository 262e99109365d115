//! A table's shape as `DescribeTable` gives it.

use std::collections::BTreeMap;

use ydb_grpc::ydb_proto::{
    TypedValue,
    feature_flag::Status as Flag,
    scheme::entry::Type as EntryType,
    table::{
        ColumnMeta, DateTypeColumnModeSettings, DescribeTableResult, GlobalAsyncIndex, GlobalIndex, GlobalUniqueIndex,
        PartitioningSettings, TableIndexDescription, TtlSettings,
        column_meta::DefaultValue,
        table_index_description::{Status as IndexStatus, Type as IndexType},
        ttl_settings::Mode as TtlMode,
    },
};

use super::scheme::entry;
use crate::{
    store::schema::{Column, Index, Schema},
    value::Type,
    yql::ast::Setting,
};

pub(super) fn describe(path: &str, schema: &Schema) -> DescribeTableResult {
    let names = |columns: &[usize]| -> Vec<String> {
        columns.iter().filter_map(|at| schema.columns.get(*at)).map(|column| column.name.clone()).collect()
    };
    DescribeTableResult {
        self_: Some(entry(path, EntryType::Table)),
        columns: schema.columns.iter().map(column).collect(),
        primary_key: names(&schema.key),
        indexes: schema.indexes.iter().map(|shape| index(shape, &names)).collect(),
        ttl_settings: ttl(&schema.settings),
        partitioning_settings: Some(partitioning(&schema.settings)),
        key_bloom_filter: flag(&schema.settings, "KEY_BLOOM_FILTER"),
        ..Default::default()
    }
}

fn column(column: &Column) -> ColumnMeta {
    let simple = Type::Primitive(column.kind);
    let default = column.default.as_ref().map(|value| {
        DefaultValue::FromLiteral(TypedValue { r#type: Some(simple.to_wire()), value: Some(value.to_wire(&simple)) })
    });
    ColumnMeta {
        name: column.name.clone(),
        r#type: Some(column.data_type().to_wire()),
        not_null: Some(column.not_null),
        default_value: default,
        ..Default::default()
    }
}

fn index(index: &Index, names: &impl Fn(&[usize]) -> Vec<String>) -> TableIndexDescription {
    let kind = if index.unique {
        IndexType::GlobalUniqueIndex(GlobalUniqueIndex::default())
    } else if index.asynchronous {
        IndexType::GlobalAsyncIndex(GlobalAsyncIndex::default())
    } else {
        IndexType::GlobalIndex(GlobalIndex::default())
    };
    TableIndexDescription {
        name: index.name.clone(),
        index_columns: names(&index.columns),
        data_columns: names(&index.cover),
        status: IndexStatus::Ready as i32,
        r#type: Some(kind),
        ..Default::default()
    }
}

fn ttl(settings: &BTreeMap<String, Setting>) -> Option<TtlSettings> {
    let Some(Setting::Ttl(seconds, column)) = settings.get("TTL") else { return None };
    let mode = DateTypeColumnModeSettings {
        column_name: column.clone(),
        expire_after_seconds: u32::try_from(*seconds).unwrap_or(u32::MAX),
    };
    Some(TtlSettings { mode: Some(TtlMode::DateTypeColumn(mode)), ..Default::default() })
}

fn partitioning(settings: &BTreeMap<String, Setting>) -> PartitioningSettings {
    let number = |name: &str, default| match settings.get(name) {
        Some(Setting::Number(number)) => *number,
        _ => default,
    };
    PartitioningSettings {
        partitioning_by_size: match flag(settings, "AUTO_PARTITIONING_BY_SIZE") {
            unset if unset == Flag::Unspecified as i32 => Flag::Enabled as i32,
            set => set,
        },
        partition_size_mb: number("AUTO_PARTITIONING_PARTITION_SIZE_MB", 2_048),
        partitioning_by_load: match flag(settings, "AUTO_PARTITIONING_BY_LOAD") {
            unset if unset == Flag::Unspecified as i32 => Flag::Disabled as i32,
            set => set,
        },
        min_partitions_count: number("AUTO_PARTITIONING_MIN_PARTITIONS_COUNT", 1),
        max_partitions_count: number("AUTO_PARTITIONING_MAX_PARTITIONS_COUNT", 50),
        ..Default::default()
    }
}

fn flag(settings: &BTreeMap<String, Setting>, name: &str) -> i32 {
    let flag = match settings.get(name) {
        Some(Setting::Word(word)) if word == "ENABLED" => Flag::Enabled,
        Some(Setting::Word(_)) => Flag::Disabled,
        _ => Flag::Unspecified,
    };
    flag as i32
}
