CREATE TABLE IF NOT EXISTS idempotency_keys (
    key_hash BYTEA NOT NULL,
    body_hash BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (key_hash)
);
