CREATE TABLE IF NOT EXISTS revocations (
    id UUID NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    what JSONB NOT NULL,
    PRIMARY KEY (id)
);
