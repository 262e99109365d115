CREATE TABLE IF NOT EXISTS deliveries (
    id UUID NOT NULL,
    queue BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    webhook_id UUID NOT NULL,
    message_id UUID NOT NULL,
    content BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    deadline TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
