//! The schema: the same on every engine, in the words that every engine knows, and as the repositories believe.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::LazyLock,
};

use userd_storage::{
    Kind,
    engine::Dialect,
    migrations::MIGRATIONS,
    tables::{Expiry, Owner, TABLES, retention, schema::schema},
};

use crate::sql::{Parsed, Reader, tokens};

/// What the migrations of one engine amount to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Schema {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) indexes: BTreeMap<String, (String, Vec<String>)>,
    /// Tables whose rows have all gone to another one.
    emptied: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) key: Vec<String>,
    pub(crate) columns: Vec<Column>,
    options: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) nullable: bool,
}

impl Column {
    /// The kind that a PostgreSQL column type stands for; each kind has exactly one.
    pub(crate) fn kind(&self) -> Kind {
        match self.type_name.as_str() {
            "TEXT" => Kind::Text,
            "BYTEA" => Kind::Bytes,
            "BIGINT" => Kind::I64,
            "BOOLEAN" => Kind::Bool,
            "TIMESTAMPTZ" => Kind::Timestamp,
            "UUID" => Kind::Uuid,
            "JSONB" => Kind::Json,
            other => panic!("{}: no kind is stored as {other}", self.name),
        }
    }
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// The schema in PostgreSQL's words: its types tell every kind apart.
pub(crate) static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::of(MIGRATIONS.iter().map(|step| step.postgres), true).unwrap());

impl Schema {
    fn of<'a>(steps: impl Iterator<Item = &'a str>, postgres: bool) -> Parsed<Self> {
        let mut schema = Self::default();
        for step in steps {
            schema.apply(step, postgres).map_err(|what| format!("{what} in {step}"))?;
        }
        Ok(schema)
    }

    /// Knows the only things a step may do, each in a form that is safe to repeat.
    fn apply(&mut self, step: &str, postgres: bool) -> Parsed<()> {
        let mut reader = Reader::new(step);
        if reader.eat("CREATE TABLE IF NOT EXISTS") {
            let name = reader.name()?;
            let table = read_table(&mut reader, postgres)?;
            self.tables.insert(name, table);
        } else if reader.eat("CREATE INDEX IF NOT EXISTS") {
            let name = reader.name()?;
            reader.expect("ON")?;
            let table = reader.name()?;
            reader.expect("(")?;
            // ASC is said aloud for engines that would hash the first column.
            let each: fn(&mut Reader) -> Parsed<String> = if postgres { ascending } else { Reader::name };
            let columns = reader.separated(each)?;
            reader.expect(")")?;
            self.indexes.insert(name, (table, columns));
        } else if reader.eat("ALTER TABLE") {
            let name = reader.name()?;
            reader.expect(if postgres { "ADD COLUMN IF NOT EXISTS" } else { "ADD COLUMN" })?;
            let column = read_column(&mut reader, postgres)?;
            if !column.nullable {
                return Err("a column added later must be nullable: the previous release does not write it".into());
            }
            self.tables.get_mut(&name).ok_or("no such table")?.columns.push(column);
        } else if reader.eat(if postgres { "INSERT INTO" } else { "INSERT OR IGNORE INTO" }) {
            self.copy_rows(&mut reader)?;
            if postgres {
                reader.expect("ON CONFLICT DO NOTHING")?;
            }
        } else if reader.eat("DROP TABLE IF EXISTS") {
            let name = reader.name()?;
            if !self.emptied.remove(&name) {
                return Err("its rows have not gone to another table".into());
            }
            self.tables.remove(&name);
            self.indexes.retain(|_, (table, _)| *table != name);
        } else {
            return Err("neither CREATE TABLE, CREATE INDEX, ADD COLUMN nor the two halves of a renaming".into());
        }
        reader.expect(";")?;
        reader.end()
    }
}

impl Schema {
    /// All rows to a table with the same columns: the first half of a renaming, `DROP TABLE` is the other.
    fn copy_rows(&mut self, reader: &mut Reader) -> Parsed<()> {
        let to = reader.name()?;
        let columns = reader.names()?;
        reader.expect("SELECT")?;
        let selected = reader.separated(Reader::name)?;
        reader.expect("FROM")?;
        let from = reader.name()?;
        let (old, new) = self.tables.get(&from).zip(self.tables.get(&to)).ok_or("no such table")?;
        let all: Vec<&str> = old.columns.iter().map(|column| column.name.as_str()).collect();
        if old != new || columns != all || selected != all {
            return Err("a renaming keeps every column".into());
        }
        self.emptied.insert(from);
        Ok(())
    }
}

fn ascending(reader: &mut Reader) -> Parsed<String> {
    let name = reader.name()?;
    reader.expect("ASC")?;
    Ok(name)
}

