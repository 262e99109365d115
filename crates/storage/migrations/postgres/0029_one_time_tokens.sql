CREATE TABLE IF NOT EXISTS one_time_tokens (
    hash BYTEA NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    owner_id UUID NOT NULL,
    payload BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
