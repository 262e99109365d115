CREATE TABLE IF NOT EXISTS audit_tiles (
    level BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, number)
);
