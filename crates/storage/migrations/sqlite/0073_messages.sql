CREATE TABLE IF NOT EXISTS messages (
    id BLOB NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    category TEXT NOT NULL,
    audience TEXT NOT NULL,
    role TEXT,
    channels TEXT NOT NULL,
    content BLOB NOT NULL,
    sender_kind TEXT NOT NULL,
    sender_id BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    cursor_at INTEGER,
    cursor_user BLOB,
    recipients INTEGER NOT NULL,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
