CREATE TABLE IF NOT EXISTS leases (
    name TEXT COLLATE "C" NOT NULL,
    owner UUID NOT NULL,
    epoch BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name)
);
