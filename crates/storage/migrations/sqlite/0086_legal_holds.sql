CREATE TABLE IF NOT EXISTS legal_holds (
    user_id BLOB NOT NULL,
    reason TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
