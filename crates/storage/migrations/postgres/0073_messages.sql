CREATE TABLE IF NOT EXISTS messages (
    id UUID NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    audience TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    channels JSONB NOT NULL,
    content BYTEA NOT NULL,
    sender_kind TEXT COLLATE "C" NOT NULL,
    sender_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    cursor_at TIMESTAMPTZ,
    cursor_user UUID,
    recipients BIGINT NOT NULL,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