fn read_table(reader: &mut Reader, postgres: bool) -> Parsed<Table> {
    let mut table = Table::default();
    reader.expect("(")?;
    while !reader.eat("PRIMARY KEY") {
        table.columns.push(read_column(reader, postgres)?);
        reader.expect(",")?;
    }
    table.key = reader.names()?;
    reader.expect(")")?;
    if !postgres && reader.eat("STRICT , WITHOUT ROWID") {
        table.options = "STRICT, WITHOUT ROWID".into();
    }
    Ok(table)
}

fn read_column(reader: &mut Reader, postgres: bool) -> Parsed<Column> {
    let name = reader.name()?;
    let type_name = reader.next()?;
    if postgres && type_name == "TEXT" {
        reader.expect("COLLATE \"C\"")?;
    }
    let nullable = !reader.eat("NOT NULL");
    Ok(Column { name, type_name, nullable })
}

fn sqlite() -> Schema {
    Schema::of(MIGRATIONS.iter().map(|step| step.sqlite), false).unwrap()
}

#[test]
fn steps_count_up_from_one_and_are_all_listed() {
    let listed: Vec<String> = MIGRATIONS.iter().map(|step| format!("{:04}_{}.sql", step.number, step.name)).collect();
    assert!(MIGRATIONS.iter().map(|step| step.number).eq(1..=i64::try_from(MIGRATIONS.len()).unwrap()));
    for engine in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, listed, "{engine}");
    }
}

#[test]
fn every_step_is_one_repeatable_statement_and_both_engines_get_the_same_schema() {
    let (lite, postgres) = (sqlite(), &*SCHEMA);
    assert_eq!(lite.indexes, postgres.indexes);
    assert!(lite.tables.keys().eq(postgres.tables.keys()));
    for (name, table) in &postgres.tables {
        let other = &lite.tables[name];
        assert_eq!(other.options, "STRICT, WITHOUT ROWID", "{name}");
        assert_eq!(other.key, table.key, "{name}");
        assert_eq!(other.columns.len(), table.columns.len(), "{name}");
        for (column, twin) in table.columns.iter().zip(&other.columns) {
            assert_eq!((&column.name, column.nullable), (&twin.name, twin.nullable), "{name}");
            let stored = match column.kind() {
                Kind::Text | Kind::Json => "TEXT",
                Kind::Bytes | Kind::Uuid => "BLOB",
                Kind::I64 | Kind::Bool | Kind::Timestamp => "INTEGER",
            };
            assert_eq!(twin.type_name, stored, "{name}.{}", column.name);
        }
    }
}

/// The declarations, read by the same grammar as the steps.
fn declared(dialect: Dialect) -> Schema {
    let text = schema(dialect);
    Schema::of(text.split_inclusive(";\n"), dialect == Dialect::Postgres).unwrap()
}

#[test]
fn the_steps_end_where_the_declarations_are() {
    assert_eq!(sqlite(), declared(Dialect::Sqlite));
    assert_eq!(*SCHEMA, declared(Dialect::Postgres));
}

#[test]
fn the_schema_in_the_tree_is_the_declared_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (file, text) in [
        ("sqlite.sql", schema(Dialect::Sqlite)),
        ("postgres.sql", schema(Dialect::Postgres)),
        ("statements.sql", userd_storage::repositories::statement_texts()),
    ] {
        let kept = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert!(kept == text, "crates/storage/schema/{file} is not current: run `cargo xtask schema`");
    }
}

#[test]
fn an_order_is_total_and_the_key_comes_first() {
    for table in TABLES {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        assert!(names.starts_with(table.key), "{}", table.name);
        for index in table.indexes {
            assert!(index.columns.ends_with(table.key), "{}: the order is not total", index.name);
        }
    }
}

/// ASVS V14.1.1
#[test]
fn whose_data_a_table_holds_and_how_it_ends_is_true_of_its_columns() {
    assert!(retention().map(|fact| fact.table).eq(TABLES.iter().map(|table| table.name)));
    for table in TABLES {
        if let Owner::User { column } | Owner::Client { column } = table.owner {
            assert_eq!(table.column(column).kind, Kind::Uuid, "{}.{column}", table.name);
        }
        if let Expiry::At { column, .. } = table.expiry {
            let mut begins = table.indexes.iter().map(|index| index.columns.first());
            assert!(begins.any(|first| first == Some(&column)), "{}: no index for the sweeper", table.name);
        }
        if let Expiry::InShards { column, shards, .. } = table.expiry {
            assert_eq!(table.key.get(1), Some(&column), "{}: the sweeper walks the key", table.name);
            assert!(shards > 0 && table.column(table.key[0]).kind == Kind::I64, "{}: no shards", table.name);
        }
        let ends = table.expiry != Expiry::Never;
        assert!(ends || table.owner != Owner::SomeUser, "{}: no erasure would find such rows", table.name);
    }
}

