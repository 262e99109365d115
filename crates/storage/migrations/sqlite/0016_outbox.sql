CREATE TABLE IF NOT EXISTS outbox (
    shard INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    user_id BLOB NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (shard, created_at, id)
) STRICT, WITHOUT ROWID;
