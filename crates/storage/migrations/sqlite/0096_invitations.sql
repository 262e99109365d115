CREATE TABLE IF NOT EXISTS invitations (
    id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    email BLOB,
    roles TEXT NOT NULL,
    uses INTEGER NOT NULL,
    created_by BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
