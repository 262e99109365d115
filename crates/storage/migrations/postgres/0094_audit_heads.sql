CREATE TABLE IF NOT EXISTS audit_heads (
    log BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    edge BYTEA NOT NULL,
    PRIMARY KEY (log)
);
