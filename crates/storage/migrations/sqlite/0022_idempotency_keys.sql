CREATE TABLE IF NOT EXISTS idempotency_keys (
    key_hash BLOB NOT NULL,
    body_hash BLOB NOT NULL,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (key_hash)
) STRICT, WITHOUT ROWID;
