CREATE TABLE IF NOT EXISTS audit_checkpoints (
    size BIGINT NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (size)
);
