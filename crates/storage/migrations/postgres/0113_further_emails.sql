CREATE TABLE IF NOT EXISTS further_emails (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    email_sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
