CREATE TABLE IF NOT EXISTS audit_entries (
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    entry BYTEA NOT NULL,
    PRIMARY KEY (position)
);
