CREATE TABLE IF NOT EXISTS user_terms (
    user_id BLOB NOT NULL,
    slot TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (user_id, slot)
) STRICT, WITHOUT ROWID;
