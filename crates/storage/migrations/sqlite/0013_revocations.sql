CREATE TABLE IF NOT EXISTS revocations (
    id BLOB NOT NULL,
    scope TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
