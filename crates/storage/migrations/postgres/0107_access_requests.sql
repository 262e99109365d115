CREATE TABLE IF NOT EXISTS access_requests (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    reason BYTEA,
    starts_at TIMESTAMPTZ,
    duration_seconds BIGINT,
    state TEXT COLLATE "C" NOT NULL,
    decisions JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (id)
);
