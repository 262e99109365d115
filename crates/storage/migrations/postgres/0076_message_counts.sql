CREATE TABLE IF NOT EXISTS message_counts (
    message_id UUID NOT NULL,
    slot BIGINT NOT NULL,
    counts JSONB NOT NULL,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (message_id, slot)
);
