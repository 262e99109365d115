CREATE TABLE IF NOT EXISTS message_counts (
    message_id BLOB NOT NULL,
    slot INTEGER NOT NULL,
    counts TEXT NOT NULL,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, slot)
) STRICT, WITHOUT ROWID;
