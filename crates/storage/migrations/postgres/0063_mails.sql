CREATE TABLE IF NOT EXISTS mails (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    content BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
