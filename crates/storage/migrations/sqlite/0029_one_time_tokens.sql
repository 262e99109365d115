CREATE TABLE IF NOT EXISTS one_time_tokens (
    hash BLOB NOT NULL,
    purpose TEXT NOT NULL,
    owner_id BLOB NOT NULL,
    payload BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
