CREATE TABLE IF NOT EXISTS permissions (
    name TEXT NOT NULL,
    description TEXT,
    requestable INTEGER NOT NULL,
    registered_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
