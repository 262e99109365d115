CREATE TABLE IF NOT EXISTS inboxes (
    user_id BLOB NOT NULL,
    unread INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    seen_until INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    read_until INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
