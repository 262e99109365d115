CREATE TABLE IF NOT EXISTS audit_entries (
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    act TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (position)
) STRICT, WITHOUT ROWID;