#[test]
fn key_and_index_columns_are_never_null() {
    let schema = &*SCHEMA;
    let keys = schema.tables.iter().map(|(name, table)| (name, &table.key));
    for (name, columns) in keys.chain(schema.indexes.values().map(|(table, columns)| (table, columns))) {
        for column in columns {
            let column = schema.tables[name].column(column).unwrap_or_else(|| panic!("{name}.{column} is not there"));
            assert!(!column.nullable, "{name}.{}", column.name);
            assert!(!matches!(column.kind(), Kind::Json | Kind::Bool), "{name}.{} cannot be a key", column.name);
        }
    }
}

/// What CockroachDB, YugabyteDB, Citus or PgBouncer in transaction mode do not have, or do otherwise.
const LACKING: &[&str] = &[
    "SERIAL",
    "BIGSERIAL",
    "SMALLSERIAL",
    "IDENTITY",
    "SEQUENCE",
    "TRIGGER",
    "FUNCTION",
    "PROCEDURE",
    "RULE",
    "FOREIGN",
    "REFERENCES",
    "EXTENSION",
    "PARTITION",
    "INHERITS",
    "DEFERRABLE",
    "ENUM",
    "DOMAIN",
    "TYPE",
    "GENERATED",
    "CONCURRENTLY",
    "TEMPORARY",
    "TEMP",
    "UNLOGGED",
    "TABLESPACE",
    "EXCLUDE",
    "UNIQUE",
    "USING",
    "WHERE",
    "LISTEN",
    "NOTIFY",
    "DO",
    "SET",
    "DEFAULT",
    "CHECK",
    "LOCK",
    "BEGIN",
    "COMMIT",
];

fn lacking(step: &str) -> Option<String> {
    tokens(&step.replace("ON CONFLICT DO NOTHING", ""))
        .into_iter()
        .find(|token| LACKING.contains(&token.to_ascii_uppercase().as_str()))
}

#[test]
fn postgres_steps_use_nothing_that_its_relatives_lack() {
    for step in MIGRATIONS {
        assert_eq!(lacking(step.postgres), None, "{}", step.name);
    }
}

/// Decision 0012: from the first release on, the previous release runs on the new schema.
#[test]
fn no_table_is_dropped_from_the_first_release_on() {
    const LAST_BEFORE_THE_FIRST_RELEASE: i64 = 37;
    for step in MIGRATIONS.iter().filter(|step| step.number > LAST_BEFORE_THE_FIRST_RELEASE) {
        assert!(![step.sqlite, step.postgres].iter().any(|text| text.contains("DROP")), "{}", step.name);
    }
}

#[test]
fn unportable_steps_are_refused() {
    for step in [
        "CREATE TABLE IF NOT EXISTS t (id BIGSERIAL NOT NULL, PRIMARY KEY (id));",
        "CREATE TABLE IF NOT EXISTS t (id BIGINT GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id));",
        "CREATE TABLE IF NOT EXISTS t (id UUID REFERENCES users (id), PRIMARY KEY (id));",
        "CREATE TYPE mood AS ENUM ('good');",
        "CREATE EXTENSION IF NOT EXISTS pgcrypto;",
        "CREATE INDEX CONCURRENTLY i ON t (id);",
        "CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f();",
        "CREATE TABLE IF NOT EXISTS t (id UUID, PRIMARY KEY (id)) PARTITION BY HASH (id);",
        "create unique index if not exists i on t (id);",
    ] {
        assert!(lacking(step).is_some(), "{step}");
    }
    for step in [
        "CREATE TABLE t (id UUID NOT NULL, PRIMARY KEY (id));",
        "CREATE TABLE IF NOT EXISTS t (name TEXT NOT NULL, PRIMARY KEY (name));",
        "CREATE TABLE IF NOT EXISTS t (name TEXT COLLATE \"en_US\" NOT NULL, PRIMARY KEY (name));",
        "CREATE INDEX IF NOT EXISTS i ON t (id);",
        "CREATE INDEX IF NOT EXISTS i ON t (id DESC);",
        "CREATE INDEX IF NOT EXISTS i ON t (id ASC); CREATE INDEX IF NOT EXISTS j ON t (id ASC);",
        "DROP TABLE IF EXISTS t;",
        "ALTER TABLE t ADD COLUMN c TEXT COLLATE \"C\";",
    ] {
        assert!(Schema::of([step].into_iter(), true).is_err(), "{step}");
    }
}
