CREATE TABLE IF NOT EXISTS terms_acceptances (
    user_id BLOB NOT NULL,
    document TEXT NOT NULL,
    version TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    origin BLOB,
    PRIMARY KEY (user_id, document, version)
) STRICT, WITHOUT ROWID;
