CREATE TABLE IF NOT EXISTS stream_signals (
    id BLOB NOT NULL,
    stream_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    user_id BLOB NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
