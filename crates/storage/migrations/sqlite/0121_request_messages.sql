CREATE TABLE IF NOT EXISTS request_messages (
    request_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    message_id INTEGER NOT NULL,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (request_id, user_id, message_id)
) STRICT, WITHOUT ROWID;
