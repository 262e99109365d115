CREATE TABLE IF NOT EXISTS terms_acceptances (
    user_id UUID NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    accepted_at TIMESTAMPTZ NOT NULL,
    origin BYTEA,
    PRIMARY KEY (user_id, document, version)
);
