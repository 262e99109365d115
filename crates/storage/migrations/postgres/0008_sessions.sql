CREATE TABLE IF NOT EXISTS sessions (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    device_name TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    ip TEXT COLLATE "C",
    amr JSONB NOT NULL,
    auth_time TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    generation BIGINT NOT NULL,
    current_hash BYTEA NOT NULL,
    previous_hash BYTEA,
    successor BYTEA,
    PRIMARY KEY (id)
);
