CREATE TABLE IF NOT EXISTS block_ends (
    user_id UUID NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
