CREATE TABLE IF NOT EXISTS identities (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject BLOB NOT NULL,
    profile BLOB,
    tokens BLOB,
    client_id TEXT NOT NULL,
    bot_access INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
