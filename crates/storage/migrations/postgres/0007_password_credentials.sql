CREATE TABLE IF NOT EXISTS password_credentials (
    user_id UUID NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    must_change BOOLEAN NOT NULL,
    PRIMARY KEY (user_id)
);
