CREATE TABLE IF NOT EXISTS roles (
    name TEXT COLLATE "C" NOT NULL,
    permissions JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name)
);
