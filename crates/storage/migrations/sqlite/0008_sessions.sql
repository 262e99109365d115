CREATE TABLE IF NOT EXISTS sessions (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    device_name TEXT,
    user_agent TEXT,
    ip TEXT,
    amr TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    generation INTEGER NOT NULL,
    current_hash BLOB NOT NULL,
    previous_hash BLOB,
    successor BLOB,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
