CREATE TABLE IF NOT EXISTS legal_holds (
    user_id UUID NOT NULL,
    reason TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
