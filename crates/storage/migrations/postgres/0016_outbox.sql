CREATE TABLE IF NOT EXISTS outbox (
    shard BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    data JSONB NOT NULL,
    PRIMARY KEY (shard, created_at, id)
);
