CREATE TABLE IF NOT EXISTS hourly_counts (
    shard BIGINT NOT NULL,
    hour TIMESTAMPTZ NOT NULL,
    counts JSONB NOT NULL,
    PRIMARY KEY (shard, hour)
);
