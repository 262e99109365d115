CREATE TABLE IF NOT EXISTS streams (
    id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    requested TEXT NOT NULL,
    description TEXT,
    push BLOB,
    status TEXT NOT NULL,
    reason TEXT,
    cursor TEXT NOT NULL,
    queued INTEGER NOT NULL,
    verified_at INTEGER,
    failing_since INTEGER,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
