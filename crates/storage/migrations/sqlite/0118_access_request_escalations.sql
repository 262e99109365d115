CREATE TABLE IF NOT EXISTS access_request_escalations (
    request_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (request_id)
) STRICT, WITHOUT ROWID;
