CREATE TABLE IF NOT EXISTS deletions (
    user_id BLOB NOT NULL,
    deleted_by TEXT NOT NULL,
    status_before TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    purge_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
