CREATE TABLE IF NOT EXISTS permissions (
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    requestable BOOLEAN NOT NULL,
    registered_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name)
);
