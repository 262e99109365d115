CREATE TABLE IF NOT EXISTS claims (
    claim_hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    owner_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (claim_hash)
) STRICT, WITHOUT ROWID;
