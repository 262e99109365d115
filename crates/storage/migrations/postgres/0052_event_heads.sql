CREATE TABLE IF NOT EXISTS event_heads (
    shard BIGINT NOT NULL,
    position BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (shard)
);
