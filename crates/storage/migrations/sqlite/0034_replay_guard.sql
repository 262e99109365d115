CREATE TABLE IF NOT EXISTS replay_guard (
    hash BLOB NOT NULL,
    purpose TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
