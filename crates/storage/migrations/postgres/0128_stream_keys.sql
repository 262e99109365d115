CREATE TABLE IF NOT EXISTS stream_keys (
    kid TEXT COLLATE "C" NOT NULL,
    public_jwk JSONB NOT NULL,
    private_key BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (kid)
);
