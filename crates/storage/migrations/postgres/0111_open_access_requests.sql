CREATE TABLE IF NOT EXISTS open_access_requests (
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    request_id UUID NOT NULL,
    PRIMARY KEY (user_id, kind, name)
);
