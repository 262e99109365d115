CREATE TABLE IF NOT EXISTS factors (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    secret BYTEA NOT NULL,
    counter BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
