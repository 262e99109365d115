CREATE TABLE IF NOT EXISTS secrets (
    hash BYTEA NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    owner_id UUID NOT NULL,
    payload BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
