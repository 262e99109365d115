CREATE TABLE IF NOT EXISTS access_request_escalations (
    request_id UUID NOT NULL,
    user_id UUID NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (request_id)
);
