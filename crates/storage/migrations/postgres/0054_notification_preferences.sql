CREATE TABLE IF NOT EXISTS notification_preferences (
    user_id UUID NOT NULL,
    categories JSONB NOT NULL,
    quiet_from TEXT COLLATE "C",
    quiet_to TEXT COLLATE "C",
    version BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
