CREATE TABLE IF NOT EXISTS notifications (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    folder TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,
    archived_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
