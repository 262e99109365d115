CREATE TABLE IF NOT EXISTS deletions (
    user_id UUID NOT NULL,
    deleted_by TEXT COLLATE "C" NOT NULL,
    status_before TEXT COLLATE "C" NOT NULL,
    deleted_at TIMESTAMPTZ NOT NULL,
    purge_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
