CREATE TABLE IF NOT EXISTS further_emails (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    email_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
