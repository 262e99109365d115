CREATE TABLE IF NOT EXISTS request_messages (
    request_id UUID NOT NULL,
    user_id UUID NOT NULL,
    message_id BIGINT NOT NULL,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (request_id, user_id, message_id)
);
