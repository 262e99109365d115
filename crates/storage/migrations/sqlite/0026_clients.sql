CREATE TABLE IF NOT EXISTS clients (
    id BLOB NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    permissions TEXT NOT NULL,
    created_by BLOB,
    created_at INTEGER NOT NULL,
    secret_changed_at INTEGER NOT NULL,
    disabled_at INTEGER,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
