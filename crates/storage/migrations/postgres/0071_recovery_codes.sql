CREATE TABLE IF NOT EXISTS recovery_codes (
    hash BYTEA NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
