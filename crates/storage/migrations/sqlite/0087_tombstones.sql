CREATE TABLE IF NOT EXISTS tombstones (
    user_id BLOB NOT NULL,
    purged_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
