CREATE TABLE IF NOT EXISTS identities (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    subject BYTEA NOT NULL,
    profile BYTEA,
    tokens BYTEA,
    client_id TEXT COLLATE "C" NOT NULL,
    bot_access BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
