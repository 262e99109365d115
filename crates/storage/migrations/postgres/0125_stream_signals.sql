CREATE TABLE IF NOT EXISTS stream_signals (
    id UUID NOT NULL,
    stream_id UUID NOT NULL,
    number BIGINT NOT NULL,
    user_id UUID NOT NULL,
    payload JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
