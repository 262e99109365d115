CREATE TABLE IF NOT EXISTS notification_preferences (
    user_id BLOB NOT NULL,
    categories TEXT NOT NULL,
    quiet_from TEXT,
    quiet_to TEXT,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
