CREATE TABLE IF NOT EXISTS webhooks (
    id UUID NOT NULL,
    url BYTEA NOT NULL,
    events JSONB NOT NULL,
    description TEXT COLLATE "C",
    secret BYTEA NOT NULL,
    previous_secret BYTEA,
    previous_until TIMESTAMPTZ,
    created_by UUID,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    disabled_at TIMESTAMPTZ,
    disabled_reason TEXT COLLATE "C",
    failing_since TIMESTAMPTZ,
    version BIGINT NOT NULL,
    PRIMARY KEY (id)
);
