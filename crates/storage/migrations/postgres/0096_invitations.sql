CREATE TABLE IF NOT EXISTS invitations (
    id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    email BYTEA,
    roles JSONB NOT NULL,
    uses BIGINT NOT NULL,
    created_by UUID,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
