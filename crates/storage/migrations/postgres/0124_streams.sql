CREATE TABLE IF NOT EXISTS streams (
    id UUID NOT NULL,
    client_id UUID NOT NULL,
    requested JSONB NOT NULL,
    description TEXT COLLATE "C",
    push BYTEA,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    cursor JSONB NOT NULL,
    queued BIGINT NOT NULL,
    verified_at TIMESTAMPTZ,
    failing_since TIMESTAMPTZ,
    attempts BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (id)
);
