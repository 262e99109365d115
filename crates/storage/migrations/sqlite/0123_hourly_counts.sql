CREATE TABLE IF NOT EXISTS hourly_counts (
    shard INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (shard, hour)
) STRICT, WITHOUT ROWID;
