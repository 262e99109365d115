CREATE TABLE IF NOT EXISTS deliveries (
    id BLOB NOT NULL,
    queue INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    channel TEXT NOT NULL,
    user_id BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    content BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    finished_at INTEGER,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
