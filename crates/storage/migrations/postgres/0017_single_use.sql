CREATE TABLE IF NOT EXISTS single_use (
    hash BYTEA NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
