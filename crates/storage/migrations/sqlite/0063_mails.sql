CREATE TABLE IF NOT EXISTS mails (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
