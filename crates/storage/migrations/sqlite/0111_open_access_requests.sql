CREATE TABLE IF NOT EXISTS open_access_requests (
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    request_id BLOB NOT NULL,
    PRIMARY KEY (user_id, kind, name)
) STRICT, WITHOUT ROWID;
