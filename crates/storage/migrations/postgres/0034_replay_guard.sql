CREATE TABLE IF NOT EXISTS replay_guard (
    hash BYTEA NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
