CREATE TABLE IF NOT EXISTS grants (
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    reason BYTEA,
    granted_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, kind, name)
);
