CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    checksum BLOB NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (number)
) STRICT, WITHOUT ROWID;
