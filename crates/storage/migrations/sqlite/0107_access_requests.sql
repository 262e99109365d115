CREATE TABLE IF NOT EXISTS access_requests (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    reason BLOB,
    starts_at INTEGER,
    duration_seconds INTEGER,
    state TEXT NOT NULL,
    decisions TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
