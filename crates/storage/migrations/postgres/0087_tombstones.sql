CREATE TABLE IF NOT EXISTS tombstones (
    user_id UUID NOT NULL,
    purged_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
