CREATE TABLE IF NOT EXISTS inboxes (
    user_id UUID NOT NULL,
    unread BIGINT NOT NULL,
    unseen BIGINT NOT NULL,
    latest TIMESTAMPTZ NOT NULL,
    seen_until TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    read_until TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
