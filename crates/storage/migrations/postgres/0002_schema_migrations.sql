CREATE TABLE IF NOT EXISTS schema_migrations (
    number BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    checksum BYTEA NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (number)
);
