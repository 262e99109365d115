CREATE TABLE IF NOT EXISTS grants (
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    id BLOB NOT NULL,
    source TEXT NOT NULL,
    reason BLOB,
    granted_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    starts_at INTEGER,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, name)
) STRICT, WITHOUT ROWID;
