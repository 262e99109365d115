CREATE TABLE IF NOT EXISTS notifications (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    folder TEXT NOT NULL,
    category TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    read_at INTEGER,
    archived_at INTEGER,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
